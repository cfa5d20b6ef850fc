# SPDX-License-Identifier: MIT
"""report.json: one document with everything about a run. docs/report.schema.json describes it."""

from .accel import Accel
from .copies import Copy
from .follow import Ending
from .machine import Machine
from .records import Records
from .verdict import Verdict

SCHEMA = 1


def document(
    run: str, records: Records, verdict: Verdict, copies: list[Copy], emulation: dict, replay: str
) -> dict:
    """Assemble it. What the kernel did not record is null or empty, never left out."""
    end = records.ends[0] if records.ends else None
    return {
        "schema": SCHEMA,
        "crossmod": (records.start or {}).get("version"),
        "run": run,
        "verdict": verdict.name,
        "reason": verdict.reason,
        "exit_code": verdict.exit_code,
        "judged": judged(records, emulation),
        "start": records.start,
        "ignored": records.ignored,
        "cpu": records.cpu,
        "cores": (records.cores or {}).get("cores", []),
        "time": records.time,
        "staleness": records.staleness,
        "plan": records.plan,
        "tests": records.tests,
        "data": records.data,
        "hists": records.hists,
        "health": records.health,
        "hang": records.hang,
        "panic": records.panic,
        "bail": records.bail,
        "end": end,
        "slices": records.slices,
        "previous": records.previous,
        "medium": records.medium,
        "emulation": emulation,
        "copies": [copy.as_dict() for copy in copies],
        "damaged": records.damaged,
        "replay": replay,
    }


def twin(report: dict) -> str:
    """The name of the kernel that is broken on purpose (tests/twins/), empty for the right one."""
    return (report["start"] or {"build": ""})["build"].partition(" twin ")[2]


def judged(records: Records, emulation: dict) -> bool:
    """Multi-threaded TCG executes stale code under a correct protocol: it accuses nobody."""
    said = records.ends[0].get("judged", True) if records.ends else True
    return bool(said) and emulation["accel"] != "tcg-mt"


def emulation_facts(machine: Machine, accel: Accel, qemu: str, end: Ending) -> dict:
    """The virtual machine that the run ran on, as far as the guest cannot know it."""
    return {
        "accel": accel.word,
        "why": accel.why,
        "qemu": qemu,
        "firmware": str(machine.firmware.code),
        "vcpus": machine.vcpus,
        "memory_mib": machine.memory_mib,
        **ending_facts(end),
    }


def ending_facts(end: Ending) -> dict:
    """How the machine ended, as it was seen from outside."""
    return {"status": end.status, "cut": end.cut, "seconds": round(end.seconds, 1)}
