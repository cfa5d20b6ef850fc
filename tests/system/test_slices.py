# SPDX-License-Identifier: MIT
"""A run in slices, and the report on the stick: whole, cut short, refused."""

import re
import shutil
import subprocess

import pytest
from runner import build, firmware, records, result
from runner.errors import RunnerError
from stick import Stick, blank, removable

MANY = "poke/i1*,unit/ipi*,unit/work*"
SEED = "seed=0x5eed"
STAGE = re.compile(r"^state: (.*)$", re.MULTILINE)


def comparable(report: dict) -> list[tuple]:
    """What a slice's end must not change."""
    return [(t["n"], t["name"], t["verdict"]) for t in report["tests"]]


@pytest.mark.parametrize("cpus, tests", [(1, "latency/*,poke/*,users/*"), (4, MANY)])
def test_slices_change_nothing(crossmod, cpus, tests):
    words = (f"tests={tests}", f"cpus={cpus}", SEED)
    whole = crossmod.run(*words, "slice=0").expect("PASS", 0).report
    sliced = crossmod.run(*words, "slice=1").expect("PASS", 0).report
    assert not whole["slices"] and len(sliced["slices"]) >= 2
    assert comparable(sliced) == comparable(whole)
    assert [s["n"] for s in sliced["slices"]] == list(range(2, 2 + len(sliced["slices"])))
    assert not any(s["lost_cores"] for s in sliced["slices"])
    assert [c["state"] for c in sliced["copies"]] == ["same", "same"], sliced["copies"]


def test_slices_with_64_cores(crossmod):
    report = crossmod.run("tests=unit/*", "cpus=64", SEED, "slice=1").expect("PASS", 0).report
    assert report["slices"] and not any(s["lost_cores"] for s in report["slices"])
    assert report["cpu"]["cpus"] == 64
    assert [c["state"] for c in report["copies"]] == ["same", "same"], report["copies"]


def test_a_finished_run_leaves_three_files_and_a_contribution(tmp_path):
    stick = Stick.make(tmp_path, f"tests=unit/ipi* {SEED}")
    shown = stick.boot()
    assert re.fullmatch(r"/reports/0001-(20\d{6}-\d{4}|nodate)", stick.newest), stick.newest
    assert f"report written to {stick.newest}".replace("/", "\\") in shown.replace("/", "\\")
    assert STAGE.match(stick.file("summary.txt")).group(1) == "finished, verdict PASS"
    assert stick.file("report.tap").endswith("# END verdict=PASS code=0x10\n")
    found = records.parse(stick.file("report.jsonl").encode())
    assert found.ends and not found.damaged and not found.previous

    copied = tmp_path / "copied"
    copied.mkdir()
    for name in ("report.tap", "report.jsonl", "summary.txt"):
        (copied / name).write_text(stick.file(name), encoding="ascii")
    run = result.load(copied)
    assert run["verdict"] == "PASS" and run["tests"]
    with pytest.raises(RunnerError):  # it was an emulator, or has no errata: it was read at least
        result.refuse(run)

    again = stick.boot()
    assert stick.newest.startswith("/reports/0002-")
    assert "did not finish" not in again


def test_a_crash_is_told_by_the_next_boot(tmp_path):
    stick = Stick.make(tmp_path, f"tests={MANY} slice=1 {SEED}")
    stick.boot(until="# slice 3 from", outright=True, cpus=4)
    state = STAGE.match(stick.file("summary.txt")).group(1)
    assert re.fullmatch(r"running: slice 3, from \w+/\w+", state)
    kept = records.parse(stick.file("report.jsonl").encode())
    assert kept.plan and kept.tests and not kept.ends and not kept.damaged
    assert kept.plan["tests"][len(kept.tests)] == state.rpartition(" ")[2]
    tap = stick.file("report.tap")
    assert f"ok {len(kept.tests)} - " in tap and f"ok {len(kept.tests) + 1} - " not in tap

    broken = stick.newest.rpartition("/")[2]
    shown = stick.boot(cpus=4, key="ret")
    assert f"# previous run {broken} did not finish: {state}\n" in shown
    assert f"# previous run {broken} did not finish: {state}\n" in stick.file("report.tap")
    found = records.parse(stick.file("report.jsonl").encode())
    assert found.previous == {"run": broken, "state": state}
    assert len(found.slices) >= 2 and found.ends


def test_a_crash_in_the_first_slice_is_told_too(tmp_path):
    stick = Stick.make(tmp_path, f"tests=stress/* seconds=60 {SEED}")
    stick.boot(until="1..1 #", outright=True)
    assert STAGE.match(stick.file("summary.txt")).group(1) == "started"
    assert stick.file("report.tap") is None
    stick.boot(until="did not finish: started\n")


