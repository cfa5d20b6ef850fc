/* SPDX-License-Identifier: MIT */
/* A 64-bit hash of states: fast and well mixed, not meant to resist an adversary. */
#ifndef TESTS_MODEL_HASH_H
#define TESTS_MODEL_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull; /* 2^64 / golden ratio: odd, bits well spread */
    return hash ^ (hash >> 29);
}

/*
 * Four lanes, because a multiplication has a latency of several cycles. Most of the engine's
 * variables are zero: such blocks are skipped, and the others count with their place.
 */
static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t lane[4] = { hash, ~hash, hash << 1, len };
    uint64_t word[4];

    for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
        memcpy(word, p, sizeof(word));
        if (!(word[0] | word[1] | word[2] | word[3]))
            continue;
        lane[0] = hash_word(lane[0], len);
        for (unsigned i = 0; i < 4; i++)
            lane[i] = hash_word(lane[i], word[i]);
    }
    memset(word, 0, sizeof(word));
    memcpy(word, p, len);
    for (unsigned i = 0; i < 4; i++)
        hash = hash_word(hash_word(hash, lane[i]), word[i]);
    return hash;
}

#endif
