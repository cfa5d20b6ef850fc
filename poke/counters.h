/* SPDX-License-Identifier: MIT */
#ifndef POKE_COUNTERS_H
#define POKE_COUNTERS_H

#include "poke/poke.h"

/* What poke_counters() shows. Written and read under text_mutex. */
extern struct poke_counters poke_count;

#endif
