# SPDX-License-Identifier: MIT
"""Source lines for the addresses of a backtrace."""

import re
import shutil
import subprocess
from pathlib import Path

ADDRESS = re.compile(r"^# BT (0x[0-9a-f]+)")


def lookup_addresses(lines: list[str]) -> list[tuple[int, int]]:
    """(line, address to look up) of each backtrace line.

    All but the first address of a backtrace are return addresses: the call lies one byte before.
    """
    found = []
    inside = False
    for index, line in enumerate(lines):
        match = ADDRESS.match(line)
        if match:
            found.append((index, int(match.group(1), 16) - (1 if inside else 0)))
        inside = bool(match)
    return found


def symbolize(lines: list[str], kernel: Path) -> list[str]:
    """The same lines, each of a backtrace followed by function and source line (inlined too)."""
    wanted = lookup_addresses(lines)
    tool = shutil.which("x86_64-linux-gnu-addr2line") or shutil.which("addr2line")
    if not wanted or not tool or not kernel.is_file():
        return lines
    answer = subprocess.run(
        [tool, "-apfie", kernel, *(hex(a) for _, a in wanted)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    ).stdout
    # With -a each answer begins with its address; inlined callers follow on lines of their own.
    blocks = re.split(r"^0x[0-9a-f]+: ", answer, flags=re.MULTILINE)[1:]
    sources = dict(zip((index for index, _ in wanted), blocks))
    result = []
    for index, line in enumerate(lines):
        result.append(line)
        for source in sources.get(index, "").rstrip().split("\n"):
            if source and not source.startswith("??"):
                result.append(f"#      {source.strip()}")
    return result
