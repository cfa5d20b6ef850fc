; SPDX-License-Identifier: MIT
; trap_try(): see trap.h.

        bits 64
        default rel

GS_TRAP_DEPTH       equ 12              ; struct cpu_local, checked by static asserts
GS_RECOVERY         equ 16

        section .text

; bool trap_try(void (*fn)(void *), void *arg, struct trap_caught *caught)
; struct trap_recovery (dispatch.c) is built on this stack: prev, rip, rsp, caught, depth.
        align   16
        global trap_try
trap_try:
        push    rbp
        mov     rbp, rsp
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        pushfq
        sub     rsp, 48
        mov     rax, [gs:GS_RECOVERY]
        mov     [rsp], rax
        lea     rax, [.caught]
        mov     [rsp + 8], rax
        mov     [rsp + 16], rsp
        mov     [rsp + 24], rdx
        mov     eax, [gs:GS_TRAP_DEPTH]
        mov     [rsp + 32], rax
        mov     [gs:GS_RECOVERY], rsp
        mov     rax, rdi
        mov     rdi, rsi
        call    rax
        mov     eax, 1
        jmp     .done
.caught:                                ; trap_dispatch() returns here with RSP as stored above
        xor     eax, eax
.done:  mov     rcx, [rsp]
        mov     [gs:GS_RECOVERY], rcx
        add     rsp, 48
        popfq
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        ret
