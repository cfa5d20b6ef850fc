/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers share: input taken byte by byte, a failure that libFuzzer reports, and counts of
 * what was reached. A run that reached too little proves nothing, and only the counts show it.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define fuzz_check(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "fuzz: %s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct fuzz_input {
    const uint8_t *data;
    size_t left;
};

/* The next `bytes` bytes (at most 8), little endian; zeros when the input has ended. */
static inline uint64_t fuzz_take(struct fuzz_input *in, size_t bytes)
{
    size_t n = bytes < in->left ? bytes : in->left;
    uint64_t value = 0;

    memcpy(&value, in->data, n);
    in->data += n;
    in->left -= n;
    return value;
}

/* `len` bytes of input in an allocation of exactly that size, so that reading past it is seen. */
static inline uint8_t *fuzz_take_bytes(struct fuzz_input *in, size_t len)
{
    uint8_t *bytes = malloc(len);

    fuzz_check(bytes || !len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)fuzz_take(in, 1);
    return bytes;
}

/* Print "reached: NAME=COUNT ..." when the fuzzer ends: the line that tests/system reads. */
static inline void fuzz_print_reached(const char *const *names, const unsigned long *counts,
                                      size_t n)
{
    fprintf(stderr, "reached:");
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, " %s=%lu", names[i], counts[i]);
    fprintf(stderr, "\n");
}

/* Called by libFuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
