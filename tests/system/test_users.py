# SPDX-License-Identifier: MIT
"""Text users: what a seed says about the stress of all at once."""


def operations(crossmod, seed: int) -> list[str]:
    """A digest of what each patcher did first."""
    result = crossmod.run("cpus=3", "tests=users/all_at_once", f"seed={seed}", "hang=10")
    assert result.report["verdict"] in ("PASS", "WEAK"), result.text
    (data,) = (d for d in result.report["data"] if d["test"] == "users/all_at_once")
    assert all(p["operations"] >= 32 for p in data["patchers"])
    assert len(data["users"]) == 10 and all(u["operations"] for u in data["users"])
    return [patcher["digest"] for patcher in data["patchers"]]


def test_a_seed_replays_the_operations(crossmod):
    first, again, other = (operations(crossmod, seed) for seed in (1, 1, 2))
    assert first == again and not {*first} & {*other}
    assert first[0] != first[1], "each patcher has random numbers of its own"
