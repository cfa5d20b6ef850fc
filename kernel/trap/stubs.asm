; SPDX-License-Identifier: MIT
; Trap entries. Every path ends in one frame layout (struct trap_frame in trap.h) and in
; trap_dispatch(). There is no user mode and GS base is always this core's block, so no SWAPGS.

        bits 64
        default rel

        extern trap_dispatch
        extern trap_bp_first

GS_TRAP_DEPTH       equ 12              ; struct cpu_local, checked by static asserts
GS_NMI_STACK_BOTTOM equ 24
GS_NMI_STACK_TOP    equ 32
KERNEL_CS           equ 0x08            ; cpu_tables.h, checked by static asserts
KERNEL_DS           equ 0x10

        section .text

; ---- one stub per vector, 16 bytes apart: idt.c computes their addresses ----

; #DF #TS #NP #SS #GP #PF #AC #CP #VC #SX (SDM vol 3A, "Error Code"; AMD APM vol 2, "Vectors")
ERROR_CODE_VECTORS equ 1<<8|1<<10|1<<11|1<<12|1<<13|1<<14|1<<17|1<<21|1<<29|1<<30

        align   16
        global trap_stubs
trap_stubs:
%assign vector 0
%rep 256
        align   16, nop
%if ((ERROR_CODE_VECTORS >> vector) & 1) == 0
        push    byte 0                  ; else the processor has pushed an error code
%endif
        push    qword vector
        jmp     strict near trap_common
%assign vector vector + 1
%endrep

; ---- the common path ----

        align   16
trap_common:
        push    rax
trap_common_rax_saved:
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
        inc     dword [gs:GS_TRAP_DEPTH]
        mov     rdi, rsp                ; 16-byte aligned: the processor aligns, then 22 words
        call    trap_dispatch
        dec     dword [gs:GS_TRAP_DEPTH]
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
        add     rsp, 16                 ; vector, error code
        iretq

; ---- #BP ----
;
; Emulating a CALL pushes onto the interrupted stack, exactly where the processor has just put this
; frame. So everything below the interrupted stack pointer stays free for 48 bytes (six words:
; POKE_STACK_GAP).
;
; The short way: whoever is asked first (trap_set_breakpoint()) gets a struct poke_regs, and if the
; breakpoint was his, this returns by a frame of its own, below the gap. Only what a C function may
; change is saved. From the processor's frame, at F, downwards:
;
;       F - 16  the gap's last word, and alignment
;       F - 56  the frame to return by
;       F - 128 nine registers
;       F - 152 struct poke_regs

        align   16
        global trap_bp_entry
trap_bp_entry:
        lea     rsp, [rsp - 56]
        push    rax
        mov     rax, [trap_bp_first]
        test    rax, rax
        jz      .nobody
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        push    qword [rsp + 128 + 16]  ; flags
        push    qword [rsp + 136 + 24]  ; sp
        push    qword [rsp + 144]       ; ip
        mov     rdi, rsp                ; 16-byte aligned
        cld
        inc     dword [gs:GS_TRAP_DEPTH]
        call    rax
        dec     dword [gs:GS_TRAP_DEPTH]
        test    al, al
        jz      .not_his
        pop     qword [rsp + 88]        ; RIP; the address counts from after the pop
        pop     qword [rsp + 104]       ; RSP
        pop     qword [rsp + 88]        ; RFLAGS
        mov     qword [rsp + 80], KERNEL_CS
        mov     qword [rsp + 104], KERNEL_DS
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rax
        iretq

.not_his:
        lea     rsp, [rsp + 24]
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rax
        lea     rsp, [rsp + 56]
        push    byte 1                  ; as error code: who is asked first was asked
        jmp     trap_bp_common

.nobody:
        pop     rax
        lea     rsp, [rsp + 56]
        push    byte 0
        ; fall through

; The common way, with a word pushed that becomes the error code: the frame moves down, below the
; gap.
trap_bp_common:                         ; SS RSP RFLAGS CS RIP word
%rep 6
        push    qword [rsp + 40]        ; copies SS first: each push moves the source by one word
%endrep
        push    byte 3
        jmp     trap_common

; The planted fault: no gap.
        align   16
        global trap_bp_entry_without_gap
trap_bp_entry_without_gap:
        push    byte 0
        push    byte 3
        jmp     trap_common

; ---- NMI ----
;
; The processor starts every NMI at the top of the same IST stack, and blocks further NMIs only
; until the next IRET. A #BP inside an NMI ends with an IRET, so a second NMI could overwrite the
; first one's frame. Therefore the frame moves at once, while NMIs are still blocked, to the NMI
; work stack: to its top, or below the interrupted frame if the interrupted code already runs
; there.

        align   16
        global trap_nmi_entry
trap_nmi_entry:
        push    rax
        push    rdx
        mov     rax, [rsp + 16 + 24]    ; interrupted RSP
        cmp     rax, [gs:GS_NMI_STACK_BOTTOM]
        jb      .first
        cmp     rax, [gs:GS_NMI_STACK_TOP]
        ja      .first
        and     rax, -16
        jmp     .move
.first: mov     rax, [gs:GS_NMI_STACK_TOP]
.move:  sub     rax, 40
%assign word 0
%rep 5
        mov     rdx, [rsp + 16 + word]  ; RIP CS RFLAGS RSP SS
        mov     [rax + word], rdx
%assign word word + 8
%endrep
        mov     qword [rax - 8], 0      ; error code
        mov     qword [rax - 16], 2     ; vector
        mov     rdx, [rsp + 8]
        mov     [rax - 24], rdx         ; interrupted RAX
        pop     rdx
        lea     rsp, [rax - 24]
        jmp     trap_common_rax_saved
