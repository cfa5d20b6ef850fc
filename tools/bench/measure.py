# SPDX-License-Identifier: MIT
"""./run.sh bench: measure on every platform, keep bench.json, print the table."""

import json
import os
import platform
import time
from pathlib import Path

from runner import tree
from runner.errors import RunnerError

from . import count, figures, peers, runs, table
from .figures import Figure

SCHEMA = 1
SECONDS = 3  # of each latency test
# By platform: the words of ./run.sh, and whether those of the user follow.
RUNS = {
    "icount": (list(count.WORDS), False),
    "tcg": (["tests=latency/*", "accel=tcg"], True),
    "cores": (["hosted", "tests=latency/*"], True),
    **{f"tcg{n}": ([f"cpus={n}", "tests=latency/cores", "accel=tcg"], False) for n in (64, 255)},
}
CHOSEN_HERE = ("tests", "accel", "vcpus", "mem", "icount", "limit")


def directory() -> Path:
    """All measurements: one directory each, and `last`."""
    return tree.RUNS / "bench"


def new_directory() -> Path:
    """For this measurement."""
    place = directory() / time.strftime("%Y%m%d-%H%M%S")
    place.mkdir(parents=True)
    return place


def derived(found: dict[str, Figure], report: dict) -> list[Figure]:
    """Figures that follow from those of a report, or from another part of it."""
    more = []
    batch, single = (found.get(f"instructions.{n}") for n in ("batch_256", "single_patch"))
    if batch and single:
        ratio = round(1000 * batch.milli / (256 * single.milli))
        more.append(Figure("instructions.amortisation", "ratio", ratio, True))
    sync = found.get("floor.sync")
    if sync:
        # No patch has less than two broadcasts.
        rate, low, high = (round(1e15 / (2 * x)) for x in (sync.milli, sync.high, sync.low))
        more.append(Figure("floor.patches_per_s", "per_s", rate, False, low, high, sync.n))
    if report["staleness"]:
        stale = report["staleness"]["stale"]
        more.append(Figure("staleness.stale", "executions", 1000 * stale, True))
    return more


def measured(run: runs.Run, place: Path) -> dict:
    """What bench.json says of one run."""
    found = figures.of_report(run.report)
    return {
        "command": run.command,
        "report": str((run.directory / "report.json").relative_to(place)),
        "verdict": run.report["verdict"],
        "not_passed": run.reasons(),
        "figures": [f.as_dict() for f in [*found.values(), *derived(found, run.report)]],
    }


def machine(cores_report: dict | None) -> dict:
    """This machine, and how busy it was before."""
    cpu = (cores_report or {}).get("cpu") or {}
    return {
        "brand": cpu.get("brand", "unknown"),
        "hypervisor": cpu.get("hypervisor_vendor", "unknown"),
        "processors": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def refuse(words: list[str]) -> None:
    """Words that this command decides itself."""
    for word in words:
        name, equals, _ = word.partition("=")
        if not equals or name in CHOSEN_HERE:
            raise RunnerError(f"bench: {word}: it chooses {', '.join(CHOSEN_HERE)} itself")


def measure(command: str, words: list[str], place: Path) -> dict:
    """Every run in turn: nothing else of ours runs beside a measurement."""
    load = os.getloadavg()[0]
    if not any(word.startswith("seconds=") for word in words):
        words = [f"seconds={SECONDS}", *words]
    platforms, reports = {}, {}
    for name, (fixed, user) in RUNS.items():
        run = runs.start(command, [*fixed, *(words if user else ())], place / name)
        platforms[name], reports[name] = measured(run, place), run.report
    platforms["peers"] = peers.measure(place)
    return {
        "schema": SCHEMA,
        "crossmod": reports["cores"]["crossmod"],
        "build": reports["cores"]["start"]["build"],
        "time": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "machine": {**machine(reports["cores"]), "load_before": round(load, 2)},
        "command": " ".join([command, "bench", *words]),
        "platforms": platforms,
    }


def load(path: Path) -> dict:
    """A bench.json, or the directory that has it."""
    if path.is_dir():
        path = path / "bench.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA or not document["platforms"]:
            raise KeyError("schema")
    except OSError as error:
        raise RunnerError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise RunnerError(f"{path}: not a bench.json of this version") from None
    return document


def worst(document: dict) -> int:
    """The exit code: a wrong result of any run is one of the whole."""
    verdicts = [p["verdict"] for p in document["platforms"].values()]
    return 0 if all(v in ("PASS", "SKIP", "WEAK") for v in verdicts) else 1


def main(command: str, arguments: list[str]) -> int:
    """Measure, or paste the last table. Returns the exit code."""
    if arguments == ["record"]:
        path = tree.ROOT / "docs" / "performance.md"
        table.paste(path, load(directory() / "last"))
        print(f"written: {tree.shown(path)}")
        return 0
    refuse(arguments)
    place = new_directory()
    document = measure(command, arguments, place)
    (place / "bench.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    last = directory() / "last"
    last.unlink(missing_ok=True)
    last.symlink_to(place.name)
    print("\n" + table.text(document))
    print(f"files: {tree.shown(place)}/ (bench.json, and each run's own)")
    print(f"to keep this table in docs/performance.md: {command} bench record")
    return worst(document)
