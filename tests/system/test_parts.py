# SPDX-License-Identifier: MIT
"""The runner's parts without a machine: firmware, accelerator, command line, log, symbols."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from runner import accel, firmware, follow, machine, symbolize, tree
from runner.errors import RunnerError


@pytest.fixture(autouse=True)
def fixture_environment(monkeypatch):
    monkeypatch.delenv("OVMF_CODE", raising=False)
    monkeypatch.delenv("OVMF_VARS", raising=False)


def flash(
    directory: Path, code: str, code_kib: int, variables: str, variables_kib: int
) -> tuple[Path, Path]:
    """Two files of these sizes."""
    paths = directory / code, directory / variables
    for path, kib in zip(paths, (code_kib, variables_kib)):
        path.write_bytes(b"\0" * kib * 1024)
    return paths


# ---- firmware ----


def test_a_pair_of_different_sizes_is_passed_over(tmp_path):
    wrong, _ = flash(tmp_path, "A_CODE.fd", 3568, "A_VARS.fd", 128)
    right, _ = flash(tmp_path, "B_CODE.fd", 1920, "B_VARS.fd", 128)
    found = firmware.find(((str(wrong), "A_VARS.fd"), (str(right), "B_VARS.fd")), tmp_path)
    assert found.code == right and found.variables.name == "B_VARS.fd"


def test_descriptors_are_read_and_smm_builds_passed_over(tmp_path):
    code, variables = flash(tmp_path, "CODE,4M.fd", 3568, "VARS,4M.fd", 528)
    entry = {
        "mapping": {
            "device": "flash",
            "executable": {"filename": str(code), "format": "raw"},
            "nvram-template": {"filename": str(variables), "format": "raw"},
        },
        "targets": [{"architecture": "x86_64", "machines": ["pc-q35-*"]}],
        "features": [],
    }
    (tmp_path / "10-damaged.json").write_text("{", encoding="utf-8")
    (tmp_path / "20-other.json").write_text('{"mapping": 3}', encoding="utf-8")
    (tmp_path / "30-smm.json").write_text(
        json.dumps({**entry, "features": ["requires-smm"]}), encoding="utf-8"
    )
    with pytest.raises(RunnerError):
        firmware.find((), tmp_path)
    (tmp_path / "40-good.json").write_text(json.dumps(entry), encoding="utf-8")
    found = firmware.find((), tmp_path)
    assert found.code == code
    assert "CODE,,4M.fd" in found.drives()[1], "commas must be doubled in QEMU's options"


def test_no_firmware_says_what_to_install_on_each_distribution(tmp_path):
    with pytest.raises(RunnerError) as error:
        firmware.find((), tmp_path)
    for text in (
        "apt-get install ovmf",
        "dnf install edk2-ovmf",
        "pacman -S edk2-ovmf",
        "OVMF_CODE",
    ):
        assert text in str(error.value)


def test_the_environment_overrides_and_its_mistakes_are_named(tmp_path, monkeypatch):
    code, variables = flash(tmp_path, "MY_CODE.fd", 3568, "MY_VARS.fd", 528)
    monkeypatch.setenv("OVMF_CODE", str(code))
    assert firmware.find().variables == variables
    monkeypatch.setenv("OVMF_VARS", str(tmp_path / "absent.fd"))
    with pytest.raises(RunnerError, match="OVMF_VARS=.*absent.fd: no such file"):
        firmware.find()
    _, small = flash(tmp_path, "x", 1, "SMALL_VARS.fd", 128)
    monkeypatch.setenv("OVMF_VARS", str(small))
    with pytest.raises(RunnerError, match="not the two halves"):
        firmware.find()


# ---- accelerator ----


def kvm_machine(tmp_path: Path, flags: str) -> tuple[Path, Path]:
    cpuinfo, device = tmp_path / "cpuinfo", tmp_path / "kvm"
    cpuinfo.write_text(f"processor : 0\nflags : fpu {flags} sse2\n", encoding="utf-8")
    return cpuinfo, device


def test_kvm_needs_the_flag_and_the_device(tmp_path):
    cpuinfo, device = kvm_machine(tmp_path, "lahf_lm")
    device.touch()
    assert "no vmx or svm" in accel.kvm_obstacle(cpuinfo, device)
    cpuinfo, device = kvm_machine(tmp_path, "svm")
    assert accel.kvm_obstacle(cpuinfo, device) is None
    device.unlink()
    assert "there is no" in accel.kvm_obstacle(cpuinfo, device)


def probe(tmp_path: Path, program: str):
    """A probe boot that is a Python program with the serial log's name as argument."""
    serial = tmp_path / "serial.log"

    def start():
        return subprocess.Popen([sys.executable, "-c", program, str(serial)]), serial

    return start


SPEAKS = (
    "import sys, time\nopen(sys.argv[1], 'w').write('\\x1b[0mTAP version 14\\r\\n'); time.sleep(60)"
)
DIES = "import sys; sys.exit(1)"
SILENT = "import time; time.sleep(60)"


