# SPDX-License-Identifier: MIT
"""One verdict from QEMU's exit status and the two logs; a report that refutes itself has none."""

import re
import signal
from dataclasses import dataclass

from .consistency import contradiction
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
# QEMU obeys SIGTERM, SIGINT and SIGHUP by an orderly end with status 0.
KILLED = re.compile(r"terminating on signal \d+.*")


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
    killed = KILLED.search(qemu_message)
    if killed:
        return Verdict("CUT", f"{killed.group()}; {_progress(records)}")
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
    return _judge_exit(end.status, records, tap)


def _judge_exit(status: int, records: Records, tap: list[str]) -> Verdict:
    """The guest gave an exit code: everything else that it said must agree."""
    name = STATUS[status]
    ended = [e["verdict"] for e in records.ends]
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
    if name == "ERROR" and bail_out(tap):  # the loader's has no end
        return Verdict(name, bail_out(tap))
    if not ended or not marker:
        missing = " and ".join(
            text
            for text, there in (("end record", ended), ("serial port's end marker", marker))
            if not there
        )
        return Verdict("CUT", f"the exit code says {name}, but no {missing}; {_progress(records)}")
    wrong = contradiction(name, status >> 1, records, tap)
    if wrong:
        return Verdict("ERROR", wrong)
    return Verdict(name, "" if name in ("PASS", "SKIP") else _reason(name, records))


def _reason(name: str, records: Records) -> str:
    """The first test with the run's verdict; without one the end record's note."""
    worst = next((test for test in records.tests if test["verdict"] == name), None)
    if worst:
        return f"{worst['name']}: {worst['reason'] or 'no reason given'}"
    return records.ends[0]["note"]


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
