# SPDX-License-Identifier: MIT
# Unit tests of the pure code on the developer's machine, with cmocka and sanitizers. Each
# tests/host/test_NAME.c is a program, linked with the sources that test_NAME_SRC lists and the
# libraries in test_NAME_LIBS; rooms with many tests list theirs in a tests/host/ROOM.mk. The
# fuzzers among them are deterministic and print their seed; FUZZ_ROUNDS=N in the environment sets
# how many rounds they make.

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

define host_test
$(O)/host/$(1): tests/host/$(1).c $($(1)_SRC) $(HOST_TEST_HEADERS)
	@mkdir -p $$(@D)
	$$(Q)$$(HOSTCC) $$(HOST_TEST_CFLAGS) $$< $($(1)_SRC) -lcmocka $($(1)_LIBS) -o $$@
endef
$(foreach test,$(HOST_TESTS),$(eval $(call host_test,$(test))))

$(O)/host/sample_symbols.c: tests/host/sample_symbols.nm tools/symbols.py
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/symbols.py $@ < $<

.PHONY: hosttest
hosttest: $(HOST_TESTS:%=$(O)/host/%) ## unit tests of the pure code, on this machine
	@failed=; for test in $^; do $$test || failed="$$failed $${test##*/}"; done; \
	    [ -z "$$failed" ] || { echo "hosttest: failed:$$failed"; exit 1; }
