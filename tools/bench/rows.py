# SPDX-License-Identifier: MIT
"""The table of ./run.sh bench as data: figures of merit, their floors, Linux's values, the goals.

Linux's values were measured or published elsewhere unless they are a figure of this run's peers
(hosted/bench/peers/); each names its source. docs/performance.md has the meaning of every row.
"""

from dataclasses import dataclass
from typing import Callable

# Where a run took place; the order of the table.
PLATFORMS = {
    "icount": "instructions counted: QEMU -icount, one virtual core",
    "tcg": "QEMU, single-threaded TCG: counts are exact, times are the emulator's",
    "cores": "this machine's cores, as a process",
}

SOURCES = {
    "a": "Linux 6.1.192 in QEMU 7.2, -icount shift=0, one virtual core; exact, two boots equal",
    "b": "Linux 6.1.192 in QEMU 7.2 and 10.0, multi-threaded TCG, 2 to 4 virtual cores on 2 of an"
    " AMD Zen 4",
    "c": "Linux 6.18.44 on 2 cores of an AMD Zen 4 (KVM guest): flips of static keys by sysctl",
    "d": "what text_poke_bp() of Linux 6.1 does, from its source",
    "e": "published: Bristot, jump_label: Batch updates, lkml 2018/12/21/214; 2 x 12-core Xeon",
    "f": "the Linux that runs here, measured in this run: a sysctl that only flips a static key",
}

# What Linux 6.1.192 executes for the same operation (source a), by figure of latency/instructions.
INSTRUCTIONS_OF_LINUX = {
    "instructions.sync_core": 10,
    "instructions.sync_all_one_core": 143,
    "instructions.text_poke_1": 848,
    "instructions.text_poke_5": 880,
    "instructions.single_patch": 3516,
    "instructions.batch_16": 49336,
    "instructions.batch_256": 782056,
    "instructions.further_site": 3053,
    "instructions.int3_pass": 129,
    "instructions.int3_pass_of_256": 136,
}


@dataclass(frozen=True)
class Row:
    """One figure of merit on one platform."""

    merit: int  # number of the figure of merit, as docs/performance.md lists them
    text: str
    platform: str
    figure: str
    test: str | None  # that gives it; None: the run itself (measure.derived())
    # A goal that was set, and a further one.
    goals: tuple[float, ...] = ()
    # Name of a figure of the same run, or a number from counting what cannot be left out.
    floor: str | float | None = None
    # A value, a range, or the name of a figure of the peers.
    linux: tuple[float, ...] | str | None = None
    source: str | None = None
    more: bool = False  # more is better


def _counted(merit: int, text: str, name: str, *goals: float, floor: float | None = None) -> Row:
    figure = f"instructions.{name}"
    return Row(
        *(merit, text, "icount", figure, "latency/instructions", goals, floor),
        *((INSTRUCTIONS_OF_LINUX[figure],), "a"),
    )


def _counted_user(merit: int, text: str, name: str, test: str, floor: float | None = None) -> Row:
    return Row(merit, text, "icount", f"instructions.{name}", f"latency/{test}", (), floor)


def _latency(platform: str) -> Callable[..., Row]:
    def row(merit: int, text: str, figure: str, test: str, *goals: float, **rest: object) -> Row:
        return Row(merit, text, platform, figure, f"latency/{test}", goals, **rest)

    return row


_tcg, _cores = _latency("tcg"), _latency("cores")

