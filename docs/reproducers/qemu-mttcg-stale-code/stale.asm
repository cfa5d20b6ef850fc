; SPDX-License-Identifier: MIT
; Does an emulator execute code that is gone? CPU 1 calls `mov eax, NUMBER; ret` without end. CPU 0
; stores the next NUMBER (aligned, so that no fetch can see half of it), interrupts CPU 1, which
; executes CPUID and acknowledges, and only then publishes NUMBER in a word of memory. CPU 1 reads
; that word before each call: the call must return it or a later one. Those that return an older
; one are counted. See README.md for how to run it and for what was seen.

%ifndef PATCHES
%define   PATCHES 1000                  ; in each row of the table
%endif
BETWEEN   equ 16                        ; executions after each patch, at least
IMAGE     equ 0x100000
ALIAS     equ 0x40000000                ; a second linear address of the first 4 MiB
LOW       equ 0x8000                    ; where CPU 1 starts, in real mode
CODE      equ 8                         ; selectors
DATA      equ 16
LAPIC     equ 0xfee00000
EOI       equ LAPIC + 0xb0
SPURIOUS  equ LAPIC + 0xf0
ICR       equ LAPIC + 0x300
OTHERS    equ 0xc4000                   ; ICR: to all CPUs but this one, edge, assert
INIT      equ OTHERS | 5 << 8
STARTUP   equ OTHERS | 6 << 8 | LOW >> 12
VECTOR    equ 0x40
COM1      equ 0x3f8
EXIT      equ 0xf4                      ; isa-debug-exit: QEMU's exit code is 2 * value + 1

; How a row patches: the store doubled before the interrupt; repeated after the acknowledgement;
; INVLPG before each store.
TWICE     equ 1
AGAIN     equ 2
FLUSH     equ 4

struc   row
.site:       resd 1                     ; the code
.alias:      resd 1                     ; CPU 0 stores through the site's address plus this
.how:        resd 1
.executions: resd 1                     ; CPU 1 writes these three
.stale:      resd 1
.last:       resd 1                     ; what the last execution returned
.name:       resb 28
endstruc

        org     IMAGE
        bits    32
image:                                  ; the Multiboot header; loaded as a flat file
header: dd      0x1badb002, 1 << 16, -(0x1badb002 + (1 << 16)), header, image, loaded, end, cpu0

; Flat segments, paging, local APIC. %1: top of this CPU's stack.
%macro  enter_flat 1
        mov     ax, DATA
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     esp, %1
        mov     eax, 1 << 4             ; CR4.PSE: the page directory maps 4 MiB pages
        mov     cr4, eax
        mov     eax, page_directory
        mov     cr3, eax
        mov     eax, 1 << 31 | 1 << 4 | 1 ; CR0.PG, ET, PE
        mov     cr0, eax
        mov     dword [SPURIOUS], 1 << 8 | 0xff ; enabled
%endmacro

; ---- CPU 0 ----

cpu0:   cli
        cld
        lgdt    [gdtr]
        jmp     CODE:.flat
.flat:  enter_flat stack0
        mov     esi, trampoline
        mov     edi, LOW
        mov     ecx, trampoline_end - trampoline
        rep movsb
        mov     ebx, INIT
        call    ipi_and_delay
        mov     ebx, STARTUP            ; twice, as the MultiProcessor Specification says
        call    ipi_and_delay
        call    ipi_and_delay
        mov     esi, title
        call    print
        mov     ebp, rows
.row:   call    patch
        call    report
        add     ebp, row_size
        cmp     ebp, rows_end
        jb      .row
        cmp     dword [verdict], 1      ; carry if nothing was stale
        mov     eax, 0x11
        sbb     eax, 0
        out     EXIT, eax
        hlt

ipi_and_delay:
        mov     [ICR], ebx
        mov     ecx, 10000              ; at about 1 us each, where the port is a real one
.delay: in      al, 0x80
        loop    .delay
        ret

; Patch the site of row EBP. Returns in EDX the number of patches after which CPU 1 was seen to
; execute an older one. ESI: the number; EDI: where it is stored; EBX: stale executions so far.
patch:  mov     esi, [published]
        mov     edi, [ebp + row.site]
        inc     edi                     ; behind the opcode
        add     edi, [ebp + row.alias]
        mov     [current], ebp
        mov     eax, 2
        call    wait_executions
        mov     ecx, PATCHES
        xor     edx, edx
.next:  mov     ebx, [ebp + row.stale]
        inc     esi
        call    store
        test    byte [ebp + row.how], TWICE
        jz      .sync
        call    store
.sync:  mov     dword [acknowledged], 0
        mov     dword [ICR], OTHERS | VECTOR
.wait:  pause
        cmp     dword [acknowledged], 0
        je      .wait
        test    byte [ebp + row.how], AGAIN
        jz      .publish
        call    store
.publish:
        mov     [published], esi        ; from here on an older one is forbidden
        mov     eax, BETWEEN
        call    wait_executions
        cmp     ebx, [ebp + row.stale]  ; carry if there are more now
        adc     edx, 0
        loop    .next
        mov     eax, 1000               ; long after the last store: what is executed now?

