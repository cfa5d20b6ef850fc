# SPDX-License-Identifier: MIT
"""./run.sh bench and its kin: the gate holds, planted differences are found."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
from bench import compare, count, figures, measure, rows, table
from bench.count import Counts
from runner.errors import RunnerError


def exact(name: str, value: float, unit: str = "instructions") -> dict:
    return {"name": name, "unit": unit, "milli": round(value * 1000), "exact": True}


def sampled(name: str, low: float, value: float, high: float, unit: str = "ratio") -> dict:
    ends = {"low": round(low * 1000), "high": round(high * 1000), "n": 100}
    return {**exact(name, value, unit), "exact": False, **ends}


def part(*items: dict, verdict: str = "PASS", **not_passed: str) -> dict:
    named = {name.replace("__", "/"): why for name, why in not_passed.items()}
    return {
        "command": "./run.sh",
        "report": "report.json",
        "verdict": verdict,
        "not_passed": named,
        "figures": list(items),
    }


@pytest.fixture(name="document")
def fixture_document() -> dict:
    """A small bench.json."""
    return {
        "schema": 1,
        "crossmod": "0.1.0",
        "build": "abc",
        "time": "2026-01-01 00:00",
        "machine": {
            "brand": "A processor",
            "hypervisor": "",
            "processors": 2,
            "kernel": "Linux 6.1",
            "load_before": 0.0,
        },
        "command": "./run.sh bench",
        "platforms": {
            "icount": part(
                exact("instructions.single_patch", 650), exact("instructions.further_site", 390)
            ),
            "tcg": part(
                exact("count.ipis_per_patch", 3, "ipis"),
                sampled("patch.over_broadcast", 4, 5, 6),
                sampled("patch.total", 900, 1000, 1100, "ns"),
                verdict="WEAK",
                latency__int3="WEAK: too few",
            ),
            "cores": part(
                sampled("patch.over_broadcast", 2.9, 3, 3.2),
                sampled("int3.contention", 0.9, 0.95, 1),
                sampled("sustained.single_per_s", 20000, 26000, 27000, "per_s"),
                sampled("floor.code_store", 290, 310, 330, "ns"),
                sampled("floor.sync", 10000, 11000, 12000, "ns"),
            ),
            "peers": part(
                sampled("peer.linux_static_key_over_membarrier", 3.3, 3.6, 3.9),
                xray="clang is not installed",
            ),
        },
    }


def planted(document: dict, platform: str, name: str, **changes: float) -> dict:
    """The same with one figure changed; no change: without it."""
    changed = copy.deepcopy(document)
    items = changed["platforms"][platform]["figures"]
    item = next(i for i in items if i["name"] == name)
    if not changes:
        items.remove(item)
    item.update({key: round(value * 1000) for key, value in changes.items()})
    return changed


def run_sh(tree, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [tree / "run.sh", "--no-install", *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
        env={**os.environ, **environment},
    )


# ---- figures ----


@pytest.mark.parametrize(
    "item",
    [
        3,
        {"name": "a", "unit": "ns", "milli": 1},
        {"name": "a", "unit": "ns", "milli": 1, "exact": False},
        {"name": "a", "unit": "ns", "milli": 1.5, "exact": True},
        {"name": "a", "unit": "ns", "milli": 1, "exact": True, "n": 3},
    ],
)
def test_what_is_no_figure_is_an_error(item):
    with pytest.raises(RunnerError, match="not a figure"):
        figures.read_all([item])


def test_a_figure_that_comes_twice_is_an_error():
    report = {"data": [{"test": "a", "figures": [exact("x", 1)]}] * 2}
    with pytest.raises(RunnerError, match="x was given twice"):
        figures.of_report(report)


# ---- the gate ----


def counts(**values: float) -> Counts:
    return Counts("GNU C11 12.2.0", "7.2.22", values)


@pytest.mark.parametrize(
    "now, code, line",
    [
        (counts(a=10, b=20), 0, "as recorded in"),
        (counts(a=11, b=20), 1, r"WORSE a: 10 -> 11 instructions \(\+1\)"),
        (counts(a=9, b=21), 1, r"WORSE b: 20 -> 21 instructions \(\+1\)"),
        (counts(a=10), 1, "WORSE b: 20 were recorded, now it is not counted"),
        (counts(a=9, b=20), 0, r"better a: 10 -> 9 instructions \(-1\)\n.*bench-count record"),
        (counts(a=10, b=20, c=1), 0, "better c: new"),
        (counts(a=10.004, b=20), 1, "WORSE a"),
    ],
    ids=["same", "rise", "fall-and-rise", "missing", "fall", "new", "fraction"],
)
def test_a_rise_fails_and_a_fall_says_how_to_record(now, code, line, capsys):
    assert count.judge("./run.sh", now, counts(a=10, b=20)) == code
    assert re.search(line, capsys.readouterr().out)


def test_another_compiler_is_named_where_counts_differ(capsys):
    assert count.judge("x", counts(a=2), Counts("GNU C11 13.1.0", "7.2.22", {"a": 1})) == 1
    assert "recorded with GNU C11 13.1.0, now GNU C11 12.2.0" in capsys.readouterr().out


def test_a_record_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "record.json"
    assert Counts.recorded(path) is None
    counts(a=1, b=2.5).record(path)
    assert Counts.recorded(path) == counts(a=1, b=2.5)


def test_no_operation_executes_more_instructions_than_recorded(tree, tmp_path):
    result = run_sh(tree, "bench-count", CROSSMOD_RUNS=str(tmp_path))
    assert result.returncode == 0, result.stdout
    assert re.search(r"^single_patch +[\d ]+\d +[\d ]+\d +3 516$", result.stdout, re.M)
    assert re.search(r"^key_site_off +1 +1 +-$", result.stdout, re.M), "one instruction: the NOP"


def test_planted_root_loads_are_caught_by_the_gate(tree, tmp_path):
    result = run_sh(
        tree, "bench-count", CROSSMOD_RUNS=str(tmp_path), CROSSMOD_TWIN="extra_root_load"
    )
    assert result.returncode == 1, result.stdout
    assert "WORSE instructions.single_patch: " in result.stdout


@pytest.mark.parametrize(
    "words, message",
    [
        (("bench-count", "recrod"), "'record' or nothing"),
        (("bench", "tests=unit/*"), "it chooses tests, accel,"),
        (("bench", "quick"), "bench: quick"),
        (("bench-compare", "a"), "two bench.json"),
        (("bench-compare", "/nowhere/a", "/nowhere/b"), "No such file"),
        (("icount=yes", "accel=tcg-mt"), "icount=yes: needs accel=tcg, not tcg-mt"),
        (("hosted", "icount=yes", "tests=unit/*"), "icount=: a process cannot obey it"),
    ],
    ids=lambda value: "-".join(value[:2]).replace("/", "_") if isinstance(value, tuple) else "x",
)
def test_a_mistake_is_a_clear_error(tree, tmp_path, words, message):
    result = run_sh(tree, *words, CROSSMOD_RUNS=str(tmp_path))
    assert result.returncode == 3 and message in result.stdout, result.stdout


# ---- the table ----


def line(text: str, start: str) -> str:
    found = [x for x in text.splitlines() if re.match(start, x)]
    assert len(found) == 1, (start, text)
    return found[0]


def test_goals_ratios_and_spread_are_told(document):
    text = table.text(document)
    single = line(text, r"1 +single patch")
    assert re.search(r"\b60 +650 +3 516 \[a\] +700 met, 250 missed by 2.6x +5.41$", single)
    both = [x for x in text.splitlines() if re.match(r"3 +patch / one", x)]
    assert re.search(r" 5 \(4 to 6\) +4.2 to 36 \[b\] +6 met, 3.5 missed by 1.43x", both[0])
    assert both[0].endswith("0.84 to 7.2") and both[1].endswith("1.2")
    assert "26 000 (20 000 to 27 000)" in text
    assert re.search(r"^code store +310 ns \(290 ns to 330 ns\)$", text, re.M)


def test_what_was_not_measured_has_its_reason(document):
    text = table.text(document)
    notes = dict(re.findall(r"^- \((\d+)\) (.*)$", text, re.M))
    int3 = next(x for x in text.splitlines() if re.match(r"7 +pass through an INT3 / bare", x))
    assert notes[re.search(r"not measured \((\d+)\)", int3)[1]] == "latency/int3 was WEAK: too few"
    assert "latency/patch gave no patch.over_three_syncs" in notes.values()
    assert "xray  " in text and "not measured: clang is not installed" in text
    del document["platforms"]["peers"]["figures"][0]
    assert re.search(r"patch / one membarrier .*not measured \[f\]", table.text(document))
    document["platforms"]["tcg"].update(verdict="HANG", not_passed={}, figures=[])
    assert "the run ended with HANG" in table.text(document)


def test_what_is_better_than_its_floor_is_not_believed(document):
    items = document["platforms"]["cores"]["figures"]
    items += [
        sampled("floor.patches_per_s", 40000, 45000, 50000, "per_s"),
        sampled("sustained.single_per_s_busy", 49000, 60000, 70000, "per_s"),
        sampled("patch.first_new", 200, 300, 400, "ns"),
    ]
    row = r"11 +the same, others run the site +45 000 .*26 000 \[c\]"
    assert "believed" not in line(table.text(document), row)
    document = planted(document, "cores", "sustained.single_per_s_busy", milli=70000, low=51000)
    assert "beyond its floor, not believed" in line(table.text(document), row)
    assert table.text(document).count("believed") == 1
    document = planted(document, "cores", "patch.first_new", milli=200, low=200, high=280)
    assert table.text(document).count("believed") == 2


def test_counts_stand_beside_the_model_by_cores(document):
    document["platforms"]["tcg64"] = part(
        exact("scaling.broadcasts_per_patch_64", 3, "broadcasts"),
        exact("scaling.acknowledgements_per_patch_64", 192, "acknowledgements"),
        sampled("scaling.patch_64", 1, 2, 3, "ns"),
    )
    assert re.search(r"^tcg64 +64 +3 +192 +3, 192$", table.text(document), re.M)


def test_the_table_goes_between_the_markers_and_nowhere_else(document, tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{table.BEGIN}\nOLD TABLE\n{table.END}\nafter\n", encoding="utf-8")
    table.paste(page, document)
    table.paste(page, document)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{table.BEGIN}\n") and text.endswith(f"{table.END}\nafter\n")
    assert "OLD TABLE" not in text and text.count("| single patch, 5 bytes | 60 | 650 |") == 1
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({row.count("|") for row in block.splitlines()}) == 1, block
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(RunnerError, match="lacks the lines"):
        table.paste(page, document)


def test_the_page_has_room_for_the_table(tree):
    text = (tree / "docs" / "performance.md").read_text(encoding="utf-8")
    assert text.index(table.BEGIN) < text.index(table.END)
    merits = {
        int(n) for n in re.findall(r"^\| (\d+) \|", text.partition("## The figures")[2], re.M)
    }
    assert {row.merit for row in rows.ROWS} <= merits


def test_every_row_is_a_figure_of_some_test(tree):
    """A misspelt name would be a row that is never measured."""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for place in ("tests/latency/*.c", "hosted/bench/peers/*.c", "tools/bench/measure.py")
        for path in tree.glob(place)
    )
    names = {row.figure for row in rows.ROWS} | {
        n for row in rows.ROWS for n in (row.floor, row.linux) if isinstance(n, str)
    }
    sources += "".join(  # a floor's figure has a name that is made of the floor's
        f'"floor.{name}"' for name in re.findall(r'\.name = "(\w+)"', sources)
    )
    sources = sources.replace('"floor.%s"', "")
    literals = re.findall(r'"([a-z0-9_%]+(?:\.[a-z0-9_%]+)+)"', sources)
    patterns = [re.sub(r"%s", r"[a-z0-9_]+", literal.replace(".", r"\.")) for literal in literals]
    assert not [n for n in names if not any(re.fullmatch(p, n) for p in patterns)]
    assert all(row.source in rows.SOURCES for row in rows.ROWS if row.linux is not None)
    tests = {row.test.removeprefix("latency/") for row in rows.ROWS if row.test}
    given = set(re.findall(r"^TEST\(latency, (\w+)", sources, re.M))
    given |= set(re.findall(r"^TEST_BARE\([^,]*, latency, (\w+)", sources, re.M))
    assert tests <= given


# ---- two measurements ----


@pytest.mark.parametrize(
    "platform, name, changes, kind",
    [
        ("icount", "instructions.single_patch", {"milli": 651}, "worse"),
        ("icount", "instructions.single_patch", {"milli": 649}, "better"),
        ("tcg", "patch.over_broadcast", {"milli": 7, "low": 6.5, "high": 8}, "worse"),
        ("tcg", "patch.over_broadcast", {"milli": 7, "low": 5.9, "high": 8}, None),
        ("cores", "patch.over_broadcast", {"milli": 3.25, "low": 3.21, "high": 3.3}, None),
        ("cores", "patch.over_broadcast", {"milli": 2, "low": 1.9, "high": 2.1}, "better"),
        ("cores", "int3.contention", {"milli": 0.5, "low": 0.4, "high": 0.6}, "worse"),
        ("tcg", "patch.total", {"milli": 9000, "low": 8000, "high": 9900}, None),
        ("cores", "sustained.single_per_s", {"milli": 1, "low": 1, "high": 1}, None),
        ("tcg", "patch.over_broadcast", {}, "missing"),
    ],
    ids=[
        *("count-rose", "count-fell", "ratio-rose", "ratio-overlaps", "ratio-within-the-band"),
        *("ratio-fell", "more-is-better", "time", "rate", "missing"),
    ],
)
def test_planted_differences(document, platform, name, changes, kind):
    found = compare.compare(document, planted(document, platform, name, **changes))
    assert {k for k, lines in found.items() if lines} == ({kind} if kind else set())
    assert not kind or found[kind][0].startswith(f"{platform} {name}")


def test_what_was_missing_is_new(document):
    before = planted(document, "tcg", "patch.over_broadcast")
    assert compare.compare(before, document)["new"] == ["tcg patch.over_broadcast"]


def test_of_two_machines_only_counts_are_compared(document):
    other = planted(document, "tcg", "patch.over_broadcast", milli=70, low=60, high=80)
    other = planted(other, "tcg", "count.ipis_per_patch", milli=4)
    other["machine"]["brand"] = "Another"
    assert compare.compare(document, other)["worse"] == ["tcg count.ipis_per_patch: 3 -> 4"]


def test_the_command_compares_files(document, tree, tmp_path):
    for name, content in (
        ("a", document),
        ("b", planted(document, "tcg", "count.ipis_per_patch", milli=4)),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bench.json").write_text(json.dumps(content), encoding="utf-8")
    a, b, damaged = tmp_path / "a", tmp_path / "b" / "bench.json", tmp_path / "damaged.json"
    worse = run_sh(tree, "bench-compare", str(a), str(b))
    assert worse.returncode == 1 and "worse   tcg count.ipis_per_patch: 3 -> 4" in worse.stdout
    better = run_sh(tree, "bench-compare", str(b), str(a))
    assert better.returncode == 0 and "nothing became worse" in better.stdout
    damaged.write_text('{"schema": 1', encoding="utf-8")
    assert run_sh(tree, "bench-compare", str(a), str(damaged)).returncode == 3


# ---- the whole ----


@pytest.fixture(name="schema")
def fixture_schema(tree):
    text = (tree / "docs" / "bench.schema.json").read_text(encoding="utf-8")
    jsonschema.Draft7Validator.check_schema(json.loads(text))
    return jsonschema.Draft7Validator(json.loads(text))


def canned_run(command: str, words: list[str], place: Path):
    """As runs.start(), without a machine."""
    directory = place / "run"
    directory.mkdir(parents=True)
    report = {
        "crossmod": "0.1.0",
        "start": {"build": "abc"},
        "cpu": {"brand": "A processor", "hypervisor_vendor": ""},
        "staleness": {"patches": 9, "executions": 9, "stale": 0},
        "verdict": "PASS",
        "reason": "",
        "tests": [
            {"name": "latency/floors", "verdict": "PASS", "reason": ""},
            {"name": "latency/int3", "verdict": "SKIP", "reason": "needs 2 cores"},
        ],
        "data": [
            {
                "test": "latency/instructions",
                "figures": [
                    exact("instructions.single_patch", 1000),
                    exact("instructions.batch_256", 25600),
                ],
            },
            {"test": "latency/floors"},
        ],
    }
    return measure.runs.Run(" ".join([command, *words]), directory, report)


def test_a_measurement_leaves_a_valid_document_and_prints_it(
    schema, document, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(measure.tree, "RUNS", tmp_path)
    monkeypatch.setattr(measure.runs, "start", canned_run)
    monkeypatch.setattr(measure.peers, "measure", lambda place: document["platforms"]["peers"])
    assert measure.main("./run.sh", ["seed=0x5eed"]) == 0
    left = measure.load(tmp_path / "bench" / "last")
    schema.validate(left)
    schema.validate(document)
    assert left["platforms"]["tcg"]["not_passed"] == {"latency/int3": "SKIP: needs 2 cores"}
    assert left["platforms"]["tcg"]["command"].endswith("accel=tcg seconds=3 seed=0x5eed")
    assert (
        exact("instructions.amortisation", 0.1, "ratio") in left["platforms"]["icount"]["figures"]
    )
    text = capsys.readouterr().out
    assert "latency/int3 was SKIP: needs 2 cores" in text and "bench record" in text


def test_a_wrong_result_of_any_run_is_one_of_the_measurement(document):
    assert measure.worst(document) == 0, "WEAK is not wrong"
    document["platforms"]["tcg"]["verdict"] = "FAIL"
    assert measure.worst(document) == 1
