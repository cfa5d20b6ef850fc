# SPDX-License-Identifier: MIT
"""One verdict from an exit status and the two logs; a report that refutes itself has none."""

import re
import signal
from dataclasses import dataclass

from .consistency import contradiction
from .follow import Ending
from .records import Records, bail_out, end_of_tap

# kernel/exit.h: what the guest writes to the debug exit port, and any report's end record says.
CODE = {
    "PASS": 0x10,
    "FAIL": 0x11,
    "ERROR": 0x12,
    "WEAK": 0x13,
    "PANIC": 0x14,
    "HANG": 0x15,
    "SKIP": 0x16,
}
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
# Both machines obey SIGTERM, SIGINT and SIGHUP by an orderly end, QEMU with status 0.
KILLED = re.compile(r"terminating on signal \d+.*|ended by SIG[A-Z]+")


@dataclass(frozen=True)
class Exits:
    """What the exit status of a machine means, and what its parts are called."""

    machine: str
    recorder: str
    tap: str  # where the TAP lines came
    names: dict[int, str]  # verdict by status
    resets: bool  # status 0 is an end without a verdict


# QEMU's status is (code << 1) | 1 of the code.
QEMU = Exits(
    "QEMU", "the kernel", "serial port", {(c << 1) | 1: name for name, c in CODE.items()}, True
)
HOSTED = Exits(
    "the program",
    "the program",
    "standard output",
    {EXIT_CODE[name]: name for name in CODE},
    False,
)


@dataclass(frozen=True)
class Verdict:
    """The run's verdict and, unless it is PASS, the reason."""

    name: str
    reason: str

    @property
    def exit_code(self) -> int:
        """run.sh's exit code."""
        return EXIT_CODE[self.name]


def judge(
    end: Ending, records: Records, tap: list[str], message: str, exits: Exits = QEMU
) -> Verdict:
    """The ways out in the order of how little they let the guest say.

    `message` is what the machine wrote beside its report.
    """
    progress = _progress(records, exits)
    if end.cut:
        return Verdict("CUT", f"{end.cut}; {progress}")
    if end.status < 0:
        by = signal.Signals(-end.status).name
        return Verdict("CUT", f"{exits.machine} was killed by {by}; {progress}")
    killed = KILLED.search(message)
    if killed:
        return Verdict("CUT", f"{killed.group()}; {progress}")
    ended = [e["verdict"] for e in records.ends]
    if exits.resets and end.status == 0:
        if ended:
            return Verdict(
                "ERROR",
                f"the report ends with {ended[-1]}, but the machine was reset or"
                " switched off instead of giving an exit code",
            )
        return Verdict("RESET", f"the machine was reset or switched off; {progress}")
    name = exits.names.get(end.status)
    if not name:
        said = f"{exits.machine} failed with status {end.status}: {message or 'no message'}"
        return Verdict("CUT", said)
    return _judge_exit(name, records, tap, exits)


def _judge_exit(name: str, records: Records, tap: list[str], exits: Exits) -> Verdict:
    """The exit status is that of a verdict: everything else that was said must agree."""
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
            for text, there in (("end record", ended), (f"{exits.tap}'s end marker", marker))
            if not there
        )
        return Verdict(
            "CUT", f"the exit code says {name}, but no {missing}; {_progress(records, exits)}"
        )
    wrong = contradiction(name, CODE[name], records, tap)
    if wrong:
        return Verdict("ERROR", wrong)
    return Verdict(name, "" if name in ("PASS", "SKIP") else _reason(name, records))


def _reason(name: str, records: Records) -> str:
    """The first test with the run's verdict; without one the end record's note."""
    worst = next((test for test in records.tests if test["verdict"] == name), None)
    if worst:
        return f"{worst['name']}: {worst['reason'] or 'no reason given'}"
    return records.ends[0]["note"]


def _progress(records: Records, exits: Exits) -> str:
    """How far a run came that has no end."""
    if not records.start:
        return f"{exits.recorder} recorded nothing"
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
