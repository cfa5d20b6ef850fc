# SPDX-License-Identifier: MIT
"""tools/fixed_text.py: the kernel passes, and each kind of fault is found in it."""

import struct

import fixed_text
import pytest

HANDLER = "smp_text_poke_int3_handler"
RETURN = b"\xc3"


@pytest.fixture(name="kernel")
def fixture_kernel(out):
    return fixed_text.Kernel("", str(out / "kernel.elf"))


def check(kernel, path, capsys, address, content):
    """Exit code and output for the kernel with `content` at `address`."""
    image = bytearray(kernel.image)
    offset = next(o + address - b for o, b, size in kernel.segments if b <= address < b + size)
    image[offset : offset + len(content)] = content
    path.write_bytes(image)
    return fixed_text.main("", str(path)), capsys.readouterr().out


def test_the_kernel_is_in_order(out, capsys):
    assert fixed_text.main("", str(out / "kernel.elf")) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("what", fixed_text.TABLES)
def test_what_is_patched_in_the_fixed_text_is_named(kernel, tmp_path, capsys, what):
    table = kernel.symbols[fixed_text.TABLES[what][0]]
    word = struct.pack("<Q", kernel.symbols[HANDLER])
    code, text = check(kernel, tmp_path / "kernel.elf", capsys, table, word)
    assert code == 1
    assert "int3_handler.c:" in text and f": {HANDLER}: a {what} in the fixed text" in text


@pytest.mark.parametrize("opcode", [b"\xe8", b"\xe9", b"\x0f\x84"], ids=["call", "jmp", "je"])
@pytest.mark.parametrize("callee, code", [("con_printf", 1), ("text_poke_copy", 0)])
def test_a_call_out_of_the_fixed_text_is_named(kernel, tmp_path, capsys, opcode, callee, code):
    at = kernel.symbols[HANDLER]
    end = at + len(opcode) + 4
    content = opcode + struct.pack("<i", kernel.symbols[callee] - end) + RETURN * 8
    found, text = check(kernel, tmp_path / "kernel.elf", capsys, at, content)
    assert found == code
    line = f": {HANDLER}: fixed text, calls {callee}, which can be patched"
    assert (line in text and "int3_handler.c:" in text) == bool(code), text


def test_no_reason_is_given_for_nothing(kernel):
    """Each of ALLOWED is needed."""
    fixed = range(kernel.symbols["text_start"], kernel.symbols["text_patchable"])
    for entry in fixed_text.ALLOWED:
        rest = tuple(e for e in fixed_text.ALLOWED if e != entry)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fixed_text, "ALLOWED", rest)
            assert [*fixed_text.calls(kernel, fixed.__contains__)], entry
