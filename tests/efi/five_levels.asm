; SPDX-License-Identifier: MIT
; void five_levels_on(uint64_t top)
;
; Switch this core to 5-level paging by the page-table root `top`, whose first slot leads to the
; tables in force. CR4.LA57 changes only while paging is off, so the way leads through compatibility
; mode (Intel, "5-Level Paging and 5-Level EPT", 2.2). Code, stack and `top` lie below 4 GiB and are
; mapped 1:1.

        bits 64
        default rel

CR0_PG_BIT   equ 31
CR4_LA57_BIT equ 12
CODE_32      equ 0x08
DATA         equ 0x10
CODE_64      equ 0x18

        section .text
        global  five_levels_on:function hidden
five_levels_on:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        pushfq
        cli
        mov     rax, ss
        push    rax
        mov     rax, ds
        push    rax
        mov     rax, es
        push    rax
        sub     rsp, 32
        sgdt    [rsp]                   ; the firmware's
        mov     word [rsp + 16], gdt_end - gdt - 1
        lea     rax, [gdt]
        mov     [rsp + 18], rax
        mov     rax, cs
        mov     [rsp + 28], eax
        lgdt    [rsp + 16]
        lea     rsi, [.long_mode]
        push    CODE_32
        lea     rax, [.compatibility]
        push    rax
        retfq

        bits    32
.compatibility:
        mov     eax, DATA
        mov     ss, eax
        mov     ds, eax
        mov     eax, cr0
        btr     eax, CR0_PG_BIT
        mov     cr0, eax
        mov     eax, cr4
        bts     eax, CR4_LA57_BIT
        mov     cr4, eax
        mov     cr3, edi
        mov     eax, cr0
        bts     eax, CR0_PG_BIT         ; EFER.LME is still set: long mode again
        mov     cr0, eax
        push    dword CODE_64
        push    esi
        retf

        bits    64
.long_mode:
        mov     esp, esp                ; the upper half is undefined after the change of mode
        lgdt    [rsp]
        mov     eax, [rsp + 28]
        push    rax
        lea     rax, [.firmware]
        push    rax
        retfq
.firmware:
        add     rsp, 32
        pop     rax
        mov     es, eax
        pop     rax
        mov     ds, eax
        pop     rax
        mov     ss, eax
        popfq
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret

        align   8
gdt:    dq      0
        dq      0x00cf9b000000ffff      ; CODE_32
        dq      0x00cf93000000ffff      ; DATA
        dq      0x00af9b000000ffff      ; CODE_64
gdt_end:
