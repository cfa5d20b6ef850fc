# SPDX-License-Identifier: MIT
"""Read what the machine reported: records (JSON lines) and TAP lines."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from .follow import EARLY_ENDS, START, clean

# What the readers of a record rely on. A record without it is a damaged line.
NEEDED = {
    "start": {"version": str, "build": str, "seed": str},
    "ignored": {"count": int, "words": list},
    "cpu": {"cpus": int, "failed": int},
    "cores": {"cores": list},
    "time": {"tsc_hz": int},
    "staleness": {"patches": int, "executions": int, "stale": int},
    "plan": {"count": int, "budget_ms": int, "tests": list},
    "test": {
        **dict.fromkeys(("name", "verdict", "reason"), str),
        **dict.fromkeys(("n", "ms"), int),
        **dict.fromkeys(("saw", "must_see"), dict),
    },
    "slice": {
        **dict.fromkeys(("n", "tests_ms", "firmware_ms", "lost_cores"), int),
        "from": str,
    },
    "previous": {"run": str, "state": str},
    "medium": {"note": str},
    "data": {"test": str},
    "hist": {
        "test": str,
        "name": str,
        "unit": str,
        "trusted": bool,
        "why": list,
        **dict.fromkeys(("count", "min", "p50", "p99", "p999", "max"), int),
    },
    "screen": {"columns": int, "rows": int, "text": list},
    "health": {
        **dict.fromkeys(("unexpected_nmis", "machine_checks"), list),
        "smis": dict,
        "machine_check_new": int,
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
LISTS = {
    "test": "tests",
    "slice": "slices",
    "medium": "medium",
    "data": "data",
    "hist": "hists",
    "screen": "screens",
    "end": "ends",
}
END_LINE = re.compile(r"^# END verdict=(\w+) code=(0x[0-9a-f]+)$")


@dataclass
class Records:
    """The records of one run, by kind. A log may stop anywhere and may hold garbage."""

    start: dict | None = None
    ignored: dict | None = None  # unknown words of crossmod.cfg
    cpu: dict | None = None
    cores: dict | None = None
    time: dict | None = None
    staleness: dict | None = None
    plan: dict | None = None
    health: dict | None = None
    hang: dict | None = None
    panic: dict | None = None
    bail: dict | None = None
    previous: dict | None = None
    tests: list[dict] = field(default_factory=list)
    data: list[dict] = field(default_factory=list)
    hists: list[dict] = field(default_factory=list)
    screens: list[dict] = field(default_factory=list)  # only with word screen=record
    slices: list[dict] = field(default_factory=list)
    medium: list[dict] = field(default_factory=list)
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


def read_bytes(path: Path) -> bytes:
    """A file that an early end may have kept from being made."""
    return path.read_bytes() if path.is_file() else b""


def lines(text: bytes) -> list[str]:
    """All lines, whatever the bytes."""
    return text.decode("ascii", "backslashreplace").splitlines()


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


def tap_lines(log: bytes) -> list[str]:
    """The report's part of a log: from the TAP version line to the end marker.

    The firmware writes to the serial port before and after, and leaves escape sequences in front of
    the first line. There is no version line if the loader bails out, or if the kernel ends before
    the harness begins.
    """
    found = [clean(raw) for raw in log.split(b"\n")]
    first = next((i for i, line in enumerate(found) if START in line), None)
    if first is None:
        early = next((i for i, line in enumerate(found) if line.startswith(EARLY_ENDS)), len(found))
        return [line for line in found[early:] if line]
    found[first] = START
    last = next((i for i, line in enumerate(found) if i > first and END_LINE.match(line)), None)
    found = found[first:] if last is None else found[first : last + 1]
    while found and not found[-1]:
        found.pop()
    return found


def end_of_tap(tap: list[str]) -> str | None:
    """The verdict of the end marker, None without one."""
    match = END_LINE.match(tap[-1]) if tap else None
    return match.group(1) if match else None


def bail_out(tap: list[str]) -> str | None:
    """The reason of a "Bail out!" line."""
    return next(
        (x.removeprefix("Bail out!").strip() for x in tap if x.startswith("Bail out!")), None
    )
