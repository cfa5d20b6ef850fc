#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the kernel's fixed text (linker.ld): `fixed_text.py TOOLS KERNEL.ELF`.

TOOLS is the prefix of the binutils' names (CROSS_COMPILE). What a patch runs through must not meet
what it patches, so

- nothing that is patched lies in the fixed text: no function with an entry in __mcount_loc, no site
  of a static key or a static call, no entry of a redirectable function, no alternative;
- no function of the fixed text calls or jumps to a function behind it, but those of ALLOWED.

Calls through pointers are not seen here: poke/i25_path_is_not_patchable steps through those of the
way of a patch. Prints one line per violation, with the place in the sources; exit code 1 if there
is any.
"""

import re
import struct
import subprocess
import sys

# Where the tables of what is patched begin and end (None: by the symbol's size): words, of which
# some are addresses.
TABLES = {
    "traced function": ("mcount_loc_start", "mcount_loc_end"),
    "site of a static key": ("jump_table_start", "jump_table_end"),
    "site of a static call": ("static_call_sites", None),
    "redirectable function": ("patchable_entries_start", "patchable_entries_end"),
    "alternative": ("alternatives_start", "alternatives_end"),
}

# Calls out of the fixed text: callers, callees, and why they are right.
REPORT = "the machine has ended: an INT3 in the report is emulated, or is a panic in the panic"
ALLOWED = (
    ("image_start", "kernel_main", "kernel_entry: boot, and nothing else runs"),
    ("apic_detect", "mm_map_device", "boot, before the other cores"),
    ("ap_main", "work_loop", "the core is online, and has serialised behind that"),
    ("panic hang_print backtrace_print", "con_printf", REPORT),
    ("panic hang_print", "last_words_begin", REPORT),
    ("panic hang_print trap_describe backtrace_symbol", "fmt_print fmt_vprint", REPORT),
    ("backtrace_symbol", "symbol_lookup", REPORT),
    ("hang_print stop_other_cores", "time_ticks_to_ns time_ns_to_ticks", REPORT),
    ("watchdog_stage", "time_ns_to_ticks", "a thread's, between two tests"),
    ("apic_timer_calibrate", "time_info time_ns_to_ticks", "boot, before the other cores"),
    ("selects", "glob_match symbol_lookup", "between two batches: no window is open, no handler"),
    ("kprobe_is_instruction kprobe_is_target leads_to", "symbol_find symbol_address symbol_name",
     "a probe's registration: between two batches"),
    ("trace_ring_line", "fmt_print symbol_lookup", "a reader's thread"),
    ("patch", "site_call", "the planted fault of tests/selftest/faulty_actors.c"),
)

FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
JUMP = re.compile(r"^ *([0-9a-f]+):\t(?:bnd |notrack )?(?:call|j\w+) +([0-9a-f]+) <([^>+]+)")
SYMBOL = re.compile(r"^([0-9a-f]+) (?:([0-9a-f]+) )?\w (\w+)$")
SEGMENT = re.compile(r"^  LOAD +(0x\w+) (0x\w+) 0x\w+ (0x\w+)")


class Kernel:
    """The linked image, by the binutils."""

    def __init__(self, tools, path):
        self.tools, self.path = tools, path
        symbols = [m for m in map(SYMBOL.match, self.run("nm", "-S", path)) if m]
        self.symbols = {m[3]: int(m[1], 16) for m in symbols}
        self.sizes = {m[3]: int(m[2] or "0", 16) for m in symbols}
        segments = map(SEGMENT.match, self.run("readelf", "-lW", path))
        self.segments = [[int(n, 16) for n in m.groups()] for m in segments if m]
        with open(path, "rb") as f:
            self.image = f.read()

    def run(self, tool, *arguments):
        command = [self.tools + tool, *arguments]
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.splitlines()

    def table(self, first, last):
        """The 64-bit words of a table, by its symbols."""
        begin = self.symbols[first]
        end = self.symbols[last] if last else begin + self.sizes[first]
        if begin == end:
            return ()
        offset, base = next((o, b) for o, b, size in self.segments if b <= begin < b + size)
        count = (end - begin) // 8
        return struct.unpack_from(f"<{count}Q", self.image, offset + begin - base)

    def place(self, address):
        """Function and line of the sources."""
        function, line = self.run("addr2line", "-fe", self.path, f"{address:#x}")[:2]
        return f"{line}: {function}"


def patched(kernel, is_fixed):
    """What is patched, and lies in the fixed text."""
    for what, symbols in TABLES.items():
        for word in kernel.table(*symbols):
            if is_fixed(word):
                yield f"{kernel.place(word)}: a {what} in the fixed text"


def is_allowed(caller, callee):
    return any(
        caller in callers.split() and callee in callees.split()
        for callers, callees, _ in ALLOWED
    )


def calls(kernel, is_fixed):
    """Direct calls and jumps from the fixed text to what lies behind it."""
    begin, end = (f"{kernel.symbols[n]:#x}" for n in ("text_start", "text_patchable"))
    lines = kernel.run(
        "objdump",
        "-d",
        "--no-show-raw-insn",
        f"--start-address={begin}",
        f"--stop-address={end}",
        kernel.path,
    )
    caller = None
    for line in lines:
        if m := FUNCTION.match(line):
            caller = m[2].split(".")[0]  # a part of it, or a copy: f.cold, f.constprop.0
        elif (m := JUMP.match(line)) and not is_fixed(int(m[2], 16)):
            callee = m[3].split(".")[0]
            if not is_allowed(caller, callee):
                place = kernel.place(int(m[1], 16))
                yield f"{place}: fixed text, calls {callee}, which can be patched"


def main(tools, path):
    kernel = Kernel(tools, path)
    fixed = range(kernel.symbols["text_start"], kernel.symbols["text_patchable"])
    violations = [*patched(kernel, fixed.__contains__), *calls(kernel, fixed.__contains__)]
    print(*violations, sep="\n", end="\n" if violations else "")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
