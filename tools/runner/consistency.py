# SPDX-License-Identifier: MIT
"""The parts of a finished run's report must agree: plan, tests, end record and TAP lines.

A log can lose its head, its middle or its tail, and the harness can have a fault of its own. Each
check looks for one way in which a report refutes itself; the first sentence found is the result.
"""

import re

from .records import Records, bail_out

SEVERITY = ("PASS", "SKIP", "WEAK", "FAIL", "ERROR")
PLAN_LINE = re.compile(r"^1\.\.(\d+)\b")
TEST_LINE = re.compile(r"^(ok|not ok) (\d+) - (\S+)(?: # (\w+))?")


def lattice(verdicts: list[str]) -> str:
    """The most severe one; SKIP only if there is nothing else."""
    worst = max(verdicts, key=SEVERITY.index, default="SKIP")
    return "PASS" if worst == "SKIP" and "PASS" in verdicts else worst


def contradiction(verdict: str, code: int, records: Records, tap: list[str]) -> str | None:
    """What is wrong with a report that ended by itself, with one end record; None if nothing is.

    `verdict` is what the end record and the end marker say, `code` its number (kernel/exit.h).
    """
    return (
        _whole(records)
        or _codes(code, records, tap)
        or _no_other_end(verdict, records, tap)
        or _plan(records, tap)
        or _tests_as_planned(records)
        or _verdict(verdict, records)
        or _counts(records)
        or _tap(records, tap)
    )


def _whole(records: Records) -> str | None:
    for kind in ("start", "cpu", "time", "plan"):
        if getattr(records, kind) is None:
            return f"there is no {kind} record"
    if records.damaged:
        return (
            f"{len(records.damaged)} damaged lines in the records, the first:"
            f" {records.damaged[0]!a}"
        )
    return None


def _codes(code: int, records: Records, tap: list[str]) -> str | None:
    for place, said in (
        ("end record", records.ends[0]["code"]),
        ("end marker", tap[-1].rpartition("=")[2]),
    ):
        if said != hex(code):
            return f"the exit code is {hex(code)}, the {place} says {said}"
    return None


def _no_other_end(verdict: str, records: Records, tap: list[str]) -> str | None:
    for kind in ("panic", "hang"):
        if getattr(records, kind):
            return f"the report ends with {verdict}, but has the record of a {kind}"
    why = records.bail["why"] if records.bail else bail_out(tap)
    if why:
        return f"the report ends with {verdict}, but the run bailed out: {why}"
    return None


def _plan(records: Records, tap: list[str]) -> str | None:
    plan = records.plan
    if plan["count"] != len(plan["tests"]):
        return f"the plan counts {plan['count']} tests and names {len(plan['tests'])}"
    shown = [int(match.group(1)) for match in map(PLAN_LINE.match, tap) if match]
    if shown != [plan["count"]]:
        return f"{plan['count']} tests planned, the TAP lines say {shown or 'nothing'}"
    return None


def _tests_as_planned(records: Records) -> str | None:
    planned, tests = records.plan["tests"], records.tests
    if len(planned) != len(tests):
        return f"{len(planned)} tests planned, {len(tests)} recorded"
    for number, (name, test) in enumerate(zip(planned, tests), 1):
        if (number, name) != (test["n"], test["name"]):
            return f"test {number} of the plan is {name}, recorded is {test['n']} {test['name']}"
        if test["verdict"] not in SEVERITY:
            return f"{name}: unknown verdict {test['verdict']!r}"
    return None


def _verdict(verdict: str, records: Records) -> str | None:
    """A core that did not start makes the run worse than its tests; nothing makes it better."""
    found = lattice([test["verdict"] for test in records.tests])
    missing = records.cpu["failed"]
    if missing:
        if SEVERITY.index(verdict) < max(map(SEVERITY.index, (found, "WEAK"))):
            return (
                f"the report ends with {verdict}, its tests with {found}, and {missing} of the"
                " cores did not start"
            )
    elif verdict != found:
        return f"the report ends with {verdict}, its tests with {found}, and every core started"
    return None


def _counts(records: Records) -> str | None:
    verdicts = [test["verdict"] for test in records.tests]
    for verdict in SEVERITY:
        counted, found = records.ends[0][verdict.lower()], verdicts.count(verdict)
        if counted != found:
            return f"the end record counts {counted} times {verdict}, recorded are {found}"
    return None


def _tap(records: Records, tap: list[str]) -> str | None:
    """The TAP lines show the same tests with the same verdicts, in the same order."""
    shown = [match.groups() for match in map(TEST_LINE.match, tap) if match]
    if len(shown) != len(records.tests):
        return f"{len(records.tests)} tests recorded, {len(shown)} TAP lines"
    for test, (result, number, name, directive) in zip(records.tests, shown):
        said = directive or {"ok": "PASS", "not ok": "FAIL"}[result]
        good = test["verdict"] in ("PASS", "SKIP")
        if (int(number), name, said) != (test["n"], test["name"], test["verdict"]) or good != (
            result == "ok"
        ):
            line = f"{result} {number} - {name}" + (f" # {directive}" if directive else "")
            return (
                f"recorded is {test['n']} {test['name']} {test['verdict']},"
                f' the TAP line says "{line}"'
            )
    return None
