# SPDX-License-Identifier: MIT
"""Fixtures of the system tests: the source tree, and a way to run ./run.sh."""

import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TREE / "tools"))

from runner.tree import OUT  # noqa: E402
from support import Runner  # noqa: E402


@pytest.fixture(scope="session")
def tree() -> Path:
    """The source tree."""
    return TREE


@pytest.fixture(scope="session")
def out() -> Path:
    """The build directory, built by run.sh before the tests."""
    return OUT


@pytest.fixture
def crossmod(tmp_path: Path) -> Runner:
    """Runs ./run.sh; the runs' directories lie in the test's own temporary directory."""
    return Runner(TREE, tmp_path / "runs")
