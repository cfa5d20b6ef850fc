; SPDX-License-Identifier: MIT
; void store_NAME(void *to, const void *from), see store.h: one store instruction each, but the
; split ones.
;
; Between the pieces of a split store stands a PAUSE: an emulator with one thread changes cores only
; there, and on a processor it makes the mixture last long enough to be met in few executions. The
; tight one does without.

        bits 64
        section .text

%macro  store 1
        align   16
        global  store_%1
store_%1:
%endmacro

store mov8
        mov     al, [rsi]
        mov     [rdi], al
        ret

store mov16
        mov     ax, [rsi]
        mov     [rdi], ax
        ret

store mov32
        mov     eax, [rsi]
        mov     [rdi], eax
        ret

store mov64
        mov     rax, [rsi]
        mov     [rdi], rax
        ret

store xchg64
        mov     rax, [rsi]
        xchg    [rdi], rax              ; locked without a prefix
        ret

; Nobody else writes: the comparison succeeds. (If it did not, the old value would be stored.)
store cmpxchg16b
        push    rbx
        mov     rbx, [rsi]
        mov     rcx, [rsi + 8]
        mov     rax, [rdi]
        mov     rdx, [rdi + 8]
        lock cmpxchg16b [rdi]
        pop     rbx
        ret

store sse128
        movups  xmm0, [rsi]
        movups  [rdi], xmm0
        ret

store avx256
        vmovdqu ymm0, [rsi]
        vmovdqu [rdi], ymm0
        vzeroupper
        ret

store avx512
        vmovdqu64 zmm0, [rsi]
        vmovdqu64 [rdi], zmm0
        vzeroupper
        ret

store movnti64
        mov     rax, [rsi]
        movnti  [rdi], rax
        sfence                          ; or the next one is merged with it in the buffer
        ret

store movdiri64
        mov     rax, [rsi]
        movdiri [rdi], rax
        sfence
        ret

store movdir64b
        movdir64b rdi, [rsi]
        sfence
        ret

store rep_movsb8
        mov     ecx, 8
        rep movsb
        ret

store rep_movsb64
        mov     ecx, 64
        rep movsb
        ret

store split_2x32
        mov     eax, [rsi]
        mov     edx, [rsi + 4]
        mov     [rdi], eax
        pause
        mov     [rdi + 4], edx
        ret

store split_8x8
        mov     rax, [rsi]
        mov     ecx, 8
.byte:
        mov     [rdi], al
        pause
        inc     rdi
        shr     rax, 8
        dec     ecx
        jnz     .byte
        ret

store split_8x8_tight
        mov     rax, [rsi]
%assign i 0
%rep 8
        mov     [rdi + i], al
        shr     rax, 8
%assign i i + 1
%endrep
        ret
