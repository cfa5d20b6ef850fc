#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finish the header of an EFI program in place: pe_nx.py FILE

Sets NX_COMPAT, which objcopy cannot; clears the time stamp, so that equal input builds equal files,
and the checksum, which no longer fits and which EFI does not look at.
"""

import pathlib
import sys

from pe_header import NX_COMPAT, PeHeader


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    path = pathlib.Path(sys.argv[1])
    image = bytearray(path.read_bytes())
    try:
        header = PeHeader(image)
    except ValueError as error:
        sys.exit(f"{path}: {error}")
    header.dll_characteristics |= NX_COMPAT
    header.clear_timestamp()
    header.clear_checksum()
    path.write_bytes(image)


if __name__ == "__main__":
    main()
