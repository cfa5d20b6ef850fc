# SPDX-License-Identifier: MIT
"""The machine as a Linux process: out/crossmod, run in the run's directory."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .errors import RunnerError

PROGRAM = "crossmod"
# What it writes into its working directory, beside the TAP lines on standard output.
TAP, RECORDS = "crossmod.tap", "crossmod.jsonl"
WHY = "a process on this machine's own cores"
# Words and variables that speak of a virtual machine or of its boot image.
FOREIGN_WORDS = ("accel=", "vcpus=", "mem=")
FOREIGN_VARIABLES = ("CROSSMOD_CFG", "CROSSMOD_TWIN")


def refuse_foreign(arguments: list[str]) -> None:
    """What cannot be obeyed here is a mistake, not silence."""
    word = next((a for a in arguments if a.startswith(FOREIGN_WORDS)), None)
    if word:
        raise RunnerError(f"{word}: a word for the virtual machine; a process has none")
    variable = next((v for v in FOREIGN_VARIABLES if os.environ.get(v)), None)
    if variable:
        raise RunnerError(f"{variable} is for the booted kernel: unset it")


@dataclass(frozen=True)
class Program:
    """One run of the program."""

    run: Path
    words: tuple[str, ...]

    @property
    def output(self) -> Path:
        """Its standard output: the TAP lines."""
        return self.run / "output.log"

    @property
    def messages(self) -> Path:
        """Its standard error."""
        return self.run / "messages.log"

    def command(self) -> list[str]:
        """What is executed; the working directory is the run's."""
        return [str(self.run / PROGRAM), *self.words]

    def start(self) -> subprocess.Popen:
        """Start it in its own session: the terminal's Ctrl-C is for the runner, which ends it."""
        with open(self.output, "wb") as stdout, open(self.messages, "wb") as stderr:
            return subprocess.Popen(
                self.command(),
                cwd=self.run,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                preexec_fn=machine.die_with_parent,
            )

    def facts(self) -> dict:
        """What it ran on, for report.json."""
        return {"accel": "hosted", "why": WHY, "kernel": f"{platform.system()} {platform.release()}"}
