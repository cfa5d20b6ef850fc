# SPDX-License-Identifier: MIT
"""Twins (tests/twins/): kernels with one file that is broken on purpose, each found by its test."""

import re

import pytest

# Twin: the tests, of group poke if they name none, that fail on it, and why.
FAIL = {
    "wrong_return": {"i1_emulation_equals_execution": r"opcode e8 "},
    "call_as_nop": {
        "i1_emulation_equals_execution": r"opcode e8 .*word 0 of the state",
        "i3_call_frame": r"seen\.wrong_return is",
    },
    "extra_word": {"i3_call_frame": r"seen\.other_words is"},
    "flags_lost": {"i1_emulation_equals_execution": r"word 15 of the state"},
    "jng_and": {"i2_jcc_table": r"opcode 7e .*word 0 of the state"},
    "unchecked_padding": {"i5_bad_instructions_refused": r"no error, expected .* not all INT3"},
    "adjacent_frames": {
        "i6_page_crossing": r"text_poke\(boundary - split,",
        "i6_copy_and_set": r"text_poke_copy\(",
        "i7_window_entries": r"ENTRY_FRAME",
    },
    "global_pte": {"i7_window_entries": r"ENTRY_RIGHTS is 0x8000000000000103"},
    "window_shared": {"i8_window_private": r"faults is 0x0"},
    "dr7_armed": {"i8_window_private": r"dr7 & 0xff is 0x1"},
    "dr7_lost": {"i8_state_restored": r"dr7_after is"},
    "extra_sync": {"i9_syncs_and_windows": r"one site with a tail: 6 syncs and 3 windows"},
    "extra_root_load": {"i9_syncs_and_windows": r"root_loads .* is 0x9, expected 0x6"},
    "flush_by_ipi": {
        "i9_syncs_and_windows": r"sent\.calls is 0x9",
        "i9_plain_poke_is_silent": r"after\.calls is",
    },
    "no_sync": {"i11_order_checked": r"order: a core did not acknowledge a sync"},
    "thread_only": {"i18_contexts": r"#BP at slot\+1", "i18_interrupts": r"#BP at slot\+1"},
    "unsorted_batch": {
        "i10_order_flushes": r"add_flushes\(.* is 0x0, expected 0x1",
        "i19_queue_then_finish": r"the table is not ascending",
    },
    "unchecked_single": {"i10_single_with_pending": r"single_behind\(t, 256, 128"},
    "early_close": {
        "i10_single_with_pending": r"poke_first_fault",
        "i19_two_patchers": r"order: retired before the first byte was synchronised",
    },
    "every_alternative": {"users/alternatives": r"kept\(\) is 0x2"},
    "tracer_gap": {"users/ftrace_replace_race": r"wrong executions, the first gave 0x0"},
    "missed_jcc": {"users/static_call_targets": r"all_answer"},
    "missed_site": {"users/static_key_race": r"wrong executions|e is 0xa"},
    "unexpected_switch": {"users/text_switch_refusals": r"is 0x0, expected 0xa"},
    "reclaim_at_once": {"users/redirect_race": r"left_inside is"},
    "missed_last": {
        "i11_order_checked": r"order: store outside the batch's sites",
        "i12_nop5_call": r"#BP at slot\+1",
        "i23_geometry": r"#BP at slot\+1",
        "i15_no_orphan_int3": r"orphan #BP .* refs 1, (\d+) entries, entry \d+ is there",
    },
    "retire_without_wait": {"i16_foreign_int3": r"answers\[ANSWER_POISON\] is"},
    "consumed_int3": {"i17_int3_as_instruction": r"answer \d+ between versions"},
    "ignored_emulate": {"i17_emulate_differs": r"patch\(version\) is 0x2"},
    "all_patchable": {
        "i25_self_reference": r"the kernel's fixed text: 0x\w+ can be patched",
        "i25_path_is_not_patchable": r"steps were in patchable text",
        "i25_ways_in_are_not_patchable": r"out of a wait: \d+ steps were in patchable text",
    },
    "online_refs": {"i21_park_in_batches": r"#BP at slot\+1"},
    "quiescent_asked": {
        "i26_idle_is_left_alone": r"sync_acks - before\.sync_acks is 0x18,",
        "i26_parked_is_left_alone": r"sync_acks - before\.sync_acks is 0x18,",
    },
    "quiescent_early": {"i26_leaving_in_order": r"serialised_as is 0x1, expected 0x2"},
    "quiescent_late": {"i26_woken_is_asked": r"did not wait for a core that"},
    "quiescent_unlogged": {"i11_order_checked": r"order: a core did not acknowledge a sync"},
    "quiescent_unserialised": {"i26_leaving_in_order": r"leaving\.serialised is 0x0"},
}

# Twins that may not live to report a failure: the test, the run's possible verdicts, and a line.
END = {
    "unnestable": ("i4_int3_in_nmi_in_int3", ("HANG",), r"phase text_poke: retire"),
    "bp_on_ist": ("i4_int3_in_nmi_in_int3", ("PANIC", "FAIL", "HANG"), r"not ok 1 - poke/i4"),
    "stack_descriptor": ("i16_foreign_int3", ("FAIL", "HANG"), r"text_poke: retire|ANSWER_POISON"),
    "disarm_without_sync": ("users/kprobe_race", ("PANIC", "FAIL"), r"not ok 1 - users/kprobe"),
    "optimize_at_once": ("users/kprobe_optimize_race", ("PANIC", "FAIL"), r"#[A-Z]+|wrong exec"),
    "no_mutex": ("i19_two_patchers", ("FAIL", "PANIC", "HANG"), r"not ok 1 - poke/i19"),
    "leaked_reference": ("i20_liveness", ("HANG",), r"core 0 .*phase text_poke: retire"),
    "bare_switch": ("users/text_switch_race", ("PANIC", "FAIL"), r"not ok 1 - users/text_switch"),
    "reclaim_at_once": ("users/reclaim_race", ("PANIC", "FAIL"), r"#BP|wrong executions"),
}

# Twins that users/all_at_once finds too, and the line that says so; the kernel may not live on.
ALL_AT_ONCE = {
    "tracer_gap": r"ftrace: core \d+, context \d: \d+ wrong executions",
    "disarm_without_sync": r"left_inside is|#BP|probes: core",
    "bare_switch": r"#[A-Z]{2}|text_switch: core",  # what a torn instruction does is anything
    "reclaim_at_once": r"#BP|reclaim: core|left_inside is",
    "missed_site": r"(static|long)_key: (core|.*expect)",
    "missed_jcc": r"static_call: core \d+",
    "early_close": r"order_violations is",
    "unsorted_batch": r"#BP|order_violations is",
    "unchecked_single": r"#BP|order_violations is",
}

# Twins of the tree by which a sync waits for more than 16 other cores.
TREE = {
    "group_not_awaited": ("FAIL", r"a sync of 19 cores did not wait for core \d+"),
    "lost_arrival": ("HANG", r"not ok 1 - unit/sync_waits # HANG"),
}

# Found before any test: the kernel patches its own text at boot, and looks at its mappings then.
BOOT = {
    "pte_kept": r"W\^X is violated while cores start",
    "irq_on": r"interrupt\[0x0\] vector",
}

# Twins that do not link: lines of the link's check.
LINK = {
    "call_out": (
        r"call_out\.c:\d+.*: ack_tree_arrive: a site of a static key in the fixed text",
        r"call_out\.c:\d+.*: ack_tree_arrive: fixed text, calls con_printf, which can be patched",
    ),
}

# For the model alone.
MODEL = {
    "changed_flags": "the kernel takes no flags back from the engine: see flags_lost",
}


