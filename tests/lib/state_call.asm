; SPDX-License-Identifier: MIT
; void state_call(void *at, struct registers *state, uint64_t shift), see state_call.h.

        bits 64
        section .text

STATE_FLAGS     equ 15 * 8
STATE_ABOVE     equ 16 * 8

; The frame, from RSP up: the word above the callee's stack, the target, the state, our RBP.
FRAME_ABOVE     equ 0
FRAME_TARGET    equ 8
FRAME_STATE     equ 16
FRAME_RBP       equ 24
FRAME_SIZE      equ 32

        align   16
        global state_call
state_call:
        push    rbp
        mov     rbp, rsp
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        and     rsp, -16
        sub     rsp, FRAME_SIZE
        sub     rsp, rdx
        mov     [rsp + FRAME_TARGET], rdi
        mov     [rsp + FRAME_STATE], rsi
        mov     [rsp + FRAME_RBP], rbp
        mov     rax, [rsi + STATE_ABOVE]
        mov     [rsp + FRAME_ABOVE], rax
        mov     rax, rsi
        mov     rbx, [rax + 1 * 8]
        mov     rcx, [rax + 2 * 8]
        mov     rdx, [rax + 3 * 8]
        mov     rsi, [rax + 4 * 8]
        mov     rdi, [rax + 5 * 8]
        mov     rbp, [rax + 6 * 8]
        mov     r8,  [rax + 7 * 8]
        mov     r9,  [rax + 8 * 8]
        mov     r10, [rax + 9 * 8]
        mov     r11, [rax + 10 * 8]
        mov     r12, [rax + 11 * 8]
        mov     r13, [rax + 12 * 8]
        mov     r14, [rax + 13 * 8]
        mov     r15, [rax + 14 * 8]
        push    qword [rax + STATE_FLAGS]
        popfq
        mov     rax, [rax]
        call    [rsp + FRAME_TARGET]
        xchg    rax, [rsp + FRAME_STATE] ; no flag changes until they are stored
        pushfq
        pop     qword [rax + STATE_FLAGS]
        mov     [rax + 1 * 8], rbx
        mov     [rax + 2 * 8], rcx
        mov     [rax + 3 * 8], rdx
        mov     [rax + 4 * 8], rsi
        mov     [rax + 5 * 8], rdi
        mov     [rax + 6 * 8], rbp
        mov     [rax + 7 * 8], r8
        mov     [rax + 8 * 8], r9
        mov     [rax + 9 * 8], r10
        mov     [rax + 10 * 8], r11
        mov     [rax + 11 * 8], r12
        mov     [rax + 12 * 8], r13
        mov     [rax + 13 * 8], r14
        mov     [rax + 14 * 8], r15
        mov     rbx, [rsp + FRAME_STATE]
        mov     [rax], rbx
        mov     rbx, [rsp + FRAME_ABOVE]
        mov     [rax + STATE_ABOVE], rbx
        mov     rbp, [rsp + FRAME_RBP]
        lea     rsp, [rbp - 40]
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        ret
