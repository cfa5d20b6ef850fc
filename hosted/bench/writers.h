/* SPDX-License-Identifier: MIT */
/*
 * Ways in which a process can write text that its other threads execute. All but the first are
 * here to be measured only: hosted/text.c says which one is used, docs/hosted.md why.
 */
#ifndef HOSTED_BENCH_WRITERS_H
#define HOSTED_BENCH_WRITERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
    const char *name;
    /* Store `len` bytes at `offset` of the page of text that was given to writers_init(). */
    void (*store)(size_t offset, const uint8_t *bytes, size_t len);
};

enum { WRITER_PWRITE, WRITER_ALIAS, WRITER_MAP, WRITER_PROCESS, WRITERS };
extern const struct writer writers[WRITERS];

/*
 * Map what they need for the one page of text at `page`, and start the process that writes for
 * this one, on processor `processor`. False if the system refuses.
 */
bool writers_init(uint8_t *page, int processor);
void writers_end(void);

/* The one that the engine's window uses from now on. */
void writers_select(unsigned writer);

#endif
