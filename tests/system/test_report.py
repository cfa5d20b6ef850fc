# SPDX-License-Identifier: MIT
"""report.json follows its schema; junit.xml and the five lines say what it says."""

import copy
import json
import random
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest
import sample
from runner import copies, junit, machine, records, report, summary, verdict
from runner.accel import Accel
from runner.firmware import Firmware
from runner.follow import Ending


def document(items: list[dict], status: int = 33, accel: str = "tcg") -> dict:
    return document_of(records.parse(sample.console(items)), items, status, accel)


def document_of(found: records.Records, shown: list[dict], status: int, accel: str = "tcg") -> dict:
    end = Ending(status, None, 12.3)
    judged = verdict.judge(end, found, records.tap_lines(sample.serial(shown)), "")
    box = machine.Machine(
        Firmware(Path("/code"), Path("/vars")),
        accel,
        4,
        512,
        Path("/i"),
        Path("/w"),
        Path("/s"),
        Path("/d"),
    )
    compared = [copies.compare(f, "a port", ["a"], ["a"]) for f in ("report.tap", "report.jsonl")]
    return report.document(
        "20260101-000000",
        found,
        judged,
        compared,
        report.emulation_facts(box, Accel(accel, "asked for"), "7.2.22", end),
        "./run.sh seed=0x5eed accel=tcg",
    )


@pytest.fixture(name="schema")
def fixture_schema(tree):
    loaded = json.loads((tree / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(loaded)
    return jsonschema.Draft7Validator(loaded)


def test_the_document_of_every_end_follows_the_schema(schema):
    schema.validate(document(sample.records()))
    schema.validate(document([]))
    for cut in range(len(sample.records())):
        schema.validate(document(sample.records()[:cut], -9))


def test_the_schema_refuses_what_is_wrong(schema):
    good = document(sample.records())
    for path, value in (
        (("verdict",), "FINE"),
        (("exit_code",), 2),
        (("tests", 0, "verdict"), "pass"),
        (("hists", 0, "p50"), -1),
        (("start", "seed"), "5eed"),
        (("emulation", "accel"), "bochs"),
        (("copies",), []),
        (("surplus",), 1),
    ):
        bad = copy.deepcopy(good)
        place = bad
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        assert not schema.is_valid(bad), path


def test_junit_counts_what_the_report_says():
    suite = ElementTree.fromstring(
        junit.render(document(sample.records("FAIL", ("PASS", "FAIL", "SKIP")), 35))
    )
    assert (
        suite.get("tests"),
        suite.get("failures"),
        suite.get("errors"),
        suite.get("skipped"),
    ) == ("3", "1", "0", "1")
    failure = suite.find("testcase[@name='main']/failure")
    assert failure.get("message") == "FAIL: because of 1"


def test_junit_has_an_error_for_each_test_that_a_cut_left_out():
    suite = ElementTree.fromstring(junit.render(document(sample.records()[:5], -9)))
    assert (suite.get("tests"), suite.get("errors")) == ("3", "2")
    nothing = ElementTree.fromstring(junit.render(document([], -9)))
    assert (nothing.get("tests"), nothing.get("errors")) == ("1", "1")


def test_junit_survives_control_characters():
    items = sample.records("FAIL", ("PASS", "FAIL", "SKIP"))
    found = records.parse(sample.console(items))
    found.tests[1]["reason"] = "bytes \x00\x1b <&> \ud7ff"
    ElementTree.fromstring(junit.render(document_of(found, items, 35)))


def test_the_summary_ends_in_five_lines():
    lines = summary.five_lines(document(sample.records()), "out/x")
    assert len(lines) == 5 and not any("\n" in line for line in lines)
    assert lines[0] == "PASS (under TCG: the logic is shown, not silicon)"
    assert lines[1] == (
        "tests: 3 of 3 ran: 2 pass 1 skip; 3 000 executions, 6 000 patches, 90 INT3 hits,"
        " 1 200 order checks"
    )
    assert lines[2] == (
        "latency of one patch: p50 213 us, p99 451 us, max 2.11 ms (2000 patches;"
        " not trusted: software emulation, TSC not invariant)"
    )
    assert (
        lines[3].startswith("files: out/x/")
        and lines[4] == "replay: ./run.sh seed=0x5eed accel=tcg"
    )


def test_multi_threaded_tcg_is_never_judged():
    found = document(sample.records(), accel="tcg-mt")
    assert found["judged"] is False
    assert summary.five_lines(found, "x")[0] == "PASS (emulator, not judged)"


def test_only_a_pass_claims_that_the_logic_is_shown():
    failed = document(sample.records("FAIL", ("PASS", "FAIL", "SKIP")), 35)
    assert summary.five_lines(failed, "x")[0] == "FAIL (under TCG): stress/main: because of 1"
    broken = document(sample.records(), 35)
    assert summary.five_lines(broken, "x")[0].startswith("ERROR: the exit code says FAIL")


def test_every_cut_gives_five_lines():
    for cut in range(len(sample.records()) + 1):
        assert len(summary.five_lines(document(sample.records()[:cut], -9), "x")) == 5
        assert summary.full(document(sample.records()[:cut], -9), "x", [])


def test_durations_have_three_digits_and_a_unit():
    assert [
        summary.duration(n)
        for n in (0, 7, 999, 1000, 12_345, 1_000_000, 123_456_789, 5_000_000_000)
    ] == ["0 ns", "7 ns", "999 ns", "1 us", "12.3 us", "1 ms", "123 ms", "5 s"]


def test_damaged_records_still_give_a_report():
    source = random.Random(14)
    text = sample.console(sample.records())
    for _ in range(500):
        damaged = bytearray(text)
        for _ in range(source.randrange(1, 8)):
            damaged[source.randrange(len(damaged))] = source.randrange(32, 127)
        lines = bytes(damaged).split(b"\n")
        found = document_of(records.parse(b"\n".join(lines)), sample.records(), 33)
        assert found["exit_code"] in (0, 3, 7)
        junit.render(found)
        summary.full(found, "x", [])
