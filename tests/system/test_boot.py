# SPDX-License-Identifier: MIT
"""The kernel's own suites on virtual machines of several sizes, and the main stress."""

import json
import re
import shutil
import subprocess

import jsonschema
import pytest


def check_report(result, tree) -> dict:
    """What every finished run must leave."""
    report = result.report
    schema = json.loads((tree / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(report)
    assert [c["state"] for c in report["copies"]] == ["same", "same"], report["copies"]
    assert not report["damaged"]
    for name in (
        "serial.log",
        "debugcon.jsonl",
        "report.tap",
        "junit.xml",
        "summary.txt",
        "qemu.cmd",
        "replay.cmd",
    ):
        assert result.file(name), name
    assert result.file("report.tap").startswith("TAP version 14\n")
    assert not (result.directory / "disk.img").exists(), "its report has been fetched"
    return report


def test_the_default_run_as_a_user_starts_it(crossmod, tree):
    """Every test but the planted faults, on 4 cores, with the evidence that it rests on."""
    result = crossmod.run("seconds=5").expect("PASS", 0)
    report = check_report(result, tree)
    names = [line.split()[0] for line in crossmod.list_tests()]
    expected = [name for name in names if not name.startswith(("selftest/", "dangerous/"))]
    assert [t["name"] for t in report["tests"]] == report["plan"]["tests"] == expected
    assert report["cpu"]["cpus"] == 4 and report["cpu"]["failed"] == 0
    # What needs two cores that run, or write text, at the same time; and nothing else.
    skipped = {t["name"]: t["reason"] for t in report["tests"] if t["verdict"] == "SKIP"}
    lacking = (
        "control",
        "two cores would write text at once",
        "emulated ones take turns",
        "needs a machine of one core",
    )
    assert not [n for n, why in skipped.items() if not any(l in why for l in lacking)], skipped

    stress = result.test("stress/main")["saw"]
    assert stress["order_checks"] == stress["batches"] > 0
    races = [t["saw"] for t in report["tests"] if t["saw"].get("int3_cores")]
    races = [saw for saw in races if "order_checks" in saw]  # not those that hold a patch open
    assert len(races) > 5 and all(saw["order_checks"] == saw["batches"] > 0 for saw in races)
    audit = result.data("unit/paging_audit")
    assert audit["executable"] and audit["writable"]
    assert audit["leaves"] >= audit["executable"] + audit["writable"]
    assert f"{len(expected)} of {len(expected)} ran" in result.lines[-4]
    assert "order checks" in result.lines[-4] and " 0 " not in result.lines[-4]


def prove(tap: str) -> str:
    """What prove says. It knows TAP 13: neither version 14 nor a comment behind the plan."""
    return subprocess.run(
        ["prove", "-e", "sed 1d;s/.#.budget.*//", tap],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


def test_prove_reads_the_report(crossmod):
    if not shutil.which("prove"):
        pytest.skip("prove is not installed")
    verdicts = ("must_pass", "must_skip", "must_be_weak", "must_fail")
    result = crossmod.run("tests=" + ",".join(f"selftest/{v}" for v in verdicts)).expect("FAIL", 1)
    tap = result.directory / "report.tap"
    said = prove(str(tap))
    assert "Tests: 4 Failed: 2" in said and "Parse errors" not in said, said
    cut = result.directory / "cut.tap"
    lines = tap.read_text().splitlines(keepends=True)
    last = max(i for i, line in enumerate(lines) if re.match(r"(not )?ok ", line))
    cut.write_text("".join(lines[:last]), encoding="utf-8")
    assert "Parse errors" in prove(str(cut))


@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_all_suites_but_the_stress(crossmod, tree, cpus):
    """At 1 core the tests that need more are skipped, with the reason."""
    result = crossmod.run(f"cpus={cpus}", "tests=unit/*,poke/*").expect("PASS", 0)
    report = check_report(result, tree)
    assert report["cpu"]["cpus"] == cpus
    assert len(report["tests"]) == report["plan"]["count"] > 10
    skipped = [t for t in report["tests"] if t["verdict"] == "SKIP"]
    if cpus == 1:
        assert skipped and all("1 is online" in t["reason"] for t in skipped)
    if cpus >= 4:
        assert not [t for t in skipped if "online" in t["reason"]]


@pytest.mark.parametrize("cpus", [2, 4, 8])
def test_the_stress_passes_and_says_what_it_saw(crossmod, tree, cpus):
    result = crossmod.run(f"cpus={cpus}", "tests=stress/*", "seconds=4", "seed=0x5eed").expect(
        "PASS", 0
    )
    report = check_report(result, tree)
    saw = result.test("stress/main")["saw"]
    assert saw["executions"] > 1000 and saw["patches"] > 1000 and saw["int3_hits"] > 100, saw
    assert saw["order_checks"] == saw["batches"] > 0, "the order check must cover every patch"
    assert saw["timer_executions"] and saw["nmi_executions"] and saw["crossings"], saw
    names = {h["name"] for h in report["hists"] if h["test"] == "stress/main"}
    assert {"write1", "sync1", "write2", "sync2", "write3", "sync3", "retire", "total"} <= names
    total = next(h for h in report["hists"] if (h["test"], h["name"]) == ("stress/main", "total"))
    assert not total["trusted"] and "software emulation" in total["why"]
    assert sum(count for _, count in total["buckets"]) == total["count"]
    assert report["start"]["seed"] == "0x5eed" and "seed=0x5eed" in report["replay"]
    assert "latency of one patch: p50" in result.text


def test_64_cores_come_up(crossmod, tree):
    result = crossmod.run("cpus=64", "tests=unit/ipi*").expect("PASS", 0)
    report = check_report(result, tree)
    assert report["cpu"]["cpus"] == 64 and report["cpu"]["failed"] == 0


def test_the_list_names_every_test_of_the_plan(crossmod):
    listed = crossmod.list_tests()
    assert all(len(line.split(None, 1)) == 2 for line in listed), "a name and a claim on each line"
    names = {line.split()[0] for line in listed}
    planned = crossmod.run("cpus=2", "tests=unit/*").report["plan"]["tests"]
    assert planned and set(planned) <= names
    assert {"stress/main", "selftest/must_fail"} <= names
