# SPDX-License-Identifier: MIT
# Host tests of the screen and the keyboard. Included by tests/host/host.mk.

test_screen_SRC     := kernel/console/screen.c kernel/console/pixels.c kernel/console/geometry.c \
    kernel/console/last_words.c $(FONT_C)
test_live_text_SRC  := tests/harness/live_text.c kernel/lib/fmt.c
test_keyboard_SRC   := kernel/console/keyboard.c
test_keyboard_FLAGS := -iquote tests/host/keyboard_include
