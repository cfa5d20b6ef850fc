#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make a file below results/ from a finished run: `contribute.py COMMAND [RUN]`.

RUN is a run's directory (default: the last one), a report.json, or the records of a run without
run.sh: report.jsonl from a stick, crossmod.jsonl of the process.
"""

import json
from pathlib import Path

from runner import entry, result, tree
from runner.errors import RunnerError


def write(source: Path, results: Path) -> Path:
    """Check the run and write its result."""
    run = result.load(source)
    result.refuse(run)
    document = result.document(run)
    path = result.path_below(results, document)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    return path


def main(_command: str, arguments: list[str]) -> int:
    """Returns the exit code."""
    if len(arguments) > 1:
        raise RunnerError("contribute: one run at a time")
    source = Path(arguments[0]) if arguments else tree.RUNS / "last"
    path = write(source, tree.ROOT / "results")
    print(f"written: {tree.shown(path)}; results/README.md says how to send it")
    return 0


if __name__ == "__main__":
    entry.enter(main)
