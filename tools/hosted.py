#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Build out/crossmod, run it on this machine's cores, judge, report: `hosted.py COMMAND [WORD...]`.

The same as run.py without a virtual machine: the same words, files, last lines and exit codes.
"""

from pathlib import Path

from runner import (
    build,
    copies,
    entry,
    follow,
    leave,
    program,
    records,
    report,
    tree,
    verdict,
    words,
)


def prepare(arguments: list[str]) -> tuple[words.Settings, Path]:
    """Settings, and the run's directory with the program. Mistakes first, then the build."""
    program.refuse_foreign()
    with build.locked():
        build.make("host/words")
        settings = words.Settings.read(arguments)
        build.make(program.PROGRAM)
        run = tree.new_run()
        build.keep(tree.OUT / program.PROGRAM, run)
    return settings, run


def collect(box: program.Program) -> tuple[records.Records, list[str], copies.Copy]:
    """What it wrote to standard output and into its directory."""
    tap = records.tap_lines(records.read_bytes(box.output))
    file = box.run / program.TAP
    stored = records.tap_lines(file.read_bytes()) if file.is_file() else None
    copy = copies.compare(program.TAP, "standard output", tap, stored, copies.DIRECTORY)
    return records.parse(records.read_bytes(box.run / program.RECORDS)), tap, copy


def main(command: str, arguments: list[str]) -> int:
    """One run. Returns run.sh's exit code."""
    settings, run = prepare(arguments)
    print(f"machine: {program.WHY}", flush=True)
    box = program.Program(run, settings.replay_words)
    replay = leave.note_replay(run, [command, "hosted", *settings.replay_words])
    tree.mark_last(run)

    limit = follow.Limit(settings.limit, settings.hang)
    end = follow.follow(box.start(), box.output, limit, leave.show)
    found, tap, copy = collect(box)
    message = box.messages.read_text("utf-8", "replace").strip()
    judgement = verdict.judge(end, found, tap, message, verdict.HOSTED)
    facts = {**box.facts(), **report.ending_facts(end)}
    document = report.document(run.name, found, judgement, [copy], facts, replay)
    leave.Finished(run, found, tap, run / program.PROGRAM).leave(document)
    return judgement.exit_code


if __name__ == "__main__":
    entry.enter(main)
