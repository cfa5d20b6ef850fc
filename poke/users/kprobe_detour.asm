; SPDX-License-Identifier: MIT
; From a detour (kprobe_optimize.c) to kprobe_detour_hit(index, regs), and back with all registers
; and flags as they were. The stack at the entry:
;
;       + 16    the probed code's own
;       +  8    index of the slot, which the detour drops
;         0     return address in the detour

        bits 64
        default rel

        extern kprobe_detour_hit

; struct kprobe_regs; kprobe_optimize.c asserts the offsets
REGS_SP     equ 16 * 8
REGS_SIZE   equ 18 * 8

        section .text

        align   16
        global kprobe_detour
kprobe_detour:
        pushfq
        lea     rsp, [rsp - 16]         ; sp and ip
        push    rax
        push    rbx
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    rbp
        push    r8
        push    r9
        push    r10
        push    r11
        push    r12
        push    r13
        push    r14
        push    r15
        cld
        lea     rax, [rsp + REGS_SIZE + 16]
        mov     [rsp + REGS_SP], rax
        mov     rdi, [rsp + REGS_SIZE + 8]
        mov     rsi, rsp
        mov     rbx, rsp                ; RBP stays, for backtraces
        and     rsp, -16
        call    kprobe_detour_hit
        mov     rsp, rbx
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rbp
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rbx
        pop     rax
        lea     rsp, [rsp + 16]
        popfq
        ret
