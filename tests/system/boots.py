# SPDX-License-Identifier: MIT
"""Boot an image in QEMU as a machine's firmware would find it, without run.sh's own words."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from runner import build, firmware, follow, machine, records, verdict
from runner.firmware import comma

OFFSET = "@@1048576"  # of the image's partition, in bytes: what mtools wants
SECONDS = 200  # of one boot


def mtools(tool: str, image: Path, *arguments: object, text: bytes = b"") -> bytes:
    """One of the mtools on the image's partition; `text` is its standard input."""
    return subprocess.run(
        [tool, "-i", f"{image}{OFFSET}", *(str(a) for a in arguments)],
        input=text,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def put(image: Path, path: str, content: bytes) -> None:
    """Write a file of the image, as a person does who edits the stick."""
    mtools("mcopy", image, "-o", "-", f"::{path}", text=content)


# ---- ways to attach an image ----


def drive(image: Path, name: str, more: str = "") -> list[str]:
    """QEMU's half of a medium that the guest does not see."""
    return ["-drive", f"if=none,id={name},format=raw,file={comma(image)}{more}"]


def sata_disk(image: Path) -> list[str]:
    """On q35's own AHCI controller."""
    return ["-device", "ide-hd,drive=disk,bus=ide.0,bootindex=0", *drive(image, "disk")]


def cd(image: Path) -> list[str]:
    """In a SATA drive for CDs."""
    medium = drive(image, "cd", ",media=cdrom,readonly=on")
    return ["-device", "ide-cd,drive=cd,bus=ide.0,bootindex=0", *medium]


def network(directory: Path, file: str = "BOOTX64.EFI", rom: str = ",romfile=") -> list[str]:
    """No medium: QEMU's user network serves a directory. Without a ROM the firmware's own PXE
    stack asks for it; the card's own ROM is iPXE.
    """
    user = f"user,id=net,tftp={comma(directory)},bootfile={file}"
    return ["-netdev", user, "-device", f"virtio-net-pci,netdev=net,bootindex=0{rom}"]


# ---- one boot ----


@dataclass(frozen=True)
class Boot:
    """What a boot left."""

    directory: Path
    name: str | None  # of the verdict, by the exit code
    serial: str
    found: records.Records
    tap: list[str]

    def expect(self, name: str) -> "Boot":
        """This verdict, and a report that says the same."""
        assert self.name == name, self.serial[-4000:]
        assert [end["verdict"] for end in self.found.ends] == [name], self.serial[-4000:]
        return self


def stored_report(image: Path) -> tuple[list[str], list[str]] | None:
    """TAP lines and record lines of the report on an image; None if there is none."""
    directory = build.newest_report(image)
    files = [build.extract(image, f"{directory}/report.{kind}") for kind in ("tap", "jsonl")]
    if None in files:
        return None
    return records.tap_lines(files[0]), records.lines(files[1])


def same_report(boot: Boot, image: Path) -> None:
    """The image holds what the serial port and the debug console showed."""
    stored = stored_report(image)
    assert stored, "there is no report on the medium\n" + boot.serial[-2000:]
    assert stored[0] == boot.tap and boot.tap[-1].startswith("# END ")
    console = records.read_bytes(boot.directory / "debugcon.jsonl")
    assert stored[1] == records.lines(console)


def _end_at(process: subprocess.Popen, serial: Path, text: bytes) -> None:
    """End a machine that would stay in the firmware for ever, once it has said `text`."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if text in records.read_bytes(serial):
            break
        time.sleep(0.2)
    machine.end(process)


def boot(directory: Path, medium, image: Path, **options) -> Boot:
    """Boot with `medium(image)`; the report is not read from it.

    Options: cpus, words (by fw_cfg), more (arguments), flash, end_at (text on the serial port).
    """
    directory.mkdir(parents=True, exist_ok=True)
    cpus, words = options.get("cpus", 2), None
    if "words" in options:
        words = directory / "words.txt"
        words.write_text(options["words"], encoding="ascii")
    box = machine.Machine(
        options.get("flash") or firmware.find(),
        "tcg",
        cpus,
        512 if cpus <= 16 else 1024,
        image,
        words,
        directory / "serial.log",
        directory / "debugcon.jsonl",
        medium=lambda path: [*medium(path), *options.get("more", ())],
    )
    process = machine.start(box, directory / "qemu.log")
    if "end_at" in options:
        _end_at(process, box.serial, options["end_at"])
    end = follow.follow(process, box.serial, follow.Limit(SECONDS, 20), lambda line: None)
    log = records.read_bytes(box.serial)
    text = "\n".join(follow.clean(line) for line in log.split(b"\n"))
    return Boot(
        directory,
        None if end.cut else verdict.QEMU.names.get(end.status),
        text + records.read_bytes(directory / "qemu.log").decode(),
        records.parse(records.read_bytes(box.debugcon)),
        records.tap_lines(log),
    )
