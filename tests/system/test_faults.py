# SPDX-License-Identifier: MIT
"""Faults planted on purpose (tests/selftest/): each must be caught, and reported as what it is."""

import re

import pytest

WORDS = ("seed=0x5eed", "hang=4")

BROKEN_PROTOCOLS = {
    "fault_bytewise": r"torn execution",
    "fault_no_int3": r"torn execution",
    "fault_no_sync1": r"order: ",
    "fault_no_sync2": r"order: ",
    "fault_no_sync3": r"order: ",
    "fault_late_publish": r"order: ",
    "fault_early_epoch": r"core \d+ executed version \d+ when versions .* \([1-9]\d* stale",
    "fault_early_sync": r"core \d+ executed version \d+ when versions .* \([1-9]\d* stale",
    "fault_backwards": r"core \d+ executed version \d+ when .* \(0 stale, [1-9]\d* backwards",
    "fault_sync_before_publish": r"orphan #BP .*refs 0",
    "fault_early_retire": r"orphan #BP .*refs 0",
    "fault_free_when_patched": r"a core was caught by #",
    "fault_free_at_once": r"a core was caught by #",
    "fault_patcher_calls_site": r"[1-9]\d* steps were in patchable text",
    "must_fail": r".",
}
# Of the errata laboratory: each shows what one of its detectors has to find.
BROKEN_CODE = {
    "fault_torn_store": r"liar at \d+, \w+: [1-9]\d* torn ",
    "fault_executed_twice": r"mov64 at \d+, hot: an instruction was executed [1-9]\d* times too often",
    "litmus_early_reader": r"MP\.RF\.early\S*: the forbidden outcome [1-9]\d* times",
    "litmus_stale": r"MP\.RF\.careless\S*: a number from before the thread had serialised [1-9]",
    "litmus_torn": r"SM\.torn\S*: the forbidden outcome [1-9]\d* times in .*=torn",
    "litmus_fault": r"SM\.fault\S*: an exception [1-9]\d* times",
}
# Of the latency laboratory.
BROKEN_MEASUREMENTS = {
    "fault_latency_old_again": r"core \d+ began to execute the old image \d+ ns after",
    "fault_latency_text": r"the aligned site does not hold what was written",
    "fault_latency_hits": r"800 passes through an armed site, the engine counted 796",
    "fault_latency_untimed": r"a sample of 300 us, disturbed by: unknown, is not among",
}
GROUPS = (BROKEN_PROTOCOLS, {**BROKEN_CODE, **BROKEN_MEASUREMENTS})
FAILS = {**GROUPS[0], **GROUPS[1]}
OTHER_VERDICTS = {
    "must_pass": ("PASS", 0),
    "must_be_weak": ("WEAK", 4),
    "control_without_fault": ("WEAK", 4),
    "litmus_apart": ("WEAK", 4),
    "must_error": ("ERROR", 3),
    "must_skip": ("SKIP", 77),
    "must_skip_cores": ("SKIP", 77),
    "fault_starved_store": ("SKIP", 77),  # emulated cores take turns; test_hosted.py sees it fail
}
HANGS = {
    "fault_mute_core": r"[123]",  # the core that never acknowledges
    "fault_hang": r"",  # with interrupts on: every core still ticks
    "fault_hang_deaf": r"0",  # the boot core itself, interrupts off
}
ALONE = {"fault_no_stack_gap", "fault_panic", "fault_panic_elsewhere"}


def run_fault(crossmod, name: str, *words: str):
    return crossmod.run("cpus=4", f"tests=selftest/{name}", *WORDS, *words)


def test_every_planted_fault_is_asserted_here(crossmod):
    planted = {
        line.split()[0].removeprefix("selftest/")
        for line in crossmod.list_tests()
        if line.startswith("selftest/")
    }
    assert planted == {*FAILS, *OTHER_VERDICTS, *HANGS, *ALONE}


