/* SPDX-License-Identifier: MIT */
/* Memory that is mostly zero, in few bytes: states wait like this until they are explored. */
#ifndef TESTS_MODEL_PACK_H
#define TESTS_MODEL_PACK_H

#include <stddef.h>
#include <stdint.h>

struct packing {
    uint8_t *at, *end; /* what is free, or what is not unpacked yet */
};

/* Append `len` bytes; take them off again. Aborts where there is no room. */
void pack(struct packing *p, const void *data, size_t len);
void unpack(struct packing *p, void *data, size_t len);

/* The same, of which blocks that are zero take no room. */
void pack_sparse(struct packing *p, const void *data, size_t len);
void unpack_sparse(struct packing *p, void *data, size_t len);

#endif
