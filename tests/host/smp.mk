# SPDX-License-Identifier: MIT
# Host tests of the pure part of smp/. Included by tests/host/host.mk.

test_topology_SRC := smp/topology_decode.c

test_ack_tree_SRC     := smp/ack_tree.c
test_ack_tree_TWINNED := smp/ack_tree.c
test_ack_tree_TWINS   := \
    tests/twins/group_not_awaited.c \
    tests/twins/lost_arrival.c

# Compiled as they are, with the registers of a simulated core.
test_apic_SRC   := smp/apic.c smp/apic_ipi.c
test_apic_FLAGS := -iquote tests/host/apic_include