# fmt: off
ROWS = (
    _counted(1, "single patch, 5 bytes", "single_patch", 700, 250, floor=60),
    _counted(2, "further site of a batch", "further_site", 300, 80, floor=36),
    _counted(5, "write of 1 byte of text", "text_poke_1", floor=12),
    _counted(5, "write of 5 bytes of text", "text_poke_5", floor=12),
    _counted(6, "batch of 256", "batch_256", floor=36 * 256),
    Row(6, "batch of 256 / 256 single patches", "icount", "instructions.amortisation",
        "latency/instructions", (0.1,), linux=(0.87,), source="a"),
    _counted(7, "pass through an INT3", "int3_pass", 60),
    _counted(7, "the same, a batch of 256 armed", "int3_pass_of_256", 60),
    _counted_user(16, "site of a static key that is off", "key_site_off", "instructions_of_sites",
                  floor=1),
    _counted_user(16, "entry of a function that can be traced, and is not", "trace_site_off",
                  "instructions_of_sites", floor=1),
    _counted_user(16, "static call, beyond a direct call", "static_call_site",
                  "instructions_of_sites", floor=0),
    _counted_user(17, "trace call of a tracer that counts", "trace_call", "instructions_of_sites"),
    _counted_user(19, "hit of a probe that counts", "probe_hit", "instructions_of_probe"),
    _counted_user(19, "the same, of one that has become a jump", "jump_probe_hit",
                  "instructions_of_jump_probe"),

    _tcg(3, "patch / one broadcast", "patch.over_broadcast", "patch", 6, 3.5, floor=1.0,
         linux=(4.2, 36), source="b"),
    _tcg(4, "IPI broadcasts per patch", "count.ipis_per_patch", "counts", 3, floor=2.0,
         linux=(3,), source="d"),
    _tcg(4, "the same, patches in a row", "count.ipis_per_patch_following", "counts", 2,
         floor=2.0, linux=(3,), source="d"),
    _tcg(4, "IPI broadcasts per batch of 256, batches in a row", "count.ipis_per_batch_following",
         "counts", 2, floor=2.0, linux=(3,), source="d"),
    _tcg(4, "CR3 loads per patch", "count.cr3_loads_per_patch", "counts_of_machine", 2, floor=0.0,
         linux=(6,), source="d"),
    _tcg(4, "CR3 loads per site of 256", "count.cr3_loads_per_site_256", "counts_of_machine", 0.03,
         floor=0.0, linux=(6,), source="d"),
    _tcg(4, "dropped translations per patch", "count.tlb_flushes_per_patch", "counts_of_machine",
         1, floor=0.0),
    _tcg(4, "dropped translations per site of 256", "count.tlb_flushes_per_site_256",
         "counts_of_machine", 0.01, floor=0.0),
    _tcg(4, "interrupts of halted cores per patch", "count.interrupts_per_patch_halted",
         "counts_of_machine", 0, floor=0.0),
    _tcg(5, "write through the window / through an alias", "window.per_write_over_always_1",
         "window", linux=(1.6, 490), source="b"),
    _tcg(5, "the same, a step of 256 sites", "window.per_step_over_always_256", "window", 1.3,
         floor=1.0),
    _tcg(5, "the same, a batch of 256 sites", "window.per_batch_over_always_256", "window", 1.05,
         floor=1.0),
    _tcg(6, "batch of 256 / 256 single patches", "batch.amortisation", "batch", 0.08, 0.03,
         linux=(0.16, 0.44), source="b"),
    _tcg(6, "a static key of 1 site, switched", "users.key_switch_1", "static_key"),
    _tcg(6, "of 256 sites", "users.key_switch_256", "static_key"),
    _tcg(6, "of 1 024 sites", "users.key_switch_1024", "static_key"),
    _tcg(6, "of 10 000 sites", "users.key_switch_10000", "static_key"),
    _tcg(7, "pass through an INT3 / bare #BP", "int3.over_bare_bp", "int3", 1.5, 1.15, floor=1.0),
    _tcg(7, "the same, a batch of 256 armed", "int3.over_bare_bp_256", "int3", 1.5, 1.15,
         floor=1.0),
    _tcg(9, "reader's loss per patch of its site / patch", "reader.lost_own_over_latency",
         "reader", 0.4, 0.1, linux=(0.76,), source="b"),
    _tcg(10, "reader's loss per patch elsewhere / per sync", "reader.lost_elsewhere_over_sync",
         "reader", 0.8, 0.5, linux=(0.8,), source="b"),
    _tcg(11, "single patches per second, others halted", "sustained.single_per_s", "sustained",
         10000, 20000, more=True, linux=(5400, 7800), source="b"),
    _tcg(11, "the same, others run the site", "sustained.single_per_s_busy", "sustained",
         more=True, floor="floor.patches_per_s"),
    _tcg(11, "sites per second, batches of 256, others halted", "sustained.sites_per_s",
         "sustained", 200000, 1e6, more=True, linux=(15000, 19000), source="b"),
    _tcg(12, "from the call to the first new execution", "patch.first_new", "patch",
         floor="floor.code_store"),
    _tcg(12, "from the call to the last old execution", "patch.last_old", "patch"),
    _tcg(13, "p99 / p50 of a patch", "patch.p99_over_p50", "patch", 2, 1.5, linux=(3, 4),
         source="b"),
    Row(15, "stale executions after a sync", "tcg", "staleness.stale", None, (0,), 0.0),
    _tcg(16, "loop with a static key that is off / without", "users.key_off_over_no_site",
         "user_sites", floor=1.0),
    _tcg(16, "call of a function that can be traced, and is not / that cannot",
         "users.trace_off_over_untraced", "user_sites", floor=1.0),
    _tcg(16, "static call / direct call", "users.static_call_over_direct", "user_sites",
         floor=1.0),
    _tcg(16, "static call / call through a pointer", "users.static_call_over_pointer",
         "user_sites"),
    _tcg(17, "call of a traced function / of one that cannot be",
         "users.trace_on_over_untraced", "user_sites"),
    _tcg(17, "the same / of one that is not", "users.trace_on_over_off", "user_sites"),
    _tcg(18, "tracing of all functions / one broadcast", "users.trace_all_over_sync",
         "user_trace_all"),
    _tcg(18, "the end of it / one broadcast", "users.trace_none_over_sync", "user_trace_all"),
    _tcg(18, "tracing of all functions, of each", "users.trace_all_per_function",
         "user_trace_all"),
    _tcg(19, "hit of a probe / bare #BP", "users.probe_over_bare_bp", "user_probe", floor=1.0),
    _tcg(19, "hit of a probe / pass through an INT3", "users.probe_over_int3_pass",
         "user_probe"),

    _cores(3, "patch / one membarrier", "patch.over_broadcast", "patch", 3.1, floor=1.0,
           linux="peer.linux_static_key_over_membarrier", source="f"),
    _cores(3, "patch / three membarriers", "patch.over_three_syncs", "patch", 1.15, floor=1.0),
    _cores(6, "batch of 256 / 256 single patches", "batch.amortisation", "batch",
           linux=(0.024,), source="e"),
    _cores(7, "pass through an INT3 / bare #BP", "int3.over_bare_bp", "int3", 1.5, 1.15,
           floor=1.0),
    _cores(7, "the same, a batch of 256 armed", "int3.over_bare_bp_256", "int3", 1.5, 1.15,
           floor=1.0),
    _cores(8, "INT3 passes of all readers / of one, times readers", "int3.contention", "int3",
           0.9, more=True, floor=1.0),
    _cores(9, "reader's loss per patch of its site / patch", "reader.lost_own_over_latency",
           "reader", 0.4, 0.1),
    _cores(10, "reader's loss per patch elsewhere / per sync", "reader.lost_elsewhere_over_sync",
           "reader", floor=2.0),
    _cores(11, "single patches per second, others halted", "sustained.single_per_s", "sustained",
           more=True),
    _cores(11, "the same, others run the site", "sustained.single_per_s_busy", "sustained",
           more=True, floor="floor.patches_per_s", linux=(26000,), source="c"),
    _cores(11, "sites per second, batches of 256, others halted", "sustained.sites_per_s",
           "sustained", more=True),
    _cores(12, "from the call to the first new execution", "patch.first_new", "patch",
           floor="floor.code_store"),
    _cores(12, "from the call to the last old execution", "patch.last_old", "patch"),
    _cores(13, "p99 / p50 of a patch", "patch.p99_over_p50", "patch", 2, 1.5, linux=(1.5, 1.8),
           source="c"),
    Row(15, "stale executions after a sync", "cores", "staleness.stale", None, (0,), 0.0),
)
# fmt: on


def number(value: float) -> str:
    """At most four significant digits; thousands in groups."""
    if value == 0 or abs(value) >= 100 or value == int(value):
        return f"{round(value):,}".replace(",", " ")
    return f"{value:.3g}"
