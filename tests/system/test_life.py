# SPDX-License-Identifier: MIT
"""The runner's life with the machine: ends of every kind, runs side by side, gdb."""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from support import Runner, qemu_of

LONG = ("cpus=2", "tests=stress/*", "seconds=60", "seed=0x5eed")


def check_cut(result, words: str) -> None:
    """A cut run keeps what was recorded."""
    result.expect("CUT", 7)
    report = result.report
    assert words in report["reason"], report["reason"]
    assert (
        report["start"]
        and report["cpu"]
        and report["plan"]["tests"] == ["stress/main"]
        and not report["tests"]
    )
    assert "0 of 1 tests were recorded, then stress/main" in report["reason"]
    assert result.file("report.tap").startswith("TAP version 14\n")
    assert 'errors="1"' in result.file("junit.xml")


@pytest.mark.parametrize(
    "number, words",
    [(signal.SIGKILL, "SIGKILL"), (signal.SIGTERM, "terminating on signal 15")],
    ids=["SIGKILL", "SIGTERM"],
)
def test_qemu_killed_half_way(crossmod, number, words):
    crossmod.start(*LONG)
    directory = crossmod.wait_for("serial.log", "1..1 #")
    os.kill(qemu_of(directory), number)
    check_cut(crossmod.wait(), words)
    assert (directory / "disk.img").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_the_runner_stopped_half_way_takes_qemu_with_it(crossmod, number):
    crossmod.start(*LONG)
    directory = crossmod.wait_for("serial.log", "1..1 #")
    machine = qemu_of(directory)
    crossmod.process.send_signal(number)
    check_cut(crossmod.wait(), number.name)
    assert not Path(f"/proc/{machine}").exists()


def test_the_runner_killed_outright_leaves_no_machine(crossmod):
    crossmod.start(*LONG)
    machine = qemu_of(crossmod.wait_for("serial.log", "1..1 #"))
    crossmod.process.kill()
    crossmod.process.wait()
    for _ in range(100):
        if not Path(f"/proc/{machine}").exists():
            return
        subprocess.run(["sleep", "0.1"], check=True)
    raise AssertionError("QEMU outlived the runner")


def test_the_time_limit(crossmod):
    result = crossmod.run(*LONG, "limit=8").expect("CUT", 7)
    assert "time limit of 8 s" in result.report["reason"]
    assert 7 < result.report["emulation"]["seconds"] < 20


def test_two_runs_side_by_side_and_from_another_directory(tree, tmp_path):
    runners = [Runner(tree, tmp_path / "runs"), Runner(tree, tmp_path / "runs")]
    for number, runner in enumerate(runners):
        runner.start("cpus=2", "tests=unit/ipi*", f"seed={number + 1}", cwd=tmp_path)
    results = [runner.wait() for runner in runners]
    assert [r.code for r in results] == [0, 0], results
    for number, result in enumerate(results):
        files = shlex.split(next(line for line in result.lines if line.startswith("files: ")))[1]
        result.directory = (tmp_path / files).resolve()
        assert result.report["start"]["seed"] == hex(number + 1)
    assert results[0].directory != results[1].directory
    assert (tmp_path / "runs" / "last").resolve() in [r.directory for r in results]


def test_the_replay_command_repeats_the_run(crossmod, tree):
    first = crossmod.run("cpus=2", "tests=unit/ipi*").expect("PASS", 0)
    words = shlex.split(first.file("replay.cmd"))[1:]
    assert first.lines[-1] == f"replay: {first.file('replay.cmd').strip()}"
    second = Runner(tree, crossmod.runs / "again").run(*words).expect("PASS", 0)
    assert second.report["start"]["seed"] == first.report["start"]["seed"]
    assert second.report["plan"] == first.report["plan"]


def test_gdb_stops_at_kernel_main(crossmod):
    if not shutil.which("gdb"):
        pytest.skip("gdb is not installed")
    result = crossmod.run("gdb", "cpus=2")
    assert result.code == 0, result.text
    assert (
        "Breakpoint 1, kernel_main" in result.text and "kernel/main.c" in result.text
    ), result.text


def test_missing_packages_are_named_with_the_command_to_type(tree):
    script = (
        f". {tree}/tools/packages.sh; "
        "packages_install 'sh sh\nno-such-package /no/such/file no-such-command' no"
    )
    result = subprocess.run(
        ["bash", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "missing: no-such-package." in result.stdout
    assert "apt-get install -y --no-install-recommends no-such-package" in result.stdout


def test_help_shows_words_environment_and_exit_codes(tree):
    result = subprocess.run(
        [tree / "run.sh", "--no-install", "help"], stdout=subprocess.PIPE, text=True, check=True
    )
    for text in ("cpus", "accel", "seconds", "OVMF_CODE", "CROSSMOD_CFG", "77 SKIP"):
        assert text in result.stdout
