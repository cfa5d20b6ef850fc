# SPDX-License-Identifier: MIT
"""Exit status, end record, end marker and tests must agree; each contradiction has its name."""

import copy

import pytest
import sample
from runner import copies, records, verdict
from runner.consistency import lattice
from runner.follow import Ending

START, CPU, TIME, PLAN, TEST1, TEST2, TEST3, END = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    9,
)  # places in sample.records()


def judge(
    status: int,
    items: list[dict],
    shown: list[dict] | None = None,
    cut: str | None = None,
    message: str = "",
) -> verdict.Verdict:
    """`items` are the records, `shown` those that came by the serial port: the same ones."""
    found = records.parse(sample.console(items))
    tap = records.tap_lines(sample.serial(items if shown is None else shown))
    return verdict.judge(Ending(status, cut, 1.0), found, tap, message)


@pytest.mark.parametrize(
    "status, name, code, tests",
    [
        (33, "PASS", 0, ("PASS", "PASS", "SKIP")),
        (35, "FAIL", 1, ("PASS", "FAIL", "SKIP")),
        (35, "FAIL", 1, ("FAIL", "WEAK", "FAIL")),
        (37, "ERROR", 3, ("ERROR", "FAIL", "SKIP")),
        (39, "WEAK", 4, ("PASS", "WEAK", "PASS")),
        (45, "SKIP", 77, ("SKIP", "SKIP", "SKIP")),
        (41, "PANIC", 5, ("PASS",)),
        (43, "HANG", 6, ("PASS",)),
    ],
)
def test_the_table(status, name, code, tests):
    result = judge(status, sample.records(name, tests))
    assert (result.name, result.exit_code) == (name, code), result
    assert (result.reason == "") == (name in ("PASS", "SKIP"))


def test_a_failure_gives_the_first_worst_test_and_its_reason():
    result = judge(35, sample.records("FAIL", ("WEAK", "FAIL", "FAIL")))
    assert result.reason == "stress/main: because of 1"


def test_the_lattice():
    assert lattice(["PASS", "SKIP"]) == "PASS" and lattice(["SKIP"]) == lattice([]) == "SKIP"
    assert lattice(["WEAK", "PASS", "FAIL"]) == "FAIL" and lattice(["ERROR", "FAIL"]) == "ERROR"


# ---- the report against the exit code ----


@pytest.mark.parametrize(
    "status, items, shown, words",
    [
        (33, sample.records("FAIL"), None, "exit code says PASS"),
        (33, sample.records(), sample.records("FAIL"), "exit code says PASS"),
        (35, sample.records(), None, "exit code says FAIL"),
        (33, sample.records() + sample.records()[-1:], None, "2 end records"),
        (0, sample.records(), None, "reset or switched off"),
    ],
)
def test_an_exit_code_that_the_report_denies_is_an_error(status, items, shown, words):
    result = judge(status, items, shown)
    assert (result.name, result.exit_code) == ("ERROR", 3) and words in result.reason, result


@pytest.mark.parametrize("status, name", [(33, "PASS"), (35, "FAIL"), (39, "WEAK"), (45, "SKIP")])
@pytest.mark.parametrize(
    "items, shown, words",
    [
        (slice(END), slice(END), "no end record and serial port's end marker; 3 of 3 tests"),
        (slice(END), slice(None), "no end record; "),
        (slice(None), slice(END), "no serial port's end marker; "),
        (slice(None), slice(0), "no serial port's end marker; "),
        (slice(0), slice(0), "the kernel recorded nothing"),
    ],
    ids=["both-cut", "records-cut", "serial-cut", "serial-empty", "both-empty"],
)
def test_a_report_without_its_end_is_a_cut_whatever_the_exit_code_says(
    status, name, items, shown, words
):
    whole = sample.records(name)
    result = judge(status, whole[items], whole[shown])
    assert (result.name, result.exit_code) == ("CUT", 7) and words in result.reason, result


def test_no_end_and_no_exit_code_is_a_reset():
    result = judge(0, sample.records()[:TEST2])
    assert (result.name, result.exit_code) == ("RESET", 7)
    assert "1 of 3 tests were recorded, then stress/main" in result.reason


# ---- the report against itself ----


