# SPDX-License-Identifier: MIT
"""Read a screenshot back into text, by the glyphs of the kernel's fonts."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import font

FONTS = Path("/usr/share/consolefonts")
# Papers of the styles in kernel/console/screen.c, as bytes of a picture.
PAPERS = {bytes.fromhex(rgb) for rgb in ("101418", "24496e", "a02820")}
FIRST_BLOCK = 0x80  # kernel/console/font.h


@dataclass
class Picture:
    """A PPM file as QEMU writes it: lines of three bytes a pixel."""

    width: int
    height: int
    pixels: bytes

    @classmethod
    def read(cls, path: Path) -> "Picture":
        """Binary PPM, 255 levels."""
        kind, size, depth, pixels = path.read_bytes().split(b"\n", 3)
        width, height = map(int, size.split())
        assert (kind, depth, len(pixels)) == (b"P6", b"255", 3 * width * height)
        return cls(width, height, pixels)

    def cell(self, x: int, y: int, width: int, height: int) -> bytes:
        """The pixels of a rectangle, line by line."""
        starts = range(3 * (y * self.width + x), 3 * (y + height) * self.width, 3 * self.width)
        return b"".join(self.pixels[at : at + 3 * width] for at in starts)


@cache
def glyphs(height: int, scale: int) -> dict[bytes, str]:
    """Characters by their pixels, a byte each: 1 is ink."""
    width = height // 2
    found = {}
    for i, character in enumerate(font.GLYPHS):
        rows = _font(height).glyphs[character]
        size = len(rows) // height
        bitmap = b""
        for y in range(height):
            bits = int.from_bytes(rows[y * size : (y + 1) * size], "big")
            line = (bits >> (8 * size - 1 - x) & 1 for x in range(width))
            bitmap += b"".join(bytes([bit]) * scale for bit in line) * scale
        found[bitmap] = character if i < 95 else chr(FIRST_BLOCK + i - 95)
    return found


@cache
def _font(height: int) -> font.Font:
    return font.read(str(FONTS / f"spleen-{height // 2}x{height}.psfu.gz"))


@lru_cache(maxsize=4096)
def _character(cell: bytes, height: int, scale: int) -> str:
    """The character of a cell; fails if it is none."""
    colors = {cell[i : i + 3] for i in range(0, len(cell), 3)}
    inks = colors - PAPERS
    assert len(inks) <= 1 and len(colors) <= 2, colors
    bits = bytes(cell[i : i + 3] in inks for i in range(0, len(cell), 3))
    assert bits in glyphs(height, scale), "no glyph looks like this"
    return glyphs(height, scale)[bits]


def row_text(picture: Picture, record: dict, row: int, columns: int) -> str:
    """What stands in the first cells of a row; `record` is one of type "screen"."""
    height, scale = record["font_height"], record["scale"]
    width = height // 2 * scale
    y = record["top"] + row * height * scale
    lefts = (record["left"] + column * width for column in range(columns))
    cells = (picture.cell(x, y, width, height * scale) for x in lefts)
    return "".join(_character(cell, height, scale) for cell in cells)


def text(picture: Picture, record: dict) -> list[str]:
    """What stands in all cells, row by row."""
    return [
        row_text(picture, record, row, record["columns"]).rstrip(" ")
        for row in range(record["rows"])
    ]
