# SPDX-License-Identifier: MIT
"""Where things are: the source tree, the build directory, one directory for each run."""

import os
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
OUT = Path(os.environ["CROSSMOD_OUT"]).absolute() if "CROSSMOD_OUT" in os.environ else ROOT / "out"
# A kernel that is broken on purpose (tests/twins/), instead of the right one.
TWIN = os.environ.get("CROSSMOD_TWIN", "")
KERNEL = OUT / "twins" / TWIN if TWIN else OUT
RUNS = Path(os.environ["CROSSMOD_RUNS"]).absolute() if "CROSSMOD_RUNS" in os.environ else OUT


def shown(path: Path) -> str:
    """A path as the user would type it: relative where it lies below the current directory."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def new_run() -> Path:
    """Create this run's directory. mkdir is atomic: two runs in one second get one each."""
    RUNS.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for attempt in range(1, 1000):
        run = RUNS / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        try:
            run.mkdir()
            return run
        except FileExistsError:
            continue
    raise FileExistsError(f"{RUNS}/{stamp}-*")


def mark_last(run: Path) -> None:
    """Point the symbolic link `last` at this run; by rename, so that it exists at every moment."""
    fresh = RUNS / f".last-{run.name}"
    fresh.symlink_to(run.name)
    fresh.rename(RUNS / "last")
