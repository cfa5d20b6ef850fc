; SPDX-License-Identifier: MIT
; The reader's side in registers: see struct tear_run and struct tear_load in tear.h.

        bits 64
        section .text

RUN_ENTRY         equ 0
RUN_EXPECTED      equ 8
RUN_EXPECTED_LAST equ 16
RUN_COUNT         equ 24
RUN_FIRST         equ 32
RUN_LAST          equ 40
RUN_REGISTERS     equ 48

; void tear_run(struct tear_run *run)
;
; Generated code (tear_code.c) leaves the immediates in rax rbx rsi rdi r8 r9 r10, counts rcx down,
; compares with r14 and r15, flushes the lines of r12 and r13, and clobbers rdx and r11.
        align   16
        global  tear_run
tear_run:
        push    rbp
        mov     rbp, rsp
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        push    rdi                     ; seven words and the return address: aligned by 16
        mov     rcx, [rdi + RUN_COUNT]
        mov     r12, [rdi + RUN_FIRST]
        mov     r13, [rdi + RUN_LAST]
        mov     r14, [rdi + RUN_EXPECTED]
        mov     r15, [rdi + RUN_EXPECTED_LAST]
        call    [rdi + RUN_ENTRY]
        pop     rdx
        mov     [rdx + RUN_COUNT], rcx
        mov     [rdx + RUN_REGISTERS], rax
        mov     [rdx + RUN_REGISTERS + 8], rbx
        mov     [rdx + RUN_REGISTERS + 16], rsi
        mov     [rdx + RUN_REGISTERS + 24], rdi
        mov     [rdx + RUN_REGISTERS + 32], r8
        mov     [rdx + RUN_REGISTERS + 40], r9
        mov     [rdx + RUN_REGISTERS + 48], r10
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        ret

LOAD_ADDRESS  equ 0
LOAD_EXPECTED equ 8
LOAD_COUNT    equ 16
LOAD_SEEN     equ 24

%macro  load_begin 1
        align   16
        global  tear_load_%1
tear_load_%1:
        mov     rsi, [rdi + LOAD_ADDRESS]
        mov     r8, [rdi + LOAD_EXPECTED]
        mov     rcx, [rdi + LOAD_COUNT]
%endmacro

; A general register of `%1` bytes, named `%2`; `%3` takes the expected value.
%macro  load_general 3
        load_begin %1
        mov     %3, [r8]
.next:
        mov     %2, [rsi]
        dec     rcx
        jz      .end
        cmp     %2, %3
        je      .next
.end:
        mov     [rdi + LOAD_COUNT], rcx
        mov     [rdi + LOAD_SEEN], %2
        ret
%endmacro

load_general 1, al, dl
load_general 2, ax, dx
load_general 4, eax, edx
load_general 8, rax, rdx

        load_begin 16                   ; SSE2
        movups  xmm1, [r8]
.next:
        movups  xmm0, [rsi]
        movaps  xmm2, xmm0
        pcmpeqb xmm2, xmm1
        pmovmskb eax, xmm2
        dec     rcx
        jz      .end
        cmp     eax, 0xffff
        je      .next
.end:
        mov     [rdi + LOAD_COUNT], rcx
        movups  [rdi + LOAD_SEEN], xmm0
        ret

        load_begin 32                   ; AVX
        vmovdqu ymm1, [r8]
.next:
        vmovdqu ymm0, [rsi]
        vxorps  ymm2, ymm0, ymm1
        dec     rcx
        jz      .end
        vptest  ymm2, ymm2
        jz      .next
.end:
        mov     [rdi + LOAD_COUNT], rcx
        vmovdqu [rdi + LOAD_SEEN], ymm0
        vzeroupper
        ret

        load_begin 64                   ; AVX-512 F
        vmovdqu64 zmm1, [r8]
.next:
        vmovdqu64 zmm0, [rsi]
        vpcmpneqd k1, zmm0, zmm1
        dec     rcx
        jz      .end
        kortestw k1, k1
        jz      .next
.end:
        mov     [rdi + LOAD_COUNT], rcx
        vmovdqu64 [rdi + LOAD_SEEN], zmm0
        vzeroupper
        ret
