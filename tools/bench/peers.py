# SPDX-License-Identifier: MIT
"""What else there is on these processors (hosted/bench/peers/): build, run, read."""

import json
import shutil
import subprocess
from pathlib import Path

from runner import build, tree
from runner.errors import RunnerError

from . import figures

# Writing one of these flips one static key and does nothing else; the first is used that is there.
SYSCTLS = [
    f"/proc/sys/kernel/{name}" for name in ("timer_migration", "sched_schedstats", "numa_balancing")
]


def xray_obstacle() -> str | None:
    """Why the program cannot be built with XRay, None if it can."""
    clang = shutil.which("clang-14") or shutil.which("clang")
    if not clang:
        return "clang is not installed (Debian's clang-14)"
    runtimes = subprocess.run(
        [clang, "-print-runtime-dir"], stdout=subprocess.PIPE, text=True, check=False
    ).stdout.strip()
    if not runtimes or not list(Path(runtimes).glob("libclang_rt.xray*.a")):
        return "clang's XRay runtime is not installed (Debian's libclang-rt-14-dev)"
    return None


def run(program: Path, sysctls: list[str]) -> dict:
    """Its JSON document. It puts the sysctl back however it ends."""
    result = subprocess.run([program, *sysctls], stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise RunnerError(f"{program.name} failed; its message is above")
    return json.loads(result.stdout)


def measure(place: Path, sysctls: tuple[str, ...] = tuple(SYSCTLS)) -> dict:
    """What bench.json says of the peers; peers.json has the program's own words."""
    obstacle = xray_obstacle()
    name = "host/bench-peers" if obstacle else "host/bench-peers-xray"
    with build.locked():
        build.make(name)
    program = tree.OUT / name
    print(f"running: {tree.shown(program)} {' '.join(sysctls)}", flush=True)
    document = run(program, list(sysctls))
    (place / "peers.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if obstacle:
        document["skipped"]["xray"] = obstacle
    found = figures.read_all(document["figures"])
    return {
        "command": " ".join([program.name, *sysctls]),
        "report": "peers.json",
        "verdict": "PASS" if found else "SKIP",
        "not_passed": document["skipped"],
        "figures": [figure.as_dict() for figure in found.values()],
    }