; Wait until CPU 1 has executed the site of row EBP so many times more: EAX.
wait_executions:
        add     eax, [ebp + row.executions]
.more:  pause
        cmp     [ebp + row.executions], eax
        jb      .more
        ret

store:  test    byte [ebp + row.how], FLUSH
        jz      .store
        invlpg  [edi]
.store: mov     [edi], esi
        ret

; Print row EBP with EDX, and keep the verdict.
report: mov     eax, [ebp + row.stale]
        or      [verdict], eax
        push    dword [published]
        push    dword [ebp + row.last]
        push    edx
        push    dword [ebp + row.stale]
        push    dword [ebp + row.executions]
        lea     esi, [ebp + row.name]
        call    print
        mov     ecx, 5
.column:
        pop     eax
        call    print_number
        loop    .column
        mov     esi, newline

print:  mov     dx, COM1                ; the string at ESI
.next:  lodsb
        test    al, al
        jz      .end
        out     dx, al
        jmp     .next
.end:   ret

print_number:                           ; EAX, in twelve columns
        mov     ebx, 10
        mov     esi, number_end
.digit: xor     edx, edx
        div     ebx
        add     dl, '0'
        dec     esi
        mov     [esi], dl
        test    eax, eax
        jnz     .digit
.pad:   dec     esi
        mov     byte [esi], ' '
        cmp     esi, number
        ja      .pad
        jmp     print

; ---- CPU 1 ----

trampoline:
        bits    16
        cli
        o32 lgdt [cs:gdtr - trampoline]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     CODE:dword cpu1
gdtr:   dw      3 * 8 - 1
        dd      gdt
trampoline_end:

        bits    32
cpu1:   enter_flat stack1
        lidt    [idtr]
        sti
.next:  mov     esi, [published]        ; before the row: no later row's site holds an older number
        mov     ebp, [current]
        call    [ebp + row.site]
        mov     [ebp + row.last], eax
        cmp     eax, esi                ; carry if older than what was published before the call
        adc     dword [ebp + row.stale], 0
        inc     dword [ebp + row.executions]
        test    byte [ebp + row.executions], 15
        jnz     .next
        pause                           ; an emulator that runs CPUs in turns goes on to CPU 0
        jmp     .next

interrupt:
        pushad
        xor     eax, eax
        cpuid                           ; serialises: SDM vol 3A, "Serializing Instructions"
        mov     dword [EOI], 0
        mov     dword [acknowledged], 1
        popad
        iretd                           ; serialises too

; ---- data: nothing that is written shares a page with code ----

        align   4096, db 0
page_directory:
%assign i 0
%rep    1024
        dd      (i << 22) * (i != ALIAS >> 22) | 1 << 7 | 3 ; page size, writable, present
%assign i i + 1
%endrep

gdt:    dq      0, 0x00cf9a000000ffff, 0x00cf92000000ffff
idt:    times VECTOR dq 0
%define OFFSET (IMAGE + interrupt - image)
        dw      OFFSET & 0xffff, CODE, 0x8e00, OFFSET >> 16
idtr:   dw      idtr - idt - 1
        dd      idt

        align   64, db 0
published:    dd 0                      ; CPU 0 writes these two:
current:      dd rows                   ; the row whose site CPU 1 executes
acknowledged: dd 0                      ; CPU 1 writes 1; CPU 0 writes 0 before the interrupt
verdict:      dd 0

title:  db      "CPU 0 stores through          executions       stale  in patches"
        db      "        last   published", 10, 0
newline: db     10, 0
number: times 12 db 0
number_end: db  0

        align   4, db 0
%macro  new_row 3                       ; alias, how, name
%%row:  istruc  row
at row.site,  dd site_0 + 3 + (%%row - rows) / row_size * 4096
at row.alias, dd %1
at row.how,   dd %2
at row.name,  db %3
        iend
%endmacro
rows:   new_row 0,     0,             "same address              "
        new_row 0,     AGAIN,         "same address, again       "
        new_row 0,     FLUSH,         "same address, flush       "
        new_row 0,     FLUSH | TWICE, "same address, flush twice "
        new_row 0,     FLUSH | AGAIN, "same address, flush again "
        new_row ALIAS, 0,             "other address             "
        new_row ALIAS, AGAIN,         "other address, again      "
        new_row ALIAS, FLUSH,         "other address, flush      "
        new_row ALIAS, FLUSH | TWICE, "other address, flush twice"
        new_row ALIAS, FLUSH | AGAIN, "other address, flush again"
rows_end:

; Each row has a site in a page of its own, which at first returns the number published last.
        align   4096, db 0
site_0:
%assign i 0
%rep    (rows_end - rows) / row_size
        align   4096, db 0
        times 3 db 0
        db      0xb8                    ; mov eax, imm32: the operand is aligned
        dd      i * PATCHES
        ret
%assign i i + 1
%endrep
loaded:

        absolute loaded
        alignb  4096
        resb    4096
stack0: resb    4096
stack1:
end:
