# SPDX-License-Identifier: MIT
"""The latency laboratory: its counts, the same in each run and not blind, and its sweeps."""

import re

import pytest

COUNTS = "tests=latency/counts*,latency/cores"

# Twins of the kernel (tests/twins/): the test that must fail on each, and why.
TWINS = {
    "extra_sync": ("counts", r"single: 24 broadcasts, 12 openings and 12 stores for 4 batches"),
    "extra_root_load": ("counts_of_machine", r"cr3_loads_per_patch: 9 loads of CR3 for 3 openings"),
    "flush_by_ipi": ("counts", r"single: \d+ cross-calls and 0 NMIs"),
    "quiescent_asked": ("cores", r"\d+ acknowledgements of 3 broadcasts with \d cores"),
}


def figures(result) -> dict:
    """All figures of a run, by name."""
    found = [f for data in result.report["data"] for f in data.get("figures", ())]
    names = [f["name"] for f in found]
    assert len(set(names)) == len(names), "a figure's name is unique"
    return {f["name"]: f for f in found}


def exact(result) -> dict:
    """Those that are counts, in thousandths."""
    return {name: f["milli"] for name, f in figures(result).items() if f["exact"]}


@pytest.mark.parametrize("name", TWINS)
def test_a_count_shows_a_twin(crossmod, name):
    test, reason = TWINS[name]
    words = ("cpus=4", "seed=0x5eed", "hang=4", f"tests=latency/{test}")
    result = crossmod.run(*words, CROSSMOD_TWIN=name).expect("FAIL", 1)
    record = result.test(f"latency/{test}")
    assert record["verdict"] == "FAIL" and re.search(reason, record["reason"]), record


def check_cores(counts: dict, cpus: int) -> None:
    """Every core that reads acknowledges each broadcast, however many take part."""
    sizes = {int(name.rsplit("_", 1)[1]) for name in counts if name.startswith("scaling.")}
    assert {1, 2, cpus} <= sizes
    for n in sizes:
        broadcasts = counts[f"scaling.broadcasts_per_patch_{n}"]
        assert counts[f"scaling.acknowledgements_per_patch_{n}"] == n * broadcasts
        assert broadcasts == counts["count.ipis_per_patch"]


def test_counts_are_the_same_in_each_run(crossmod):
    first = exact(crossmod.run("cpus=4", COUNTS, "seed=1").expect("PASS", 0))
    second = exact(crossmod.run("cpus=4", COUNTS, "seed=2").expect("PASS", 0))
    assert first == second
    assert {"count.ipis_per_patch", "count.cr3_loads_per_site_256"} < set(first)
    assert first["count.int3_hits_per_pass"] == 1000
    assert first["count.stores_per_patch"] <= 3000 and first["count.cr3_loads_per_patch"] <= 6000
    check_cores(first, 4)


def test_counts_with_64_cores(crossmod):
    check_cores(exact(crossmod.run("cpus=64", COUNTS).expect("PASS", 0)), 64)


def test_every_sweep_leaves_its_figures(crossmod):
    """Small and with whoever else uses the machine: too little seen is no fault of a sweep."""
    tests = "batch,cores,protocols,readers,sustained,sync_methods,window"
    tests += ",user_probe,user_sites,user_trace_all"
    result = crossmod.run("cpus=4", "tests=" + ",".join(f"latency/{t}" for t in tests.split(",")))
    assert result.report["verdict"] in ("PASS", "WEAK"), result.text
    found = figures(result)
    for name in (
        "batch.amortisation",
        "batch.further_site",
        "scaling.patch_over_broadcast_4",
        "protocol.int3_2_over_int3_3",
        "patch.looping_over_halted",
        "sustained.single_per_s",
        "sustained.sites_per_s",
        "sustained.p99_at_half",
        "sync.iret_broadcast",
        "window.per_step_over_always_256",
        "users.key_off_over_no_site",
        "users.trace_on_over_off",
        "users.trace_all_over_sync",
        "users.probe_over_int3_pass",
    ):
        figure = found[name]
        assert not figure["exact"] and figure["low"] <= figure["milli"] <= figure["high"]
        assert figure["n"] > 0 and figure["milli"] > 0, figure
