/* SPDX-License-Identifier: MIT */
/*
 * Static keys: branches that cost a NOP while nobody wants them, and are switched by patching the
 * code. Mirrors Linux's include/linux/jump_label.h.
 *
 *     static DEFINE_STATIC_KEY_FALSE(tracing);
 *
 *     if (static_branch_unlikely(&tracing))
 *         trace(...);
 *
 *     static_key_enable(&tracing);
 *
 * A site is built as a JMP, of 2 or 5 bytes as the assembler finds, and becomes a NOP of the same
 * length at boot where its key wants that. Each is recorded in section .jump_table.
 */
#ifndef POKE_USERS_JUMP_LABEL_H
#define POKE_USERS_JUMP_LABEL_H

#include "poke/poke.h"

/* One site. Written by the macros below, sorted by jump_label_init(). */
struct jump_entry {
    uintptr_t code, target; /* of the instruction, and where it goes as a JMP */
    uintptr_t key;          /* struct static_key *, bit 0: static_branch_likely() */
    uint64_t len;           /* 2 or 5 */
};

/* Its members are the file's own. */
struct static_key {
    uint32_t enabled;               /* a count: the branch is taken while it is not 0 */
    uint32_t count;                 /* of entries */
    const struct jump_entry *sites; /* ascending by address */
};

#define DEFINE_STATIC_KEY_FALSE(name) struct static_key name = { .enabled = 0 }
#define DEFINE_STATIC_KEY_TRUE(name)  struct static_key name = { .enabled = 1 }

/*
 * Is the key enabled? `key` is the address of a key of static storage duration. The body of an
 * unlikely branch lies out of line, that of a likely one in line. Any context.
 */
#define static_branch_unlikely(key) jump_label_branch(key, false)
#define static_branch_likely(key)   (!jump_label_branch(key, true))

/* Does the site jump? It does if the key is enabled and the branch unlikely, or neither. */
static inline __attribute__((always_inline)) bool jump_label_branch(struct static_key *key,
                                                                    bool likely)
{
    __asm__ goto("1: jmp %l[jumps]\n"
                 "2: .pushsection .jump_table, \"aw\", @progbits\n\t"
                 ".balign 8\n\t"
                 ".quad 1b, %l[jumps], %c[key] + %c[likely], 2b - 1b\n\t"
                 ".popsection"
                 :
                 : [key] "i"(key), [likely] "i"(likely)
                 :
                 : jumps);
    return false;
jumps:
    return true;
}

/*
 * Enable or disable: all sites of the key become what it wants, through the breakpoint protocol,
 * in batches. When it returns no core sees the old state any more. No-op if it is so already.
 * Takes text_mutex (POKE_E_LOCK if it is held). POKE_E_EXPECTED, with nothing changed, if a site
 * does not hold what this key left there. Thread context, interrupts on.
 */
enum poke_error static_key_enable(struct static_key *key);
enum poke_error static_key_disable(struct static_key *key);

/*
 * The same, counted: enabled as long as somebody has incremented it. Mirrors Linux
 * `static_key_slow_inc` and `_dec`. A decrement of a key that is not enabled is POKE_E_PENDING.
 */
enum poke_error static_key_slow_inc(struct static_key *key);
enum poke_error static_key_slow_dec(struct static_key *key);

/* How many have enabled it. Any context; may be old when it returns. */
uint32_t static_key_count(const struct static_key *key);

/*
 * Does a site have a byte in [start, start + len)? Mirrors Linux `jump_label_text_reserved`. And
 * does one lead to [from, to) when it jumps? Pure after jump_label_init().
 */
bool jump_label_text_reserved(uintptr_t start, size_t len);
bool jump_label_leads_to(uintptr_t from, uintptr_t to);

/*
 * Find the sites, and make each what its key wants. Once, on the only core that runs, before any
 * site is executed. Errors of text_poke_early().
 */
enum poke_error jump_label_init(void);

#endif
