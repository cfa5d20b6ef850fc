; SPDX-License-Identifier: MIT
; uint64_t step_call(uint64_t (*fn)(void *), void *arg), see stepping.h.
;
; The trap flag counts as it was when an instruction began: the first #DB comes after the CALL, the
; last one after the POPF that clears it.

        bits 64
        section .text.fixed progbits alloc exec nowrite align=16

RFLAGS_TF       equ 1 << 8

        align   16
        global step_call
step_call:
        push    rbp
        mov     rbp, rsp
        mov     rax, rdi
        mov     rdi, rsi
        pushfq
        or      qword [rsp], RFLAGS_TF
        popfq
        call    rax
        pushfq
        and     qword [rsp], ~RFLAGS_TF
        popfq
        global step_call_end
step_call_end:
        pop     rbp
        ret