@pytest.mark.parametrize(
    "word, program, obstacle, chosen",
    [
        ("auto", SPEAKS, None, "kvm"),
        ("auto", DIES, None, "tcg"),
        ("auto", SILENT, None, "tcg"),
        ("auto", SPEAKS, "no flag", "tcg"),
        ("kvm", SPEAKS, None, "kvm"),
        ("tcg", DIES, None, "tcg"),
        ("tcg-mt", DIES, None, "tcg-mt"),
    ],
)
def test_kvm_is_used_only_where_a_probe_boot_reached_the_kernel(
    tmp_path, monkeypatch, word, program, obstacle, chosen
):
    monkeypatch.setattr(accel, "PROBE_SECONDS", 3)
    found = accel.choose(word, probe(tmp_path, program), obstacle)
    assert found.word == chosen and found.why


@pytest.mark.parametrize("program, obstacle", [(DIES, None), (SPEAKS, "there is no /dev/kvm")])
def test_asking_for_kvm_without_the_means_is_an_error(tmp_path, program, obstacle):
    with pytest.raises(RunnerError, match="accel=kvm: "):
        accel.choose("kvm", probe(tmp_path, program), obstacle)


# ---- command line ----


def test_the_command_line_is_what_the_accelerator_needs():
    def command(word: str) -> str:
        return " ".join(
            machine.Machine(
                firmware.Firmware(Path("/c"), Path("/v")),
                word,
                8,
                512,
                Path("/a,b/i"),
                Path("/w"),
                Path("/s"),
                Path("/d"),
            ).command()
        )

    assert "-accel tcg,thread=single -cpu max -smp 8 -m 512" in command("tcg")
    assert "-accel tcg,thread=multi" in command("tcg-mt")
    assert "-accel kvm -cpu host" in command("kvm")
    assert "file=/a,,b/i" in command("tcg")
    for part in (
        "isa-debug-exit,iobase=0xf4,iosize=4",
        "iobase=0xe9",
        "-no-reboot",
        "opt/org.crossmod/words",
    ):
        assert part in command("tcg")


# ---- following ----


def test_the_limit_follows_the_plan_unless_it_is_given():
    limit = follow.Limit(0, 20)
    assert limit.seconds == 140
    limit.see("1..42 # budget 100 s")
    assert limit.seconds == 540
    fixed = follow.Limit(7, 20)
    fixed.see("1..42 # budget 100 s")
    assert fixed.seconds == 7


def test_a_line_is_shown_when_it_is_whole(tmp_path):
    log = tmp_path / "log"
    tail = follow.Tail(log)
    assert not list(tail.lines())
    log.write_bytes(b"\x1b[2Jone\r\ntw")
    assert list(tail.lines()) == ["one"]
    log.write_bytes(b"\x1b[2Jone\r\ntwo\r\n\r\n")
    assert list(tail.lines()) == ["two", ""]


def test_each_run_has_its_own_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "RUNS", tmp_path / "runs")
    runs = [tree.new_run() for _ in range(4)]
    assert len(set(runs)) == 4
    for run in runs:
        tree.mark_last(run)
    assert (tmp_path / "runs" / "last").resolve() == runs[-1].resolve()


# ---- symbols ----


def test_return_addresses_are_looked_up_one_byte_before():
    lines = [
        "# PANIC",
        "# BT 0x1000 a+0x1",
        "# BT 0x2000 b+0x2",
        "# rip 0x1",
        "# BT 0x3000 c",
        "# BT 0x4000",
    ]
    assert symbolize.lookup_addresses(lines) == [(1, 0x1000), (2, 0x1FFF), (4, 0x3000), (5, 0x3FFF)]


def test_source_lines_stand_below_their_addresses(tmp_path):
    source = tmp_path / "trace.c"
    source.write_text(
        "static int inner(volatile int *p)\n{\n    return *p;\n}\n"
        "int outer(volatile int *p)\n{\n    return inner(p) + 1;\n}\nint main(void)\n{\n"
        "    volatile int x = 0;\n    return outer(&x);\n}\n",
        encoding="utf-8",
    )
    program = tmp_path / "trace"
    subprocess.run(["gcc", "-g", "-O1", "-no-pie", source, "-o", program], check=True)
    names = subprocess.run(["nm", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    outer = next(line.split()[0] for line in names.splitlines() if line.endswith(" T outer"))
    lines = symbolize.symbolize(
        ["# PANIC", f"# BT 0x{int(outer, 16):x} outer+0x0", "# BT 0x10 ?", "# end"], program
    )
    assert lines[0] == "# PANIC" and lines[-1] == "# end" and len(lines) >= 5
    assert any("trace.c:" in line for line in lines[2:])
    unknown = lines.index("# BT 0x10 ?")
    assert lines[unknown + 1] == "# end", "an unknown address has no source line"
