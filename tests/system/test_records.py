# SPDX-License-Identifier: MIT
"""Logs are read as they are: cut anywhere, with garbage, with escape sequences."""

import random

import sample
from runner import records


def test_every_record_finds_its_place():
    found = records.parse(sample.console(sample.records()))
    assert found.start["seed"] == "0x5eed" and found.cpu["cpus"] == 4 and found.plan["count"] == 3
    assert [t["verdict"] for t in found.tests] == ["PASS", "PASS", "SKIP"]
    assert found.hists[0]["p50"] == 212_992 and found.data[0]["rate"] == 5000
    assert len(found.ends) == 1 and not found.damaged


def test_a_log_cut_at_any_byte_keeps_all_whole_records():
    text = sample.console(sample.records())
    whole = len(sample.records())
    for cut in range(len(text) + 1):
        found = records.parse(text[:cut])
        singles = sum(r is not None for r in (found.start, found.cpu, found.time, found.plan))
        kept = singles + len(found.tests) + len(found.data) + len(found.hists) + len(found.ends)
        # Without its newline the last record may still be whole: it is then counted.
        newlines = text[:cut].count(b"\n")
        assert newlines <= kept <= newlines + 1 <= whole + 1
        assert len(found.damaged) <= 1


def test_garbage_is_kept_apart_and_stops_nothing():
    items = sample.console(sample.records()).split(b"\n")
    garbage = [
        b"\xff\xfe\x00\x01",
        b"[1,2]",
        b'"text"',
        b"{}",
        b'{"type":"nonsense"}',
        b'{"type":["list"]}',
        b'{"type":null}',
        b"{" * 5000,
        b"[" * 100_000,
        b"NaN",
        b'{"type":"start","version":"2"}',
    ]
    mixed = b"\n".join(line for pair in zip(items, garbage) for line in pair)
    found = records.parse(mixed + b"\n" + b"\n".join(items[len(garbage) :]))
    assert len(found.damaged) == len(garbage)
    assert found.start["version"] == "0.1.0" and len(found.tests) == 3 and len(found.ends) == 1


def test_random_bytes_never_raise():
    source = random.Random(14)
    text = bytearray(sample.console(sample.records()))
    for _ in range(300):
        damaged = bytearray(text)
        for _ in range(source.randrange(1, 40)):
            damaged[source.randrange(len(damaged))] = source.randrange(256)
        records.parse(bytes(damaged))
        records.tap_lines(bytes(damaged))


def test_tap_begins_and_ends_between_the_firmware_s_lines():
    lines = records.tap_lines(sample.serial(sample.records()))
    assert lines[0] == "TAP version 14" and lines[1].startswith("# crossmod")
    assert lines[-1] == "# END verdict=PASS code=0x10"
    assert records.end_of_tap(lines) == "PASS"
    assert not any("\x1b" in line or "\r" in line for line in lines)


def test_tap_without_end_has_no_verdict():
    cut = sample.serial(sample.records()).partition(b"# Totals")[0]
    assert records.end_of_tap(records.tap_lines(cut)) is None
    assert records.tap_lines(sample.FIRMWARE) == []
    assert records.end_of_tap([]) is None


def test_a_loader_that_bails_out_is_heard():
    lines = records.tap_lines(
        sample.FIRMWARE + b"\r\nBail out! the embedded kernel is not an ELF file\r\n"
    )
    assert records.bail_out(lines) == "the embedded kernel is not an ELF file"