@pytest.mark.parametrize("faults", GROUPS, ids=lambda faults: min(faults))
def test_planted_faults_fail(crossmod, faults):
    """Those that the kernel outlives, many in one boot."""
    result = run_fault(crossmod, ",selftest/".join(faults)).expect("FAIL", 1)
    for name, reason in faults.items():
        record = result.test(f"selftest/{name}")
        assert record["verdict"] == "FAIL" and re.match(reason, record["reason"]), record
    assert len(result.report["tests"]) == len(faults)


def test_the_verdict_line_gives_the_reason(crossmod):
    result = run_fault(crossmod, "must_fail").expect("FAIL", 1)
    assert result.test("selftest/must_fail")["reason"] in result.lines[-5]
    assert (result.directory / "disk.img").exists(), "what may be evidence stays"


@pytest.mark.parametrize(
    "name, verdict, code", [(n, *end) for n, end in OTHER_VERDICTS.items()], ids=OTHER_VERDICTS
)
def test_the_other_verdicts(crossmod, name, verdict, code):
    result = run_fault(crossmod, name).expect(verdict, code)
    assert bool(result.test(f"selftest/{name}")["reason"]) == (verdict != "PASS")


def test_a_handler_without_the_stack_gap_is_caught(crossmod):
    """An emulated push then overwrites the trap's own frame: what follows is any fault."""
    result = run_fault(crossmod, "fault_no_stack_gap")
    assert result.report["verdict"] in ("FAIL", "PANIC"), result.text
    assert result.code in (1, 5)
    assert re.search(r"#[A-Z]{2}|fault|stack|frame", result.report["reason"]), result.report[
        "reason"
    ]


def backtraces(text: str) -> list[list[str]]:
    """Groups of consecutive backtrace lines."""
    groups, inside = [], False
    for line in text.splitlines():
        if line.startswith("# BT 0x"):
            if not inside:
                groups.append([])
            groups[-1].append(line)
        # Source lines of the summary stand between the addresses of one backtrace.
        inside = line.startswith(("# BT 0x", "#      "))
    return groups


@pytest.mark.parametrize("name, silent", HANGS.items(), ids=HANGS)
def test_a_hang_is_ended_with_stage_silent_cores_and_backtraces(crossmod, name, silent):
    result = run_fault(crossmod, name).expect("HANG", 6)
    hang = result.report["hang"]
    assert f"selftest/{name}" in hang["stage"]
    assert re.fullmatch(silent, hang["silent"]), hang
    assert len(backtraces(result.file("report.tap"))) >= 4, "a backtrace of every core"
    assert [c["state"] for c in result.report["copies"]] == ["absent", "absent"]
    assert "there is no report.tap on the medium" in result.text


def test_a_panic_has_a_symbolised_backtrace(crossmod):
    result = run_fault(crossmod, "fault_panic").expect("PANIC", 5)
    assert result.report["panic"]["text"]
    trace = backtraces(result.file("report.tap"))
    assert trace and any("fault_panic" in line for line in trace[0]), "named by the kernel itself"
    assert re.search(
        r"^# +\S+ at .*tests/selftest/\w+\.c:\d+", result.file("summary.txt"), re.MULTILINE
    ), "and with source lines by the runner"


def test_a_panic_on_another_core_names_it(crossmod):
    result = run_fault(crossmod, "fault_panic_elsewhere").expect("PANIC", 5)
    assert re.search(r"^# PANIC core [123]: #PF", result.file("report.tap"), re.MULTILINE)


def test_multi_threaded_tcg_is_caught(crossmod):
    """It executes stale code under the correct protocol, but by a race: three tries."""
    ends = []
    for seed in (1, 2, 3):
        result = crossmod.run(
            "cpus=2", "tests=stress/*", "seconds=6", f"seed={seed}", "hang=10", "accel=tcg-mt"
        )
        report = result.report
        assert report["judged"] is False, result.text
        ends.append(report["verdict"])
        if ends[-1] in ("FAIL", "HANG", "PANIC"):
            assert result.code in (1, 5, 6)
            assert "(emulator, not judged)" in result.lines[-5], result.text
            return
    raise AssertionError(f"multi-threaded TCG was not caught: {ends}")
