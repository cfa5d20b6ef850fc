# SPDX-License-Identifier: MIT
"""One verdict from QEMU's exit status, the end record and the serial port's end marker."""

import signal
from dataclasses import dataclass

from .follow import Ending
from .records import Records, bail_out, end_of_tap

# QEMU's status is (code << 1) | 1 of the code that the guest wrote to the debug exit port.
STATUS = {33: "PASS", 35: "FAIL", 37: "ERROR", 39: "WEAK", 41: "PANIC", 43: "HANG", 45: "SKIP"}
EXIT_CODE = {
    "PASS": 0,
    "FAIL": 1,
    "ERROR": 3,
    "WEAK": 4,
    "PANIC": 5,
    "HANG": 6,
    "SKIP": 77,
    "CUT": 7,
    "RESET": 7,
}
SEVERITY = ("PASS", "SKIP", "WEAK", "FAIL", "ERROR")


@dataclass(frozen=True)
class Verdict:
    """The run's verdict and, unless it is PASS, the reason."""

    name: str
    reason: str

    @property
    def exit_code(self) -> int:
        """run.sh's exit code."""
        return EXIT_CODE[self.name]


def judge(end: Ending, records: Records, tap: list[str], qemu_message: str) -> Verdict:
    """The ways out in the order of how little they let the guest say."""
    if end.cut:
        return Verdict("CUT", f"{end.cut}; {_progress(records)}")
    if end.status < 0:
        return Verdict(
            "CUT",
            f"QEMU was killed by {signal.Signals(-end.status).name};" f" {_progress(records)}",
        )
    ended = [e["verdict"] for e in records.ends]
    if end.status == 0:
        if ended:
            return Verdict(
                "ERROR",
                f"the report ends with {ended[-1]}, but the machine was reset or"
                " switched off instead of giving an exit code",
            )
        return Verdict("RESET", f"the machine was reset or switched off; {_progress(records)}")
    if end.status not in STATUS:
        return Verdict(
            "CUT", f"QEMU failed with status {end.status}: {qemu_message or 'no message'}"
        )
    return _judge_exit(STATUS[end.status], ended, records, tap)


def _judge_exit(name: str, ended: list[str], records: Records, tap: list[str]) -> Verdict:
    """The guest gave an exit code: everything else that it said must agree."""
    marker = end_of_tap(tap)
    said = ended + ([marker] if marker else [])
    if len(ended) > 1:
        return Verdict("ERROR", f"{len(ended)} end records: {' '.join(ended)}")
    if any(other != name for other in said):
        return Verdict("ERROR", f"the exit code says {name}, the report {' and '.join(said)}")
    if name == "PANIC":
        return Verdict(name, records.panic["text"] if records.panic else _first(tap, "# PANIC"))
    if name == "HANG":
        return Verdict(name, _hang(records.hang) if records.hang else _first(tap, "# HANG"))
    if not ended:
        why = bail_out(tap)
        if name == "ERROR" and why:
            return Verdict(name, why)
        return Verdict(
            "CUT",
            f"the exit code says {name}, but the end record is missing;" f" {_progress(records)}",
        )
    return _judge_tests(name, records, tap)


def _judge_tests(name: str, records: Records, tap: list[str]) -> Verdict:
    """The end record must fit the tests, and no planned test may be without a record."""
    worst = max(
        records.tests,
        default=None,
        key=lambda t: SEVERITY.index(t["verdict"]) if t["verdict"] in SEVERITY else 99,
    )
    found = worst["verdict"] if worst else "PASS"
    if found not in SEVERITY:
        return Verdict("ERROR", f"{worst['name']}: unknown verdict {found!r}")
    # Skipped tests beside passed ones leave the run a PASS; a run can be an ERROR without a test
    # that is one.
    if found != name and name != "ERROR" and (name, found) != ("PASS", "SKIP"):
        return Verdict(
            "ERROR",
            f"the report ends with {name}, but the worst test"
            f" {worst['name'] if worst else ''} is {found}",
        )
    planned = records.plan["count"] if records.plan else 0
    if name != "ERROR" and planned != len(records.tests):
        return Verdict("ERROR", f"{planned} tests planned, {len(records.tests)} recorded")
    if name in ("PASS", "SKIP"):
        return Verdict(name, "")
    if found == name:
        return Verdict(name, f"{worst['name']}: {worst['reason'] or 'no reason given'}")
    return Verdict(name, bail_out(tap) or "no reason given")


def _progress(records: Records) -> str:
    """How far a run came that has no end."""
    if not records.start:
        return "the kernel recorded nothing"
    done = len(records.tests)
    planned = records.plan["tests"] if records.plan else []
    during = f", then {planned[done]}" if done < len(planned) else ""
    return f"{done} of {len(planned)} tests were recorded{during}"


def _hang(record: dict) -> str:
    return f"in {record['stage']}; silent cores: {record['silent'] or 'none'}"


def _first(tap: list[str], start: str) -> str:
    return next(
        (x.removeprefix(start).strip() for x in tap if x.startswith(start)), "no text recorded"
    )
