# SPDX-License-Identifier: MIT
# Host tests of kernel/mm/. Included by tests/host/host.mk.

test_ranges_SRC := kernel/mm/ranges.c

test_tlb_SRC := tests/host/tlb.c tests/host/mmu.c

# Compiled as it is, with the registers of a simulated core.
test_window_SRC     := kernel/mm/window.c kernel/mm/tables.c $(test_tlb_SRC)
test_window_FLAGS   := -iquote tests/host/window_include
test_window_TWINNED := kernel/mm/window.c
test_window_TWINS   := \
    tests/host/twins/interrupts_left_on.c \
    tests/host/twins/late_entries.c \
    tests/host/twins/pcid_lost.c \
    tests/host/twins/stale_on_entry.c \
    tests/host/twins/translations_kept.c \
    tests/twins/adjacent_frames.c \
    tests/twins/dr7_armed.c \
    tests/twins/dr7_lost.c \
    tests/twins/extra_root_load.c \
    tests/twins/flush_by_ipi.c \
    tests/twins/global_pte.c \
    tests/twins/irq_on.c \
    tests/twins/pte_kept.c \
    tests/twins/window_shared.c
