# SPDX-License-Identifier: MIT
"""Follow a running machine: its serial log line by line, its time limit, its end."""

import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

from . import machine

POLL_SECONDS = 0.05
ANSI = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]")
START = "TAP version 14"
EARLY_ENDS = ("Bail out!", "# PANIC", "# HANG")  # may come before it
END = "# END "


def clean(raw: bytes) -> str:
    """One line of the serial port: ASCII, no escape sequences, no carriage returns."""
    return ANSI.sub("", raw.decode("ascii", "backslashreplace")).replace("\r", "")


class Tail:
    """The complete lines that a growing file has gained since the last call."""

    def __init__(self, path: Path):
        self._path = path
        self._offset = 0

    def lines(self) -> Iterator[str]:
        """Yield new lines; an unfinished last one waits for its end."""
        try:
            with open(self._path, "rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return
        whole, newline, _ = data.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        if newline:
            for raw in whole.split(b"\n"):
                yield clean(raw)


class Signals:
    """While this is active, Ctrl-C, SIGTERM and SIGHUP are noted instead of obeyed."""

    NOTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        self.received: str | None = None
        self._before: dict = {}

    def _note(self, number: int, _frame: object) -> None:
        self.received = signal.Signals(number).name

    def __enter__(self) -> "Signals":
        self._before = {s: signal.signal(s, self._note) for s in self.NOTED}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class Ending:
    """How the machine ended: QEMU's status (negative: a signal), or why it was ended from here."""

    status: int
    cut: str | None
    seconds: float


class Limit:
    """The time limit: fixed by the word limit=, else derived from the budget in the plan's line."""

    UNTIL_PLAN = 120
    PLAN = re.compile(r"^1\.\.\d+ # budget (\d+) s")

    def __init__(self, fixed: int, least: int):
        self.seconds = fixed or self.UNTIL_PLAN + least
        self._fixed = bool(fixed)
        self._least = least

    def see(self, line: str) -> None:
        """Emulation may be several times slower than the tests' budgets assume."""
        plan = self.PLAN.match(line)
        if plan and not self._fixed:
            self.seconds = self.UNTIL_PLAN + self._least + 4 * int(plan.group(1))


def follow(
    process: subprocess.Popen, serial: Path, limit: Limit, show: Callable[[str], None]
) -> Ending:
    """Wait for the machine's end; `show` gets the lines from the TAP version to the end marker."""
    began = time.monotonic()
    tail = Tail(serial)
    started = finished = False
    cut = None
    with Signals() as signals:
        while True:
            ended = process.poll() is not None
            for line in tail.lines():
                started = started or START in line or line.startswith(EARLY_ENDS)
                if started and not finished:
                    limit.see(line)
                    show(line)
                finished = finished or line.startswith(END)
            if ended:
                break
            if signals.received:
                cut = f"ended by {signals.received}"
            elif time.monotonic() - began > limit.seconds:
                cut = f"ended by the time limit of {limit.seconds} s"
            if cut:
                machine.end(process)
                break
            time.sleep(POLL_SECONDS)
    return Ending(process.returncode, cut, time.monotonic() - began)
