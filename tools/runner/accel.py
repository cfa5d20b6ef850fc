# SPDX-License-Identifier: MIT
"""Choose QEMU's accelerator. KVM is used only where it was seen to reach the kernel."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from . import follow, machine
from .errors import RunnerError

PROBE_SECONDS = 20
NAMES = {"kvm": "KVM", "tcg": "TCG, single-threaded", "tcg-mt": "TCG, multi-threaded"}


@dataclass(frozen=True)
class Accel:
    """The accelerator and why it is this one."""

    word: str  # "kvm", "tcg" or "tcg-mt"
    why: str

    def line(self) -> str:
        """For the terminal."""
        return f"accelerator: {NAMES[self.word]} ({self.why})"


def kvm_obstacle(
    cpuinfo: Path = Path("/proc/cpuinfo"), device: Path = Path("/dev/kvm")
) -> str | None:
    """Why KVM cannot run a guest here, None if nothing is known against it.

    The device alone says nothing: inside a virtual machine it can exist without hardware support.
    """
    flags = cpuinfo.read_text(encoding="utf-8", errors="replace").split()
    if "vmx" not in flags and "svm" not in flags:
        return "the processor has no vmx or svm flag"
    if not device.exists():
        return f"there is no {device}"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"{device} may not be opened by this user"
    return None


def reaches_kernel(start: Callable[[], tuple]) -> bool:
    """Boot once, wait for the kernel's first line. `start` returns process and serial log."""
    process, serial = start()
    deadline = time.monotonic() + PROBE_SECONDS
    try:
        tail = follow.Tail(serial)
        while time.monotonic() < deadline:
            ended = process.poll() is not None
            if any(follow.START in line for line in tail.lines()):
                return True
            if ended:
                return False
            time.sleep(follow.POLL_SECONDS)
        return False
    finally:
        machine.end(process)


def choose(word: str, probe: Callable[[], tuple], obstacle: str | None) -> Accel:
    """`word` is accel='s value, `obstacle` what kvm_obstacle() said."""
    if word in ("tcg", "tcg-mt"):
        return Accel(word, "asked for")
    if not obstacle and not reaches_kernel(probe):
        obstacle = f"a probe boot under KVM did not reach the kernel within {PROBE_SECONDS} s"
    if not obstacle:
        return Accel("kvm", "a probe boot reached the kernel")
    if word == "kvm":
        raise RunnerError(f"accel=kvm: {obstacle}")
    return Accel("tcg", f"no KVM: {obstacle}")
