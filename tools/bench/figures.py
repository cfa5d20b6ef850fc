# SPDX-License-Identifier: MIT
"""Figures: what a measurement comes down to (tests/lib/figure.h, hosted/bench/peers/)."""

from dataclasses import asdict, dataclass

from runner.errors import RunnerError


@dataclass(frozen=True)
class Figure:
    """An exact count, or the median of `n` samples with its quartiles. Thousandths of `unit`."""

    name: str
    unit: str
    milli: int
    exact: bool
    low: int | None = None
    high: int | None = None
    n: int | None = None

    @property
    def value(self) -> float:
        """In `unit`."""
        return self.milli / 1000

    @property
    def spread(self) -> tuple[int, int]:
        """The quartiles, in thousandths; an exact count has none but itself."""
        return (self.milli, self.milli) if self.exact else (self.low, self.high)

    def as_dict(self) -> dict:
        """As it stands in a report: an exact count has no quartiles."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @staticmethod
    def read(item: object) -> "Figure":
        """Check what a report says; RunnerError names the figure."""
        needed = {"name": str, "unit": str, "milli": int, "exact": bool}
        if isinstance(item, dict) and item.get("exact") is False:
            needed |= dict.fromkeys(("low", "high", "n"), int)
        if not isinstance(item, dict) or {k: type(v) for k, v in item.items()} != needed:
            raise RunnerError(f"not a figure: {item}")
        return Figure(**item)


def read_all(items: list) -> dict[str, Figure]:
    """By name. A name that comes twice says nothing."""
    found: dict[str, Figure] = {}
    for figure in map(Figure.read, items):
        if figure.name in found:
            raise RunnerError(f"figure {figure.name} was given twice")
        found[figure.name] = figure
    return found


def of_report(report: dict) -> dict[str, Figure]:
    """Those of all tests of one run."""
    return read_all([item for data in report["data"] for item in data.get("figures", [])])
