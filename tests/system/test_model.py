# SPDX-License-Identifier: MIT
"""The model machine: the unchanged engine on simulated cores that may fetch stale bytes."""

import re
import subprocess

from runner import build


def run(*command):
    return subprocess.run(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )


def test_the_views_themselves(out):
    with build.locked():
        build.make("model/test_text")
    result = run(out / "model" / "test_text")
    assert result.returncode == 0 and "PASSED" in result.stdout, result.stdout


def test_the_engine_is_clean_and_every_fault_is_found(tree):
    result = run(tree / "run.sh", "--no-install", "model")
    last = result.stdout.splitlines()[-1]
    assert result.returncode == 0, result.stdout
    assert last.startswith("model: engine clean in ") and last.endswith("as expected"), last
    assert re.search(r"; (\d+) of \1 faults found; ", last), last
    for family in ("single sites", "batches of two", "cores that leave", "nested by NMI"):
        for view in ("any", "vendor"):
            clean = rf"(?m)^engine  view {view} +2 cores  {family} .* [1-9]\d* states .* clean$"
            assert re.search(clean, result.stdout), (family, view)


def test_a_wrong_word_is_an_error(tree):
    result = run(tree / "run.sh", "--no-install", "model", "view=sideways")
    assert result.returncode not in (0, 1), result.stdout
    assert "view=sideways" in result.stdout
