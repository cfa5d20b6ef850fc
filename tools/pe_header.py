# SPDX-License-Identifier: MIT
"""The fields of a PE32+ file (Microsoft PE format) that the loader's build sets and checks."""

import struct

NX_COMPAT = 0x0100
RELOCS_STRIPPED = 0x0001
SUBSYSTEM_EFI_APPLICATION = 10
SECTION_EXECUTE = 0x20000000
SECTION_WRITE = 0x80000000
DIRECTORY_RELOC = 5


class PeHeader:
    """A view of `image`, a bytearray with the whole file. Raises ValueError if it is not PE32+."""

    def __init__(self, image):
        self.image = image
        self.coff = self.u32(0x3C) + 4
        self.optional = self.coff + 20
        self.section_table = self.optional + self.u16(self.coff + 16)
        magic = self.u16(self.optional)
        if image[:2] != b"MZ" or image[self.coff - 4 : self.coff] != b"PE\0\0" or magic != 0x20B:
            raise ValueError("not a PE32+ file")

    def unpack(self, layout, at):
        try:
            return struct.unpack_from(layout, self.image, at)
        except struct.error:
            raise ValueError("the file is cut off") from None

    def u16(self, at):
        return self.unpack("<H", at)[0]

    def u32(self, at):
        return self.unpack("<I", at)[0]

    @property
    def machine(self):
        return self.u16(self.coff)

    @property
    def characteristics(self):
        return self.u16(self.coff + 18)

    @property
    def section_alignment(self):
        return self.u32(self.optional + 32)

    @property
    def image_size(self):
        return self.u32(self.optional + 56)

    @property
    def subsystem(self):
        return self.u16(self.optional + 68)

    @property
    def dll_characteristics(self):
        return self.u16(self.optional + 70)

    @dll_characteristics.setter
    def dll_characteristics(self, value):
        struct.pack_into("<H", self.image, self.optional + 70, value)

    def clear_timestamp(self):
        struct.pack_into("<I", self.image, self.coff + 4, 0)

    def clear_checksum(self):
        struct.pack_into("<I", self.image, self.optional + 64, 0)

    def directory(self, index):
        """(address, size) of a data directory."""
        if index >= self.u32(self.optional + 108):
            return 0, 0
        return self.unpack("<II", self.optional + 112 + 8 * index)

    def sections(self):
        """(name, address, memory size, file offset, file size, flags) of each section."""
        for i in range(self.u16(self.coff + 2)):
            at = self.section_table + 40 * i
            name, size, address, raw_size, raw = self.unpack("<8sIIII", at)
            flags = self.u32(at + 36)
            yield name.rstrip(b"\0").decode("ascii", "replace"), address, size, raw, raw_size, flags

    def u32_at(self, address):
        """The 32-bit word at an address of the loaded image."""
        for _, start, size, raw, _, _ in self.sections():
            if start <= address < start + size:
                return self.u32(raw + address - start)
        raise ValueError(f"address {address:#x} is in no section")
