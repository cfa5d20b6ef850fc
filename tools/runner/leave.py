# SPDX-License-Identifier: MIT
"""The files of a finished run, and the last lines on the terminal."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from . import follow, junit, summary, symbolize, tree
from .records import Records

# Lines of the report that are for the files, not for the terminal.
QUIET = (
    follow.START,
    "# replay: ",
    "# cpu ",
    "# time ",
    "# staleness ",
    "# cores ",
    "# health ",
    "# slice ",
    "# data ",
    "# hist ",
    "# Totals: ",
    "# note: ",
    follow.END,
)


def show(line: str) -> None:
    """One TAP line, live."""
    if line and not line.startswith(QUIET):
        print(line, flush=True)


def note_replay(run: Path, words: list[str]) -> str:
    """Write the command that repeats the run, and return it."""
    command = shlex.join(words)
    (run / "replay.cmd").write_text(command + "\n", encoding="utf-8")
    return command


@dataclass(frozen=True)
class Finished:
    """A run's directory, what the machine reported, and the executable that ran."""

    run: Path
    found: Records
    tap: list[str]
    executable: Path

    def trace(self) -> list[str]:
        """The symbolised text of a panic or a hang."""
        if not (self.found.hang or self.found.panic):
            return []
        lines = [line for line in self.tap if not line.startswith(QUIET)]
        return symbolize.symbolize(lines, self.executable)

    def leave(self, document: dict) -> None:
        """Write the report and what is made from it; print notes and the five lines."""
        run = self.run
        tap = "".join(f"{line}\n" for line in self.tap)
        (run / "report.tap").write_text(tap, encoding="utf-8")
        (run / "report.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        (run / "junit.xml").write_bytes(junit.render(document))
        text = summary.full(document, tree.shown(run), self.trace())
        (run / "summary.txt").write_text(text, encoding="utf-8")
        print("\n".join([*summary.notes(document), *summary.five_lines(document, tree.shown(run))]))
