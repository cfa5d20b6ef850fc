# SPDX-License-Identifier: MIT
# Twins: NAME:PATH, where tests/twins/NAME.c takes the place of the source file PATH.

TWINS := \
    call_as_nop:poke/emulate.c \
    changed_flags:poke/emulate.c \
    consumed_int3:poke/emulate.c \
    wrong_return:poke/emulate.c \
    leaked_reference:poke/int3_handler.c \
    retire_without_wait:poke/int3_handler.c \
    stack_descriptor:poke/int3_handler.c \
    unchecked_single:poke/batch.c \
    unsorted_batch:poke/batch.c

# $(1): twin. The file that it replaces; empty for an unknown twin.
twin_replaces = $(patsubst $(1):%,%,$(filter $(1):%,$(TWINS)))
