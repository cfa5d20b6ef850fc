/* SPDX-License-Identifier: MIT */
/*
 * The text that the latency tests patch: sites of five bytes that hold a NOP or a jump to the next
 * instruction, each with a RET behind it or behind the sites that follow it without a gap. So
 * whoever calls a site comes back, whatever it and its neighbours hold, and has executed it.
 *
 * One ground for the whole run; one test at a time uses it. Boot core.
 */
#ifndef TESTS_LATENCY_GROUND_H
#define TESTS_LATENCY_GROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "poke/poke.h"

#define GROUND_SITES 4096u

/* How the sites follow each other. */
enum layout {
    LAYOUT_DENSE, /* without a gap: twelve in each line */
    LAYOUT_PAGE,  /* every 16 bytes: 256 in each page */
    LAYOUT_PAGES, /* one in each of 256 pages; the 257th is in the first page again */
    LAYOUTS
};
const char *layout_name(enum layout layout);

enum image { IMAGE_NOP, IMAGE_JUMP };

/* All sites hold NOPs. Makes the text when it is first called; false if memory is short. */
bool ground_prepare(void);

/* Site `i` of GROUND_SITES. Ascending addresses, but where LAYOUT_PAGES begins anew. */
uint8_t *ground_site(enum layout layout, unsigned i);

/* The five bytes of an image. Constant. */
const uint8_t *ground_bytes(enum image image);

/* Queue site `i`, which may be executed. Needs text_mutex. */
enum poke_error ground_add(enum layout layout, unsigned i, enum image image);

/*
 * Patch the sites `first` .. `first + n - 1`, in batches as full as they get. Needs text_mutex.
 */
enum poke_error ground_patch(enum layout layout, unsigned first, unsigned n, enum image image);

/*
 * Switch the check of each batch's event log off while times are taken, and on again: it comes
 * behind the batch, and is no part of it. Text_mutex is free.
 */
void ground_check_order(bool on);

/* Do the first `n` sites hold that image? Nobody patches. */
bool ground_holds(enum layout layout, unsigned n, enum image image);

#endif
