# SPDX-License-Identifier: MIT
"""The peers of ./run.sh bench: they give figures, or the reason; the system is left as it was."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from bench import figures, peers
from runner import build


@pytest.fixture(name="program", scope="session")
def fixture_program(out) -> Path:
    """The peers' program as gcc builds it: without XRay."""
    with build.locked():
        build.make("host/bench-peers")
    return out / "host" / "bench-peers"


@pytest.fixture(name="key")
def fixture_key(tmp_path) -> Path:
    """A file like a sysctl: a number and a line end."""
    path = tmp_path / "key"
    path.write_text("1\n", encoding="ascii")
    return path


def test_the_peers_give_figures_and_put_the_value_back(program, key):
    document = peers.run(program, ["/nowhere/sysctl", str(key)])
    found = figures.read_all(document["figures"])
    assert document["sysctl"] == str(key) and key.read_text("ascii") == "1\n"
    if document["rounds"]:
        assert {"peer.linux_static_key_ns", "peer.membarrier_sync_core_ns"} <= set(found)
        assert (
            found["peer.three_membarriers_ns"].milli > found["peer.membarrier_sync_core_ns"].milli
        )
    assert document["skipped"] == {"xray": "this program was built without it"}


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name
)
def test_however_the_peers_end_the_value_is_put_back(program, key, number):
    with subprocess.Popen([program, key], stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 20
        while key.read_text("ascii") == "1\n":  # until it is seen flipped
            assert process.poll() is None and time.monotonic() < deadline
        process.send_signal(number)
    assert process.returncode == -number
    deadline = time.monotonic() + 20
    while key.read_text("ascii") != "1\n":
        assert time.monotonic() < deadline, "nobody put it back"
    time.sleep(0.2)
    assert key.read_text("ascii") == "1\n"


def test_a_file_that_may_not_be_written_is_skipped_with_the_reason(program, tmp_path):
    if os.geteuid():
        pytest.skip("needs root, to become somebody who may not")
    key = Path("/proc/sys/kernel/timer_migration")
    result = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", program, key],
        stdout=subprocess.PIPE,
        check=True,
    )
    document = json.loads(result.stdout)
    assert "needs root" in document["skipped"]["linux_static_key"]
    assert "sysctl" not in document


def test_no_such_sysctl_and_no_number_are_reasons(program, tmp_path):
    text = tmp_path / "text"
    text.write_text("words\n", encoding="ascii")
    document = peers.run(program, ["/nowhere/sysctl", str(text)])
    assert "none of the files" in document["skipped"]["linux_static_key"]
    assert text.read_text("ascii") == "words\n"


def test_xray_patches_or_is_absent_with_the_reason(monkeypatch, out, key):
    if peers.xray_obstacle() is None:
        with build.locked():
            build.make("host/bench-peers-xray")
        document = peers.run(out / "host" / "bench-peers-xray", [str(key)])
        assert document["skipped"] == {}
        if document["rounds"]:
            assert {"peer.xray_sled_ns", "peer.xray_function_ns"} <= set(
                figures.read_all(document["figures"])
            )
    monkeypatch.setattr(peers.shutil, "which", lambda name: None)
    assert "clang is not installed" in peers.xray_obstacle()
    monkeypatch.setattr(peers.shutil, "which", lambda name: "/bin/echo")
    assert "XRay runtime is not installed" in peers.xray_obstacle()
