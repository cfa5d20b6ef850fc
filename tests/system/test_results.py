# SPDX-License-Identifier: MIT
"""results/: every file is valid and lies where it belongs; what is no result is refused."""

import copy
import json

import contribute
import jsonschema
import pytest
import sample
from runner import result
from runner.errors import RunnerError


@pytest.fixture(name="schema")
def fixture_schema(tree):
    docs = tree / "docs"
    report, own = (
        json.loads((docs / f"{name}.schema.json").read_text("utf-8"))
        for name in ("report", "result")
    )
    jsonschema.Draft7Validator.check_schema(own)
    resolver = jsonschema.RefResolver(own["$id"], own, store={report["$id"]: report})
    return jsonschema.Draft7Validator(own, resolver=resolver)


def machine_run() -> list[dict]:
    """The records of a run on a machine."""
    items = copy.deepcopy(sample.records())
    cpu = next(r for r in items if r["type"] == "cpu")
    cpu.update(vendor="GenuineIntel", family=6, model=106, stepping=6, hypervisor_vendor="")
    for record in items:
        if record.get("name") == "poke/int3":
            record["name"] = "errata/tear_map"
        if record["type"] == "plan":
            record["tests"] = ["errata/tear_map", *record["tests"][1:]]
    items.insert(-1, {"type": "data", "test": "errata/tear_map", "torn": [1, 0]})
    return items


@pytest.fixture(name="jsonl")
def fixture_jsonl(tmp_path):
    def make(items: list[dict]):
        path = tmp_path / "report.jsonl"
        path.write_bytes(sample.console(items))
        return path

    return make


def test_every_result_is_valid_and_lies_where_it_belongs(tree, schema):
    for path in (tree / "results").glob("**/*"):
        if path.is_dir() or path == tree / "results" / "README.md":
            continue
        document = json.loads(path.read_text("utf-8"))
        schema.validate(document)
        assert path == result.path_below(tree / "results", document)


def test_a_run_becomes_a_valid_result(schema, jsonl, tmp_path):
    path = contribute.write(jsonl(machine_run()), tmp_path / "results")
    assert path.relative_to(tmp_path / "results").parts == (
        "GenuineIntel-06-6a-06",
        "microcode-0x1000065-kernel-0x5eed.json",
    )
    document = json.loads(path.read_text("utf-8"))
    schema.validate(document)
    assert [t["name"] for t in document["tests"]] == ["errata/tear_map", "stress/main"]
    assert {d["test"] for d in document["data"]} == {"errata/tear_map", "stress/main"}


def test_the_schema_refuses_what_is_nobody_s(schema):
    run = {}
    for record in machine_run():
        name = record.pop("type")
        if name in ("start", "cpu", "time", "end"):
            run[name] = record
        elif name != "plan":
            run.setdefault({"test": "tests", "hist": "hists"}.get(name, name), []).append(record)
    good = result.document(run)
    schema.validate(good)
    for change in (
        {"build": "4f2c9e1-dirty"},
        {"cpu": {k: v for k, v in good["cpu"].items() if k != "microcode"}},
        {"cpu": {**good["cpu"], "hypervisor_vendor": "TCGTCGTCGTCG"}},
        {"verdict": "HANG"},
        {"data": []},
        {"host": "name"},
    ):
        assert not schema.is_valid({**good, **change}), change


@pytest.mark.parametrize(
    "kind, change, why",
    [
        ("cpu", {"hypervisor_vendor": "TCGTCGTCGTCG"}, "an emulator is no machine"),
        ("start", {"build": "4f2c9e1-dirty"}, "nobody's history"),
        ("start", {"build": "4f2c9e1 twin wrong_return"}, "broken on purpose"),
        ("start", {"build": "unknown"}, "not a git tree"),
        ("plan", {"count": 4}, "tests are missing"),
        ("plan", {"tests": ["selftest/must_fail"]}, "planted on purpose"),
        ("end", {"verdict": "ERROR"}, "the harness failed"),
        ("data", {"test": "unit/x"}, "no errata/ test"),
    ],
)
def test_what_is_no_result_is_refused(jsonl, tmp_path, kind, change, why):
    items = machine_run()
    for record in items:
        if record["type"] == kind:
            record.update(change)
    with pytest.raises(RunnerError, match=why):
        contribute.write(jsonl(items), tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_run_without_an_end_is_refused(jsonl, tmp_path):
    with pytest.raises(RunnerError, match="did not come to its end"):
        contribute.write(jsonl(machine_run()[:-1]), tmp_path)
    with pytest.raises(RunnerError, match="No such file"):
        contribute.write(tmp_path / "nowhere", tmp_path)


def test_run_sh_takes_a_run_s_directory(crossmod):
    run = crossmod.run("hosted", "tests=unit/work").expect("PASS", 0).directory
    answer = crossmod.run("contribute", str(run))
    assert answer.code == 3
    assert "not a result" in answer.text, "no errata/ test, or a source that is being worked on"
