# SPDX-License-Identifier: MIT
"""The machine as a process: its suites on real cores, what it may be denied, its ends."""

import errno
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
import seccomp
from support import SECONDS
from test_faults import FAILS, OTHER_VERDICTS

CORES = len(os.sched_getaffinity(0))
two_cores = pytest.mark.skipif(CORES < 2, reason="this process may run on one processor only")
QUICK = ("tests=unit/work,unit/traps_decoded", "seed=0x5eed")
LACKING = "which a process does not have"


# ---- through run.sh ----


@pytest.fixture(name="schema", scope="session")
def fixture_schema(tree):
    text = (tree / "docs" / "report.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft7Validator(json.loads(text))


@two_cores
def test_the_suites_pass_on_real_cores(crossmod, schema):
    """Too little seen is the business of whoever else uses these cores; a wrong result is not."""
    result = crossmod.run("hosted", "tests=poke/*,unit/*,stress/*", "seconds=5", "seed=0x5eed")
    report = result.report
    schema.validate(report)
    ends = {test["name"]: (test["verdict"], test["reason"]) for test in report["tests"]}
    assert not [e for e in ends.items() if e[1][0] not in ("PASS", "SKIP", "WEAK")], ends
    assert sum(verdict == "WEAK" for verdict, _ in ends.values()) <= 5, ends
    result.expect(*(("WEAK", 4) if report["verdict"] == "WEAK" else ("PASS", 0)))
    assert re.match(r"(PASS|WEAK) \(as a process, on real cores\)", result.lines[-5])
    assert result.test("stress/main")["saw"]["executions"] > 100_000
    assert report["cpu"]["sync"] == "membarrier" and report["emulation"]["accel"] == "hosted"
    assert [c["state"] for c in report["copies"]] == ["same"]
    assert set(result.data("stress/main")["disturbed"]) == {
        "single_patches",
        "batches",
        "longest_ns",
    }
    skipped = [t["reason"] for t in report["tests"] if t["verdict"] == "SKIP"]
    assert any(r.endswith(LACKING) for r in skipped), skipped


def test_the_replay_command_and_the_files(crossmod):
    result = crossmod.run("hosted", *QUICK).expect("PASS", 0)
    assert result.lines[-1] == f"replay: {result.file('replay.cmd').strip()}"
    assert re.search(r"hosted .*seed=0x5eed$", result.lines[-1])
    files = re.search(r"\((.*)\)", result.lines[-2]).group(1).split()
    assert all((result.directory / name).is_file() for name in files), files
    assert result.file("report.tap") == result.file("crossmod.tap")


def test_the_time_limit(crossmod):
    result = crossmod.run("hosted", "tests=selftest/fault_hang", "limit=5").expect("CUT", 7)
    assert "time limit of 5 s" in result.report["reason"]
    assert result.file("crossmod.tap").endswith("# CUT by SIGTERM\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_the_runner_stopped_half_way_takes_the_program_with_it(crossmod, number):
    crossmod.start("hosted", "tests=selftest/fault_hang")
    program = program_of(crossmod.wait_for("output.log", "1..1 #"))
    crossmod.process.send_signal(number)
    result = crossmod.wait().expect("CUT", 7)
    assert number.name in result.report["reason"]
    assert not Path(f"/proc/{program}").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_the_program_killed_half_way(crossmod, number):
    crossmod.start("hosted", "tests=selftest/fault_hang")
    os.kill(program_of(crossmod.wait_for("output.log", "1..1 #")), number)
    result = crossmod.wait().expect("CUT", 7)
    assert number.name in result.report["reason"]
    assert "0 of 1 tests were recorded, then selftest/fault_hang" in result.report["reason"]


def test_a_mistake_has_the_kernel_s_words(crossmod, program):
    mistake = crossmod.run("hosted", "secnds=3")
    assert mistake.code == 3 and not mistake.directory
    sentence = mistake.text.strip().removeprefix(f"{crossmod.tree}/run.sh: ")
    assert program("secnds=3").bail_out() == sentence and "did you mean" in sentence


def test_variables_of_the_booted_kernel_are_refused(crossmod):
    result = crossmod.run("hosted", *QUICK, CROSSMOD_TWIN="wrong_return")
    assert result.code == 3 and "CROSSMOD_TWIN is for the kernel" in result.text


def program_of(directory: Path) -> int:
    """Process id of the program that runs in a run's directory."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "exe") == str(directory / "crossmod"):
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError(f"no program runs from {directory}")


# ---- alone: one file, copied to another machine ----


@dataclass
class Ended:
    """What the program left behind."""

    code: int
    output: str
    messages: str
    directory: Path

    def bail_out(self) -> str:
        """Its one sentence about why there is no run."""
        assert self.code == 3, self.output + self.messages
        assert "# END verdict=ERROR code=0x12" in self.output
        return re.search(r"^Bail out! (.*)$", self.output, re.MULTILINE).group(1)

    def passed(self) -> "Ended":
        """Exit status and end marker say so."""
        assert self.code == 0 and "# END verdict=PASS code=0x10" in self.output, self
        return self

    def cpu(self) -> dict:
        """Its record about the machine."""
        return json.loads(re.search(r"^# cpu (.*)$", self.output, re.MULTILINE).group(1))


@pytest.fixture(name="program")
def fixture_program(out, tmp_path):
    """Runs a copy of out/crossmod in a directory of its own."""
    path = tmp_path / "copied"
    shutil.copy2(out / "crossmod", path)
    directory = tmp_path / "work"
    directory.mkdir()

    def run(*words: str, prefix: tuple = (), **options) -> Ended:
        options = {"cwd": directory, "stdout": subprocess.PIPE, **options}
        result = subprocess.run(
            [*prefix, path, *words],
            text=True,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
            **options,
        )
        return Ended(result.returncode, result.stdout or "", result.stderr, directory)

    run.path, run.directory = path, directory
    return run


def test_it_needs_nothing_but_itself(program):
    ended = program(*QUICK, prefix=("env", "-i")).passed()
    assert (ended.directory / "crossmod.tap").read_text("utf-8") == ended.output
    records = (ended.directory / "crossmod.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(r)["type"] for r in (records[0], records[-1])] == ["start", "end"]
    result = subprocess.run(["ldd", program.path], stderr=subprocess.PIPE, text=True, check=False)
    assert "not a dynamic executable" in result.stderr


@two_cores
@pytest.mark.parametrize("name, reason", FAILS.items(), ids=FAILS)
def test_a_planted_fault_fails_on_real_cores(program, name, reason):
    """By a race, and on cores that others may use: three tries."""
    for seed in (1, 2, 3):
        ended = program(f"tests=selftest/{name}", f"seed={seed}")
        if ended.code == 1:
            break
    assert ended.code == 1, ended.output
    line = rf"^not ok 1 - selftest/{name} # FAIL (?:{reason})"
    assert re.search(line, ended.output, re.MULTILINE), ended.output


ENDS = {**OTHER_VERDICTS, "fault_panic": ("PANIC", 5), "fault_hang": ("HANG", 6)}
ENDS["fault_no_stack_gap"] = ("SKIP", 77)  # needs an IDT of its own
ENDS["fault_panic_elsewhere"] = ("PANIC", 5)
ENDS["fault_starved_store"] = ("FAIL", 1)


@two_cores
@pytest.mark.parametrize("name, verdict, code", [(n, *e) for n, e in ENDS.items()], ids=ENDS)
def test_every_verdict_has_its_exit_status(program, name, verdict, code):
    ended = program(f"tests=selftest/{name}", "hang=1")
    assert ended.code == code, ended.output
    assert re.search(rf"^# END verdict={verdict} ", ended.output, re.MULTILINE), ended.output


@two_cores
def test_a_core_that_never_lets_a_sync_end_is_named(program):
    ended = program("tests=selftest/fault_mute_core", "hang=1")
    assert ended.code == 6 and "# HANG in selftest/fault_mute_core, silent cores: 1" in ended.output
    for core in range(CORES):
        assert re.search(rf"^# core {core} .*\n# BT 0x", ended.output, re.MULTILINE), ended.output


def test_a_panic_has_a_backtrace_with_source_lines(crossmod):
    result = crossmod.run("hosted", "tests=selftest/fault_panic").expect("PANIC", 5)
    line = r"^# +test_body_selftest_fault_panic at .*tests/selftest/\w+\.c:\d+"
    assert re.search(line, result.file("summary.txt"), re.MULTILINE), result.file("summary.txt")


# ---- what it may be denied ----


@pytest.mark.parametrize(
    "call, error, sentence",
    [
        ("membarrier", errno.ENOSYS, r"membarrier\(2\): .*; a core sync needs it"),
        ("membarrier", errno.EPERM, r"membarrier\(2\): .*no seccomp filter"),
        ("memfd_create", errno.EACCES, r"no memory file for text: Permission denied; .*forbids"),
        ("sched_setaffinity", errno.EPERM, r"cannot pin a thread to processor \d+: .*forbids"),
    ],
    ids=["no-membarrier", "membarrier-filtered", "memfd", "pinning"],
)
def test_a_denied_system_call_is_named(program, call, error, sentence):
    ended = program(*QUICK, preexec_fn=functools.partial(seccomp.deny, call, error))
    assert re.match(sentence, ended.bail_out()), ended.output


def test_memory_files_that_may_not_be_executed(program):
    if os.geteuid() or not Path("/proc/sys/vm/memfd_noexec").exists():
        pytest.skip("needs root and vm.memfd_noexec (Linux 6.3)")
    script = 'echo 2 >/proc/sys/vm/memfd_noexec && exec "$0" "$@"'  # in a PID namespace of its own
    ended = program(*QUICK, prefix=("unshare", "--fork", "--pid", "sh", "-c", script))
    assert "memfd_noexec" in ended.bail_out()


def test_one_processor(program):
    ended = program("tests=unit/work,stress/main,unit/traps_decoded", prefix=("taskset", "-c", "0"))
    ended.passed()
    assert "may run on one processor only" in ended.cpu()["topology_note"]
    assert "# SKIP needs 2 cores, 1 is online" in ended.output


def test_more_cores_than_there_are(program):
    assert program(f"cpus={CORES + 1}").bail_out() == (
        f"cpus={CORES + 1}: this process may run on {CORES} processors"
    )


@pytest.mark.parametrize("word", ["sync=iret", "pcid=on", "accel=kvm", "vcpus=2", "mem=512"])
def test_words_that_a_process_cannot_obey(program, word):
    assert program(word).bail_out().startswith(f"{word.partition('=')[0]}=: a process cannot")


def test_a_tracer_is_named(program):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    ended = program(*QUICK, prefix=("strace", "-f", "-qq", "-o", "/dev/null")).passed()
    assert "a tracer is attached" in ended.cpu()["topology_note"]


# ---- where it writes ----


def test_a_directory_that_cannot_be_written(program):
    ended = program(*QUICK, cwd="/proc").passed()
    assert "cannot write crossmod.tap" in ended.messages
    assert "cannot write crossmod.jsonl" in ended.messages


def test_a_full_disk_behind_standard_output(program):
    with open("/dev/full", "wb") as full:
        ended = program(*QUICK, stdout=full)
        assert ended.code == 0 and "standard output: No space left" in ended.messages
        assert "# END verdict=PASS" in (ended.directory / "crossmod.tap").read_text("utf-8")
        ended = program(*QUICK, stdout=full, cwd="/proc")
        assert ended.code == 3, "a verdict that nobody can read is none"


def test_a_reader_that_goes_away(program):
    read, write = os.pipe()
    os.close(read)
    ended = program(*QUICK, stdout=write)
    os.close(write)
    assert ended.code == 0 and "standard output: Broken pipe" in ended.messages
    assert "# END verdict=PASS" in (ended.directory / "crossmod.tap").read_text("utf-8")


@two_cores
def test_a_full_disk_cuts_the_report_and_does_not_hole_it(program):
    if os.geteuid():
        pytest.skip("needs root, to mount a small file system")
    script = (
        'mount -t tmpfs -o size=8k none . && cd . && cd "$PWD" && "$0" "$@"; status=$?;'
        " cp crossmod.tap ../kept; exit $status"
    )
    words = ("tests=stress/main,unit/*", "seconds=1")
    ended = program(*words, prefix=("unshare", "--mount", "sh", "-c", script))
    assert "cannot write crossmod.tap: No space left" in ended.messages, ended
    kept = (ended.directory.parent / "kept").read_text("utf-8")
    assert kept and ended.output.startswith(kept) and kept != ended.output
    assert re.search(r"^# END verdict=(PASS|WEAK)", ended.output, re.MULTILINE)
    assert ended.code in (0, 4), "one stream is whole: the verdict stands"


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name
)
def test_a_signal_ends_the_report(program, number):
    with subprocess.Popen(
        [program.path, "tests=selftest/fault_hang"],
        cwd=program.directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        tap = program.directory / "crossmod.tap"
        while not (tap.exists() and "1..1" in tap.read_text("utf-8")):
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(timeout=10) == 7
        assert f"ended by {number.name}" in process.stderr.read()
    text = tap.read_text("utf-8")
    assert text.endswith(f"# CUT by {number.name}\n") and "# END" not in text
