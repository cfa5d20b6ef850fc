# SPDX-License-Identifier: MIT
"""Checks of the source and of what is built from it. Each checker is shown a fault to find."""

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

SPDX = re.compile(r"^(//|/\*|#|;|<!--|%|\{#)?\s*SPDX-License-Identifier: MIT\b")
NO_COMMENTS = {
    *(".json", ".jsonl", ".nm"),  # formats that cannot hold one
    ".patch",  # a change of somebody else's program, under its licence
}
PROSE = {"LICENSE", ".gitignore", ".editorconfig", ".clang-format"}
LINES_MAX = 500


def sources(tree: Path) -> list[Path]:
    """The files of the source tree: nothing that is built, nothing of git's."""
    files = []
    for directory, below, names in os.walk(tree):
        below[:] = [d for d in below if d not in (".git", "out", "__pycache__")]
        files += [Path(directory, name) for name in names if not name.endswith(".swp")]
    assert len(files) > 50
    return sorted(files)


def has_licence(text: str) -> bool:
    """The SPDX line is the first, or the second below a #! line."""
    return any(SPDX.match(line) for line in text.splitlines()[:2])


def run(*command: object, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(c) for c in command],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        **options,
    )


# ---- text ----


def test_every_file_names_its_licence(tree):
    assert not has_licence("/* Copyright */\n#include <x>\n")
    missing = [
        str(p.relative_to(tree))
        for p in sources(tree)
        if p.suffix not in NO_COMMENTS
        and p.name not in PROSE
        and not has_licence(p.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not missing


def test_no_source_file_is_above_500_lines(tree):
    lengths = {
        str(p.relative_to(tree)): len(p.read_text(encoding="utf-8").splitlines())
        for p in sources(tree)
        if p.suffix in (".c", ".h", ".asm", ".py", ".sh")
    }
    assert not {name: n for name, n in lengths.items() if n > LINES_MAX}


def test_no_source_line_is_above_100_columns(tree):
    """clang-format leaves comments alone."""
    long = [
        f"{p.relative_to(tree)}:{n}"
        for p in sources(tree)
        if p.suffix in (".c", ".h", ".asm")
        for n, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 100
    ]
    assert not long


def clang_format() -> str:
    """clang-format 14: the versions disagree in details."""
    for name in ("clang-format-14", "clang-format"):
        if shutil.which(name) and " 14." in run(name, "--version").stdout:
            return name
    pytest.skip("clang-format 14 is not installed")


def test_c_files_are_formatted(tree, tmp_path):
    tool = clang_format()
    ugly = tmp_path / "ugly.c"
    ugly.write_text("int  f( void ){return 1;}\n", encoding="utf-8")
    assert run(tool, "--dry-run", "-Werror", f"--style=file:{tree}/.clang-format", ugly).returncode
    files = [p for p in sources(tree) if p.suffix in (".c", ".h")]
    result = run(tool, "--dry-run", "-Werror", *files, cwd=tree)
    assert result.returncode == 0, result.stdout[-4000:]


def test_shell_scripts_pass_shellcheck(tree, tmp_path):
    bad = tmp_path / "bad.sh"
    bad.write_text("#!/bin/sh\nrm -rf $1/*\n", encoding="utf-8")
    assert run("shellcheck", bad).returncode
    result = run("shellcheck", "-x", "run.sh", ".ci/run", "tools/packages.sh", cwd=tree)
    assert result.returncode == 0, result.stdout


# ---- rooms ----


def test_dependencies_between_rooms_go_one_way(tree, out):
    result = run(sys.executable, tree / "tools" / "check_rooms.py", tree, out / "obj")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "file, text, words",
    [
        ("poke/bad.c", '#include "kernel/mm/mm.h"\n', 'poke may not include "kernel/mm/mm.h"'),
        ("poke/bad.c", "#include <stdio.h>\n", "<stdio.h> is not a header of freestanding C"),
        ("kernel/bad.h", '#include "smp/smp.h"\n', 'kernel may not include "smp/smp.h"'),
        ("kernel/lib/bad.h", '#include "kernel/mm/mm.h"\n', "kernel/lib may not include"),
        ("smp/bad.asm", '%include "poke/poke.h"\n', 'smp may not include "poke/poke.h"'),
        ("tests/unit/bad.c", "#include <efi.h>\n", "only boot and tests/efi know EFI"),
        (
            "poke/bad.c",
            "void smp_start(void);\nvoid f(void);\nvoid f(void)\n{\n    smp_start();\n}\n",
            "poke may not use smp_start of smp",
        ),
        (
            "kernel/bad.c",
            "void smp_start(void);\nvoid f(void);\nvoid f(void)\n{\n    smp_start();\n}\n",
            "kernel may not use smp_start of smp",
        ),
    ],
)
def test_a_planted_wrong_dependency_is_found(tree, tmp_path, file, text, words):
    planted = {file: text, "smp/start.c": "void smp_start(void);\nvoid smp_start(void)\n{\n}\n"}
    for name, content in planted.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        if name.endswith(".c") and "include" not in content:
            target = tmp_path / "obj" / f"{name}.o"
            target.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["gcc", "-c", path, "-o", target], check=True)
    result = run(
        sys.executable, tree / "tools" / "check_rooms.py", tmp_path / "tree", tmp_path / "obj"
    )
    assert result.returncode == 1 and words in result.stdout, result.stdout


