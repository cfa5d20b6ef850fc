/* SPDX-License-Identifier: MIT */
/*
 * Patchable text with its past. Time is the number of stores so far, counted from the start. A
 * store never crosses an aligned quadword: wider ones are several. What a core may fetch is what
 * distinguishes the two views; docs/model.md argues both from the manuals.
 */
#ifndef TESTS_MODEL_TEXT_H
#define TESTS_MODEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/model/image.h"
#include "tests/model/pack.h"

#define TEXT_BYTES 8192u
extern uint8_t model_text[TEXT_BYTES]; /* page aligned, at a fixed address; as it is now */

enum view {
    VIEW_ANY,    /* each byte as it was at any time since the core last serialised */
    VIEW_VENDOR, /* stores in program order, bytes of one store in one quadword together */
    VIEWS
};

/* What one execution got: the bytes of one instruction. */
struct fetched {
    bool known; /* an instruction that image_length() knows; else the bytes up to the unknown one */
    uint8_t len;
    uint8_t bytes[IMAGE_MAX];
    uint16_t time[IMAGE_MAX]; /* a time at which each byte may have been read */
};

#define FETCHES_MAX 255 /* most ways in which one execution may come out */

/* Forget the past; the text is all RET. */
void text_reset(void);

/* Put an instruction there before time begins. */
void text_init(uintptr_t addr, const uint8_t *bytes, size_t len);

/* Store `len` bytes that lie within one aligned quadword: one tick of time. */
void text_store(uintptr_t addr, const uint8_t *bytes, size_t len);

/* Stores so far. */
unsigned text_now(void);

/* Go back to an earlier time. */
void text_rewind(unsigned time);

/* The present and its past; back to that, if the text was the same before time began. */
void text_pack(struct packing *p);
void text_unpack(struct packing *p);

/*
 * All distinct results of fetching one instruction at `addr` on a core that serialised last at
 * time `since`. Returns how many; at least 1.
 */
unsigned text_fetch(enum view view, uintptr_t addr, unsigned since,
                    struct fetched out[static FETCHES_MAX]);

/* Hash of the stores since `since`: all that a core's future fetches depend on but the text. */
uint64_t text_hash_since(unsigned since, uint64_t hash);

#endif
