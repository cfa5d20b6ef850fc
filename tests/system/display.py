# SPDX-License-Identifier: MIT
"""A machine with a display and a keyboard, which stays on when the run has ended."""

import contextlib
import json
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable

import picture
from runner import firmware, machine

SECONDS = 120
# 30 frames a second: a faster 3840x2160 does not fit into the classic part of the EDID.
VGA = "VGA,edid=on,vgamem_mb=64,refresh_rate=30000,xres={},yres={}"


class Display:
    """QEMU, spoken to through its monitor."""

    def __init__(self, out: Path, directory: Path):
        self.out = out
        self.directory = directory
        self.process: subprocess.Popen | None = None
        self.monitor = None

    @contextlib.contextmanager
    def on(
        self,
        words: str,
        cpus: int,
        size: tuple[int, int] | None,
        drive: str = "",
        config: str = "",
    ):
        """Boot with these words; `size` None: no display.

        `drive`: more options of the stick's; `config`: what its crossmod.cfg says.
        """
        image, file, monitor = (self.directory / n for n in ("disk.img", "words.txt", "monitor"))
        mkimage = Path(__file__).resolve().parents[2] / "tools" / "mkimage"
        written = self.directory / "crossmod.cfg"
        written.write_text(f"{config}\n", encoding="ascii")
        subprocess.run([mkimage, image, self.out / "BOOTX64.EFI", written], check=True)
        file.write_text(f"{words} accel=tcg\n", encoding="ascii")
        box = machine.Machine(
            firmware.find(), "tcg", cpus, 1024, image, file, self.serial, self.debugcon
        )
        command = box.command()
        # Without the exit port the machine halts at the end, and can be looked at.
        at = command.index("isa-debug-exit,iobase=0xf4,iosize=4")
        command[at - 1 : at + 1] = ["-qmp", f"unix:{monitor},server=on,wait=off", "-vga", "none"]
        at = next(i for i, word in enumerate(command) if word.startswith("if=none,id=stick"))
        command[at] += drive
        if size:
            command += ["-device", VGA.format(*size)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, preexec_fn=machine.die_with_parent
        )
        try:
            self._connect(monitor)
            yield self
        finally:
            self.process.kill()
            self.process.wait()

    @property
    def serial(self) -> Path:
        """The serial port's output."""
        return self.directory / "serial.log"

    @property
    def debugcon(self) -> Path:
        """The records."""
        return self.directory / "debugcon.jsonl"

    @property
    def shot(self) -> Path:
        """The last screenshot."""
        return self.directory / "screen.ppm"

    def _connect(self, path: Path) -> None:
        deadline = time.monotonic() + 10
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(path))
        self.monitor = connection.makefile("rw")
        self.monitor.readline()  # the greeting
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: object) -> None:
        """One command of the monitor."""
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.monitor.flush()
        while True:
            answer = json.loads(self.monitor.readline())
            assert "error" not in answer, answer
            if "return" in answer:
                return

    def press(self, key: str) -> None:
        """Press and release a key."""
        self.ask("send-key", keys=[{"type": "qcode", "data": key}])

    def wait_for(self, file: Path, text: str) -> str:
        """Wait until a file contains this; returns all of it."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if file.exists() and text in (found := file.read_text("utf-8", "replace")):
                return found
            assert self.process.poll() is None, "QEMU has ended"
            time.sleep(0.1)
        raise AssertionError(f"{file.name} never contained {text!r}:\n{file.read_text('utf-8')}")

    def screens(self) -> list[dict]:
        """The records of what the screen showed."""
        *lines, _ = self.debugcon.read_text("utf-8", "replace").split("\n")
        return [json.loads(line) for line in lines if line.startswith('{"type":"screen"')]

    def wait_for_screen(self, is_it: Callable[[dict], bool]) -> dict:
        """Wait until the last of these records is the one that is meant."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if self.debugcon.exists() and (found := self.screens()) and is_it(found[-1]):
                return found[-1]
            time.sleep(0.1)
        raise AssertionError("the screen that is waited for has never been recorded")

    def picture(self) -> picture.Picture:
        """A screenshot."""
        self.ask("screendump", filename=str(self.shot))
        return picture.Picture.read(self.shot)

    def text(self, record: dict) -> list[str]:
        """What can be read on the screen now, laid out as in `record`."""
        return picture.text(self.picture(), record)
