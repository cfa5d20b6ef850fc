; SPDX-License-Identifier: MIT
; uint64_t switch_to_kernel(uint64_t entry, struct boot_info *info, uint64_t root,
;                           uint64_t stack_top)
;
; Calls entry(info) on the tables `root` and the stack `stack_top`, and returns its result with the
; firmware's processor state as it was. This page is mapped at the same address on both sides; the
; firmware's stack, GDT and IDT need not be (they may lie above 4 GiB). So what the way back needs
; before the firmware's tables are in force again stays in registers that the System V ABI makes the
; kernel preserve:
;
;   rbx  firmware's stack, where all else is saved
;   r12  CR3     r13  CR4     r14  IA32_PAT
;
; From one CR3 to the other no NMI can be taken: neither side's IDT is reachable on both.

        bits 64
        default rel

CR0_WP          equ 1 << 16
CR4_PGE         equ 1 << 7
CR4_CET         equ 1 << 23
EFER_NXE        equ 1 << 11
MSR_PAT         equ 0x277
MSR_EFER        equ 0xc0000080
MSR_FS_BASE     equ 0xc0000100
MSR_GS_BASE     equ 0xc0000101
MSR_KERNEL_GS   equ 0xc0000102
TSS_BUSY        equ 2               ; in byte 5 of its descriptor
TSS_TYPE        equ 0x9f            ; present, system, type
TSS_AVAILABLE   equ 0x89

struc saved
.fx:            resb 512            ; x87 and SSE: XMM6..15 are the firmware's across calls
.gdtr:          resb 16
.idtr:          resb 16
.efer:          resq 1
.fs_base:       resq 1
.gs_base:       resq 1
.kernel_gs:     resq 1
.cr0:           resq 1
.cr8:           resq 1
.dr7:           resq 1
.cs:            resw 1
.ds:            resw 1
.es:            resw 1
.ss:            resw 1
.fs:            resw 1
.gs:            resw 1
.ldtr:          resw 1
.tr:            resw 1
                alignb 16
endstruc

%macro save_msr 2                   ; number, member
        mov     ecx, %1
        rdmsr
        mov     [rbx + %2], eax
        mov     [rbx + %2 + 4], edx
%endmacro

%macro restore_msr 2
        mov     ecx, %1
        mov     eax, [rbx + %2]
        mov     edx, [rbx + %2 + 4]
        wrmsr
%endmacro

        section .text.switch progbits alloc exec nowrite align=4096
        global  switch_stub:function hidden, switch_to_kernel:function hidden
switch_stub:
switch_to_kernel:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        pushfq                      ; seven pushes and the return address: 16-aligned for FXSAVE
        cli
        cld
        sub     rsp, saved_size
        mov     rbx, rsp
        mov     r8, rdi             ; entry: RDMSR takes rcx, rdx and rax
        mov     r9, rdx             ; root
        mov     r10, rcx            ; stack_top

        ; ---- put the firmware's state aside ----
        fxsave64 [rbx + saved.fx]
        sgdt    [rbx + saved.gdtr]
        sidt    [rbx + saved.idtr]
        sldt    [rbx + saved.ldtr]
        str     [rbx + saved.tr]
        mov     [rbx + saved.cs], cs
        mov     [rbx + saved.ds], ds
        mov     [rbx + saved.es], es
        mov     [rbx + saved.ss], ss
        mov     [rbx + saved.fs], fs
        mov     [rbx + saved.gs], gs
        save_msr MSR_FS_BASE, saved.fs_base
        save_msr MSR_GS_BASE, saved.gs_base
        save_msr MSR_KERNEL_GS, saved.kernel_gs
        save_msr MSR_EFER, saved.efer
        mov     rax, cr0
        mov     [rbx + saved.cr0], rax
        mov     rax, cr8
        mov     [rbx + saved.cr8], rax
        mov     rax, dr7
        mov     [rbx + saved.dr7], rax
        mov     r12, cr3
        mov     r13, cr4
        mov     ecx, MSR_PAT
        rdmsr
        shl     rdx, 32
        lea     r14, [rdx + rax]

        ; ---- over to the kernel's side ----
        ; Before CR3: the bootstrap tables have NX bits, which are reserved while NXE is clear.
        mov     ecx, MSR_EFER
        rdmsr
        or      eax, EFER_NXE
        wrmsr
        mov     rax, cr0
        or      rax, CR0_WP
        mov     cr0, rax
        ; PGE off around the switch: the firmware's global translations must not survive it. CET
        ; off: the kernel has no shadow stack; SSP stays meanwhile, and fits again for our RET.
        mov     rax, r13
        and     rax, ~(CR4_CET | CR4_PGE)
        mov     cr4, rax
        mov     cr3, r9
        mov     rax, r13
        and     rax, ~CR4_CET
        mov     cr4, rax
        mov     rsp, r10
        mov     rdi, rsi
        xor     ebp, ebp
        call    r8

        ; ---- and back ----
        cli
        cld
        mov     r15, rax
        ; The firmware's pages may be user pages, which the kernel's SMEP and SMAP would refuse: CR4
        ; goes first. PGE off as above. CET last of all: RETF would use the shadow stack, and CET
        ; needs CR0.WP as the firmware had it.
        mov     rax, r13
        and     rax, ~(CR4_CET | CR4_PGE)
        mov     cr4, rax
        mov     rax, r14
        mov     rdx, r14
        shr     rdx, 32
        mov     ecx, MSR_PAT        ; before CR3: no translation of the firmware's under our types
        wrmsr
        mov     cr3, r12
        mov     rsp, rbx
        restore_msr MSR_EFER, saved.efer ; after CR3: see NXE above
        mov     rax, [rbx + saved.cr0]
        mov     cr0, rax

        lgdt    [rbx + saved.gdtr]
        lidt    [rbx + saved.idtr]
        lldt    [rbx + saved.ldtr]
        ; LTR refuses a busy TSS, and the firmware's still is, if it has one. A firmware without one
        ; keeps the kernel's selector, since none can be unloaded: the next slice finds that one in
        ; TR, and it is nothing in this GDT.
        movzx   eax, word [rbx + saved.tr]
        test    eax, eax
        jz      .no_tss
        lea     edx, [rax + 15]
        cmp     dx, [rbx + saved.gdtr]
        ja      .no_tss
        mov     rdx, [rbx + saved.gdtr + 2]
        mov     cl, [rdx + rax + 5]
        and     cl, TSS_TYPE & ~TSS_BUSY
        cmp     cl, TSS_AVAILABLE
        jne     .no_tss
        and     byte [rdx + rax + 5], ~TSS_BUSY
        ltr     ax
.no_tss:
        movzx   eax, word [rbx + saved.cs]
        push    rax
        lea     rax, [.reload]
        push    rax
        retfq
.reload:
        mov     ds, [rbx + saved.ds]
        mov     es, [rbx + saved.es]
        mov     ss, [rbx + saved.ss]
        mov     fs, [rbx + saved.fs]
        mov     gs, [rbx + saved.gs]
        ; After the selectors, whose loading sets the bases.
        restore_msr MSR_FS_BASE, saved.fs_base
        restore_msr MSR_GS_BASE, saved.gs_base
        restore_msr MSR_KERNEL_GS, saved.kernel_gs
        mov     rax, [rbx + saved.dr7]
        mov     dr7, rax
        mov     rax, [rbx + saved.cr8]
        mov     cr8, rax
        fxrstor64 [rbx + saved.fx]
        mov     cr4, r13

        mov     rax, r15
        add     rsp, saved_size
        popfq
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret

        times   4096 - ($ - switch_stub) int3
