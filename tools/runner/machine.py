# SPDX-License-Identifier: MIT
"""The virtual machine: its command line, its start and its end."""

import ctypes
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .errors import RunnerError
from .firmware import Firmware, comma

QEMU = "qemu-system-x86_64"
ACCELERATORS = {"kvm": "kvm", "tcg": "tcg,thread=single", "tcg-mt": "tcg,thread=multi"}
# 32 ns for each instruction, so that the firmware's busy waits are over soon; a core that is idle
# does not wait in real time.
ICOUNT = ("-icount", "shift=5,sleep=off")
PR_SET_PDEATHSIG = 1


def usb_stick(image: Path) -> list[str]:
    """The image as a USB stick on xHCI, booted first."""
    return [
        *("-device", "qemu-xhci", "-device", "usb-storage,drive=stick,bootindex=0"),
        *("-drive", f"if=none,id=stick,format=raw,file={comma(image)}"),
    ]


@dataclass(frozen=True)
class Machine:
    """Everything that a QEMU command line is made from."""

    firmware: Firmware
    accel: str  # a key of ACCELERATORS
    vcpus: int
    memory_mib: int
    image: Path
    words: Path | None  # file with the kernel's words, beside those on the medium
    serial: Path
    debugcon: Path
    icount: bool = False  # the clock counts instructions
    medium: Callable[[Path], list[str]] = usb_stick  # how the image is attached

    def command(self) -> list[str]:
        """q35, a medium to boot from, serial port and debug console into files, exit by port 0xf4."""
        cpu = "host,migratable=off" if self.accel == "kvm" else "max"
        return [
            QEMU,
            "-machine",
            "q35",
            "-accel",
            ACCELERATORS[self.accel],
            *(ICOUNT if self.icount else ()),
            "-cpu",
            cpu,
            "-smp",
            str(self.vcpus),
            "-m",
            str(self.memory_mib),
            "-display",
            "none",
            "-net",
            "none",
            "-no-reboot",
            *self.firmware.drives(),
            *self.medium(self.image),
            "-device",
            "isa-debug-exit,iobase=0xf4,iosize=4",
            "-chardev",
            f"file,id=serial,path={comma(self.serial)}",
            "-serial",
            "chardev:serial",
            "-chardev",
            f"file,id=debugcon,path={comma(self.debugcon)}",
            "-device",
            "isa-debugcon,iobase=0xe9,chardev=debugcon",
            *self._words(),
        ]

    def _words(self) -> list[str]:
        if not self.words:
            return []
        return ["-fw_cfg", f"name=opt/org.crossmod/words,file={comma(self.words)}"]


def version() -> str:
    """QEMU's version line."""
    if not shutil.which(QEMU):
        raise RunnerError(f"{QEMU} is not installed")
    first = subprocess.run(
        [QEMU, "--version"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return first.splitlines()[0].removeprefix("QEMU emulator version ")


def die_with_parent() -> None:
    """In the child, before exec: a runner that is killed outright leaves no machine behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(machine: Machine, messages: Path) -> subprocess.Popen:
    """Start it in its own session: the terminal's Ctrl-C is for the runner, which ends QEMU."""
    with open(messages, "wb") as stderr:
        return subprocess.Popen(
            machine.command(),
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=die_with_parent,
            env={**os.environ, "LC_ALL": "C"},
        )


def end(process: subprocess.Popen) -> None:
    """End it, gently first: on SIGTERM QEMU flushes the image."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
