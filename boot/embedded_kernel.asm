; SPDX-License-Identifier: MIT
; The kernel's ELF file as read-only data: one file to copy to a stick, one file to sign.

        section .rodata.kernel progbits alloc noexec nowrite align=64
        global  embedded_kernel:data hidden, embedded_kernel_end:data hidden
embedded_kernel:
        incbin  KERNEL_FILE
embedded_kernel_end:
