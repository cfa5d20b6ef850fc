# SPDX-License-Identifier: MIT
"""Build by make, and take what one run needs out of the build directory."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterator

from . import tree
from .errors import RunnerError

IMAGE = "disk.img"
KERNEL = "kernel.elf"
LOADER = "BOOTX64.EFI"
MKIMAGE = tree.ROOT / "tools" / "mkimage"
REPORTS = "/reports"


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Only one process at a time writes to the build directory, or takes a product out of it."""
    tree.OUT.mkdir(parents=True, exist_ok=True)
    with open(tree.OUT / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def out_argument() -> str:
    """make's name of the build directory. `out` must stay `out`: dependency files contain it."""
    return (
        str(tree.OUT.relative_to(tree.ROOT))
        if tree.OUT.is_relative_to(tree.ROOT)
        else str(tree.OUT)
    )


def make(*products: str, twin: str = "") -> None:
    """Bring products (paths below the build directory) up to date. The caller holds the lock."""
    out = out_argument()
    command = ["make", "-C", str(tree.ROOT), "-s", f"-j{os.cpu_count()}"]
    # A make above this one must not lend its job server: its pipe is not inherited.
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    if subprocess.run(
        [*command, f"O={out}", f"TWIN={twin}", *(f"{out}/{p}" for p in products)],
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode:
        raise RunnerError("the build failed; make's messages are above")


def make_image() -> None:
    """The loader with the kernel in it: the right one, or the twin that was asked for."""
    make(str((tree.KERNEL / LOADER).relative_to(tree.OUT)), twin=tree.TWIN)


def stage(run: Path, config: str | None) -> None:
    """Make the run's own boot image, with `config` as crossmod.cfg, and keep the kernel.

    The caller holds the lock.
    """
    command = [MKIMAGE, run / IMAGE, tree.KERNEL / LOADER]
    if config:
        if not Path(config).is_file():
            raise RunnerError(f"CROSSMOD_CFG={config}: no such file")
        command.append(Path(config))
    if subprocess.run(command, check=False).returncode:
        raise RunnerError("there is no image to boot; mkimage's message is above")
    keep(tree.KERNEL / KERNEL, run)


def keep(product: Path, run: Path) -> None:
    """Have `product` in the run's directory. The caller holds the lock.

    It is linked, not copied: a later build writes a new file.
    """
    try:
        os.link(product, run / product.name)
    except OSError:  # another file system
        shutil.copy2(product, run / product.name)


def _image(action: str, image: Path, path: str) -> bytes | None:
    result = subprocess.run(
        [MKIMAGE, action, image, path],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return result.stdout if result.returncode == 0 else None


def extract(image: Path, path: str) -> bytes | None:
    """A file of the image, None if it is not there."""
    return _image("--extract", image, path)


def newest_report(image: Path) -> str | None:
    """Where on the image the last run left its report: "/reports/NNNN-date", None if nowhere."""
    listed = (_image("--list", image, REPORTS) or b"").decode("ascii", "replace").split()
    names = [name.rstrip("/").rpartition("/")[2] for name in listed]
    numbered = [(int(n.partition("-")[0]), n) for n in names if re.match(r"\d+-", n)]
    return f"{REPORTS}/{max(numbered)[1]}" if numbered else None


if __name__ == "__main__":
    try:
        with locked():
            make(*sys.argv[1:])
    except RunnerError as error:
        sys.exit(f"run.sh: {error}")
