# SPDX-License-Identifier: MIT
"""The command words, by the host build of the kernel's own parser (tools/words.c)."""

import secrets
import subprocess
from dataclasses import dataclass

from . import tree
from .errors import RunnerError

DEFAULT_VCPUS = 4
SEED_BITS = 47  # short enough to be typed


def _tool(*arguments: str) -> str:
    result = subprocess.run(
        [tree.OUT / "host" / "words", *arguments],
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if result.returncode:
        raise RunnerError(result.stderr.strip() or f"words {arguments[0]} failed")
    return result.stdout.strip()


def help_table() -> str:
    """All words with their ranges and defaults."""
    return _tool("help")


def config(arguments: list[str]) -> bytes:
    """A crossmod.cfg that explains every word and has `arguments` in force."""
    return _tool("config", *arguments).replace("\n", "\r\n").encode("ascii") + b"\r\n"


@dataclass(frozen=True)
class Settings:
    """The words of one command line, checked and read. Only read() needs the words tool."""

    accel: str  # as asked for: "auto", "kvm", "tcg" or "tcg-mt"
    vcpus: int
    memory_mib: int
    limit: int  # seconds, 0: by the tests' budget
    hang: int  # seconds that the watchdog waits
    icount: bool  # time counts instructions
    kernel_line: str  # for the kernel, but for accel=
    replay_words: tuple[str, ...]  # what repeats the run, but for accel=

    @staticmethod
    def read(arguments: list[str]) -> "Settings":
        """Check the words and read them; RunnerError names the first mistake.

        The seed is chosen here if the user did not, so that the replay command is complete.
        """
        _tool("check", *arguments)

        def number(name: str) -> int:
            return int(_tool("get", name, *arguments))

        accel = _tool("get", "accel", *arguments)
        icount = _tool("get", "icount", *arguments) == "yes"
        if icount and accel not in ("auto", "tcg"):
            raise RunnerError(f"icount=yes: needs accel=tcg, not {accel}")
        if icount:
            accel = "tcg"
        seed = number("seed") or secrets.randbits(SEED_BITS) + 1
        vcpus = number("vcpus") or number("cpus") or DEFAULT_VCPUS
        # Stacks and per-core blocks grow with the cores, and so do the firmware's own.
        memory = number("mem") or (512 if vcpus <= 16 else 1024 if vcpus <= 64 else 2048)
        kept = [w for w in arguments if not w.startswith(("accel=", "seed="))] + [f"seed={seed:#x}"]
        return Settings(
            accel,
            vcpus,
            memory,
            number("limit"),
            number("hang"),
            icount,
            _tool("kernel", *kept),
            tuple(kept),
        )
