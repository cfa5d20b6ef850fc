# SPDX-License-Identifier: MIT
"""The fuzzers (tests/fuzz/): they run, they reach what they are for, and they find what is planted."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from runner import build

SECONDS = 15  # of each fuzzer
SEED = 0x5EED1234
FUZZ = Path(__file__).parent.parent / "fuzz"
FUZZERS = sorted(p.stem for p in FUZZ.glob("*.seeds"))
TWINS = re.findall(r"^ +(\w+):\S*?(\w+)\.c:\S+\.c", (FUZZ / "fuzz.mk").read_text("utf-8"), re.M)


def run(out, tmp_path, fuzzer, program, artifacts):
    with build.locked():
        build.make(f"fuzz/{program}", f"fuzz/{fuzzer}.corpus")
    corpus = shutil.copytree(out / "fuzz" / f"{fuzzer}.corpus", tmp_path / "corpus")
    result = subprocess.run(
        [
            out / "fuzz" / program,
            *(f"-seed={SEED}", f"-max_total_time={SECONDS}", "-max_len=512", "-timeout=60"),
            f"-artifact_prefix={artifacts}",
            corpus,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=20 * SECONDS,
        check=False,
    )
    text = result.stdout.decode(errors="replace")
    print(text[-4000:])
    return result.returncode, text


@pytest.mark.parametrize("fuzzer", FUZZERS)
def test_nothing_is_found(out, tmp_path, fuzzer):
    code, text = run(out, tmp_path, fuzzer, fuzzer, out / "fuzz" / f"{fuzzer}-")
    assert code == 0, f"an input that fails lies in {out}/fuzz/, if the last lines name one"
    reached = dict(re.findall(r"(\w+)=(\d+)", re.search(r"^reached:(.*)$", text, re.M)[1]))
    assert reached and not [name for name, count in reached.items() if count == "0"]


@pytest.mark.parametrize("fuzzer, twin", TWINS)
def test_a_planted_fault_is_found(out, tmp_path, fuzzer, twin):
    code, text = run(out, tmp_path, fuzzer, f"{fuzzer}_{twin}", tmp_path / "found-")
    # By an oracle, or by the sanitizer: an unsorted table may also run over its end.
    assert code != 0 and re.search("SUMMARY: (libFuzzer: deadly signal|AddressSanitizer)", text)
    assert list(tmp_path.glob("found-crash-*"))


def test_there_are_fuzzers_and_faults():
    assert {fuzzer for fuzzer, _ in TWINS} == set(FUZZERS) != set()
