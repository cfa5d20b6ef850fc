# SPDX-License-Identifier: MIT
"""The pure code's unit tests (tests/host/), built for this machine with sanitizers."""

import subprocess
from pathlib import Path

import pytest
from runner import build

PROGRAMS = sorted(p.stem for p in (Path(__file__).parent.parent / "host").glob("test_*.c"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_host(out, program):
    with build.locked():
        build.make(f"host/{program}")
    result = subprocess.run(
        [out / "host" / program],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    print(result.stdout)
    assert result.returncode == 0
    assert "PASSED" in result.stdout, "no test ran"


def test_there_are_host_tests():
    assert PROGRAMS
