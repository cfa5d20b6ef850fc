#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make a corpus for libFuzzer of a text file: each line of hexadecimal bytes becomes a file."""

import sys
from pathlib import Path


def main() -> None:
    source, directory = Path(sys.argv[1]), Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(source.read_text(encoding="ascii").splitlines(), 1):
        data = bytes.fromhex(line.partition("#")[0])
        if data:
            (directory / f"seed{number:03}").write_bytes(data)


if __name__ == "__main__":
    main()