def run_twin(crossmod, name: str, *tests: str, cpus: int = 4):
    words = (f"cpus={cpus}", "seed=0x5eed", "hang=4", "tests=" + ",".join(tests))
    result = crossmod.run(*words, CROSSMOD_TWIN=name)
    assert result.report["start"]["build"].endswith(f" twin {name}")
    assert re.match(rf"[A-Z]+ of twin {name} \(", result.lines[-5]), "nobody takes it for a result"
    assert f"replay: CROSSMOD_TWIN={name} " in result.lines[-1]
    return result


def test_every_twin_is_asserted_here(tree):
    twins = {file.stem for file in (tree / "tests" / "twins").glob("*.c")}
    assert twins == {*FAIL, *END, *TREE, *BOOT, *LINK, *MODEL}
    table = (tree / "tests" / "twins" / "twins.mk").read_text(encoding="utf-8")
    assert {*re.findall(r"^    (\w+):", table, re.MULTILINE)} == twins
    models = (tree / "tests" / "model" / "model.mk").read_text(encoding="utf-8")
    assert all(re.search(rf"\b{name}\b", models) for name in MODEL), "or nothing uses it"


@pytest.mark.parametrize("name, tests", FAIL.items(), ids=FAIL)
def test_a_twin_fails_its_tests(crossmod, name, tests):
    named = {test if "/" in test else f"poke/{test}": reason for test, reason in tests.items()}
    result = run_twin(crossmod, name, *named).expect("FAIL", 1)
    for test, reason in named.items():
        record = result.test(test)
        assert record["verdict"] == "FAIL" and re.search(reason, record["reason"]), record


@pytest.mark.parametrize(
    "name, test, verdicts, line", [(n, *end) for n, end in END.items()], ids=END
)
def test_a_twin_ends_in_its_test(crossmod, name, test, verdicts, line):
    for _ in range(3):  # on a busy host a run may see too little
        result = run_twin(crossmod, name, test if "/" in test else f"poke/{test}")
        if result.report["verdict"] != "WEAK":
            break
    assert result.report["verdict"] in verdicts and result.code, result.text
    assert re.search(line, result.text), result.text


@pytest.mark.parametrize("name, line", ALL_AT_ONCE.items(), ids=ALL_AT_ONCE)
def test_all_users_at_once_find_a_twin(crossmod, name, line):
    result = run_twin(crossmod, name, "users/all_at_once")
    assert result.report["verdict"] in ("FAIL", "PANIC") and result.code, result.text
    assert re.search(rf"not ok 1 - users/all_at_once # .*({line})", result.text), result.text


@pytest.mark.parametrize("name, verdict, line", [(n, *end) for n, end in TREE.items()], ids=TREE)
def test_a_twin_of_the_tree_is_found(crossmod, name, verdict, line):
    result = run_twin(crossmod, name, "unit/sync_waits", cpus=20)
    assert result.report["verdict"] == verdict and re.search(line, result.text), result.text


@pytest.mark.parametrize("name, line", BOOT.items(), ids=BOOT)
def test_a_twin_does_not_come_to_its_tests(crossmod, name, line):
    result = crossmod.run("seed=0x5eed", "hang=4", "tests=poke/i7*", CROSSMOD_TWIN=name)
    assert result.report["verdict"] == "PANIC" and re.search(line, result.text), result.text


def test_an_unknown_twin_is_named(crossmod):
    result = crossmod.run(CROSSMOD_TWIN="no_such_twin")
    assert result.code == 3 and "TWIN=no_such_twin: no such twin" in result.text


@pytest.mark.parametrize("name, lines", LINK.items(), ids=LINK)
def test_a_twin_does_not_link(crossmod, name, lines):
    result = crossmod.run("tests=unit/*", CROSSMOD_TWIN=name)
    assert result.code == 3 and result.directory is None, result.text
    assert all(re.search(line, result.text) for line in lines), result.text
