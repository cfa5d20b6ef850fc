#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turn console fonts into C: `font.py OUT.c FONT.psf[u][.gz]...`, smallest first.

Reads PSF 1 and 2 with their Unicode tables and keeps the printable ASCII characters and the blocks
of GLYPHS: those of kernel/console/font.h, in its order. The fonts are Spleen by Frederic Cambus,
from Debian's fonts-spleen; its licence (BSD, two clauses) goes into the C file, and with it into
the program.
"""

import gzip
import struct
import sys
from dataclasses import dataclass

# Full block, light shade, upper half, lower half, horizontal line.
GLYPHS = [chr(c) for c in range(0x20, 0x7F)] + list("\u2588\u2591\u2580\u2584\u2500")
NOTICE = "Font: Spleen, Copyright (c) 2018-2020, Frederic Cambus, BSD-2-Clause"


@dataclass
class Font:
    """Glyphs by character: `height` rows of whole bytes each, leftmost pixel first."""

    width: int
    height: int
    glyphs: dict[str, bytes]


def _unicode1(table: bytes, count: int) -> list[str]:
    """For each glyph the characters that it stands for; sequences are left out."""
    words = [w for (w,) in struct.iter_unpack("<H", table)]
    found = []
    for _ in range(count):
        end = words.index(0xFFFF)
        single = words[: words.index(0xFFFE)] if 0xFFFE in words[:end] else words[:end]
        found.append("".join(map(chr, single)))
        words = words[end + 1 :]
    return found


def _unicode2(table: bytes, count: int) -> list[str]:
    entries = table.split(b"\xff")[:count]
    return [e.split(b"\xfe")[0].decode("utf-8") for e in entries]


def read(path: str) -> Font:
    """Read one font file."""
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:2] == b"\x36\x04":
        mode, height = data[2:4]
        start, count, size, width = 4, 512 if mode & 1 else 256, height, 8
        names = _unicode1(data[start + count * size :], count)
    elif data[:4] == b"\x72\xb5\x4a\x86":
        start, _, count, size, height, width = struct.unpack_from("<6I", data, 8)
        names = _unicode2(data[start + count * size :], count)
    else:
        raise SystemExit(f"{path}: not a PSF font")
    glyphs = {}
    for i, characters in enumerate(names):
        for c in characters:
            glyphs.setdefault(c, data[start + i * size : start + (i + 1) * size])
    missing = [f"U+{ord(c):04X}" for c in GLYPHS if c not in glyphs]
    if missing:
        raise SystemExit(f"{path}: no glyph for {' '.join(missing)}")
    return Font(width, height, glyphs)


def _source(fonts: list[Font]) -> str:
    lines = [
        "/* Made by tools/font.py. */",
        '#include "kernel/console/font.h"',
        f'const char font_notice[] = "{NOTICE}";',
    ]
    for i, font in enumerate(fonts):
        lines.append(f"static const uint8_t glyphs{i}[] = {{")
        lines += [f"{','.join(map(str, font.glyphs[c]))}," for c in GLYPHS]
        lines.append("};")
    lines.append("const struct font fonts[] = {")
    lines += [f"{{ {f.width}, {f.height}, glyphs{i} }}," for i, f in enumerate(fonts)]
    lines += ["};", f"const unsigned font_count = {len(fonts)};", ""]
    return "\n".join(lines)


def main(out: str, *paths: str) -> None:
    """Write the C file."""
    source = _source([read(p) for p in paths])
    with open(out, "w", encoding="ascii") as f:
        f.write(source)


if __name__ == "__main__":
    main(*sys.argv[1:])
