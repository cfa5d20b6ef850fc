# SPDX-License-Identifier: MIT
# The engine's host tests: the whole of poke/ on a fake machine. Included by tests/host/host.mk.

POKE_HOST_SRC := $(wildcard poke/*.c) tests/host/fake_machine.c

test_insn_copy_FLAGS  := -D_GNU_SOURCE # dl_iterate_phdr()
test_insn_copy_SRC    := poke/users/insn_copy.c poke/users/insn_look.c
test_insn_copy_LIBS   := -lcapstone
test_insn_kinds_SRC   := poke/users/insn_look.c
test_poke_batch_SRC   := $(POKE_HOST_SRC)
test_poke_decode_SRC  := poke/insn_decode.c poke/insn_gen.c tests/host/disassembler.c
test_poke_decode_LIBS := -lcapstone # Debian's libcapstone-dev: a second opinion on every image
test_poke_emulate_SRC := poke/insn_decode.c poke/insn_gen.c poke/emulate.c
test_poke_following_SRC := $(POKE_HOST_SRC)
test_poke_handler_SRC := $(POKE_HOST_SRC)
test_poke_order_SRC   := $(POKE_HOST_SRC) tests/selftest/faulty_protocols.c
test_poke_text_SRC    := $(POKE_HOST_SRC)
