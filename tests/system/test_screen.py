# SPDX-License-Identifier: MIT
"""The screen as it is seen, against what the kernel means to show; and the keys."""

import re
import subprocess
import time
import zlib
from pathlib import Path

import picture
import pytest
from display import Display

# Rows at the end that are the loader's (kernel/console/geometry.h).
LOADER_ROWS = 6
# 1280x800 without borders, for pictures of runs that leave no record.
LAYOUT = {"columns": 160, "rows": 50, "font_height": 16, "scale": 1, "left": 0, "top": 0}
END = "# END verdict="


@pytest.fixture
def display(out, tmp_path) -> Display:
    return Display(out, tmp_path)


def settled(display, record) -> list[str]:
    """The text of a screen that nobody draws on any more, when the loader is done with it."""
    before = None
    for _ in range(50):
        now = display.text(record)
        if now == before:
            return now
        before = now
        time.sleep(1)
    raise AssertionError("the screen does not come to rest")


def settled_picture(display) -> picture.Picture:
    """The same, of a screen that is not text alone."""
    before = None
    for _ in range(50):
        now = display.picture()
        if before and now.pixels == before.pixels:
            return now
        before = now
        time.sleep(2)
    raise AssertionError("the screen does not come to rest")


def qr_text(shot: Path) -> str | None:
    """What the one QR code of a screenshot says; None: there is none."""
    command = ["zbarimg", "--nodbus", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"]
    found = subprocess.run([*command, "-Sbinary", shot], stdout=subprocess.PIPE, check=False)
    assert found.returncode in (0, 4), "zbarimg itself has failed"
    return found.stdout.decode("ascii") if found.returncode == 0 else None


def is_paused(record: dict) -> bool:
    return record["text"][-1].startswith(" Paused: ")


def is_end(record: dict) -> bool:
    return record["end"]


def verdict_of(serial: str) -> str:
    return re.search(rf"^{END}(\w+)", serial, re.MULTILINE)[1]


@pytest.mark.parametrize(
    "size, cpus, cell",
    [((640, 480), 64, (16, 1)), ((1280, 800), 4, (16, 1)), ((3840, 2160), 2, (32, 2))],
    ids=lambda value: "x".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
def test_the_picture_is_the_text(display, size, cpus, cell):
    words = "screen=record seconds=4 tests=stress/main,selftest/must_fail,unit/traps_*"
    with display.on(words, cpus, size):
        display.wait_for(display.serial, "1..")
        display.press("p")
        record = display.wait_for_screen(is_paused)
        assert (record["font_height"], record["scale"]) == cell
        assert record["columns"] * cell[0] // 2 * cell[1] + 2 * record["left"] == size[0]
        # In the middle: a finding, the bar, a character for each core.
        middle = display.text(record)
        assert middle == record["text"]
        assert middle[0].startswith(" Crossmod ") and "seed 0x" in middle[0]
        assert "TCG" in middle[1] and "microcode 0x" in middle[1]
        assert [row for row in middle if row.startswith(" FAIL  selftest/must_fail: ")]
        assert [row for row in middle if re.search(r"\d:\d\d so far, about \d+:\d\d left$", row)]
        bars = [row for row in middle if re.fullmatch(r" \x80*\x81+", row)]
        assert len(bars) == 1 and len(bars[0]) == record["columns"] - 1
        strip = middle.index(next(row for row in middle if row.startswith(f" {cpus} cores")))
        assert len(re.sub(r"[^.r3]", "", middle[strip + 1][5:])) == min(cpus, 64)
        # The end: the same above, the verdict, and the loader's lines below.
        display.press("p")
        record = display.wait_for_screen(is_end)
        serial = display.wait_for(display.serial, END)
        end = settled(display, record)
        assert end[:-LOADER_ROWS] == record["text"][:-LOADER_ROWS]
        assert not "".join(record["text"][-LOADER_ROWS:])
        assert "".join(end[-LOADER_ROWS:])
        assert verdict_of(serial) == "FAIL"
        big = [row for row in end if re.fullmatch(r"[ \x80-\x83]*[\x80\x82\x83][ \x80-\x83]*", row)]
        assert len(big) == 5


def test_a_wrong_picture_is_noticed(display):
    with display.on("screen=record tests=selftest/must_pass", 1, (1280, 800)):
        record = display.wait_for_screen(is_end)
        shot = display.picture()
        assert picture.text(shot, record)[0] == record["text"][0]
        at = 3 * (5 * shot.width + 12)  # a pixel of the first letter's ink, or beside it
        assert shot.pixels[at : at + 3] in (bytes.fromhex("ffffff"), bytes.fromhex("24496e"))
        flipped = bytes.fromhex("24496e" if shot.pixels[at] == 0xFF else "ffffff")
        shot.pixels = shot.pixels[:at] + flipped + shot.pixels[at + 3 :]
        with pytest.raises(AssertionError, match="no glyph looks like this"):
            picture.text(shot, record)


def test_skip_ends_the_test_and_finish_the_run(display):
    words = "screen=record seconds=600 tests=stress/main,unit/*"
    with display.on(words, 2, (1280, 800)):
        display.wait_for(display.serial, "# progress 5 s")
        display.press("s")
        display.wait_for(display.serial, " 1 - stress/main # ")
        display.press("q")
        serial = display.wait_for(display.serial, END)
        assert "ok 1 - stress/main # SKIP ended early by a key\n" in serial.replace("\r", "")
        left_out = re.search(r"^# note: (\d+) of \d+ tests left out by a key", serial, re.M)
        not_run = serial.count(" # SKIP not run: ended by a key")
        assert left_out and int(left_out[1]) == 1 + not_run > 1
        assert verdict_of(serial) == "WEAK"
        shown = display.wait_for_screen(is_end)["text"]
        assert any("left out by a key" in row for row in shown)


@pytest.mark.parametrize(
    "words, title, words_on_it",
    [
        ("tests=selftest/fault_panic", "Crossmod: PANIC.", ("# PANIC core ", "# BT 0x")),
        ("tests=selftest/fault_hang hang=1", "Crossmod: HANG.", ("# HANG stage ", "# BT 0x")),
    ],
    ids=["panic", "hang"],
)
def test_last_words_are_the_serial_port_s(display, words, title, words_on_it):
    with display.on(words, 2, (1280, 800)):
        display.wait_for(display.serial, END)
        seen = settled(display, LAYOUT)
        serial = display.serial.read_text("utf-8", "replace").replace("\r", "")
        assert seen[0].startswith(f" {title}")
        spoken = serial[serial.index(words_on_it[0]) :].rstrip("\n")
        wrapped = [line[i : i + 160] for line in spoken.split("\n") for i in range(0, len(line), 160)]
        assert [row.rstrip() for row in wrapped] == seen[2 : 2 + len(wrapped)]
        assert all(any(row.startswith(w) for row in seen) for w in words_on_it)
        assert "Photograph this" in seen[-1]


def test_unknown_words_are_shown(display):
    line = "crossmod.cfg line 1: unknown word 'cpuz' is ignored; did you mean 'cpus'?"
    with display.on("screen=record tests=unit/traps_*", 1, (1280, 800), config="cpuz=3"):
        record = display.wait_for_screen(is_end)
        assert any(line in row for row in record["text"]), record["text"]
        seen = settled(display, record)
        assert any(line in row for row in seen), seen


def test_a_run_that_cannot_begin_says_why(display):
    with display.on("tests=nothing/at_all", 1, (1280, 800)):
        serial = display.wait_for(display.serial, END)
        seen = "\n".join(settled(display, LAYOUT))
        assert verdict_of(serial) == "ERROR"
        assert "tests=nothing/at_all: no test matches 'nothing/at_all'" in seen


@pytest.mark.parametrize(
    "size, tests",
    [((1280, 800), "unit/traps_*,selftest/must_fail"), ((640, 480), "unit/traps_*")],
    ids=["1280x800", "640x480"],
)
def test_the_qr_code_is_the_summary_that_no_medium_took(display, size, tests):
    """Read by another program; every cell of text is still what it was."""
    words = f"screen=record tests={tests} seed=0x5eed"
    with display.on(words, 2, size, drive=",readonly=on"):
        serial = display.wait_for(display.serial, "# no medium took the report")
        record = display.wait_for_screen(is_end)
        shot = settled_picture(display)
    read = qr_text(display.shot)
    summary, crc = re.fullmatch(r"(.*\n)crc32 ([0-9a-f]{8})\n", read, re.DOTALL).groups()
    assert zlib.crc32(summary.encode("ascii")) == int(crc, 16)
    assert summary.startswith(f"state: finished, verdict {verdict_of(serial)}: software emulation")
    assert "seed 0x5eed, 2 cores" in summary
    for row, text in enumerate(record["text"][:-LOADER_ROWS]):
        assert picture.row_text(shot, record, row, len(text)) == text
    rows = range(record["rows"] - LOADER_ROWS, record["rows"])
    loader = [picture.row_text(shot, record, row, record["columns"]).strip() for row in rows]
    assert f"crc32 {crc}" in loader and "# the QR code has all of the summary" in loader


def test_no_qr_code_where_a_medium_took_the_report(display):
    with display.on("tests=unit/traps_*", 2, (1280, 800)):
        display.wait_for(display.serial, END)
        settled(display, LAYOUT)  # each cell of the whole screen is a glyph
        assert qr_text(display.shot) is None


def test_headless(display):
    with display.on("screen=record tests=unit/traps_*", 2, None):
        assert verdict_of(display.wait_for(display.serial, END)) == "PASS"
        assert not display.screens()


def test_without_the_screen_if_asked(display):
    with display.on("screen=no tests=unit/traps_*", 2, (1280, 800)):
        assert verdict_of(display.wait_for(display.serial, END)) == "PASS"
        with pytest.raises(AssertionError):  # it is the firmware's picture
            display.text(LAYOUT)
