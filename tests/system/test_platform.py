# SPDX-License-Identifier: MIT
"""What comes from outside: NMIs, machine checks; and processors that other machines have."""

import shutil
import subprocess
from pathlib import Path

import pytest
from box import SECONDS, Box
from runner import build

# Long enough to be disturbed, sends no NMIs, and needs no second core.
QUIET = "tests=unit/paging_audit,errata/litmus_mp_rf seconds=6"
CORRECTED = 0x9C00000000000150  # VAL, EN, MISCV, ADDRV; a cache error
UNCORRECTED = 0xBE00000000000150  # UC and PCC as well
RECOVERABLE = 5  # MCG_STATUS: RIPV, MCIP


@pytest.fixture
def box(tmp_path):
    """Makes machines that do not outlive the test."""
    made = []

    def make(name: str, words: str, **differences) -> Box:
        made.append(Box(tmp_path / name, words, **differences).start())
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_foreign_nmis_are_counted_and_not_fatal(box):
    machine = box("nmi", QUIET)
    monitor = machine.wait_for("\n1..2")
    for _ in range(3):
        monitor.command("inject-nmi")
    found = machine.wait()
    assert found.ends and found.ends[0]["verdict"] == "PASS", machine.serial()[-2000:]
    assert found.health["unexpected_nmis"], found.health
    assert sum(n["count"] for n in found.health["unexpected_nmis"]) >= 1
    assert "# finding:" in machine.serial() and "NMIs that nobody here has sent" in machine.serial()


def test_own_nmis_are_not_taken_for_foreign_ones(box):
    machine = box("own", "tests=unit/nmi_exact,poke/i4_int3_in_nmi,stress/main seconds=3")
    found = machine.wait()
    assert found.ends[0]["verdict"] == "PASS", machine.serial()[-2000:]
    assert found.health["unexpected_nmis"] == [] and found.health["machine_checks"] == []
    assert found.health["machine_check_banks"] > 0
    assert "# finding" not in machine.serial()


def test_a_corrected_machine_check_is_a_finding(box):
    machine = box("corrected", QUIET)
    monitor = machine.wait_for("\n1..2")
    assert not monitor.human(f"mce 1 4 {CORRECTED:#x} 0 0x12345000 0x8c")
    found = machine.wait()
    assert found.ends[0]["verdict"] == "PASS", machine.serial()[-2000:]
    assert found.health["machine_check_new"] == 1
    assert found.health["machine_checks"] == [
        {
            "core": 1,
            "bank": 4,
            "new": True,
            "uncorrected": False,
            "status": f"{CORRECTED:#x}",
            "address": "0x12345000",
            "misc": "0x8c",
        }
    ]
    assert "# finding: machine check: core 1 bank 4, corrected error" in machine.serial()


def test_an_error_from_before_the_run_is_not_new(box):
    """It waits in the bank while the firmware starts."""
    machine = box("old", "tests=unit/time_delay", extra=("-S",))
    monitor = machine.wait_for("")
    monitor.human(f"mce 0 2 {CORRECTED:#x} 0 0x1000 0")
    monitor.command("cont")
    found = machine.wait()
    assert [(e["bank"], e["new"]) for e in found.health["machine_checks"]] == [(2, False)]
    assert found.health["machine_check_new"] == 0 and "# finding" not in machine.serial()


@pytest.mark.parametrize("core", [0, 1])
def test_an_uncorrected_machine_check_ends_in_a_panic_that_names_it(box, core):
    machine = box("uncorrected", QUIET)
    monitor = machine.wait_for("\n1..2")
    monitor.human(f"mce {core} 3 {UNCORRECTED:#x} {RECOVERABLE} 0xabc000 0")
    found = machine.wait()
    assert found.panic, machine.serial()[-2000:]
    assert f"machine check: bank 3, uncorrected error, status {UNCORRECTED:#x}" in (
        found.panic["text"]
    )
    assert "address 0xabc000" in found.panic["text"]
    assert f"# PANIC core {core}: machine check" in machine.serial()


@pytest.fixture(scope="session")
def prelude(out) -> Path:
    """The EFI program that stands before the loader (tests/efi/)."""
    with build.locked():
        build.make("efi/prelude.efi")
    return out / "efi" / "prelude.efi"


@pytest.fixture
def image(tmp_path, out, prelude) -> Path:
    """An image that starts the prelude, which starts the loader."""
    with build.locked():
        build.stage(tmp_path, None)
    path = tmp_path / build.IMAGE
    for source, to in (prelude, "/EFI/BOOT/BOOTX64.EFI"), (out / build.LOADER, "/crossmod.efi"):
        subprocess.run(["mcopy", "-o", "-i", f"{path}@@1M", source, f"::{to}"], check=True)
    return path


@pytest.mark.parametrize("vcpus", [1, 4])
def test_5_level_paging_handed_over(box, image, vcpus):
    """On all cores; the report is written by the firmware, which still runs with five levels."""
    words = "tests=unit/*,poke/i7*,poke/i1_*,stress/main seconds=3"
    machine = box("la57", words, vcpus=vcpus, image=image)
    found = machine.wait()
    assert "prelude: 5-level paging is on" in machine.serial()
    assert found.ends and found.ends[0]["verdict"] == "PASS", machine.serial()[-3000:]
    assert found.cpu["paging_levels"] == 5 and found.cpu["cpus"] == vcpus
    assert "report written" in machine.serial()


BOCHS_VGA = Path("/usr/share/seabios/vgabios-stdvga.bin")
BOCHS_FIRMWARE = Path("/usr/share/ovmf/OVMF.fd")
BOCHS_RC = """display_library: rfb, options="timeout=0"
romimage: file={firmware}, address=0xffe00000
vgaromimage: file={vga}
cpu: model=tigerlake, count=1, quantum=1, ips=100000000, reset_on_triple_fault=0
memory: guest=512, host=512
pci: enabled=1, chipset=i440fx
clock: sync=none
com1: enabled=1, mode=file, dev={run}/serial.log
ata0-master: type=disk, path={run}/disk.img, mode=flat
log: {run}/bochs.log
"""


@pytest.mark.skipif(not shutil.which("bochs"), reason="Bochs is not installed")
@pytest.mark.skipif(
    not BOCHS_FIRMWARE.exists() or BOCHS_FIRMWARE.stat().st_size != 2 << 20,
    reason="no firmware of 2 MiB, as Bochs needs it",
)
def test_the_switch_with_cet_on(tmp_path, tree, out):
    """Shadow stack and branch tracking are off on the other side, and balanced afterwards."""
    with build.locked():
        build.make("efi/cet.efi")
    command = [tree / "tools" / "mkimage", tmp_path / "disk.img", out / "efi" / "cet.efi"]
    subprocess.run(command, check=True)
    settings = BOCHS_RC.format(firmware=BOCHS_FIRMWARE, vga=BOCHS_VGA, run=tmp_path)
    (tmp_path / "bochsrc").write_text(settings, encoding="ascii")
    (tmp_path / "start").write_text("c\n", encoding="ascii")  # its debugger waits for that
    subprocess.run(
        ["bochs", "-q", "-f", tmp_path / "bochsrc", "-rc", tmp_path / "start"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,
    )
    said = (tmp_path / "serial.log").read_text(encoding="utf-8", errors="replace")
    assert "CET round trip: passed" in said, said[-500:]
