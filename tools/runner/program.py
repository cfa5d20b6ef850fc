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
# Variables that speak of the kernel that is booted.
FOREIGN = ("CROSSMOD_CFG", "CROSSMOD_TWIN")


def refuse_foreign() -> None:
    """What cannot be obeyed here is a mistake, not silence. Of words the program judges itself."""
    variable = next((v for v in FOREIGN if os.environ.get(v)), None)
    if variable:
        raise RunnerError(f"{variable} is for the kernel that is booted: unset it")


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
        return {
            "accel": "hosted",
            "why": WHY,
            "kernel": f"{platform.system()} {platform.release()}",
        }
