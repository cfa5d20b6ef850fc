# SPDX-License-Identifier: MIT
"""A filter that lets chosen system calls of a child process fail, as containers have it."""

import ctypes
import errno
import struct

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF: LD+W+ABS, JMP+JEQ+K, RET+K
ALLOW, FAIL_WITH = 0x7FFF0000, 0x00050000
# arch/x86/entry/syscalls/syscall_64.tbl
NUMBERS = {"mmap": 9, "sched_setaffinity": 203, "memfd_create": 319, "membarrier": 324}


def deny(name: str, error: int = errno.EPERM) -> None:
    """From here on system call `name` of this process fails. For preexec_fn."""
    instructions = [
        (LOAD_WORD, 0, 0, 0),  # seccomp_data.nr
        (JUMP_IF_EQUAL, 0, 1, NUMBERS[name]),
        (RETURN, 0, 0, FAIL_WITH | error),
        (RETURN, 0, 0, ALLOW),
    ]
    code = b"".join(struct.pack("=HBBI", *i) for i in instructions)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("=HxxxxxxQ", len(instructions), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")
