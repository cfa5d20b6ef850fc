# SPDX-License-Identifier: MIT
"""./run.sh bench-compare A B: what became worse from A to B, without believing a clock.

Exact figures are compared exactly. Of sampled ones only the ratios of the table are, because both of
their sides met the same disturbances: the medians must differ by more than BAND and the quartile
ranges must not overlap. Absolute times and rates are never compared, and of other ratios nobody has
said which way is better.
"""

from pathlib import Path

from runner.errors import RunnerError

from . import measure
from .figures import Figure
from .rows import ROWS, number
from .cells import Measured

BAND = 0.10
RATIOS = {row.figure for row in ROWS}
MORE_IS_BETTER = {row.figure for row in ROWS if row.more}


def differ(old: Figure, new: Figure) -> bool:
    """Is there a difference that counts?"""
    if old.exact and new.exact:
        return old.milli != new.milli
    (a, b), (c, d) = old.spread, new.spread
    return (b < c or d < a) and abs(new.milli - old.milli) > BAND * abs(old.milli)


def comparable(old: Figure, new: Figure, same_machine: bool) -> bool:
    """A count on any machine, a ratio of the table on the same one."""
    if old.unit != new.unit or old.exact != new.exact:
        return False
    return old.exact or (old.unit == "ratio" and old.name in RATIOS and same_machine)


def compare(old: dict, new: dict) -> dict[str, list[str]]:
    """Lines by kind: worse, better, missing, new."""
    found: dict[str, list[str]] = {"worse": [], "better": [], "missing": [], "new": []}
    before, after = Measured(old), Measured(new)
    same = all(old["machine"][k] == new["machine"][k] for k in ("brand", "processors"))
    for platform, names in before.figures.items():
        for name, a in names.items():
            b = after.find(platform, name)
            if not b:
                found["missing"].append(f"{platform} {name}")
            elif comparable(a, b, same) and differ(a, b):
                rose = b.milli > a.milli
                kind = "better" if rose == (name in MORE_IS_BETTER) else "worse"
                found[kind].append(f"{platform} {name}: {number(a.value)} -> {number(b.value)}")
    for platform, names in after.figures.items():
        found["new"] += [f"{platform} {n}" for n in names if not before.find(platform, n)]
    return found


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 if anything became worse."""
    if len(arguments) != 2:
        raise RunnerError("bench-compare: two bench.json, or directories that have one")
    old, new = (measure.load(Path(a)) for a in arguments)
    found = compare(old, new)
    if old["machine"]["brand"] != new["machine"]["brand"]:
        print("two machines: only exact counts are compared")
    for kind, lines in found.items():
        for line in lines:
            print(f"{kind:<8}{line}")
    if not found["worse"]:
        print("nothing became worse")
    return 1 if found["worse"] else 0
