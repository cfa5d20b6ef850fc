# SPDX-License-Identifier: MIT
"""Runs of ./run.sh, as a user would start them."""

import json
import os
import shlex
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from runner import tree
from runner.errors import RunnerError


@dataclass(frozen=True)
class Run:
    """A finished run: what was typed, its directory and report.json."""

    command: str
    directory: Path
    report: dict

    def reasons(self) -> dict[str, str]:
        """Of each test that did not pass: how it ended, and why."""
        return {
            test["name"]: f"{test['verdict']}: {test['reason']}"
            for test in self.report["tests"]
            if test["verdict"] != "PASS"
        }


def start(command: str, words: list[str], runs: Path) -> Run:
    """Run `command WORD...`, its directory below `runs`. RunnerError if there is no report."""
    typed = shlex.join([command, *words])
    print(f"running: {typed}", flush=True)
    with subprocess.Popen(
        [tree.ROOT / "run.sh", "--no-install", *words],
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "CROSSMOD_RUNS": str(runs)},
    ) as process:
        try:
            text, _ = process.communicate()
        except BaseException:  # Ctrl-C, SIGTERM: its machine is its own to end
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
    files = [line for line in text.splitlines() if line.startswith("files: ")]
    if not files:
        raise RunnerError(f"{typed} left no report:\n{text.rstrip()}")
    directory = (runs / "last").resolve()
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    print(f"  {report['verdict']}{report['reason'] and ': '}{report['reason']}", flush=True)
    return Run(typed, directory, report)