def replaced(place: int, **members: object) -> list[dict]:
    """A run that passed, with members of one record changed."""
    items = copy.deepcopy(sample.records())
    items[place].update(members)
    return items


def without(*places: int) -> list[dict]:
    """A run that passed, without some of its records."""
    return [r for i, r in enumerate(sample.records()) if i not in places]


def extra(record: dict) -> list[dict]:
    """A run that passed, with one record more before its end."""
    return [*sample.records()[:END], record, sample.records()[END]]


BAIL = {"type": "bail", "why": "no memory"}
PANIC = {"type": "panic", "text": "#GP"}
HANG = {"type": "hang", "stage": "stress/main", "silent": "2"}
TWICE = [*sample.records()[:TEST2], *sample.records()[TEST1:TEST2], *sample.records()[TEST3:]]
SWAPPED = [*without()[:TEST1], *without()[TEST2:TEST3], *without()[TEST1:TEST2], *without()[TEST3:]]
NAMES = sample.NAMES


@pytest.mark.parametrize(
    "items, words",
    [
        (without(CPU), "no cpu record"),
        (without(TIME), "no time record"),
        (without(PLAN), "no plan record"),
        (without(PLAN, TEST1, TEST2, TEST3), "no plan record"),
        (replaced(PLAN, count=2), "the plan counts 2 tests and names 3"),
        (replaced(PLAN, tests=NAMES[::-1]), "test 1 of the plan is unit/paging"),
        (replaced(PLAN, tests=[]), "the plan counts 3 tests and names 0"),
        (without(TEST2), "3 tests planned, 2 recorded"),
        (without(TEST1, TEST2, TEST3), "3 tests planned, 0 recorded"),
        (TWICE, "test 2 of the plan is stress/main, recorded is 1 poke/int3"),
        (SWAPPED, "test 1 of the plan is poke/int3, recorded is 2 stress/main"),
        (replaced(TEST2, n=1), "test 2 of the plan is stress/main, recorded is 1 stress/main"),
        (sample.records(tests=("PASS", "purple", "PASS")), "unknown verdict 'purple'"),
        (sample.records(tests=("PASS", "FAIL", "PASS")), "ends with PASS, its tests with FAIL"),
        (sample.records(tests=("PASS", "WEAK", "PASS")), "ends with PASS, its tests with WEAK"),
        (sample.records(tests=("SKIP", "SKIP", "SKIP")), "ends with PASS, its tests with SKIP"),
        (replaced(END, fail=7), "counts 7 times FAIL, recorded are 0"),
        (replaced(END, **{"pass": 3}), "counts 3 times PASS, recorded are 2"),
        (replaced(END, skip=0), "counts 0 times SKIP, recorded are 1"),
        (replaced(END, code="0x11"), "the exit code is 0x10, the end record says 0x11"),
        (extra(PANIC), "record of a panic"),
        (extra(HANG), "record of a hang"),
        (extra(BAIL), "bailed out: no memory"),
        (extra({"type": "hist", "too_long": True}), "1 damaged lines"),
    ],
)
def test_a_report_that_refutes_itself_is_an_error(items, words):
    result = judge(33, items)
    assert (result.name, result.exit_code) == ("ERROR", 3) and words in result.reason, result


@pytest.mark.parametrize(
    "shown, words",
    [
        (
            replaced(TEST2, verdict="FAIL"),
            'is 2 stress/main PASS, the TAP line says "not ok 2 - stress/main # FAIL"',
        ),
        (replaced(TEST2, name="stress/other"), 'says "ok 2 - stress/other"'),
        (replaced(TEST2, n=3), 'says "ok 3 - stress/main"'),
        (replaced(TEST3, verdict="PASS"), 'says "ok 3 - unit/paging"'),
        (without(TEST2), "3 tests recorded, 2 TAP lines"),
        (TWICE[:TEST2] + TWICE[TEST1:], "3 tests recorded, 4 TAP lines"),
        (replaced(PLAN, count=4), "3 tests planned, the TAP lines say [4]"),
        (without(PLAN), "3 tests planned, the TAP lines say nothing"),
        (replaced(END, code="0x11"), "the exit code is 0x10, the end marker says 0x11"),
    ],
)
def test_a_serial_log_that_the_records_deny_is_an_error(shown, words):
    result = judge(33, sample.records(), shown)
    assert (result.name, result.exit_code) == ("ERROR", 3) and words in result.reason, result


