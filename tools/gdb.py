#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Boot in QEMU under gdb and stop at kernel_main: `gdb.py COMMAND [WORD...]`.

Without a terminal: stop, show where, end.

gdb starts QEMU itself and talks to it through a pipe: no port to choose, and QEMU ends with gdb.
"""

import os
import shlex
import shutil
import sys

import run as one_run
from runner import build, entry, machine, tree
from runner.errors import RunnerError


def script(box: machine.Machine) -> str:
    """gdb's commands. A hardware breakpoint: the kernel is not in memory yet."""
    qemu = shlex.join([*box.command(), "-S", "-gdb", "stdio"])
    return (
        "set confirm off\nset pagination off\nset debuginfod enabled off\n"
        f"target remote | exec {qemu} 2>{shlex.quote(str(box.image.with_name('qemu.log')))}\n"
        "hbreak kernel_main\ncontinue\n"
    )


def main(_command: str, arguments: list[str]) -> int:
    """Replaces this process by gdb."""
    if not shutil.which("gdb"):
        raise RunnerError("gdb is not installed; on Debian and Ubuntu: apt-get install gdb")
    settings, flash, run = one_run.prepare(arguments)
    word = "tcg" if settings.accel == "auto" else settings.accel
    box = one_run.configure(settings, flash, run, word)
    commands = run / "gdb.script"
    commands.write_text(script(box), encoding="utf-8")
    tree.mark_last(run)
    command = ["gdb", "-q", "-nx", "-x", str(commands), str(run / build.KERNEL)]
    if not sys.stdin.isatty():
        command[1:1] = ["-batch", "-ex", "set width 0"]
        command[-1:] = ["-ex", "backtrace", "-ex", "info threads", str(run / build.KERNEL)]
    os.chdir(tree.ROOT)  # the debug information names the sources relative to it
    sys.stdout.flush()
    os.execvp(command[0], command)


if __name__ == "__main__":
    entry.enter(main)
