# SPDX-License-Identifier: MIT
"""The stand-alone reproducer of an emulator's stale code still shows it, and still can pass."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path("docs", "reproducers", "qemu-mttcg-stale-code", "stale.asm")
QEMU = "qemu-system-x86_64"
PATCHES = 50  # in each row: few, because beside other work one takes 10 ms
ROWS = 10
SECONDS = 9  # for one run: four of them stay below 40
NONE_STALE, STALE = 33, 35
ROW = re.compile(r"^(\w[\w ,]*?)((?: +\d+){5})$", re.MULTILINE)


@dataclass
class Row:
    """One line of the reproducer's table."""

    name: str
    executions: int
    stale: int
    patches: int
    last: int
    published: int


def run(image: Path, thread: str) -> tuple[int | None, list[Row], str]:
    """Exit code (None: cut off), table and whole output of one run."""
    command = [QEMU, "-accel", f"tcg,thread={thread}", "-smp", "2", "-kernel", image]
    command += ["-display", "none", "-serial", "stdio", "-no-reboot"]
    command += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    try:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
        code, raw = result.returncode, result.stdout
    except subprocess.TimeoutExpired as cut:
        code, raw = None, cut.stdout or b""
    text = raw.decode(errors="replace").replace("\r", "")
    rows = [Row(name, *map(int, numbers.split())) for name, numbers in ROW.findall(text)]
    return code, rows, text


@pytest.fixture(scope="module")
def image(tree, tmp_path_factory) -> Path:
    """The reproducer, assembled with its README's command but for the number of patches."""
    for tool in ("nasm", QEMU):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    path = tmp_path_factory.mktemp("reproducer") / "stale.bin"
    command = ["nasm", "-f", "bin", f"-DPATCHES={PATCHES}", tree / SOURCE, "-o", path]
    subprocess.run(command, check=True)
    return path


def test_nothing_is_stale_where_cpus_take_turns(image):
    code, rows, text = run(image, "single")
    assert code == NONE_STALE and len(rows) == ROWS, text
    for index, row in enumerate(rows):
        assert row.stale == row.patches == 0, text
        assert row.executions > 16 * PATCHES, text
        assert row.last == row.published == (index + 1) * PATCHES, text


def test_stale_where_each_cpu_has_a_thread(image):
    for _ in range(3):
        code, rows, text = run(image, "multi")
        stale = any(row.stale for row in rows)
        assert code in (None, STALE if stale else NONE_STALE), text
        assert code is None or len(rows) == ROWS, text
        assert all(row.patches <= min(PATCHES, row.stale) for row in rows), text
        if stale:
            return
    pytest.fail(f"no stale execution in three runs:\n{text}")
