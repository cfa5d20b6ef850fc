; SPDX-License-Identifier: MIT
; Trap entries. Every path ends in one frame layout (struct trap_frame in trap.h) and in
; trap_dispatch(). There is no user mode and GS base is always this core's block, so no SWAPGS.

        bits 64
        default rel

        extern trap_dispatch

GS_TRAP_DEPTH       equ 12              ; struct cpu_local, checked by static asserts
GS_NMI_STACK_BOTTOM equ 24
GS_NMI_STACK_TOP    equ 32

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
; frame. So the frame moves 48 bytes (six words: POKE_STACK_GAP) further down, and the emulated push
; lands in the hole.

        align   16
        global trap_bp_entry
trap_bp_entry:
        push    byte 0                  ; no error code: SS RSP RFLAGS CS RIP 0
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
