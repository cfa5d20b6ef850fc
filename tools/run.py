#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Build, boot in QEMU, follow, judge, report: `run.py COMMAND [WORD...]`.

COMMAND is what the user typed for run.sh; it begins the replay command. The exit code is the
verdict's.
"""

import os
import shlex
import shutil
from pathlib import Path

from runner import (
    accel,
    build,
    copies,
    entry,
    firmware,
    follow,
    leave,
    machine,
    records,
    report,
    tree,
    verdict,
    words,
)


def prepare(arguments: list[str]) -> tuple[words.Settings, firmware.Firmware, Path]:
    """Settings, firmware, the run's directory with its image. Mistakes first, then the build."""
    with build.locked():
        build.make("host/words")
        settings = words.Settings.read(arguments)
        flash = firmware.find()
        build.make_image()
        run = tree.new_run()
        build.stage(run, os.environ.get("CROSSMOD_CFG"))
    return settings, flash, run


def configure(
    settings: words.Settings, flash: firmware.Firmware, run: Path, word: str
) -> machine.Machine:
    """The machine of this run with accelerator `word`; writes the kernel's words."""
    (run / "words.txt").write_text(f"{settings.kernel_line} accel={word}\n", encoding="ascii")
    return machine.Machine(
        flash,
        word,
        settings.vcpus,
        settings.memory_mib,
        run / build.IMAGE,
        run / "words.txt",
        run / "serial.log",
        run / "debugcon.jsonl",
        settings.icount,
    )


def choose_accel(settings: words.Settings, flash: firmware.Firmware, run: Path) -> accel.Accel:
    """Resolve accel=auto; the probe boot has a directory of its own."""
    probe = run / "probe"

    def start() -> tuple:
        probe.mkdir()
        shutil.copyfile(run / build.IMAGE, probe / build.IMAGE)
        box = configure(settings, flash, probe, "kvm")
        return machine.start(box, probe / "qemu.log"), box.serial

    try:
        return accel.choose(settings.accel, start, accel.kvm_obstacle())
    finally:
        shutil.rmtree(probe, ignore_errors=True)


def collect(
    box: machine.Machine, run: Path
) -> tuple[records.Records, list[str], list[copies.Copy]]:
    """What the machine left: by its ports, and on its medium."""
    tap = records.tap_lines(records.read_bytes(box.serial))
    console = records.read_bytes(box.debugcon)
    image = run / build.IMAGE
    directory = build.newest_report(image)
    stored_tap, stored_json = (
        build.extract(image, f"{directory}/{name}") if directory else None
        for name in ("report.tap", "report.jsonl")
    )

    # In front of the version line the file has what the kernel said while it started.
    kept_tap = None if stored_tap is None else records.tap_lines(stored_tap)
    kept_json = None if stored_json is None else records.lines(stored_json)
    compared = [
        copies.compare("report.tap", "the serial port", tap, kept_tap),
        copies.compare("report.jsonl", "the debug console", records.lines(console), kept_json),
    ]
    return records.parse(console or stored_json or b""), tap, compared


def drop_image(run: Path, judgement: verdict.Verdict, compared: list[copies.Copy]) -> None:
    """Its report has been fetched. After any other end, or a difference, it may be evidence."""
    if judgement.name in ("PASS", "SKIP") and all(copy.state == "same" for copy in compared):
        (run / build.IMAGE).unlink()


def main(command: str, arguments: list[str]) -> int:
    """One run. Returns run.sh's exit code."""
    settings, flash, run = prepare(arguments)
    qemu = machine.version()
    chosen = choose_accel(settings, flash, run)
    print(chosen.line(), flush=True)

    box = configure(settings, flash, run, chosen.word)
    twin = [f"CROSSMOD_TWIN={tree.TWIN}"] if tree.TWIN else []
    repeat = [*twin, command, *settings.replay_words, f"accel={chosen.word}"]
    replay = leave.note_replay(run, repeat)
    (run / "qemu.cmd").write_text(shlex.join(box.command()) + "\n", encoding="utf-8")
    tree.mark_last(run)

    process = machine.start(box, run / "qemu.log")
    limit = follow.Limit(settings.limit, settings.hang)
    end = follow.follow(process, box.serial, limit, leave.show)

    found, tap, compared = collect(box, run)
    message = records.read_bytes(run / "qemu.log").decode("utf-8", "replace").strip()
    judgement = verdict.judge(end, found, tap, message)
    facts = report.emulation_facts(box, chosen, qemu, end)
    document = report.document(run.name, found, judgement, compared, facts, replay)
    leave.Finished(run, found, tap, run / build.KERNEL).leave(document)
    drop_image(run, judgement, compared)
    return judgement.exit_code


if __name__ == "__main__":
    entry.enter(main)
