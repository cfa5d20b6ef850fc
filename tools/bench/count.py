# SPDX-License-Identifier: MIT
"""./run.sh bench-count: instructions per operation, exactly, against the recorded numbers."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from runner import build, tree
from runner.errors import RunnerError

from . import figures, runs
from .rows import INSTRUCTIONS_OF_LINUX, number

RECORD = tree.ROOT / "tests" / "latency" / "instructions.json"
TESTS = "latency/instructions*"
WORDS = ("cpus=1", "icount=yes", f"tests={TESTS}")
COMPILER = re.compile(rb"GNU C\d+ [0-9.]+")  # of the debug information


@dataclass(frozen=True)
class Counts:
    """Instructions by figure name, and what they depend on."""

    compiler: str
    qemu: str
    figures: dict[str, float]

    @staticmethod
    def of_run(run: runs.Run) -> "Counts":
        """The test has passed: each operation took the same every time."""
        report = run.report
        compiler = COMPILER.search((run.directory / build.KERNEL).read_bytes())
        return Counts(
            compiler.group().decode() if compiler else "unknown compiler",
            report["emulation"]["qemu"].split()[0],
            {name: figure.value for name, figure in figures.of_report(report).items()},
        )

    @staticmethod
    def recorded(path: Path) -> "Counts | None":
        """None if nothing has been recorded yet."""
        if not path.is_file():
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
        return Counts(document["compiler"], document["qemu"], document["figures"])

    def record(self, path: Path) -> None:
        """Write the numbers that later runs are compared with."""
        whole = {name: int(n) if n == int(n) else n for name, n in self.figures.items()}
        document = {**vars(self), "figures": whole}
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    def table(self, before: "Counts | None") -> list[str]:
        """One line per operation; `before` is what was recorded."""
        rows = [("operation", "instructions", "recorded", "Linux 6.1")]
        known = before.figures if before else {}
        for name in [*self.figures, *(n for n in known if n not in self.figures)]:
            cells = (values.get(name) for values in (self.figures, known, INSTRUCTIONS_OF_LINUX))
            texts = ("-" if cell is None else number(cell) for cell in cells)
            rows.append((name.partition(".")[2], *texts))
        widths = [max(map(len, column)) for column in zip(*rows)]
        return [
            f"{row[0]:<{widths[0]}}" + "".join(f"  {c:>{w}}" for c, w in zip(row[1:], widths[1:]))
            for row in rows
        ]


def compare(now: Counts, before: Counts) -> tuple[list[str], list[str]]:
    """What is wrong (a count rose, or is gone) and what may be recorded (it fell, or is new)."""
    wrong, better = [], []
    for name, old in before.figures.items():
        new = now.figures.get(name)
        if new is None:
            wrong.append(f"{name}: {number(old)} were recorded, now it is not counted")
        elif new != old:
            text = f"{name}: {number(old)} -> {number(new)} instructions ({new - old:+g})"
            (wrong if new > old else better).append(text)
    better += [f"{name}: new" for name in now.figures if name not in before.figures]
    return wrong, better


def judge(command: str, now: Counts, before: Counts | None) -> int:
    """Say what changed. Returns the exit code: 1 if any count rose or is gone."""
    if not before:
        print(f"nothing has been recorded: {command} bench-count record")
        return 0
    wrong, better = compare(now, before)
    for text in wrong:
        print(f"WORSE {text}")
    for text in better:
        print(f"better {text}")
    changed = [
        f"{old}, now {new}"
        for old, new in (
            (before.compiler, now.compiler),
            (f"QEMU {before.qemu}", f"QEMU {now.qemu}"),
        )
        if old != new
    ]
    if changed and (wrong or better):
        print(f"note: recorded with {'; '.join(changed)}: that alone may change counts")
    if wrong:
        print(f"if that is meant: {command} bench-count record")
    elif better:
        print(f"to hold it from now on: {command} bench-count record")
    else:
        print(f"as recorded in {tree.shown(RECORD)}")
    return 1 if wrong else 0


def main(command: str, arguments: list[str]) -> int:
    """Count, compare or record. Returns the exit code."""
    if arguments not in ([], ["record"]):
        raise RunnerError(f"bench-count: 'record' or nothing, not {' '.join(arguments)!r}")
    run = runs.start(command, list(WORDS), tree.RUNS)
    if run.report["verdict"] != "PASS":
        print("\n".join([*run.reasons().values(), "nothing is compared"]))
        return run.report["exit_code"]
    now, before = Counts.of_run(run), Counts.recorded(RECORD)
    print("\ninstructions per operation, one core; each operation took the same every time")
    print("\n".join(now.table(before)) + "\n")
    if arguments:
        if tree.TWIN:
            raise RunnerError(f"the numbers of twin {tree.TWIN} are not recorded")
        now.record(RECORD)
        print(f"recorded: {tree.shown(RECORD)}")
        return 0
    return judge(command, now, before)
