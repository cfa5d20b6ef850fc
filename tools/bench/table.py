# SPDX-License-Identifier: MIT
"""The table of a bench.json: as text for a terminal, as Markdown for docs/performance.md."""

import re
from pathlib import Path
from typing import Callable

from runner.errors import RunnerError

from .cells import Measured, cells, shown
from .rows import PLATFORMS, ROWS, SOURCES

HEAD = ("#", "figure", "floor", "here", "Linux", "goal", "ratio")
LEGEND = (
    "here: an exact count, or the median with its quartiles. ratio: how many times better than"
    " Linux; a comparison of two machines unless both were measured in this run."
)
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
SCALING = re.compile(r"scaling\.(\w+)_(\d+)")
SCALED = ("broadcasts_per_patch", "acknowledgements_per_patch")
TIMED = ("patch", "broadcast", "patch_over_broadcast")
WIDE = (4, 16, 64, 255)  # cores that are shown of a machine that has more than this one
SYNCS = 3  # of the protocol: docs/performance.md, Scaling
Table = list[tuple[str, ...]]  # the first line is its head


def merits(measured: Measured, platform: str, notes: list[str]) -> Table:
    """The figures of merit on one platform."""
    return [HEAD, *(cells(row, measured, notes) for row in ROWS if row.platform == platform)]


def scaling(measured: Measured) -> Table:
    """What a patch costs by the number of cores, of every machine."""
    heads = (name.replace("_", " ") for name in (*SCALED, "model", *TIMED))
    lines: Table = [("machine", "cores", *heads)]
    for platform in measured.platforms:
        by_cores: dict[int, dict[str, str]] = {}
        for name, figure in measured.figures[platform].items():
            match = SCALING.fullmatch(name)
            if match:
                by_cores.setdefault(int(match[2]), {})[match[1]] = shown(figure)
        wide = platform not in PLATFORMS
        for cores, texts in sorted(by_cores.items()):
            if wide and cores not in WIDE:
                continue
            # More virtual cores than real ones: their times are the host's scheduler's.
            if wide:
                texts = {name: text for name, text in texts.items() if name in SCALED}
            counted, timed = ([texts.get(n, "") for n in names] for names in (SCALED, TIMED))
            model = f"{SYNCS}, {SYNCS * cores}"
            lines.append((platform, str(cores), *counted, model, *timed))
    return lines


def floors(measured: Measured) -> Table:
    """What was measured beside the patches."""
    both = ("tcg", "cores")
    names = dict.fromkeys(
        name for p in both for name in measured.figures.get(p, {}) if name.startswith("floor.")
    )
    lines = []
    for name in names:
        found = (measured.find(platform, name) for platform in both)
        lines.append((spoken(name), *(shown(figure) if figure else "" for figure in found)))
    return [("floor", "TCG", "real cores"), *lines]


def peers(measured: Measured) -> Table:
    """What else patches code on these processors, and what is absent."""
    part = measured.platforms.get("peers")
    if not part:
        return []
    found = measured.figures["peers"].items()
    lines = [(spoken(name).removesuffix(" ns"), shown(figure)) for name, figure in found]
    absent = part["not_passed"].items()
    lines += [(name.replace("_", " "), f"not measured: {why}") for name, why in absent]
    return [("peer", "measured"), *lines]


def spoken(name: str) -> str:
    """A figure's name without its family."""
    return name.partition(".")[2].replace("_", " ")


def aligned(lines: Table) -> list[str]:
    """Columns for a terminal."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return ["  ".join(f"{c:<{w}}" for c, w in zip(line, widths)).rstrip() for line in lines]


def piped(lines: Table) -> list[str]:
    """Columns of Markdown."""
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return [rows[0], "|" + "---|" * len(lines[0]), *rows[1:]]


def _first_line(document: dict) -> str:
    machine = document["machine"]
    return (
        f"{machine['brand']}, {machine['processors']} processors, hypervisor:"
        f" {machine['hypervisor'] or 'none'}; {machine['kernel']}; Crossmod"
        f" {document['crossmod']} build {document['build']}; {document['time']} UTC, load before"
        f" {machine['load_before']}; `{document['command']}`"
    )


def _render(document: dict, heading: str, draw: Callable[[Table], list[str]]) -> str:
    measured, notes = Measured(document), []
    sections = {title: merits(measured, p, notes) for p, title in PLATFORMS.items()}
    sections |= {
        "by the number of cores": scaling(measured),
        "floors, measured in the same runs": floors(measured),
        "what else there is on these cores": peers(measured),
    }
    out = [_first_line(document), ""]
    for title, lines in sections.items():
        if len(lines) > 1:
            out += [heading + title, "", *draw(lines), ""]
    used = sorted({row.source for row in ROWS if row.source})
    out += [LEGEND, "", *(f"- [{key}] {SOURCES[key]}" for key in used)]
    if notes:
        out += ["", "Not measured:", "", *(f"- ({i}) {why}" for i, why in enumerate(notes, 1))]
    return "\n".join(out) + "\n"


def text(document: dict) -> str:
    """For the terminal."""
    return _render(document, "== ", aligned)


def markdown(document: dict) -> str:
    """For docs/performance.md."""
    return _render(document, "### ", piped)


def paste(path: Path, document: dict) -> None:
    """Put the table between the markers of `path`."""
    old = path.read_text(encoding="utf-8")
    before, begin, rest = old.partition(BEGIN + "\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RunnerError(f"{path}: it lacks the lines {BEGIN} and {END}")
    path.write_text(f"{before}{begin}\n{markdown(document)}\n{end}{after}", encoding="utf-8")
