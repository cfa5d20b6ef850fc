#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Check the direction of dependency between the rooms: `check_rooms.py TREE OBJECTS`.

TREE is the source tree, OBJECTS the directory of its object files (out/obj). Two independent
looks: the include lines of the sources, and the undefined symbols of the objects. Prints one line
per violation; exit code 1 if there is any.
"""

import re
import subprocess
import sys
from pathlib import Path

# A room (the longest path that fits a file) and the rooms and single headers that it may include.
INCLUDES = {
    "kernel/lib": ("kernel/lib/",),
    "kernel": ("kernel/", "boot/boot_info.h", "poke/machine.h"),
    "smp": ("smp/", "kernel/", "boot/boot_info.h", "poke/machine.h"),
    "poke": ("poke/", "kernel/lib/"),
    "tests/efi": ("kernel/",),
    "tests": ("tests/", "kernel/", "smp/", "poke/", "boot/boot_info.h"),
    "boot": ("boot/", "kernel/"),
    # Another machine under the same headers.
    "hosted": (
        *("hosted/", "kernel/", "../../../../kernel/", "smp/"),
        *("poke/machine.h", "poke/poke.h", "tests/harness/harness.h", "tests/harness/live.h"),
    ),
}
# The one file that wires the rooms together.
WIRING = "kernel/main.c"

# Who may know the firmware's types.
EFI = ("boot", "tests/efi")

# Rooms whose symbols a room may use, and single symbols or prefixes (with *) beside them.
SYMBOLS = {
    "kernel/lib": (("kernel/lib",), ()),
    "kernel": (("kernel", "kernel/lib"), ()),
    "smp": (("smp", "kernel", "kernel/lib"), ("poke_log_*",)),
    "poke": (("poke", "kernel/lib"), ("machine_*",)),
    "tests": (("tests", "smp", "poke", "kernel", "kernel/lib"), ()),
}

FREESTANDING = {
    "cpuid.h",
    "float.h",
    "iso646.h",
    "limits.h",
    "stdalign.h",
    "stdarg.h",
    "stdatomic.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "stdnoreturn.h",
}
LIBRARIES = {"kernel/lib/fmt.c": {"stb_sprintf.h"}}
# Programs of the host: they use its C library.
HOST = ("tests/host/", "tests/model/", "tests/fuzz/")
C_LIBRARY = (*HOST, "hosted/")

INCLUDE = re.compile(r'^\s*[#%]\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def room_of(path: str) -> str | None:
    """The room that a path of the tree lies in."""
    return next((room for room in INCLUDES if path.startswith(room + "/")), None)


def include_violations(tree: Path) -> list[str]:
    """Every include line that goes against the table."""
    found = []
    for path in sorted(p for p in tree.rglob("*") if p.suffix in (".c", ".h", ".asm")):
        name = str(path.relative_to(tree))
        room = room_of(name)
        if not room or name == WIRING:
            continue
        for quoted, angled in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if quoted and not name.startswith(HOST) and not quoted.startswith(INCLUDES[room]):
                found.append(f'{name}: {room} may not include "{quoted}"')
            if angled.startswith("efi") and room not in EFI:
                found.append(f"{name}: only {' and '.join(EFI)} know EFI, not <{angled}>")
            elif (
                angled
                and room not in EFI
                and not name.startswith(C_LIBRARY)
                and angled not in FREESTANDING | LIBRARIES.get(name, set())
            ):
                found.append(f"{name}: <{angled}> is not a header of freestanding C")
    return found


def symbols(objects: Path) -> list[tuple[str, str, set[str], set[str]]]:
    """(object's source, room, defined, undefined) of every object of a room."""
    found = []
    for path in sorted(objects.rglob("*.o")):
        source = str(path.relative_to(objects))[:-2]
        room = room_of(source)
        if room in SYMBOLS:
            lines = subprocess.run(
                ["nm", "--format=posix", path], stdout=subprocess.PIPE, text=True, check=True
            ).stdout.splitlines()
            kinds = [line.split()[:2] for line in lines]
            found.append(
                (
                    source,
                    room,
                    {n for n, k in kinds if k.isupper() and k != "U"},
                    {n for n, k in kinds if k == "U"},
                )
            )
    return found


def symbol_violations(objects: Path) -> list[str]:
    """Every undefined symbol that is defined in a room which the using one may not need."""
    table = symbols(objects)
    owner = {name: room for _, room, defined, _ in table for name in defined}
    found = []
    for source, room, _, undefined in table:
        rooms, extra = SYMBOLS[room]
        for name in sorted(undefined):
            allowed = owner.get(name, room) in rooms or any(
                name == e or (e[-1] == "*" and name.startswith(e[:-1])) for e in extra
            )
            if not allowed and source != WIRING:
                found.append(f"{source}: {room} may not use {name} of {owner[name]}")
    return found


def main(tree: Path, objects: Path) -> int:
    """Both looks."""
    if not any(objects.rglob("*.o")):
        print(f"{objects}: no object files")
        return 1
    violations = include_violations(tree) + symbol_violations(objects)
    print("\n".join(violations) if violations else "rooms: every dependency goes one way")
    return 1 if violations else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: check_rooms.py TREE OBJECTS")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
