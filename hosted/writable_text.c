/* SPDX-License-Identifier: MIT */
/*
 * A mapping of text that is writable and executable, for the litmus tests that write code through
 * the address that it is executed from (word mapping=same). It stands only while such a cell runs;
 * nothing else in this process is ever both.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "kernel/mm/mm.h"

/* Page by page: neighbours in the address space are not neighbours in the file. */
void *mm_writable_text_open(uint64_t text, size_t pages)
{
    uint8_t *from = (uint8_t *)(uintptr_t)text;
    size_t bytes = pages * PAGE_SIZE;
    uint8_t *at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return NULL;
    for (size_t offset = 0; offset < bytes; offset += PAGE_SIZE) {
        /* Of a shared mapping, an old size of 0 leaves it in place and maps it once more. */
        if (mremap(from + offset, 0, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, at + offset) ==
            MAP_FAILED) {
            mm_writable_text_close(at, pages);
            return NULL;
        }
    }
    if (mprotect(at, bytes, PROT_READ | PROT_WRITE | PROT_EXEC) != 0) {
        mm_writable_text_close(at, pages);
        return NULL;
    }
    return at;
}

void mm_writable_text_close(void *mapping, size_t pages)
{
    munmap(mapping, pages * PAGE_SIZE);
}
