; SPDX-License-Identifier: MIT
; The assembled trampoline as data: trampoline.c copies it to the low page. The Makefile sets
; TRAMPOLINE_BIN.

        section .rodata
        global trampoline_start, trampoline_end
trampoline_start:
        incbin  TRAMPOLINE_BIN
trampoline_end:
