# SPDX-License-Identifier: MIT
# Host tests of the pure part of smp/. Included by tests/host/host.mk.

test_topology_SRC := smp/topology_decode.c
