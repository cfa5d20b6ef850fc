; SPDX-License-Identifier: MIT
; uint32_t site_call(void *entry, uint64_t shift), see site.h.
;
; A violation executes UD2: the recovery that catches the other faults of a torn instruction catches
; this one too.

        bits 64
        section .text

        align   16
        global site_call
site_call:
        push    rbp
        mov     rbp, rsp
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        and     rsp, -16                ; interrupt handlers come here with any alignment
        sub     rsp, rsi
        mov     rbx, rsp
        mov     r12, rsp
        mov     r13, rsp
        mov     r14, rsp
        mov     r15, rbp
        call    rdi
        cmp     rbx, rsp
        jne     site_call_corrupted
        cmp     r12, rsp
        jne     site_call_corrupted
        cmp     r13, rsp
        jne     site_call_corrupted
        cmp     r14, rsp
        jne     site_call_corrupted
        cmp     r15, rbp
        jne     site_call_corrupted
        lea     rsp, [rbp - 40]
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        ret

        global site_call_corrupted
site_call_corrupted:
        ud2
