# SPDX-License-Identifier: MIT
# out/crossmod: the machine as a Linux process, statically linked: one file to copy.

HOSTED_OUT := $(O)/hosted
# As the kernel is compiled, but for a process: the code of tests and engine is the same.
HOSTED_CFLAGS := -std=gnu11 -O2 -g -fno-pic -fno-pie -mno-red-zone -fno-stack-protector \
    -fcf-protection=none -fno-omit-frame-pointer -fno-strict-aliasing -fno-common -fno-builtin $(WARN) \
    -DCROSSMOD_HOSTED -iquote hosted/include -I. -isystem /usr/include/stb \
    -ffile-prefix-map=$(CURDIR)=.

HOSTED_C := $(wildcard hosted/*.c poke/*.c) $(filter-out %/string.c,$(wildcard kernel/lib/*.c)) \
    poke/users/reclaim.c kernel/console/printf.c kernel/cpu/pmu_events.c kernel/cpu/machine_check.c \
    kernel/trap/dispatch.c kernel/trap/describe.c kernel/time/convert.c \
    smp/call.c smp/health.c smp/identify.c smp/ipi.c smp/machine.c smp/state.c \
    smp/topology_decode.c smp/work.c \
    $(filter-out tests/harness/live%,$(filter tests/%,$(KERNEL_C)))
HOSTED_ASM := kernel/trap/try.asm $(filter tests/%,$(KERNEL_ASM))
HOSTED_OBJ := $(HOSTED_C:%=$(HOSTED_OUT)/%.o) $(HOSTED_ASM:%=$(O)/obj/%.o) $(O)/link/build.c.o

$(HOSTED_OUT)/%.c.o: %.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOSTED_CFLAGS) -MMD -MP -c $< -o $@

$(O)/crossmod: $(HOSTED_OBJ) hosted/tests.lds
	$(Q)$(HOSTCC) -static -no-pie -pthread -Wl,-T,hosted/tests.lds -Wl,-z,noexecstack \
	    $(HOSTED_OBJ) -o $@

.PHONY: hosted
hosted: $(O)/crossmod ## out/crossmod: the same engine and tests as a process on real cores

# What it costs to write text; by hand. Its own window's store stands before the process's.
BENCH_OBJ := $(patsubst %,$(HOSTED_OUT)/%.o,$(wildcard hosted/bench/*.c)) \
    $(filter-out $(HOSTED_OUT)/hosted/main.c.o,$(HOSTED_OBJ))

$(O)/host/hosted-bench: $(BENCH_OBJ) hosted/tests.lds
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -static -no-pie -pthread -Wl,-T,hosted/tests.lds -Wl,-z,noexecstack \
	    -Wl,--wrap=machine_window_store $(BENCH_OBJ) -o $@

.PHONY: hosted-bench
hosted-bench: $(O)/host/hosted-bench
	@$<

# What else there is on these processors (./run.sh bench). Only functions that say so have sleds.
PEERS_C      := $(wildcard hosted/bench/peers/*.c)
PEERS_CFLAGS := $(HOST_CFLAGS) -O2 -pthread
XRAY_CFLAGS  := -DPEERS_XRAY -fxray-instrument -fxray-ignore-loops \
    -fxray-instruction-threshold=1000000

$(O)/host/bench-peers: $(PEERS_C) hosted/bench/peers/peers.h
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(PEERS_CFLAGS) $(PEERS_C) -lm -o $@

$(O)/host/bench-peers-xray: $(PEERS_C) hosted/bench/peers/peers.h
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(PEERS_CFLAGS) $(XRAY_CFLAGS) $(PEERS_C) -lm -o $@

-include $(HOSTED_OBJ:.o=.d) $(BENCH_OBJ:.o=.d)
