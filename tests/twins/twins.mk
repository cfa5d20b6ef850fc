# SPDX-License-Identifier: MIT
# Twins: NAME:PATH, where tests/twins/NAME.c takes the place of the source file PATH.

TWINS := \
    call_as_nop:poke/emulate.c \
    changed_flags:poke/emulate.c \
    consumed_int3:poke/emulate.c \
    jng_and:poke/emulate.c \
    wrong_return:poke/emulate.c \
    extra_word:poke/emulate.c \
    unchecked_padding:poke/insn_decode.c \
    leaked_reference:poke/int3_handler.c \
    online_refs:poke/int3_handler.c \
    retire_without_wait:poke/int3_handler.c \
    stack_descriptor:poke/int3_handler.c \
    unnestable:poke/int3_handler.c \
    early_close:poke/protocol.c \
    disarm_without_sync:poke/users/kprobe.c \
    optimize_at_once:poke/users/kprobe_optimize.c \
    every_alternative:poke/users/alternative.c \
    tracer_gap:poke/users/ftrace.c \
    missed_site:poke/users/jump_label.c \
    missed_jcc:poke/users/static_call.c \
    bare_switch:poke/users/text_switch.c \
    unexpected_switch:poke/users/text_switch.c \
    reclaim_at_once:poke/users/reclaim.c \
    missed_last:poke/table.c \
    ignored_emulate:poke/batch.c \
    unchecked_single:poke/batch.c \
    unsorted_batch:poke/batch.c \
    no_mutex:poke/lock.c \
    extra_sync:poke/sync.c \
    no_sync:poke/sync.c \
    call_out:smp/ack_tree.c \
    group_not_awaited:smp/ack_tree.c \
    lost_arrival:smp/ack_tree.c \
    quiescent_asked:smp/ipi.c \
    quiescent_early:smp/quiescent.c \
    quiescent_late:smp/quiescent.c \
    quiescent_unlogged:smp/quiescent.c \
    quiescent_unserialised:smp/quiescent.c \
    flags_lost:kernel/main.c \
    thread_only:kernel/main.c \
    bp_on_ist:kernel/trap/idt.c \
    all_patchable:kernel/mm/text.c \
    adjacent_frames:kernel/mm/window.c \
    dr7_armed:kernel/mm/window.c \
    dr7_lost:kernel/mm/window.c \
    extra_root_load:kernel/mm/window.c \
    flush_by_ipi:kernel/mm/window.c \
    global_pte:kernel/mm/window.c \
    irq_on:kernel/mm/window.c \
    pte_kept:kernel/mm/window.c \
    window_shared:kernel/mm/window.c

# $(1): twin. The file that it replaces; empty for an unknown twin.
twin_replaces = $(patsubst $(1):%,%,$(filter $(1):%,$(TWINS)))
