# SPDX-License-Identifier: MIT
# The fuzzers: libFuzzer of clang, with the address and undefined-behaviour sanitizers.
# tests/fuzz/fuzz_NAME.c with the sources fuzz_NAME_SRC is a program; NAME.seeds is the corpus that
# it begins with. A twin is a fuzzer with one source file replaced by one that is broken on
# purpose, which it must find.

CLANG        ?= $(notdir $(firstword $(shell command -v clang-14 clang) clang))
FUZZ_SECONDS ?= 30
FUZZ_OUT     := $(O)/fuzz
FUZZ_CFLAGS  := $(HOST_CFLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_HEADERS := $(wildcard poke/*.h kernel/lib/*.h tests/fuzz/*.h tests/host/*.h tests/twins/*.h)

FUZZERS         := insn batch
fuzz_insn_SRC   := poke/insn_decode.c poke/insn_gen.c tests/host/disassembler.c
fuzz_insn_LIBS  := -lcapstone
fuzz_batch_SRC  := $(wildcard poke/*.c) tests/host/fake_machine.c tests/fuzz/batch_model.c
fuzz_batch_LIBS := -lcmocka

# FUZZER:TWIN:PATH, where the file TWIN takes the place of the source file PATH.
FUZZ_TWINS := \
    insn:tests/fuzz/twins/slot_end.c:poke/insn_decode.c \
    insn:tests/twins/unchecked_padding.c:poke/insn_decode.c \
    insn:tests/fuzz/twins/far_jump.c:poke/insn_gen.c \
    batch:tests/fuzz/twins/late_check.c:poke/batch.c \
    batch:tests/fuzz/twins/first_page.c:poke/window.c \
    batch:tests/twins/unsorted_batch.c:poke/batch.c \
    batch:tests/twins/unchecked_single.c:poke/batch.c \
    batch:tests/twins/consumed_int3.c:poke/emulate.c \
    batch:tests/twins/wrong_return.c:poke/emulate.c

# Twins include the file that they replace.
$(FUZZ_OUT)/obj/%.c.o: %.c $(FUZZ_HEADERS) $(wildcard poke/*.c)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -c $< -o $@

# $(1): program, $(2): fuzzer, $(3): twin or nothing, $(4): the file that it replaces
define fuzz_program
$(FUZZ_OUT)/$(1): $(patsubst %,$(FUZZ_OUT)/obj/%.o,tests/fuzz/fuzz_$(2).c $(3) \
    $(filter-out $(4),$(fuzz_$(2)_SRC)))
	$$(Q)$$(CLANG) $$(FUZZ_CFLAGS) $$^ $(fuzz_$(2)_LIBS) -o $$@
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_program,$(f),$(f))))
fuzz_twin = $(call fuzz_program,$(1)_$(basename $(notdir $(2))),$(1),$(2),$(3))
fuzz_part = $(word $(1),$(subst :, ,$(2)))
$(foreach t,$(FUZZ_TWINS),$(eval \
    $(call fuzz_twin,$(call fuzz_part,1,$(t)),$(call fuzz_part,2,$(t)),$(call fuzz_part,3,$(t)))))

$(FUZZ_OUT)/%.corpus: tests/fuzz/%.seeds tests/fuzz/seeds.py
	$(Q)$(PYTHON) tests/fuzz/seeds.py $< $@
	@touch $@

# What is found, and inputs that reach something new, stay below $(FUZZ_OUT).
.PHONY: fuzz $(FUZZERS:%=fuzz-%)
fuzz: $(FUZZERS:%=fuzz-%) ## libFuzzer on the engine, FUZZ_SECONDS=30 each
$(FUZZERS:%=fuzz-%): fuzz-%: $(FUZZ_OUT)/% $(FUZZ_OUT)/%.corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=512 -print_final_stats=1 \
	    -artifact_prefix=$<- $<.corpus
