/* SPDX-License-Identifier: MIT */
#include "tests/model/pack.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 32

static uint8_t *advance(struct packing *p, size_t len)
{
    uint8_t *at = p->at;

    if (len > (size_t)(p->end - at))
        abort();
    p->at += len;
    return at;
}

void pack(struct packing *p, const void *data, size_t len)
{
    memcpy(advance(p, len), data, len);
}

void unpack(struct packing *p, void *data, size_t len)
{
    memcpy(data, advance(p, len), len);
}

/* Of each block that is not zero its number and its bytes; the number after the last; the rest. */
void pack_sparse(struct packing *p, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint16_t n = 0;

    for (; len >= BLOCK; bytes += BLOCK, len -= BLOCK, n++) {
        uint64_t word[BLOCK / 8];

        memcpy(word, bytes, BLOCK);
        if (!(word[0] | word[1] | word[2] | word[3]))
            continue;
        pack(p, &n, sizeof(n));
        pack(p, word, BLOCK);
    }
    pack(p, &n, sizeof(n));
    pack(p, bytes, len);
}

void unpack_sparse(struct packing *p, void *data, size_t len)
{
    uint8_t *bytes = data;
    uint16_t n;

    memset(bytes, 0, len);
    for (unpack(p, &n, sizeof(n)); n < len / BLOCK; unpack(p, &n, sizeof(n)))
        unpack(p, bytes + n * (size_t)BLOCK, BLOCK);
    unpack(p, bytes + len / BLOCK * BLOCK, len % BLOCK);
}
