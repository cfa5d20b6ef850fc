# SPDX-License-Identifier: MIT
"""One line of the table: what a row of rows.py says of one measurement."""

from . import figures
from .figures import Figure
from .rows import Row, number


class Measured:
    """The figures of one bench.json."""

    def __init__(self, document: dict):
        self.platforms = document["platforms"]
        self.figures = {
            name: figures.read_all(part["figures"]) for name, part in self.platforms.items()
        }

    def find(self, platform: str, name: str) -> Figure | None:
        """A figure of one platform."""
        return self.figures.get(platform, {}).get(name)

    def linux(self, row: Row) -> tuple[float, ...] | None:
        """Linux's value, or both ends of its range; None if there is none."""
        if not isinstance(row.linux, str):
            return row.linux
        figure = self.find("peers", row.linux)
        return (figure.value,) if figure else None

    def why_not(self, row: Row) -> str:
        """Why a row has no figure."""
        part = self.platforms.get(row.platform)
        if not part:
            return "nothing was run there"
        if not row.test:
            return "the run recorded no self-test, which needs two cores"
        said = part["not_passed"].get(row.test)
        if said:
            return f"{row.test} was {said}"
        if part["verdict"] not in ("PASS", "SKIP", "WEAK", "FAIL"):
            return f"the run ended with {part['verdict']}"
        return f"{row.test} gave no {row.figure}"


def quantity(value: float, unit: str) -> str:
    """With its unit, where that is not plain from the row."""
    if unit == "ns":
        power, name = next(x for x in ((1e6, "ms"), (1e3, "us"), (0, "ns")) if value >= x[0])
        return f"{number(value / (power or 1))} {name}"
    return number(value)


def shown(figure: Figure) -> str:
    """A count; or the median, and the quartiles where they differ from it."""
    text = quantity(figure.value, figure.unit)
    if figure.exact:
        return text
    low, high = (quantity(end / 1000, figure.unit) for end in figure.spread)
    return text if low == text == high else f"{text} ({low} to {high})"


def floor(row: Row, measured: Measured) -> str:
    """What cannot be gone below: counted, or measured in the same run."""
    if isinstance(row.floor, str):
        figure = measured.find(row.platform, row.floor)
        return quantity(figure.value, figure.unit) if figure else "not measured"
    return "" if row.floor is None else number(row.floor)


def is_beyond_floor(row: Row, measured: Measured, figure: Figure) -> bool:
    """Better than what was measured to be the best possible: something else was measured."""
    best = measured.find(row.platform, row.floor) if isinstance(row.floor, str) else None
    if not best:
        return False
    return figure.spread[0] > best.spread[1] if row.more else figure.spread[1] < best.spread[0]


def goals(row: Row, value: float) -> str:
    """Each goal, and by how much it is missed."""
    texts = []
    for goal in row.goals:
        met = value >= goal if row.more else value <= goal
        miss = max(value, goal) / min(value, goal) if value and goal else None
        by = f" by {number(miss)}x" if miss else ""
        texts.append(f"{number(goal)} {'met' if met else 'missed' + by}")
    return ", ".join(texts)


def ratio(row: Row, value: float, linux: tuple[float, ...]) -> str:
    """How many times better than Linux; a range if Linux's is one."""
    if not value or not all(linux):
        return ""
    ends = sorted(value / x if row.more else x / value for x in linux)
    return " to ".join(number(end) for end in (ends[0], ends[-1])[: len(ends)])


def cells(row: Row, measured: Measured, notes: list[str]) -> tuple[str, ...]:
    """One line; what was not measured adds its reason to `notes`."""
    linux = measured.linux(row)
    figure = measured.find(row.platform, row.figure)
    unit = figure.unit if figure else ""
    if row.linux is None:
        theirs = ""
    elif linux is None:
        theirs = f"not measured [{row.source}]"
    else:
        theirs = f"{' to '.join(quantity(x, unit) for x in linux)} [{row.source}]"
    head = (str(row.merit), row.text, floor(row, measured))
    if not figure:
        why = measured.why_not(row)
        if why not in notes:
            notes.append(why)
        here = f"not measured ({notes.index(why) + 1})"
        return (*head, here, theirs, ", ".join(number(g) for g in row.goals), "")
    if is_beyond_floor(row, measured, figure):
        return (*head, f"{shown(figure)}: beyond its floor, not believed", theirs, "", "")
    return (
        *(*head, shown(figure), theirs, goals(row, figure.value)),
        ratio(row, figure.value, linux) if linux else "",
    )
