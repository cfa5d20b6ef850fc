; SPDX-License-Identifier: MIT
; boot/switch.asm with CET on: the way there and back must keep shadow stack and IBT as they were,
; and on the other side both must be off. See cet.c.

        bits 64
        default rel

        extern  switch_to_kernel

CR0_WP          equ 1 << 16
CR4_CET_BIT     equ 23
MSR_S_CET       equ 0x6a2
MSR_PL0_SSP     equ 0x6a4

struc trip                      ; struct trip in cet.c
.root:          resq 1
.token:         resq 1
.s_cet:         resq 1
.stack_top:     resq 1
.cr4_inside:    resq 1
.cr4_after:     resq 1
.s_cet_after:   resq 1
.ssp_before:    resq 1
.ssp_after:     resq 1
.result:        resq 1
endstruc

%macro read_ssp 1               ; RDSSPQ rax: leaves it alone where shadow stacks are off
        xor     eax, eax
        db      0xf3, 0x48, 0x0f, 0x1e, 0xc8
        mov     [rbx + %1], rax
%endmacro

        section .text
        global  cet_round_trip:function hidden

; void cet_round_trip(struct trip *)
cet_round_trip:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        pushfq
        cli
        mov     rbx, rdi
        mov     rax, cr3
        push    rax
        mov     rax, cr4
        push    rax
        mov     rax, cr0
        push    rax
        sub     rsp, 8
        or      rax, CR0_WP
        mov     cr0, rax
        mov     rax, [rbx + trip.root]
        mov     cr3, rax
        mov     rax, cr4
        bts     rax, CR4_CET_BIT
        mov     cr4, rax
        mov     ecx, MSR_PL0_SSP
        mov     eax, [rbx + trip.token]
        xor     edx, edx
        wrmsr
        mov     ecx, MSR_S_CET
        mov     eax, [rbx + trip.s_cet]
        wrmsr
        db      0xf3, 0x0f, 0x01, 0xe8  ; SETSSBSY
        read_ssp trip.ssp_before

        lea     rdi, [other_side]
        mov     rsi, rbx
        mov     rdx, [rbx + trip.root]
        mov     rcx, [rbx + trip.stack_top]
        call    switch_to_kernel
        mov     [rbx + trip.result], rax

        read_ssp trip.ssp_after
        mov     rax, cr4
        mov     [rbx + trip.cr4_after], rax
        mov     ecx, MSR_S_CET
        rdmsr
        shl     rdx, 32
        or      rax, rdx
        mov     [rbx + trip.s_cet_after], rax
        xor     eax, eax
        xor     edx, edx
        wrmsr
        add     rsp, 8
        mov     rax, cr4
        btr     rax, CR4_CET_BIT
        mov     cr4, rax
        pop     rax
        mov     cr0, rax
        pop     rax
        mov     cr4, rax
        pop     rax
        mov     cr3, rax
        popfq
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret

; In the kernel's place: what neither a shadow stack nor IBT lets pass.
other_side:
        mov     rax, cr4
        mov     [rdi + trip.cr4_inside], rax
        lea     rax, [.returned]
        push    rax
        ret                             ; to where no CALL came from
.returned:
        lea     rax, [.jumped]
        jmp     rax                     ; to where no ENDBR64 is
.jumped:
        mov     rax, cs
        push    rax
        lea     rax, [.far]
        push    rax
        retfq
.far:
        mov     eax, 0x5eed
        ret
