# SPDX-License-Identifier: MIT
"""Compare the two ways by which a report leaves the machine: the ports, and the medium's files."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Copy:
    """What a file on the medium is worth beside what the port showed."""

    file: str  # "report.tap" or "report.jsonl"
    state: str  # "same", "differs" or "absent"
    note: str

    def as_dict(self) -> dict:
        """For report.json."""
        return asdict(self)


def compare(file: str, port: str, shown: list[str], stored: list[str] | None) -> Copy:
    """`shown` came by the port named `port`; `stored` is the file's content or None."""
    if stored is None:
        return Copy(
            file,
            "absent",
            f"the medium has no {file}: the loader writes it only after" " the kernel has returned",
        )
    if shown == stored:
        return Copy(file, "same", f"{len(stored)} lines, the same by {port} and on the medium")
    common = min(len(shown), len(stored))
    first = next((i for i in range(common) if shown[i] != stored[i]), common)

    def at(lines: list[str]) -> str:
        return ascii(lines[first][:100]) if first < len(lines) else "nothing more"

    return Copy(
        file,
        "differs",
        f"{len(shown)} lines by {port}, {len(stored)} in {file} on the medium;"
        f" first difference in line {first + 1}: {at(shown)} against {at(stored)}",
    )
