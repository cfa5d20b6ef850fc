# SPDX-License-Identifier: MIT
# Unit tests of the pure code on the developer's machine, with cmocka and sanitizers. Each
# tests/host/test_NAME.c is a program, compiled with test_NAME_FLAGS too, linked with the sources
# that test_NAME_SRC lists and the libraries in test_NAME_LIBS; rooms with many tests list theirs in
# a tests/host/ROOM.mk. The tests with random input are deterministic and print their seed;
# FUZZ_ROUNDS=N in the environment sets how many rounds they make.

test_acpi_SRC    := kernel/lib/acpi.c kernel/lib/madt.c
test_fmt_SRC     := kernel/lib/fmt.c
test_glob_SRC    := kernel/lib/glob.c
test_hist_SRC    := kernel/lib/hist.c
test_json_SRC    := kernel/lib/json.c kernel/lib/fmt.c
test_madt_SRC    := kernel/lib/madt.c
test_string_SRC  := # includes kernel/lib/string.c, to rename its functions
test_symbols_SRC := kernel/lib/symbols.c $(O)/host/sample_symbols.c
test_words_SRC   := kernel/lib/words.c kernel/lib/fmt.c

include $(filter-out tests/host/host.mk,$(wildcard tests/host/*.mk))

HOST_TESTS        := $(basename $(notdir $(wildcard tests/host/test_*.c)))
# Not position-independent, as the kernel is not: section .ksyms of the sample is read-only.
HOST_TEST_CFLAGS  := $(HOST_CFLAGS) -fno-pie -no-pie -fsanitize=address,undefined \
    -fno-sanitize-recover
HOST_TEST_HEADERS := $(shell find boot kernel smp poke tests -name '*.h' -o -name '*.def') \
    kernel/lib/string.c

# $(1): program, $(2): test, $(3): its sources
define host_program
$(O)/host/$(1): tests/host/$(2).c $(3) $(HOST_TEST_HEADERS)
	@mkdir -p $$(@D)
	$$(Q)$$(HOSTCC) $$(HOST_TEST_CFLAGS) $($(2)_FLAGS) $$< $(3) -lcmocka $($(2)_LIBS) -o $$@
endef
$(foreach test,$(HOST_TESTS),$(eval $(call host_program,$(test),$(test),$($(test)_SRC))))
# Twins of a test: each has the file NAME_TWINNED of its sources replaced by one that is broken on
# purpose, and must fail. $(1): test, $(2): the file that is broken
define host_twin
$(call host_program,twin_$(basename $(notdir $(2))),$(1),$(2) \
    $(filter-out $($(1)_TWINNED),$($(1)_SRC)))
$(O)/host/twin_$(basename $(notdir $(2))): $($(1)_TWINNED)
endef
$(foreach test,$(HOST_TESTS),$(foreach twin,$($(test)_TWINS),$(eval \
    $(call host_twin,$(test),$(twin)))))

$(O)/host/sample_symbols.c: tests/host/sample_symbols.nm tools/symbols.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/symbols.py $@ < $<

.PHONY: hosttest
hosttest: $(HOST_TESTS:%=$(O)/host/%) ## unit tests of the pure code, on this machine
	@failed=; for test in $^; do $$test || failed="$$failed $${test##*/}"; done; \
	    [ -z "$$failed" ] || { echo "hosttest: failed:$$failed"; exit 1; }
