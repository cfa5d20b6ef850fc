# SPDX-License-Identifier: MIT
"""Compare the two ways by which a report leaves the machine: what it shows, and its files."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Copy:
    """What a file is worth beside what was shown."""

    file: str  # "report.tap" or "report.jsonl"
    state: str  # "same", "beginning", "differs" or "absent"
    note: str

    def as_dict(self) -> dict:
        """For report.json."""
        return asdict(self)


@dataclass(frozen=True)
class Store:
    """Where files lie, and why one may not be there."""

    place: str
    absence: str


MEDIUM = Store("on the medium", "the machine ended before the loader could write it")
DIRECTORY = Store("in its directory", "the program could not make it")


def compare(
    file: str, port: str, shown: list[str], stored: list[str] | None, store: Store = MEDIUM
) -> Copy:
    """`shown` came by the port named `port`; `stored` is the file's content or None."""
    if stored is None:
        return Copy(file, "absent", f"there is no {file} {store.place}: {store.absence}")
    if shown == stored:
        return Copy(file, "same", f"{len(stored)} lines, the same by {port} and {store.place}")
    if stored and shown[: len(stored)] == stored:
        return Copy(
            file,
            "beginning",
            f"{len(shown)} lines by {port}; {file} {store.place} has the first {len(stored)}",
        )
    common = min(len(shown), len(stored))
    first = next((i for i in range(common) if shown[i] != stored[i]), common)

    def at(lines: list[str]) -> str:
        return ascii(lines[first][:100]) if first < len(lines) else "nothing more"

    return Copy(
        file,
        "differs",
        f"{len(shown)} lines by {port}, {len(stored)} in {file} {store.place};"
        f" first difference in line {first + 1}: {at(shown)} against {at(stored)}",
    )