# ---- products ----


def segments(elf: bytes) -> list[tuple[int, int]]:
    """(flags, address) of each PT_LOAD segment of a 64-bit ELF file."""
    assert elf[:5] == b"\x7fELF\x02"
    (offset,) = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    headers = [struct.unpack_from("<IIQQ", elf, offset + i * size) for i in range(count)]
    return [(flags, address) for kind, flags, _, address in headers if kind == 1]


def test_the_kernel_s_segments_are_w_xor_x(out):
    found = segments((out / "kernel.elf").read_bytes())
    assert [flags for flags, _ in found] == [5, 4, 6], "text R X, rodata R, data RW"
    assert all(address % 4096 == 0 for _, address in found)
    assert found[0][1] == 0xFFFFFFFF80000000


def test_the_loader_s_header_is_fit_for_strict_firmware(tree, out, tmp_path):
    check = tree / "tools" / "check_pe.py"
    result = run(sys.executable, check, out / "BOOTX64.EFI")
    assert result.returncode == 0, result.stdout
    image = bytearray((out / "BOOTX64.EFI").read_bytes())
    (header,) = struct.unpack_from("<I", image, 0x3C)
    planted = tmp_path / "no_nx.efi"
    image[header + 24 + 71] &= 0xFE  # DllCharacteristics: NX_COMPAT
    planted.write_bytes(image)
    assert run(sys.executable, check, planted).returncode
    image[header + 24 + 71] |= 1
    (optional,) = struct.unpack_from("<H", image, header + 20)
    flags = header + 24 + optional + 36  # the first section's characteristics
    struct.pack_into("<I", image, flags, struct.unpack_from("<I", image, flags)[0] | 0xA0000000)
    planted.write_bytes(image)
    assert run(sys.executable, check, planted).returncode


def build_copy(tree: Path, place: Path) -> bytes:
    """Build a copy of the source in another directory; the loader with the kernel inside."""
    for path in sources(tree):
        target = place / path.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    result = run(
        "make", "-s", "-C", place, f"-j{os.cpu_count()}", "out/BOOTX64.EFI", env=environment
    )
    assert result.returncode == 0, result.stdout
    return (place / "out" / "BOOTX64.EFI").read_bytes()


def test_the_build_is_reproducible(tree, tmp_path):
    first = build_copy(tree, tmp_path / "a")
    second = build_copy(tree, tmp_path / "another-place" / "b")
    assert first == second, "two builds in two directories differ"
