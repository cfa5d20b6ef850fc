# SPDX-License-Identifier: MIT
"""A small run as the kernel records it, to be cut, mixed with garbage and contradicted."""

import json

NAMES = ["poke/int3", "stress/main", "unit/paging"]


CODES = {
    "PASS": "0x10",
    "FAIL": "0x11",
    "ERROR": "0x12",
    "WEAK": "0x13",
    "PANIC": "0x14",
    "HANG": "0x15",
    "SKIP": "0x16",
}


def records(verdict: str = "PASS", tests: tuple = ("PASS", "PASS", "SKIP")) -> list[dict]:
    """The record list of a run of three tests, of which the first len(tests) have finished."""
    hist = {
        "type": "hist",
        "test": "stress/main",
        "name": "total",
        "unit": "ns",
        "count": 2000,
        "min": 90_000,
        "p50": 212_992,
        "p99": 450_560,
        "p999": 1_900_000,
        "max": 2_113_000,
        "sum": 480_000_000,
        "trusted": False,
        "why": ["software emulation", "TSC not invariant"],
        "buckets": [[90_112, 1000], [212_992, 1000]],
    }
    return [
        {
            "type": "start",
            "version": "0.1.0",
            "build": "4f2c9e1",
            "seed": "0x5eed",
            "words": "seed=0x5eed",
        },
        {
            "type": "cpu",
            "cpus": 4,
            "listed": 4,
            "failed": 0,
            "offline": 0,
            "vendor": "AuthenticAMD",
            "family": 15,
            "model": 107,
            "stepping": 1,
            "microcode": "0x1000065",
            "brand": "QEMU TCG CPU version 2.5+",
            "hypervisor": True,
            "hypervisor_vendor": "TCGTCGTCGTCG",
            "x2apic": False,
            "sync": "iret",
            "pcid": "off",
            "accel": "tcg",
        },
        {
            "type": "time",
            "tsc_hz": 2596100000,
            "source": "PM timer",
            "spread_ppm": 20,
            "cross_source": "HPET",
            "cross_ppm": 40,
            "invariant": False,
            "max_offset_ticks": 200,
        },
        {"type": "plan", "count": 3, "budget_ms": 26000, "tests": NAMES},
        *(
            {
                "type": "test",
                "n": n + 1,
                "name": name,
                "claim": "a claim",
                "verdict": verdict_,
                "reason": "" if verdict_ == "PASS" else f"because of {n}",
                "ms": 1500,
                "saw": {"executions": 1000, "patches": 2000, "int3_hits": 30, "order_checks": 400},
                "must_see": {},
            }
            for n, (name, verdict_) in enumerate(zip(NAMES, tests))
        ),
        {"type": "data", "test": "stress/main", "rate": 5000},
        hist,
        {
            "type": "end",
            "verdict": verdict,
            "code": CODES[verdict],
            **{v.lower(): tests.count(v) for v in ("PASS", "SKIP", "WEAK", "FAIL", "ERROR")},
            "judged": True,
            "note": "",
        },
    ]


def console(items: list[dict]) -> bytes:
    """The debug console's bytes."""
    return b"".join(json.dumps(r, separators=(",", ":")).encode() + b"\n" for r in items)


FIRMWARE = (
    b'\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J\x1b[01;01HBdsDxe: loading Boot0001 "UEFI QEMU"\r\n'
    b"\x1b[0mCrossmod 0.1.0 4f2c9e1: taking over\r\n\x1b[01;01H\x1b[0m\x1b[37m"
)


def test_line(test: dict) -> str:
    """The line of the serial port for a test's record."""
    result = "ok" if test["verdict"] in ("PASS", "SKIP") else "not ok"
    reason = "" if test["verdict"] == "PASS" else f" # {test['verdict']} {test['reason']}"
    return f"{result} {test['n']} - {test['name']}{reason}"


LINES = {
    "start": lambda r: f"TAP version 14\n# crossmod {r['version']} build {r['build']}",
    "cpu": lambda r: f"# cpu {json.dumps(r)}",
    "plan": lambda r: f"1..{r['count']} # budget {r['budget_ms'] // 1000} s",
    "test": test_line,
    "data": lambda r: f"# data {json.dumps(r)}\n# progress {r['test']} 5 s",
    "end": lambda r: (
        f"# Totals: pass:{r['pass']} fail:{r['fail']}\n# END verdict={r['verdict']} code={r['code']}"
    ),
}


def tap(items: list[dict]) -> list[str]:
    """The lines that the kernel writes to the serial port for these records."""
    text = "\n".join(LINES[r["type"]](r) for r in items if r["type"] in LINES)
    return text.split("\n") if text else []


def serial(items: list[dict]) -> bytes:
    """The serial port's bytes: firmware, report, firmware."""
    return (
        FIRMWARE
        + "".join(f"{line}\r\n" for line in tap(items)).encode()
        + b"\x1b[01;01H# report written to \\reports\\0001-nodate on the boot volume\r\n"
    )
