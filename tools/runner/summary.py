# SPDX-License-Identifier: MIT
"""What a person reads: the five last lines, and summary.txt; from report.json's document."""

from .report import twin

HEADLINE = ("stress/main", "total")
COUNTED = (
    ("executions", "executions"),
    ("patches", "patches"),
    ("int3_hits", "INT3 hits"),
    ("order_checks", "order checks"),
)
UNJUDGED = "emulator, not judged"
MACHINE = {"tcg": "under TCG", "kvm": "under KVM", "hosted": "as a process, on real cores"}
PASS_UNDER_TCG = "under TCG: the logic is shown, not silicon"


def five_lines(report: dict, run: str) -> list[str]:
    """Verdict, counts, headline latency, files, replay: always five."""
    return [
        _verdict(report),
        _counts(report),
        _latency(report),
        f"files: {run}/ (summary.txt report.json report.tap junit.xml {_log(report)})",
        f"replay: {report['replay']}",
    ]


def _verdict(report: dict) -> str:
    reason = f": {report['reason']}" if report["reason"] else ""
    of = f" of twin {twin(report)}" if twin(report) else ""
    return f"{report['verdict']}{of}{_qualifier(report)}{reason}"


def _qualifier(report: dict) -> str:
    """On what the verdict rests. An error says nothing about the code under test."""
    if report["verdict"] == "ERROR":
        return ""
    if not report["judged"]:
        return f" ({UNJUDGED})"
    if (report["verdict"], report["emulation"]["accel"]) == ("PASS", "tcg"):
        return f" ({PASS_UNDER_TCG})"
    return f" ({MACHINE[report['emulation']['accel']]})"


def _log(report: dict) -> str:
    """The file with what the machine showed, byte for byte."""
    return "output.log" if report["emulation"]["accel"] == "hosted" else "serial.log"


def _machine(report: dict) -> list[str]:
    """What it ran on, for summary.txt."""
    facts = report["emulation"]
    if facts["accel"] == "hosted":
        return [f"machine: {facts['why']}, {facts['kernel']}"]
    return [
        f"machine: QEMU {facts['qemu']}, {facts['accel']} ({facts['why']})",
        f"machine: {facts['vcpus']} vCPUs, {facts['memory_mib']} MiB, {facts['firmware']}",
    ]


def _counts(report: dict) -> str:
    verdicts = [test["verdict"] for test in report["tests"]]
    planned = report["plan"]["count"] if report["plan"] else 0
    tests = " ".join(
        f"{verdicts.count(v.upper())} {v}"
        for v in ("pass", "skip", "weak", "fail", "error")
        if v == "pass" or verdicts.count(v.upper())
    )
    seen = ", ".join(f"{_total(report, name):,} {text}".replace(",", " ") for name, text in COUNTED)
    return f"tests: {len(verdicts)} of {planned} ran: {tests}; {seen}"


def _total(report: dict, name: str) -> int:
    return sum(test["saw"].get(name, 0) for test in report["tests"])


def _latency(report: dict) -> str:
    hist = next(
        (h for h in report["hists"] if (h["test"], h["name"]) == HEADLINE and h["count"]), None
    )
    if not hist:
        return f"latency: not measured ({HEADLINE[0]} did not record it in this run)"
    values = ", ".join(f"{p} {duration(hist[p])}" for p in ("p50", "p99", "max"))
    trust = "" if hist["trusted"] else f"; not trusted: {', '.join(map(str, hist['why']))}"
    return f"latency of one patch: {values} ({hist['count']} patches{trust})"


def duration(nanoseconds: int) -> str:
    """Three digits and a unit."""
    value, unit = float(nanoseconds), "ns"
    for bigger in ("us", "ms", "s"):
        if value < 1000:
            break
        value, unit = value / 1000, bigger
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def notes(report: dict) -> list[str]:
    """What is not a verdict but must not go unsaid."""
    found = [f"note: {line}" for line in _ignored(report)]
    for copy in report["copies"]:
        if copy["state"] != "same":
            found.append(f"note: {copy['note']}")
    topology = (report["cpu"] or {}).get("topology_note")
    if topology:
        found.append(f"note: {topology}")
    found += [f"note: {text}" for text in befallen(report["health"])]
    if report["damaged"]:
        found.append(
            f"note: {len(report['damaged'])} damaged lines in the records, the first:"
            f" {report['damaged'][0]!a}"
        )
    return found


def _ignored(report: dict) -> list[str]:
    """Unknown words of crossmod.cfg: the verdict is not about what they were meant to do."""
    record = report["ignored"]
    if not record:
        return []
    more = record["count"] - len(record["words"])
    return [*record["words"], *([f"{more} more unknown words are ignored"] if more else [])]


def befallen(health: dict | None) -> list[str]:
    """What the machine suffered from outside, in words."""
    found = []
    if health is None:
        return found
    foreign = sum(n["count"] for n in health["unexpected_nmis"])
    if foreign:
        found.append(f"{foreign} NMIs came from outside: failing hardware, a controller, a button")
    if health["machine_check_new"]:
        first = next((e for e in health["machine_checks"] if e["new"]), None)
        where = f": core {first['core']} bank {first['bank']} status {first['status']}"
        found.append(
            f"{health['machine_check_new']} new machine-check errors{where if first else ''}"
        )
    if health["smis"].get("sum"):
        found.append(f"{health['smis']['sum']} SMIs during the run")
    return found


def full(report: dict, run: str, trace: list[str]) -> str:
    """summary.txt. `trace` is the symbolised text of a panic or a hang."""
    lines = [*five_lines(report, run), ""]
    cpu = report["cpu"] or {}
    lines += [
        f"cpu: {cpu.get('cpus')} of {cpu.get('listed')} cores, {cpu.get('brand')}",
        *_machine(report),
        f"machine: ran for {report['emulation']['seconds']} s",
        "",
    ]
    lines += notes(report)
    if report["end"] and report["end"]["note"]:
        lines.append(f"note: {report['end']['note']}")
    for test in report["tests"]:
        if test["verdict"] != "PASS":
            lines.append(f"{test['verdict']} {test['name']}: {test['reason']}")
    for hist in report["hists"]:
        if hist["count"] and hist["unit"] == "ns":
            points = " ".join(
                f"{p} {duration(hist[p])}" for p in ("min", "p50", "p99", "p999", "max")
            )
            lines.append(f"{hist['test']} {hist['name']}: {hist['count']} times, {points}")
    if trace:
        lines += ["", *trace]
    return "\n".join(lines) + "\n"
