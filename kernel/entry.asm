; SPDX-License-Identifier: MIT
; The kernel's first instructions, and its last: onto our own stack, and back into the loader.

        bits 64
        default rel

        extern kernel_main

KERNEL_BOOT_STACK equ 32768

        section .text.entry exec
        global kernel_entry
; rdi: struct boot_info *, identity address. Returns the exit code in eax, keeps the callee-saved
; registers. The loader's stack is not mapped in the tables that are in force at the end, so nothing
; is kept there: the return address and the registers wait in .bss.
;
; Entered again after kernel_leave(), it returns from that instead: still on the bootstrap tables,
; which map our image and with it the boot stack.
kernel_entry:
        pop     qword [loader_return]
        mov     [loader_rsp], rsp
        mov     [loader_rbp], rbp
        mov     [loader_rbx], rbx
        mov     [loader_r12], r12
        mov     [loader_r13], r13
        mov     [loader_r14], r14
        mov     [loader_r15], r15
        cld
        xor     eax, eax
        xchg    rax, [left_rsp]
        test    rax, rax
        jnz     .again
        lea     rsp, [kernel_boot_stack_top]
        xor     ebp, ebp                ; the backtrace ends here
        call    kernel_main
        jmp     to_loader
.again: mov     rsp, rax
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret

; void kernel_leave(uint64_t code): the loader's call returns `code`, on the tables in force now,
; which map the switch stub. Returns when the loader enters again; then only general registers and
; stack are as they were.
        global kernel_leave
kernel_leave:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        mov     [left_rsp], rsp
        mov     rax, rdi
to_loader:
        mov     rsp, [loader_rsp]       ; not touched before the loader's own tables are back
        mov     rbp, [loader_rbp]
        mov     rbx, [loader_rbx]
        mov     r12, [loader_r12]
        mov     r13, [loader_r13]
        mov     r14, [loader_r14]
        mov     r15, [loader_r15]
        jmp     [loader_return]

        section .bss
        alignb  16
loader_return: resq 1
loader_rsp: resq 1
loader_rbp: resq 1
loader_rbx: resq 1
loader_r12: resq 1
loader_r13: resq 1
loader_r14: resq 1
loader_r15: resq 1
left_rsp: resq 1                        ; 0: kernel_leave() waits for nobody
        alignb  4096
        global kernel_boot_stack, kernel_boot_stack_top
; The page below is not present once the kernel runs on its own tables (mm/kernel_map.c).
kernel_boot_stack_guard: resb 4096
kernel_boot_stack: resb KERNEL_BOOT_STACK
kernel_boot_stack_top:
