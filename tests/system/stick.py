# SPDX-License-Identifier: MIT
"""A machine that is no QEMU to the guest: no debug exit, only the medium, as a real one has it.

With CPUID's hypervisor bit off, loader and kernel touch none of QEMU's ports: words come from
crossmod.cfg, the report from the medium, and the end is a prompt on the console.
"""

import re
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from runner import build, firmware, machine, tree

SECONDS = 150
PROMPT = "Press any key to restart"


@dataclass
class Stick:
    """An image file, and machines that boot from it, one after the other."""

    image: Path
    serial: Path = field(init=False)

    def __post_init__(self) -> None:
        self.serial = self.image.with_suffix(".serial")

    @classmethod
    def make(cls, directory: Path, words: str) -> "Stick":
        """A fresh image with `words` as its crossmod.cfg."""
        config = directory / "crossmod.cfg"
        config.write_text(words + "\n", encoding="ascii")
        image = directory / "stick.img"
        with build.locked():
            command = [tree.ROOT / "tools" / "mkimage", image, tree.OUT / build.LOADER, config]
            subprocess.run(command, check=True)
        return cls(image)

    def command(self, cpus: int, drive: str, flash: firmware.Firmware) -> list[str]:
        """QEMU's, as run.sh has it, but without what only QEMU has."""
        none = Path("/dev/null")
        box = machine.Machine(flash, "tcg", cpus, 512, self.image, none, self.serial, none)
        command = ["max,-hypervisor" if word == "max" else word for word in box.command()]
        at = next(i for i, word in enumerate(command) if word.startswith("if=none,id=stick"))
        command[at] += drive
        return command

    def boot(
        self,
        *more: str,
        cpus: int = 2,
        until: str = PROMPT,
        outright: bool = False,
        key: str = "",
        drive: str = "",
        flash: firmware.Firmware | None = None,
    ) -> str:
        """Boot; end the machine (`outright`: by SIGKILL) when its serial port has shown `until`.

        `key`: then the firmware's timer interrupt must be as OVMF has it, and the machine must end
        by itself when that key is pressed: by a reset, with -no-shutdown by a power-off.
        """
        command = self.command(cpus, drive, flash or firmware.find())
        self.serial.unlink(missing_ok=True)
        monitor = self.image.with_suffix(".monitor")
        with subprocess.Popen(
            [*command, *more, "-monitor", f"unix:{monitor},server=on,wait=off"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            preexec_fn=machine.die_with_parent,
        ) as process:
            deadline = time.monotonic() + SECONDS
            try:
                while until not in self.shown():
                    assert process.poll() is None, f"status {process.returncode}:\n{self.shown()}"
                    assert time.monotonic() < deadline, self.shown()
                    time.sleep(0.1)
                if key:
                    check_apic(ask(monitor, "info lapic"))
                    ask(monitor, f"sendkey {key}")
                    if "-no-shutdown" in more:
                        while "shutdown" not in ask(monitor, "info status"):
                            assert time.monotonic() < deadline, "the machine is still on"
                            time.sleep(0.1)
                    else:
                        assert process.wait(timeout=30) == 0
            finally:
                if outright:
                    process.kill()
                machine.end(process)
        return self.shown()

    def shown(self) -> str:
        """What came by the serial port so far."""
        if not self.serial.exists():
            return ""
        return self.serial.read_bytes().decode("ascii", "replace").replace("\r", "")

    @property
    def newest(self) -> str | None:
        """The newest run's directory on the stick."""
        return build.newest_report(self.image)

    def file(self, name: str) -> str | None:
        """A file of the newest run."""
        found = build.extract(self.image, f"{self.newest}/{name}")
        return None if found is None else found.decode("ascii")


def ask(monitor: Path, command: str) -> str:
    """What QEMU's monitor answers."""
    answer = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(monitor))
        connection.settimeout(10)
        connection.sendall(f"{command}\n".encode())
        while answer.count(b"(qemu)") < 2:  # before the command and behind it
            piece = connection.recv(4096)
            if not piece:
                break
            answer += piece
    return answer.decode("ascii", "replace")


def check_apic(state: str) -> None:
    """OVMF's timer runs, and nothing of the kernel's is in service or pending."""
    assert re.search(r"^LVTT\s.* periodic .*\(vec 32\)", state, re.MULTILINE), state
    assert re.search(r"^ISR\s+(\(none\)|32)\s*$", state, re.MULTILINE), state
    assert not re.search(r"^IRR\s.*\b2[45]\d\b", state, re.MULTILINE), state


def blank(path: Path) -> Path:
    """An empty volume: an image without anything to boot."""
    path.write_bytes(b"")
    with open(path, "r+b") as file:
        file.truncate(8 << 20)
    subprocess.run(["mformat", "-i", path, "-v", "BLANK", "::"], check=True)
    return path


def removable(path: Path) -> list[str]:
    """QEMU's arguments for a second stick."""
    return [
        "-drive",
        f"if=none,id=second,format=raw,file={path}",
        "-device",
        "usb-storage,drive=second,removable=on",
    ]