@pytest.mark.parametrize(
    "name, verdict",
    [
        ("fault_panic", "PANIC"),
        ("fault_panic_elsewhere", "PANIC"),
        ("fault_hang", "HANG"),
        ("fault_hang_deaf", "HANG"),
        ("fault_mute_core", "HANG"),
    ],
)
def test_a_broken_end_leaves_its_trace_on_the_stick(tmp_path, name, verdict):
    stick = Stick.make(tmp_path, f"tests=selftest/{name} hang=2 {SEED}")
    shown = stick.boot("-no-shutdown", cpus=3, key="o")
    assert f"Verdict: {verdict}." in shown
    tap = stick.file("report.tap")
    assert f"# {verdict} " in tap and "# BT 0x" in tap
    assert re.search(rf"^# END verdict={verdict} code=0x1[45]\n\Z", tap, re.MULTILINE)
    summary = stick.file("summary.txt")
    assert STAGE.match(summary).group(1) == f"finished, verdict {verdict}"
    assert f"  {verdict} selftest/{name}: " in summary
    found = records.parse(stick.file("report.jsonl").encode())
    assert (found.panic or found.hang) and found.ends[0]["verdict"] == verdict


# ---- media that refuse ----


def fill(image, leave: int) -> None:
    """Leave `leave` bytes of the volume free."""
    volume = f"{image}@@1048576"
    listed = subprocess.run(
        ["mdir", "-i", volume, "::"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    free = int(
        re.search(r"([\d ,]+) bytes free", listed).group(1).replace(" ", "").replace(",", "")
    )
    filler = image.with_name("filler")
    with open(filler, "wb") as file:
        file.truncate(free - leave)
    subprocess.run(["mcopy", "-i", volume, filler, "::/filler"], check=True)


def check_refused(stick: Stick, shown: str, why: str) -> None:
    """The report is on the serial port and says why; the summary and its checksum are shown."""
    assert re.search(rf"^# the medium does not take the report: {why}$", shown, re.MULTILINE), shown
    assert "# END verdict=PASS code=0x10" in shown
    assert "# no medium took the report" in shown
    assert "state: finished, verdict PASS" in shown
    assert re.search(r"^crc32 [0-9a-f]{8}$", shown, re.MULTILINE)


def test_a_write_protected_stick(tmp_path):
    stick = Stick.make(tmp_path, f"tests=unit/ipi* {SEED}")
    shown = stick.boot(drive=",readonly=on")
    check_refused(stick, shown, r"\\reports\\0001-\S+: Open: EFI_WRITE_PROTECTED")
    assert stick.newest is None


def test_a_full_stick(tmp_path):
    stick = Stick.make(tmp_path, f"tests=unit/ipi* {SEED}")
    fill(stick.image, 0)
    check_refused(stick, stick.boot(), r"\\reports\\0001-\S+: Open: EFI_VOLUME_FULL")


def test_a_stick_that_becomes_full_is_left_for_another(tmp_path):
    """The other one gets the whole report; the first one's summary is kept up to date."""
    stick = Stick.make(tmp_path, f"tests={MANY} slice=1 {SEED}")
    fill(stick.image, 8192)
    second = Stick(blank(tmp_path / "second.img"))
    shown = stick.boot(*removable(second.image), cpus=4)
    why = r"# the medium does not take the report: \S+\\report.\w+: Write: EFI_VOLUME_FULL"
    assert re.search(why, shown), shown
    assert STAGE.match(stick.file("summary.txt")).group(1) == "finished, verdict PASS"
    for name in ("report.tap", "report.jsonl"):
        copy = tmp_path / name
        path = mcopy_newest(second.image, name, copy)
        assert path, "the second stick has it"
    text = (tmp_path / "report.tap").read_text(encoding="ascii")
    assert text.startswith("TAP version 14\n") and "# END verdict=PASS" in text
    found = records.parse((tmp_path / "report.jsonl").read_bytes())
    assert found.start and found.medium and found.ends and not found.damaged


def mcopy_newest(image, name, target) -> bool:
    """A report's file from a volume without partitions, which has one run."""
    listed = subprocess.run(
        ["mdir", "-b", "-i", image, "::/reports"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    source = listed[0].rstrip("/") + "/" + name
    command = ["mcopy", "-i", image, source, target]
    return subprocess.run(command, check=False).returncode == 0


def test_a_variable_keeps_the_summary_if_it_may(tmp_path):
    stick = Stick.make(tmp_path, f"tests=unit/ipi* nvram=yes {SEED}")
    found = firmware.find()
    variables = tmp_path / "vars.fd"
    shutil.copyfile(found.variables, variables)

    class Writable(firmware.Firmware):
        """The same, with a variable store that is kept."""

        def drives(self) -> list[str]:
            return [word.replace(",snapshot=on", "") for word in super().drives()]

    shown = stick.boot(drive=",readonly=on", flash=Writable(found.code, variables))
    assert "the summary is in the variable CrossmodReport" in shown
    stored = variables.read_bytes()
    at = stored.index("CrossmodReport".encode("utf-16-le"))
    assert b"state: finished, verdict PASS" in stored[at : at + 400]


def test_without_the_word_no_variable_is_written(tmp_path):
    stick = Stick.make(tmp_path, f"tests=unit/ipi* {SEED}")
    assert "CrossmodReport" not in stick.boot(drive=",readonly=on")


def test_the_runner_finds_the_newest_of_several(tmp_path):
    stick = Stick.make(tmp_path, "")
    volume = f"{stick.image}@@1048576"
    for name in ("", "/0002-nodate", "/0010-20300101-0000", "/9-nodate", "/notes"):
        subprocess.run(["mmd", "-i", volume, f"::/reports{name}"], check=True)
    assert build.newest_report(stick.image) == "/reports/0010-20300101-0000"
    assert stick.file("report.tap") is None
