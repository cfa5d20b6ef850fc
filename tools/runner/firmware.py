# SPDX-License-Identifier: MIT
"""Find OVMF: the code and an empty variable store that belongs to it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from .errors import RunnerError

# Distribution by distribution; within one the newer, larger build first.
PLACES = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),  # Debian, Ubuntu
    ("/usr/share/OVMF/OVMF_CODE.fd", "OVMF_VARS.fd"),  # Debian <= 12, Ubuntu <= 22.04
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "OVMF_VARS.fd"),  # Fedora
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "OVMF_VARS.4m.fd"),  # Arch
    ("/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "OVMF_VARS.fd"),  # Arch, older
    ("/usr/share/edk2-ovmf/OVMF_CODE.fd", "OVMF_VARS.fd"),  # Gentoo
    ("/usr/share/qemu/ovmf-x86_64-code.bin", "ovmf-x86_64-vars.bin"),  # openSUSE
    ("/usr/share/qemu/edk2-x86_64-code.fd", "edk2-i386-vars.fd"),  # QEMU's own bundle
)
DESCRIPTORS = Path("/usr/share/qemu/firmware")

HOW_TO_INSTALL = """no OVMF (UEFI firmware for QEMU) was found. Install it:
  Debian, Ubuntu:  apt-get install ovmf
  Fedora:          dnf install edk2-ovmf
  Arch:            pacman -S edk2-ovmf
or name its two files in the environment: OVMF_CODE=... OVMF_VARS=..."""


@dataclass(frozen=True)
class Firmware:
    """Two flash images."""

    code: Path
    variables: Path

    def drives(self) -> list[str]:
        """QEMU's arguments. snapshot=on: what the firmware stores is dropped, not written."""
        return [
            "-drive",
            f"if=pflash,format={_format(self.code)},readonly=on,file={comma(self.code)}",
            "-drive",
            f"if=pflash,format={_format(self.variables)},snapshot=on,"
            f"file={comma(self.variables)}",
        ]


def comma(path: Path) -> str:
    """A path inside a QEMU option, where a comma must be doubled."""
    return str(path).replace(",", ",,")


def _format(path: Path) -> str:
    return "qcow2" if path.suffix == ".qcow2" else "raw"


def _fits(firmware: Firmware) -> bool:
    """Both exist and are the halves of one flash: 2 MiB or 4 MiB in all. Others do not boot."""
    if not (firmware.code.is_file() and firmware.variables.is_file()):
        return False
    if _format(firmware.code) == "qcow2":
        return True
    total = firmware.code.stat().st_size + firmware.variables.stat().st_size
    return total & (total - 1) == 0


def _described(directory: Path) -> Iterator[Firmware]:
    """The firmware descriptors that distributions ship for QEMU: x86-64, q35, flash, no SMM."""
    for path in sorted(directory.glob("*.json")):
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            mapping = entry["mapping"]
            targets = [
                t
                for t in entry["targets"]
                if t["architecture"] == "x86_64" and any("q35" in m for m in t["machines"])
            ]
            if targets and mapping["device"] == "flash" and "requires-smm" not in entry["features"]:
                yield Firmware(
                    Path(mapping["executable"]["filename"]),
                    Path(mapping["nvram-template"]["filename"]),
                )
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a descriptor of another kind or a damaged one: no reason to stop


def _from_environment(code: str, variables: str | None) -> Firmware:
    if not variables:
        name = Path(code).name
        variables = str(Path(code).with_name(name.replace("CODE", "VARS").replace("code", "vars")))
    found = Firmware(Path(code).absolute(), Path(variables).absolute())
    for variable, path in (("OVMF_CODE", found.code), ("OVMF_VARS", found.variables)):
        if not path.is_file():
            raise RunnerError(f"{variable}={path}: no such file")
    if found.code == found.variables or not _fits(found):
        raise RunnerError(
            f"OVMF_CODE={found.code} and OVMF_VARS={found.variables} are not the two halves"
            " of one firmware: together they must be 2 MiB or 4 MiB"
        )
    return found


def find(places: tuple = PLACES, descriptors: Path = DESCRIPTORS) -> Firmware:
    """The environment's choice, else the first known place, else the first suitable descriptor."""
    if os.environ.get("OVMF_CODE"):
        return _from_environment(os.environ["OVMF_CODE"], os.environ.get("OVMF_VARS"))
    for code, variables in places:
        firmware = Firmware(Path(code), Path(code).with_name(variables))
        if _fits(firmware):
            return firmware
    for firmware in _described(descriptors):
        if _fits(firmware):
            return firmware
    raise RunnerError(HOW_TO_INSTALL)
