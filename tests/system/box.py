# SPDX-License-Identifier: MIT
"""A virtual machine that a test builds itself: other processors, a monitor, another image."""

import json
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from runner import build, firmware, machine, records

SECONDS = 240  # no machine may take longer


class Monitor:
    """QEMU's machine protocol (QMP) on a Unix socket."""

    def __init__(self, path: Path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw", encoding="utf-8")
        self._file.readline()  # the greeting
        self.command("qmp_capabilities")

    def command(self, name: str, **arguments: object) -> object:
        """Execute one command, and return what it returns. Events are passed over."""
        self._file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            answer = json.loads(self._file.readline())
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]

    def human(self, line: str) -> str:
        """Execute a line of the human monitor."""
        return str(self.command("human-monitor-command", **{"command-line": line}))

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


@dataclass
class Box:
    """One machine of one test, in the test's own directory."""

    run: Path
    words: str
    vcpus: int = 2
    cpu: str = "max"
    memory_mib: int = 512
    extra: tuple[str, ...] = ()  # more of QEMU's options
    image: Path | None = None  # instead of the usual one
    process: subprocess.Popen | None = None

    def command(self) -> list[str]:
        """QEMU's command line: the runner's, with these differences."""
        self.run.mkdir()
        if self.image is None:
            with build.locked():
                build.stage(self.run, None)
            self.image = self.run / build.IMAGE
        words = self.run / "words.txt"
        words.write_text(f"{self.words} accel=tcg\n", encoding="ascii")
        files = {name: self.run / name for name in ("serial.log", "debugcon.jsonl")}
        usual = machine.Machine(
            firmware.find(),
            "tcg",
            self.vcpus,
            self.memory_mib,
            self.image,
            words,
            *files.values(),
        ).command()
        usual[usual.index("-cpu") + 1] = self.cpu
        monitor = f"unix:{self.run / 'monitor'},server=on,wait=off"
        return [*usual, "-qmp", monitor, *self.extra]

    def start(self) -> "Box":
        """Start it."""
        with open(self.run.with_suffix(".qemu"), "wb") as messages:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=messages, stderr=messages
            )
        return self

    def serial(self) -> str:
        """What the serial port has shown so far."""
        path = self.run / "serial.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def wait_for(self, text: str) -> Monitor:
        """Wait until the serial port has shown `text`; returns the monitor."""
        deadline = time.monotonic() + SECONDS
        socket_path = self.run / "monitor"
        while text not in self.serial() or not socket_path.exists():
            assert self.process.poll() is None, self.serial()[-4000:]
            assert time.monotonic() < deadline, f"never {text!r}:\n{self.serial()[-4000:]}"
            time.sleep(0.05)
        return Monitor(socket_path)

    def wait(self) -> records.Records:
        """Wait for its end; returns what it recorded."""
        try:
            self.process.wait(timeout=SECONDS)
        finally:
            machine.end(self.process)
        return records.parse(records.read_bytes(self.run / "debugcon.jsonl"))
