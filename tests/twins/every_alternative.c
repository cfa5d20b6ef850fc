/* SPDX-License-Identifier: MIT */
/* Broken on purpose: code is replaced whatever the processor has. */
#include "poke/users/alternative.h"

#define has(feature) ((feature) && has)

#include "poke/users/alternative.c"
