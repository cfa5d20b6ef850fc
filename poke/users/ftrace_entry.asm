; SPDX-License-Identifier: MIT
; From a traced function's first instruction, through its tracer's entry (DEFINE_TRACER), to
; ftrace_dispatch(ip, parent_ip, tracer), and back. The stack, from RBP:
;
;       + 16    where the traced function returns to
;       +  8    where the tracer returns to: behind the CALL in the function
;         0     RBP
;       -  8    struct tracer *
;
; What a C function may change is saved: it may carry arguments here, RAX (of a function with
; variable arguments) and R10 (the static chain) too. Flags carry nothing into a function. There
; are no vector registers to save: neither callers nor callbacks use them.

        bits 64
        default rel

        extern ftrace_dispatch

CALL_INSN_SIZE equ 5

        section .text

        align   16
        global ftrace_entry
ftrace_entry:
        push    rax
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        sub     rsp, 8                  ; 14 words below a stack that was aligned: 16 bytes
        mov     rdi, [rbp + 8]
        sub     rdi, CALL_INSN_SIZE
        mov     rsi, [rbp + 16]
        mov     rdx, [rbp - 8]
        call    ftrace_dispatch
        add     rsp, 8
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rax
        leave
        ret
