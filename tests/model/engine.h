/* SPDX-License-Identifier: MIT */
/*
 * The engine under test: poke/ as it is, or with one file replaced by a twin that is broken on
 * purpose (tests/twins/). All of them are linked into the model, each with its own data, and
 * each behind one of these tables.
 */
#ifndef TESTS_MODEL_ENGINE_H
#define TESTS_MODEL_ENGINE_H

#include "poke/poke.h"
#include "poke/table.h"

struct engine {
    void (*lock)(void);
    void (*unlock)(void);
    enum poke_error (*select)(const struct poke_protocol *row);
    enum poke_error (*add)(void *addr, const void *opcode, size_t len, const void *emulate,
                           bool *flushed);
    enum poke_error (*finish)(void);
    enum poke_error (*single)(void *addr, const void *opcode, size_t len, const void *emulate);
    bool (*handler)(struct poke_regs *regs);
    void (*log_ack)(uint64_t round);
    void (*log_offline)(void);
    void (*log_online)(void);

    /* What the engine calls through the model (machine.c), to see when the table is read. */
    const struct poke_entry *(*table_at_or_below)(const struct poke_table *table, uintptr_t addr);
    void (*table_publish)(struct poke_table *table);
    void (*table_retire)(struct poke_table *table);
    const struct poke_table *tables;

    /* All its variables: .data and .bss. */
    uint8_t *data, *data_end, *bss, *bss_end;
};

extern const struct engine engine_real;

/* See tests/twins/ for what is wrong with each. */
extern const struct engine engine_retire_without_wait, engine_leaked_reference,
    engine_stack_descriptor, engine_wrong_return, engine_call_as_nop, engine_changed_flags,
    engine_consumed_int3, engine_unsorted_batch, engine_unchecked_single, engine_ignored_emulate,
    engine_online_refs, engine_unnestable, engine_early_close;

#endif
