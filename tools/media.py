#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What real machines boot: `media.py COMMAND usb|iso|sign [KEY=FILE CERT=FILE] [WORD...]`.

usb writes crossmod.img, iso crossmod.iso into the build directory; with a key and a certificate
the loader in them is signed for Secure Boot. The same input gives the same bytes, but for the
time in a signature.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from runner import build, entry, tree, words
from runner.errors import RunnerError

PLACE = tree.OUT
README = tree.ROOT / "tools" / "media_readme.txt"
VERSION = re.compile(r'"([^"]*)", crossmod_build\[\] = "([^"]*)"')
DATE = "1980010112000000"  # of everything on a CD: FAT's first day, as in the image

NEXT_USB = """
Write it to a USB stick; everything on the stick is lost. Look up the stick's name first, by its
size and model, with the stick out and in again; dd asks nothing, and the wrong name is a lost disk:
  lsblk -d -o NAME,SIZE,TRAN,MODEL
  sudo dd if={image} of=/dev/sdX bs=4M conv=fsync status=progress    # X: its letter, no number
(Windows: Rufus, in its "DD image" mode; macOS: diskutil list, then dd to /dev/rdiskN.)
"""
NEXT_ISO = """
Burn it, or give it to a virtual machine or a management controller as a CD. A CD takes no report:
put in a FAT-formatted USB stick as well, the report goes there. For a stick use ./run.sh usb.
"""
NEXT_BOTH = """{secure_boot}
Then boot from it; no key needs to be pressed. docs/hardware.md leads from here to the report.
"""


@dataclass(frozen=True)
class Order:
    """One command line, read."""

    kind: str  # "usb" or "iso"
    key: Path | None
    certificate: Path | None
    words: list[str]

    @staticmethod
    def read(arguments: list[str]) -> "Order":
        """RunnerError names a mistake; the words are judged later, by their own tool."""
        kind, *rest = arguments
        files = dict(a.split("=", 1) for a in rest if a.startswith(("KEY=", "CERT=")))
        if kind == "sign" or files:
            for name in ("KEY", "CERT"):
                if not files.get(name):
                    raise RunnerError(f"to sign takes KEY=FILE and CERT=FILE: {name}= is missing")
                if not Path(files[name]).is_file():
                    raise RunnerError(f"{name}={files[name]}: no such file")
        left = [a for a in rest if not a.startswith(("KEY=", "CERT="))]
        key, certificate = (Path(files[n]) if files else None for n in ("KEY", "CERT"))
        return Order("iso" if kind == "iso" else "usb", key, certificate, left)


def run_tool(package: str, *command: object) -> None:
    """A tool that is silent unless it fails; then its own words are the error."""
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    try:
        result = subprocess.run(
            [str(c) for c in command],
            env=environment,
            text=True,
            errors="replace",
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        raise RunnerError(f"{command[0]} is not installed (package {package})") from None
    if result.returncode:
        said = result.stdout.strip() or f"status {result.returncode}"
        raise RunnerError(f"{Path(str(command[0])).name} failed: {said}")


def sign(loader: Path, order: Order, target: Path) -> Path:
    """The loader signed, and the signature checked against the certificate."""
    run_tool(
        *("sbsigntool", "sbsign", "--key", order.key, "--cert", order.certificate),
        *("--output", target, loader),
    )
    run_tool("sbsigntool", "sbverify", "--cert", order.certificate, target)
    return target


def readme() -> bytes:
    """README.TXT, without the licence's line, with the line ends of all systems."""
    version, name = VERSION.search(
        (tree.KERNEL / "link" / "build.c").read_text(encoding="utf-8")
    ).groups()
    text = README.read_text(encoding="ascii").split("\n", 2)[2]
    return text.format(version=version, build=name).replace("\n", "\r\n").encode("ascii")


def write_cd(image: Path, target: Path, scratch: Path) -> None:
    """The image's partition as El Torito's boot image for EFI, beside the README."""
    (scratch / "cd").mkdir()
    run_tool(
        "python3", sys.executable, build.MKIMAGE, "--partition", image, scratch / "cd" / "efi.img"
    )
    (scratch / "cd" / "README.TXT").write_bytes((scratch / "README.TXT").read_bytes())
    run_tool(
        *("xorriso", "xorriso", "-as", "mkisofs", "-quiet", "-V", "CROSSMOD"),
        *("--set_all_file_dates", DATE, f"--modification-date={DATE}"),
        *("-e", "efi.img", "-no-emul-boot", "-o", target, scratch / "cd"),
    )


def write(order: Order, scratch: Path) -> Path:
    """The image in `scratch`. The caller holds the build's lock."""
    config = words.config(order.words)
    build.make_image()
    loader = tree.KERNEL / build.LOADER
    if order.key:
        loader = sign(loader, order, scratch / build.LOADER)
    (scratch / "crossmod.cfg").write_bytes(config)
    (scratch / "README.TXT").write_bytes(readme())
    image = scratch / "crossmod.img"
    run_tool(
        *("python3", sys.executable, build.MKIMAGE, image, loader),
        *(scratch / name for name in ("crossmod.cfg", "README.TXT")),
    )
    if order.kind == "iso":
        write_cd(image, scratch / "crossmod.iso", scratch)
        image = scratch / "crossmod.iso"
    return image


def describe(image: Path, order: Order) -> str:
    """What it is, and what to do next."""
    size = image.stat().st_size >> 20
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    signed = f", signed with {order.key}" if order.key else ""
    twin = f", with the broken kernel {tree.TWIN}" if tree.TWIN else ""
    shown = tree.shown(image)
    secure_boot = (
        'The machine must know the certificate (docs/hardware.md, "Secure Boot").'
        if order.key
        else "Switch Secure Boot off in the machine's setup: the loader is not signed."
    )
    follows = (NEXT_ISO if order.kind == "iso" else NEXT_USB) + NEXT_BOTH
    return (
        f"{shown}: {size} MiB{signed}{twin}\nsha256 {digest}\n"
        f"{follows.format(image=shown, secure_boot=secure_boot)}"
    ).rstrip()


def main(_command: str, arguments: list[str]) -> int:
    """Build and write; the old image stays until the new one is whole."""
    order = Order.read(arguments)
    with build.locked():
        build.make("host/words")
        with tempfile.TemporaryDirectory(prefix=".media-", dir=PLACE) as scratch:
            image = write(order, Path(scratch))
            target = image.replace(PLACE / image.name)
    print(describe(target, order))
    return 0


if __name__ == "__main__":
    entry.enter(main)
