/* SPDX-License-Identifier: MIT */
/* What the report says of the single cores: their places, kinds and features. */
#ifndef TESTS_HARNESS_CORES_RECORD_H
#define TESTS_HARNESS_CORES_RECORD_H

#include "kernel/lib/json.h"

/*
 * Members of record "cpu": the features that all online cores have, those that only some have, and
 * how many packages, cores and kinds of cores there are.
 */
void cores_add_summary(struct json *j);

/* Record "cores": each online core's place, for who reads a core number in the report. */
void machine_record_cores(void);

#endif
