# SPDX-License-Identifier: MIT
"""Run ./run.sh as a user does, and look at what it printed and left."""

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SECONDS = 240  # no single run may take longer


@dataclass
class Result:
    """One finished run."""

    code: int
    text: str  # standard output and error, as they came
    directory: Path | None  # None if it ended before there was one

    @property
    def lines(self) -> list[str]:
        """What was printed, by line."""
        return self.text.splitlines()

    @property
    def report(self) -> dict:
        """report.json."""
        return json.loads(self.file("report.json"))

    def file(self, name: str) -> str:
        """A file of the run's directory."""
        assert self.directory, self.text
        return (self.directory / name).read_text(encoding="utf-8", errors="replace")

    def test(self, name: str) -> dict:
        """One test's record."""
        found = [t for t in self.report["tests"] if t["name"] == name]
        assert found, f"no record of {name}:\n{self.text}"
        return found[0]

    def data(self, name: str) -> dict:
        """One test's data record."""
        return next(d for d in self.report["data"] if d["test"] == name)

    def expect(self, verdict: str, code: int) -> "Result":
        """The verdict in the report, on the terminal and as exit code."""
        assert self.code == code, self.text
        assert self.report["verdict"] == verdict, self.text
        assert self.report["exit_code"] == code
        assert re.match(rf"{verdict}\b", self.lines[-5]), self.text
        return self


class Runner:
    """Starts run.sh."""

    def __init__(self, tree: Path, runs: Path):
        self.tree = tree
        self.runs = runs
        self.process: subprocess.Popen | None = None

    def start(self, *words: str, cwd: Path | None = None, **environment: str) -> None:
        """Start without waiting. accel=tcg unless the words say otherwise: no test goes by luck."""
        chosen = any(w.startswith("accel=") for w in words)
        if not chosen and not {"hosted", "contribute"}.intersection(words):
            words = (*words, "accel=tcg")
        self.process = subprocess.Popen(
            [self.tree / "run.sh", "--no-install", *words],
            cwd=cwd or self.tree,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "CROSSMOD_RUNS": str(self.runs), **environment},
        )

    def wait(self) -> Result:
        """Wait for the end."""
        try:
            text, _ = self.process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGTERM)
            text, _ = self.process.communicate()
            raise AssertionError(f"still running after {SECONDS} s:\n{text}") from None
        directories = (
            sorted(d for d in self.runs.iterdir() if d.is_dir() and not d.is_symlink())
            if self.runs.is_dir()
            else []
        )
        return Result(self.process.returncode, text, directories[-1] if directories else None)

    def run(self, *words: str, cwd: Path | None = None, **environment: str) -> Result:
        """Start and wait."""
        self.start(*words, cwd=cwd, **environment)
        return self.wait()

    def list_tests(self) -> list[str]:
        """./run.sh list."""
        return subprocess.run(
            [self.tree / "run.sh", "--no-install", "list"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout.splitlines()

    def wait_for(self, name: str, text: str) -> Path:
        """Wait until file `name` of the run's directory contains `text`; returns the directory."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for file in self.runs.glob(f"*/{name}"):
                if not file.parent.is_symlink() and text in file.read_text(
                    encoding="utf-8", errors="replace"
                ):
                    return file.parent
            time.sleep(0.1)
        raise AssertionError(f"{name} never contained {text!r}:\n{self.wait().text}")


def qemu_of(directory: Path) -> int:
    """Process id of the QEMU that runs from a run's directory."""
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system" in command[0] and str(directory).encode() in b" ".join(command):
            return int(entry.name)
    raise AssertionError(f"no QEMU runs from {directory}")
