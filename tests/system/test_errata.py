# SPDX-License-Identifier: MIT
"""The errata laboratory: its words, what it refuses to run unasked, its self-test of the machine."""

import re

import pytest

TURNS = "tests=unit/ipi*"  # a short run: what is looked at was recorded before it


@pytest.mark.parametrize(
    "test, word, sentence",
    [
        ("wild", "protocol=foo", r"no level matches 'foo'; there are: int3-3 .*bytewise"),
        ("wild", "protocol=int3-3,foo", r"no level matches 'foo'; there are: int3-3 "),
        ("tear_map", "store=foo", r"no level matches 'foo'; there are: mov8 .*split-8x8"),
        ("litmus_mp_rf", "rsync=foo", r"no level matches 'foo'; there are: none .*iret"),
        ("tear_map", "placement=70", r"'70' is no offset 0 to 63, no range of them and not 'page'"),
    ],
    ids=lambda value: value if "=" in value else "",
)
def test_an_unknown_level_is_an_error_that_lists_the_levels(crossmod, test, word, sentence):
    result = crossmod.run("cpus=2", f"tests=errata/{test}", word).expect("ERROR", 3)
    record = result.test(f"errata/{test}")
    assert record["verdict"] == "ERROR"
    assert re.match(rf"{re.escape(word)}: {sentence}", record["reason"]), record["reason"]


def test_a_level_that_exists_is_the_only_one_that_runs(crossmod):
    result = crossmod.run("cpus=2", "tests=errata/wild", "protocol=int3-3").expect("PASS", 0)
    cells = result.data("errata/wild")["cells"]
    assert {c["protocol"] for c in cells} == {"int3-3"} and len(cells) == 6
    assert all(c["overlaps"] and c["torn"] + c["faults"] + c["stale"] == 0 for c in cells), cells


def dangerous(crossmod) -> list[str]:
    """Names of the dangerous cells."""
    names = [line.split()[0] for line in crossmod.list_tests()]
    return [n for n in names if n.startswith("dangerous/")]


def test_dangerous_cells_do_not_run_because_they_are_named(crossmod):
    result = crossmod.run("cpus=2", "tests=dangerous/*").expect("SKIP", 77)
    assert [t["name"] for t in result.report["tests"]] == dangerous(crossmod) != []
    for record in result.report["tests"]:
        assert record["verdict"] == "SKIP" and "say dangerous=yes" in record["reason"], record
        assert not record["saw"], record


def test_dangerous_cells_run_when_named_and_allowed(crossmod):
    """What they provoke is in silicon: an emulator survives it."""
    result = crossmod.run("cpus=2", "tests=dangerous/*", "dangerous=yes").expect("PASS", 0)
    assert {t["name"] for t in result.report["tests"]} == set(dangerous(crossmod))
    assert all(t["saw"] for t in result.report["tests"])


@pytest.mark.parametrize("pattern", ["default", "*/*,dangerous/rex_rep_movsb"])
def test_a_plan_has_nothing_dangerous_and_no_fault_that_is_not_named(crossmod, pattern):
    """The plan is complete before the first test begins."""
    crossmod.start("cpus=2", f"tests={pattern}", "dangerous=yes")
    crossmod.wait_for("serial.log", "ok 1 - ")
    crossmod.process.terminate()
    plan = crossmod.wait().expect("CUT", 7).report["plan"]["tests"]
    named = [n for n in plan if n.startswith(("selftest/", "dangerous/"))]
    assert named == [n for n in pattern.split(",") if n.startswith("dangerous/")]
    assert len(plan) > 100


def test_process_context_identifiers_that_the_emulator_does_not_have(crossmod):
    result = crossmod.run("cpus=2", "tests=errata/global_invlpg", "pcid=on").expect("ERROR", 3)
    assert result.report["bail"]["why"] == (
        "pcid=: this processor has no process-context identifiers"
    )
    assert not result.report["tests"]


def test_no_stale_execution_where_cores_take_turns(crossmod):
    staleness = crossmod.run("cpus=2", TURNS, "accel=tcg").expect("PASS", 0).report["staleness"]
    assert staleness["stale"] == 0
    assert staleness["patches"] >= 10 and staleness["executions"] >= 100, staleness


def test_stale_executions_of_multi_threaded_tcg_are_measured(crossmod):
    """By a race: three tries."""
    tries = []
    for _ in range(3):
        tries.append(crossmod.run("cpus=2", TURNS, "accel=tcg-mt").report["staleness"])
        if tries[-1]["stale"]:
            return
    raise AssertionError(f"nothing stale: {tries}")