def test_the_records_need_their_beginning():
    result = judge(33, without(START), sample.records())
    assert (result.name, result.reason) == ("ERROR", "there is no start record")


def test_not_ok_without_a_directive_is_a_failure():
    found = records.parse(sample.console(sample.records()))
    tap = [line.replace("ok 2", "not ok 2") for line in sample.tap(sample.records())]
    assert verdict.judge(Ending(33, None, 1.0), found, tap, "").name == "ERROR"


@pytest.mark.parametrize(
    "status, name, tests, found",
    [
        (39, "WEAK", ("PASS", "PASS", "SKIP"), "WEAK"),
        (39, "WEAK", ("SKIP", "SKIP", "SKIP"), "WEAK"),
        (35, "FAIL", ("PASS", "FAIL", "SKIP"), "FAIL"),
        (33, "PASS", ("PASS", "PASS", "SKIP"), "ERROR"),
        (45, "SKIP", ("SKIP", "SKIP", "SKIP"), "ERROR"),
        (39, "WEAK", ("PASS", "FAIL", "SKIP"), "ERROR"),
    ],
)
def test_a_run_without_one_of_its_cores_is_worse_than_its_tests(status, name, tests, found):
    items = sample.records(name, tests)
    items[CPU]["failed"] = 1
    items[END]["note"] = "1 of 4 cores did not start"
    result = judge(status, items)
    assert result.name == found, result
    reason = {"WEAK": "1 of 4 cores did not start", "ERROR": "1 of the cores did not start"}
    assert reason.get(found, "stress/main") in result.reason


@pytest.mark.parametrize("status, name", [(39, "WEAK"), (35, "FAIL"), (45, "SKIP")])
def test_no_other_run_differs_from_its_tests(status, name):
    items = sample.records(name, ("PASS", "PASS", "SKIP"))
    items[END]["note"] = "any"
    result = judge(status, items)
    assert result.name == "ERROR" and "every core started" in result.reason, result


# ---- ends that are none ----


def test_cuts_say_by_what():
    assert "time limit of 5 s" in judge(-15, [], cut="ended by the time limit of 5 s").reason
    assert "SIGKILL" in judge(-9, []).reason
    result = judge(1, [], message="qemu: too many CPUs")
    assert (result.name, result.exit_code) == ("CUT", 7) and "too many CPUs" in result.reason
    result = judge(0, [], message="qemu: terminating on signal 15 from pid 7 (kill)")
    assert (result.name, result.exit_code) == ("CUT", 7) and "signal 15" in result.reason


def test_a_bail_out_of_the_loader_is_an_error_with_its_reason():
    result = verdict.judge(Ending(37, None, 1.0), records.parse(b""), ["Bail out! no memory"], "")
    assert (result.name, result.reason) == ("ERROR", "no memory")


def test_a_panic_before_the_harness_has_its_text_from_the_serial_port():
    tap = records.tap_lines(sample.FIRMWARE + b"\r\n# PANIC core 0: no memory\r\n# BT 0x1 f\r\n")
    assert tap == ["# PANIC core 0: no memory", "# BT 0x1 f"]
    result = verdict.judge(Ending(41, None, 1.0), records.parse(b""), tap, "")
    assert (result.name, result.reason) == ("PANIC", "core 0: no memory")


def test_copies_of_the_report_are_compared_line_by_line():
    shown = ["a", "b", "c"]
    assert copies.compare("report.tap", "the serial port", shown, list(shown)).state == "same"
    assert copies.compare("report.tap", "the serial port", shown, None).state == "absent"
    changed = copies.compare("report.tap", "the serial port", shown, ["a", "x", "c"])
    assert changed.state == "differs" and "line 2: 'b' against 'x'" in changed.note
    shorter = copies.compare("report.tap", "the serial port", shown, ["a", "b"])
    assert shorter.state == "beginning" and "has the first 2" in shorter.note
    longer = copies.compare("report.tap", "the serial port", ["a"], ["a", "b"])
    assert longer.state == "differs" and "line 2: nothing more against 'b'" in longer.note
