#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check that an EFI program may run where the firmware enforces W^X: check_pe.py FILE

Exit 0, or 1 with one sentence per violation on stderr.
"""

import pathlib
import sys

import pe_header as pe

# ELF-64, little-endian: longer than the constant in the loader's own check.
KERNEL_MAGIC = b"\x7fELF\x02\x01\x01"


def check_header(header):
    """Yield what is wrong with the file as a whole."""
    if header.machine != 0x8664:
        yield "the machine is not x86-64"
    if header.subsystem != pe.SUBSYSTEM_EFI_APPLICATION:
        yield f"the subsystem is {header.subsystem}, not 10 (EFI application)"
    if not header.dll_characteristics & pe.NX_COMPAT:
        yield "NX_COMPAT is not set"
    if header.characteristics & pe.RELOCS_STRIPPED:
        yield "relocations are marked as stripped"
    address, size = header.directory(pe.DIRECTORY_RELOC)
    if size == 0:
        yield "the relocation directory is empty: the firmware could not move the image"
    elif header.u32_at(address) >= header.image_size:
        yield "a relocation block is outside the image: the firmware would refuse to load it"
    if header.section_alignment % 4096:
        yield f"sections are aligned to {header.section_alignment} bytes, not to pages"


def check_sections(header):
    """Yield what is wrong with the sections."""
    end = 4096  # of the pages taken so far; the first is the headers'
    kernel_found = False
    for name, address, size, raw, raw_size, flags in header.sections():
        if flags & pe.SECTION_WRITE and flags & pe.SECTION_EXECUTE:
            yield f"section {name} is both writable and executable"
        if address % 4096:
            yield f"section {name} does not start on a page"
        if address < end:
            yield f"section {name} overlaps the one before it"
        if address > end:
            yield f"there is a gap before section {name}"
        if raw + raw_size > len(header.image):
            yield f"section {name} is cut off"
        end = (address + max(size, 1) + 4095) & ~4095
        if not flags & (pe.SECTION_WRITE | pe.SECTION_EXECUTE):
            kernel_found |= KERNEL_MAGIC in header.image[raw : raw + raw_size]
    if end > header.image_size:
        yield "the sections exceed the image size"
    if not kernel_found:
        yield "the kernel is not in a read-only section"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    path = pathlib.Path(sys.argv[1])
    try:
        header = pe.PeHeader(bytearray(path.read_bytes()))
        violations = [*check_header(header), *check_sections(header)]
    except (OSError, ValueError) as error:
        sys.exit(f"{path}: {error}")
    for violation in violations:
        print(f"{path}: {violation}", file=sys.stderr)
    sys.exit(1 if violations else 0)


if __name__ == "__main__":
    main()
