# SPDX-License-Identifier: MIT
"""A machine's result: what of a run's report is worth keeping in results/, and under which name."""

import json
from pathlib import Path

from . import records
from .errors import RunnerError

SCHEMA = 1
EMULATOR = "TCGTCGTCGTCG"  # CPUID 0x40000000
KEPT = ("errata/", "stress/")  # groups whose data and histograms say something of the processor


def load(path: Path) -> dict:
    """The records of a finished run: report.json, or the JSON lines of a stick or process.

    A directory may be a run's or one from a stick.
    """
    if path.is_dir():
        files = [path / name for name in ("report.json", "report.jsonl")]
        path = next((file for file in files if file.is_file()), files[0])
    try:
        text = path.read_bytes()
    except OSError as error:
        raise RunnerError(f"{path}: {error.strerror}") from None
    if path.suffix == ".json":
        return json.loads(text)
    found = records.parse(text)
    end = found.ends[0] if len(found.ends) == 1 else None
    return {**vars(found), "end": end, "verdict": end and end["verdict"]}


def refuse(run: dict) -> None:
    """Why a run is no result of a machine; RunnerError names the first reason."""
    start, cpu, plan, end = (run.get(name) for name in ("start", "cpu", "plan", "end"))
    if not (start and cpu and plan and end):
        raise RunnerError("the run did not come to its end: there is no result in it")
    reasons = (
        (run["damaged"], "records are damaged"),
        (len(run["tests"]) != plan["count"], "tests are missing"),
        (run["verdict"] != end["verdict"], f"run.sh says {run['verdict']}"),
        (end["verdict"] == "ERROR", "the harness failed"),
        (cpu.get("hypervisor_vendor") == EMULATOR, "an emulator is no machine"),
        (" twin " in start["build"], "the kernel was broken on purpose"),
        ("dirty" in start["build"], f"build {start['build']} is in nobody's history"),
        (start["build"] == "unknown", "the source was not a git tree: the build has no name"),
        (any(n.startswith("selftest/") for n in plan["tests"]), "it has faults planted on purpose"),
        (
            not any(d["test"].startswith("errata/") for d in run["data"]),
            "no errata/ test recorded data",
        ),
    )
    for wrong, why in reasons:
        if wrong:
            raise RunnerError(f"not a result: {why}")


def document(run: dict) -> dict:
    """The result; docs/result.schema.json describes it."""

    def kept(items: list[dict]) -> list[dict]:
        return [item for item in items if item["test"].startswith(KEPT)]

    return {
        "schema": SCHEMA,
        "crossmod": run["start"]["version"],
        "build": run["start"]["build"],
        "seed": run["start"]["seed"],
        "words": run["start"].get("words", ""),
        "machine": kind(run["cpu"]),
        "cpu": run["cpu"],
        "time": run["time"],
        "verdict": run["end"]["verdict"],
        "note": run["end"]["note"],
        "tests": [test for test in run["tests"] if test["name"].startswith(KEPT)],
        "data": kept(run["data"]),
        "hists": kept(run["hists"]),
    }


def kind(cpu: dict) -> str:
    """A process names its core sync after the system call; the kernel, after an instruction."""
    return "process" if cpu["sync"] == "membarrier" else "kernel"


def path_below(results: Path, result: dict) -> Path:
    """results/VENDOR-FAMILY-MODEL-STEPPING/ (hexadecimal, as microcode files are named)/..."""
    cpu = result["cpu"]
    vendor = "".join(c for c in cpu["vendor"] if c.isalnum()) or "unknown"
    machine = f"{vendor}-{cpu['family']:02x}-{cpu['model']:02x}-{cpu['stepping']:02x}"
    microcode = cpu.get("microcode", "0x0")
    return results / machine / f"microcode-{microcode}-{result['machine']}-{result['seed']}.json"
