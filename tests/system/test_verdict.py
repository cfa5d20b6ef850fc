# SPDX-License-Identifier: MIT
"""Exit status, end record, end marker and tests must agree; each contradiction has its name."""

import pytest
import sample
from runner import copies, records, verdict
from runner.follow import Ending


def judge(
    status: int,
    items: list[dict] | None = None,
    marker: str | None = "PASS",
    cut: str | None = None,
    message: str = "",
) -> verdict.Verdict:
    found = records.parse(sample.console(sample.records() if items is None else items))
    tap = records.tap_lines(sample.serial(marker)) if marker else ["TAP version 14"]
    return verdict.judge(Ending(status, cut, 1.0), found, tap, message)


def without_end(items: list[dict]) -> list[dict]:
    return [r for r in items if r["type"] != "end"]


@pytest.mark.parametrize(
    "status, name, code, tests",
    [
        (33, "PASS", 0, ("PASS", "PASS", "SKIP")),
        (35, "FAIL", 1, ("PASS", "FAIL", "SKIP")),
        (37, "ERROR", 3, ("ERROR", "FAIL", "SKIP")),
        (39, "WEAK", 4, ("PASS", "WEAK", "PASS")),
        (45, "SKIP", 77, ("SKIP", "SKIP", "SKIP")),
        (41, "PANIC", 5, ("PASS",)),
        (43, "HANG", 6, ("PASS",)),
    ],
)
def test_the_table(status, name, code, tests):
    result = judge(status, sample.records(name, hex(status >> 1), tests), name)
    assert (result.name, result.exit_code) == (name, code), result
    assert (result.reason == "") == (name in ("PASS", "SKIP"))


def test_a_failure_gives_the_first_worst_test_and_its_reason():
    result = judge(35, sample.records("FAIL", "0x11", ("WEAK", "FAIL", "FAIL")), "FAIL")
    assert result.reason == "stress/main: because of 1"


@pytest.mark.parametrize(
    "status, items, marker, words",
    [
        (33, sample.records("FAIL", "0x11"), "FAIL", "exit code says PASS"),
        (33, sample.records(), "FAIL", "exit code says PASS"),
        (35, sample.records(), "PASS", "exit code says FAIL"),
        (33, sample.records(tests=("PASS", "FAIL", "PASS")), "PASS", "stress/main is FAIL"),
        (33, sample.records(tests=("PASS", "WEAK", "PASS")), "PASS", "stress/main is WEAK"),
        (33, sample.records(tests=("PASS", "purple", "PASS")), "PASS", "unknown verdict 'purple'"),
        (35, sample.records("FAIL", "0x11"), "FAIL", "worst test unit/paging is SKIP"),
        (33, sample.records(tests=("PASS", "PASS")), "PASS", "3 tests planned, 2 recorded"),
        (33, sample.records() + sample.records()[-1:], "PASS", "2 end records"),
        (0, sample.records(), "PASS", "reset or switched off"),
    ],
)
def test_contradictions_are_errors(status, items, marker, words):
    result = judge(status, items, marker)
    assert (result.name, result.exit_code) == ("ERROR", 3) and words in result.reason, result


def test_no_end_is_a_cut_whatever_the_exit_code_says():
    result = judge(33, without_end(sample.records()), None)
    assert (result.name, result.exit_code) == (
        "CUT",
        7,
    ) and "end record is missing" in result.reason


def test_no_end_and_no_exit_code_is_a_reset():
    result = judge(0, without_end(sample.records())[:5], None)
    assert (result.name, result.exit_code) == ("RESET", 7)
    assert "1 of 3 tests were recorded, then stress/main" in result.reason


def test_cuts_say_by_what():
    assert "time limit of 5 s" in judge(-15, [], None, cut="ended by the time limit of 5 s").reason
    assert "SIGKILL" in judge(-9, [], None).reason
    result = judge(1, [], None, message="qemu: too many CPUs")
    assert (result.name, result.exit_code) == ("CUT", 7) and "too many CPUs" in result.reason


def test_a_bail_out_of_the_loader_is_an_error_with_its_reason():
    result = verdict.judge(Ending(37, None, 1.0), records.parse(b""), ["Bail out! no memory"], "")
    assert (result.name, result.reason) == ("ERROR", "no memory")


def test_copies_of_the_report_are_compared_line_by_line():
    shown = ["a", "b", "c"]
    assert copies.compare("report.tap", "the serial port", shown, list(shown)).state == "same"
    assert copies.compare("report.tap", "the serial port", shown, None).state == "absent"
    changed = copies.compare("report.tap", "the serial port", shown, ["a", "x", "c"])
    assert changed.state == "differs" and "line 2: 'b' against 'x'" in changed.note
    shorter = copies.compare("report.tap", "the serial port", shown, ["a", "b"])
    assert shorter.state == "differs" and "line 3: 'c' against nothing more" in shorter.note
