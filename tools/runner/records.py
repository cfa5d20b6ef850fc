# SPDX-License-Identifier: MIT
"""Read what the kernel recorded: JSON lines of the debug console, TAP lines of the serial port."""

import json
import re
from dataclasses import dataclass, field

from .follow import EARLY_ENDS, START, clean

# What the readers of a record rely on. A record without it is a damaged line.
NEEDED = {
    "start": {"version": str, "build": str, "seed": str},
    "cpu": {"cpus": int, "failed": int},
    "time": {"tsc_hz": int},
    "plan": {"count": int, "budget_ms": int, "tests": list},
    "test": {
        **dict.fromkeys(("name", "verdict", "reason"), str),
        **dict.fromkeys(("n", "ms"), int),
        **dict.fromkeys(("saw", "must_see"), dict),
    },
    "data": {"test": str},
    "hist": {
        "test": str,
        "name": str,
        "unit": str,
        "trusted": bool,
        "why": list,
        **dict.fromkeys(("count", "min", "p50", "p99", "p999", "max"), int),
    },
    "hang": {"stage": str, "silent": str},
    "panic": {"text": str},
    "bail": {"why": str},
    "end": {
        **dict.fromkeys(("verdict", "code", "note"), str),
        **dict.fromkeys(("pass", "skip", "weak", "fail", "error"), int),
        "judged": bool,
    },
}
LISTS = {"test": "tests", "data": "data", "hist": "hists", "end": "ends"}
END_LINE = re.compile(r"^# END verdict=(\w+) code=(0x[0-9a-f]+)$")


@dataclass
class Records:
    """The records of one run, by kind. A log may stop anywhere and may hold garbage."""

    start: dict | None = None
    cpu: dict | None = None
    time: dict | None = None
    plan: dict | None = None
    hang: dict | None = None
    panic: dict | None = None
    bail: dict | None = None
    tests: list[dict] = field(default_factory=list)
    data: list[dict] = field(default_factory=list)
    hists: list[dict] = field(default_factory=list)
    ends: list[dict] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # lines that are no record, shortened

    def add(self, record: dict) -> bool:
        """File one record by type; False if unknown, not whole, or a second of a single kind."""
        kind = str(record.pop("type", None))
        if not _is_whole(record, NEEDED.get(kind)):
            return False
        if kind in LISTS:
            getattr(self, LISTS[kind]).append(record)
        elif getattr(self, kind) is None:
            setattr(self, kind, record)
        else:
            return False
        return True


def _is_whole(record: dict, needed: dict | None) -> bool:
    return (
        needed is not None
        and all(type(record.get(name)) is kind for name, kind in needed.items())
        and all(type(n) is int for n in record.get("saw", {}).values())
    )


def parse(text: bytes) -> Records:
    """All records of a JSON-lines log. What is no record goes to `damaged`; nothing raises."""
    records = Records()
    for line in text.decode("utf-8", "replace").replace("\r", "").split("\n"):
        if not line.strip("\0 "):
            continue
        try:
            record = json.loads(line)
            known = isinstance(record, dict) and records.add(record)
        except (ValueError, RecursionError):
            known = False
        if not known:
            records.damaged.append(line[:160])
    return records


def tap_lines(serial: bytes) -> list[str]:
    """The report's part of a serial log: from the TAP version line to the end marker.

    The firmware writes to the same port before and after, and leaves escape sequences in front of
    the first line. There is no version line if the loader bails out, or if the kernel ends before
    the harness begins.
    """
    lines = [clean(raw) for raw in serial.split(b"\n")]
    first = next((i for i, line in enumerate(lines) if START in line), None)
    if first is None:
        early = next((i for i, line in enumerate(lines) if line.startswith(EARLY_ENDS)), len(lines))
        return [line for line in lines[early:] if line]
    lines[first] = START
    last = next((i for i, line in enumerate(lines) if i > first and END_LINE.match(line)), None)
    lines = lines[first:] if last is None else lines[first : last + 1]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def end_of_tap(lines: list[str]) -> str | None:
    """The verdict of the end marker, None without one."""
    match = END_LINE.match(lines[-1]) if lines else None
    return match.group(1) if match else None


def bail_out(lines: list[str]) -> str | None:
    """The reason of a "Bail out!" line."""
    return next(
        (x.removeprefix("Bail out!").strip() for x in lines if x.startswith("Bail out!")), None
    )
