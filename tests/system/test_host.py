# SPDX-License-Identifier: MIT
"""The pure code's unit tests (tests/host/), built for this machine with sanitizers."""

import re
import subprocess
from pathlib import Path

import pytest
from runner import build

HOST = Path(__file__).parent.parent / "host"
PROGRAMS = sorted(p.stem for p in HOST.glob("test_*.c"))
# Programs with a planted fault, from the lists NAME_TWINS of tests/host/*.mk.
TWINS = sorted(
    name
    for makefile in HOST.glob("*.mk")
    for name in re.findall(r"^ +tests/(?:host/)?twins/(\w+)\.c", makefile.read_text("utf-8"), re.M)
)


def run(out, program):
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
    return result


@pytest.mark.parametrize("program", PROGRAMS)
def test_host(out, program):
    result = run(out, program)
    assert result.returncode == 0
    assert "PASSED" in result.stdout, "no test ran"


@pytest.mark.parametrize("twin", TWINS)
def test_a_planted_fault_is_found(out, twin):
    result = run(out, f"twin_{twin}")
    assert result.returncode != 0
    assert "FAILED TEST(S)" in result.stdout, "it crashed: no test has judged it"


def test_there_are_host_tests_and_faults():
    assert PROGRAMS and set(TWINS) >= {p.stem for p in (HOST / "twins").glob("*.c")}
