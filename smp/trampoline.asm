; SPDX-License-Identifier: MIT
; A core's first instructions after the start-up IPI: from real mode straight to 64-bit mode and to
; ap_main() on a stack of its own. Position independent: it runs in a low page known only at boot,
; with CS = page >> 4 and IP = 0. Many cores run it at once and only read it; the mailbox (struct
; mailbox in mailbox.h) is the page above.

MAILBOX      equ 0x1000                 ; from this page
MB_GDTR      equ MAILBOX + 16
MB_LONG_MODE equ MAILBOX + 22
MB_CR4       equ MAILBOX + 28
MB_CR3       equ MAILBOX + 32
MB_EFER      equ MAILBOX + 36
MB_CR0       equ MAILBOX + 40
MB_TICKET    equ MAILBOX + 44
MB_COUNT     equ MAILBOX + 48
MB_STACKS    equ MAILBOX + 56
MB_ENTRY     equ MAILBOX + 64

MSR_EFER     equ 0xc0000080

        org     0
        bits    16
        jmp     short real_mode
        dw      long_mode               ; at 2: read by trampoline.c

real_mode:
        cli
        cld
        mov     ax, cs
        mov     ds, ax
        movzx   ebx, ax
        shl     ebx, 4                  ; physical address of this page
        o32 lgdt [MB_GDTR]
        ; Protection, paging and long mode at one stroke (SDM vol 3A, "Initializing IA-32e Mode"):
        ; no 32-bit stage is needed. INIT leaves CR0.CD and NW as they were, so CR0 is written
        ; whole.
        mov     eax, [MB_CR4]
        mov     cr4, eax
        mov     eax, [MB_CR3]
        mov     cr3, eax
        mov     ecx, MSR_EFER
        mov     eax, [MB_EFER]
        xor     edx, edx
        wrmsr
        mov     eax, [MB_CR0]
        mov     cr0, eax
        jmp     far dword [MB_LONG_MODE]

        bits    64
long_mode:
        mov     ebx, ebx                ; the upper half is undefined after the change of mode
        xor     eax, eax
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     fs, eax
        mov     gs, eax
        mov     eax, 1
        lock xadd [rbx + MB_TICKET], eax
        cmp     eax, [rbx + MB_COUNT]
        jae     .surplus
        mov     rdx, [rbx + MB_STACKS]
        mov     rsp, [rdx + rax * 8]
        xor     ebp, ebp                ; the backtrace ends here
        push    rbp                     ; as after a call: no return address
        jmp     [rbx + MB_ENTRY]
.surplus:                               ; more cores than were asked for
        cli
        hlt
        jmp     .surplus
