# SPDX-License-Identifier: MIT
"""What real machines boot: the image and the CD, whole and reproducible, by every way to boot."""

import functools
import hashlib
import http.server
import os
import re
import shutil
import struct
import subprocess
import threading
import time
from pathlib import Path

import boots
import media
import pytest
from runner import build, firmware, machine, tree, words
from runner.errors import RunnerError

SHORT = "tests=unit/ipi*,unit/cores_online"
SNAKEOIL = firmware.Firmware(
    Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd")
)
SNAKEOIL_KEY = Path("/usr/share/ovmf/PkKek-1-snakeoil.key")  # its password is its name


def make(place: Path, *arguments: str | Path) -> Path:
    """An image as run.sh makes it, in a directory of its own."""
    place.mkdir(parents=True, exist_ok=True)
    with build.locked():
        return media.write(media.Order.read([str(a) for a in arguments]), place)


@pytest.fixture(name="image")
def fixture_image(tmp_path) -> Path:
    """A stick with a short plan in its crossmod.cfg."""
    return make(tmp_path / "image", "usb", SHORT)


def tool(*command: object) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    return subprocess.run(
        [str(c) for c in command],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ---- the image ----


def partition(image: Path) -> Path:
    target = image.with_name("partition.img")
    assert tool(build.MKIMAGE, "--partition", image, target).returncode == 0
    return target


def test_the_partitions_are_sound(image):
    result = tool("sgdisk", "-v", "-p", image)
    assert result.returncode == 0 and "No problems found" in result.stdout, result.stdout
    assert re.search(r"^ +1 +2048 +\d+ +\S+ MiB +EF00 ", result.stdout, re.MULTILINE)
    mbr = image.read_bytes()[:512]
    assert mbr[446 + 4] == 0xEE and mbr[510:] == b"\x55\xaa", "a protective MBR"
    damaged = bytearray(image.read_bytes())
    damaged[1024 + 40] ^= 1  # the partition's last sector, in the first table
    image.write_bytes(damaged)
    assert "No problems found" not in tool("sgdisk", "-v", image).stdout


def clusters(volume: bytes) -> int:
    """The count that alone decides the kind of FAT (Microsoft's specification of 2000)."""
    size, per_cluster, reserved, fats = struct.unpack_from("<HBHB", volume, 11)
    (total,) = struct.unpack_from("<I", volume, 32)
    (fat_sectors,) = struct.unpack_from("<I", volume, 36)
    assert size == 512
    return (total - reserved - fats * fat_sectors) // per_cluster


def test_the_file_system_is_sound_and_really_fat32(image):
    volume = partition(image)
    result = tool("fsck.fat", "-n", "-v", volume)
    assert result.returncode == 0 and "32 bit entries" in result.stdout, result.stdout
    assert clusters(volume.read_bytes()) >= 65525
    damaged = bytearray(volume.read_bytes())
    (reserved,) = struct.unpack_from("<H", damaged, 14)
    damaged[reserved * 512 + 12] ^= 0xFF  # a cluster's entry in the first of two FATs
    volume.write_bytes(damaged)
    assert tool("fsck.fat", "-n", volume).returncode


def test_the_files_are_what_was_built(image):
    listing = boots.mtools("mdir", image, "-/", "-b", "::").decode().split()
    assert [name for name in listing if not name.endswith("/")] == [
        "::/crossmod.cfg",
        "::/README.TXT",
        "::/EFI/BOOT/BOOTX64.EFI",
    ]
    loader = build.extract(image, "/EFI/BOOT/BOOTX64.EFI")
    assert loader == (tree.KERNEL / build.LOADER).read_bytes()
    for name in ("/crossmod.cfg", "/README.TXT"):
        text = build.extract(image, name)
        assert text.isascii() and text.count(b"\r\n") == text.count(b"\n") == text.count(b"\r") > 20
    assert re.match(rb"CROSSMOD \d+\.\d+\.\d+, build \w+", text)
    assert not re.search(rb"[{}]|SPDX", text)


@pytest.mark.parametrize("kind", ["usb", "iso"])
def test_the_same_input_gives_the_same_bytes(tmp_path, monkeypatch, kind):
    first = digest(make(tmp_path / "a", kind, SHORT))
    time.sleep(2.1)  # FAT's clock has steps of 2 seconds
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert digest(make(tmp_path / "elsewhere" / "b", kind, SHORT)) == first
    assert digest(make(tmp_path / "c", kind, "seconds=3")) != first


# ---- crossmod.cfg ----


def config_lines(*arguments: str) -> list[str]:
    return words.config(list(arguments)).decode("ascii").split("\r\n")


def test_every_word_is_explained_and_off(out):
    lines = config_lines()
    table = re.findall(r"^(\w+) +(.+?) +default (\S+) +(.+)$", words.help_table(), re.MULTILINE)
    assert len(table) > 15
    comments = " ".join(line.removeprefix("# ") for line in lines)
    for name, expected, default, explanation in table:
        assert f"# {name}: {expected}" in lines and f"#{name}={default}" in lines, name
        assert explanation in comments, name
    assert all(not line or line.startswith("#") for line in lines)
    assert all(len(line) < 80 for line in lines)
    # Each default is a value that may be written.
    active = [line[1:] for line in lines if re.match(r"#\w+=", line)]
    assert len(active) == len(table)
    assert tool(out / "host" / "words", "check", *active).returncode == 0


def test_words_of_the_command_line_are_in_force():
    lines = config_lines("cpus=3", "tests=unit/*,poke/*", "cpus=4")
    assert [x for x in lines if x and x[0] != "#"] == ["cpus=4", "tests=unit/*,poke/*"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("usb", "cpuz=1"), "unknown word 'cpuz'; did you mean 'cpus'?"),
        (("usb", "cpus=many"), "cpus=many: not a number"),
        (("iso", "mem=512"), "mem=: is for run.sh's own virtual machine"),
        (("sign",), "KEY= is missing"),
        (("sign", "KEY=run.sh"), "CERT= is missing"),
        (("usb", "KEY=/no/such/key", "CERT=run.sh"), "KEY=/no/such/key: no such file"),
        (("sign", "KEY=run.sh", "CERT=run.sh"), "sbsign failed: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_named_and_writes_nothing(tree, tmp_path, monkeypatch, arguments, message):
    monkeypatch.setattr(media, "PLACE", tmp_path)
    monkeypatch.chdir(tree)
    with pytest.raises(RunnerError) as error:
        media.main("./run.sh", list(arguments))
    assert message in str(error.value)
    assert not list(tmp_path.iterdir())


def test_the_command_says_what_to_do_next(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(media, "PLACE", tmp_path)
    assert media.main("./run.sh", ["usb"]) == 0
    said = capsys.readouterr().out
    image = tmp_path / "crossmod.img"
    assert [p.name for p in tmp_path.iterdir()] == ["crossmod.img"], "no scratch is left"
    assert digest(image) in said
    for text in (f"dd if={tree.shown(image)} of=/dev/sdX", "lsblk", "Secure Boot", "docs/hardware.md"):
        assert text in said


def test_the_shell_and_make_lead_there(tree, tmp_path):
    result = tool(tree / "run.sh", "--no-install", "usb", "cpuz=1")
    assert result.returncode == 3 and "unknown word 'cpuz'" in result.stdout, result.stdout
    for target in ("usb", "iso"):
        assert (
            f"./run.sh {target} cpus=3"
            in tool("make", "-n", "-C", tree, target, "WORDS=cpus=3").stdout
        )
    assert (
        "./run.sh sign 'KEY=k' 'CERT=c d'"
        in tool("make", "-n", "-C", tree, "sign", "KEY=k", "CERT=c d").stdout
    )


@pytest.mark.parametrize(
    "arguments, program, package",
    [
        (("usb",), "mcopy", "mtools"),
        (("iso",), "xorriso", "xorriso"),
        (("sign", "KEY=run.sh", "CERT=run.sh"), "sbsign", "sbsigntool"),
    ],
    ids=["usb", "iso", "sign"],
)
def test_a_missing_tool_is_named(tree, tmp_path, arguments, program, package):
    """A PATH with everything that there is but one program."""
    for directory in ("/bin", "/usr/bin"):
        for entry in Path(directory).iterdir():
            link = tmp_path / entry.name
            if entry.name != program and not link.is_symlink():
                link.symlink_to(entry)
    result = subprocess.run(
        [tree / "run.sh", "--no-install", *arguments],
        env={**os.environ, "PATH": str(tmp_path)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 3, result.stdout
    assert f"missing: {package}. As root, type: apt-get install" in result.stderr


# ---- the ways to boot ----

NO_MEDIUM = "no medium took the report to its end"
SCREENS = {"screen": (), "headless": ("-vga", "none")}


@pytest.mark.parametrize(
    "cpus, screen", [(1, "headless"), (4, "screen"), (64, "headless")], ids=str
)
@pytest.mark.parametrize("medium", [machine.usb_stick, boots.sata_disk], ids=["usb", "sata"])
def test_the_image_as_stick_and_as_disk(tmp_path, image, medium, cpus, screen):
    boot = boots.boot(tmp_path / "boot", medium, image, cpus=cpus, more=SCREENS[screen]).expect(
        "PASS"
    )
    assert boot.found.cpu["cpus"] == cpus
    boots.same_report(boot, image)


def test_all_unit_tests_from_a_larger_stick_with_a_file_that_a_person_has_edited(tmp_path, image):
    with open(image, "r+b") as stick:
        stick.truncate(8 << 30)  # the image's second table is then not at the medium's end
    boots.put(image, "/crossmod.cfg", b"# f\xc3\xbcr unit/\r\ntests=unit/* cpuz=3\r\ncolour\r\n")
    boot = boots.boot(tmp_path / "boot", machine.usb_stick, image, cpus=4).expect("PASS")
    boots.same_report(boot, image)
    assert len(boot.found.tests) > 20
    ignored = [
        "crossmod.cfg line 2: unknown word 'cpuz' is ignored; did you mean 'cpus'?",
        "crossmod.cfg line 3: unknown word 'colour' is ignored",
    ]
    assert boot.found.ignored == {"count": 2, "words": ignored}
    assert [line for line in boot.tap if "unknown word" in line] == [
        f"# ignored: {text}" for text in ignored
    ]


def test_the_loader_copied_to_a_stick_as_shops_sell_it(tmp_path):
    """A partition table of the old kind, a FAT16 partition, and nothing on it but the loader."""
    stick = tmp_path / "stick.img"
    sectors = 64 << 11  # 64 MiB
    entry = struct.pack("<B3sB3sII", 0, b"\0\x21\0", 0x0E, b"\xfe\xff\xff", 2048, sectors - 2048)
    with open(stick, "wb") as file:
        file.write(b"\0" * 446 + entry + b"\0" * 48 + b"\x55\xaa")
        file.truncate(sectors * 512)
    boots.mtools("mformat", stick, "-T", sectors - 2048, "-h", "64", "-s", "32", "-H", "2048", "::")
    boots.mtools("mmd", stick, "::/EFI", "::/EFI/BOOT")
    loader = (tree.KERNEL / build.LOADER).read_bytes()
    boots.put(stick, "/EFI/BOOT/BOOTX64.EFI", loader)
    assert b"FAT16" in stick.read_bytes()[2048 * 512 :][:512]
    boot = boots.boot(tmp_path / "boot", machine.usb_stick, stick, words=SHORT).expect("PASS")
    boots.same_report(boot, stick)


def second_stick(image: Path) -> list[str]:
    half = boots.drive(image, "second")
    return ["-device", "qemu-xhci", "-device", "usb-storage,drive=second,removable=on", *half]


def fixed_disk(image: Path) -> list[str]:
    return ["-device", "ide-hd,drive=fixed,bus=ide.1", *boots.drive(image, "fixed")]


@pytest.mark.parametrize("cpus, screen", [(1, "screen"), (4, "headless"), (64, "screen")], ids=str)
def test_a_cd_leaves_its_report_on_a_stick_and_no_disk_is_written(tmp_path, image, cpus, screen):
    """Two other media: one that can be taken home, one that stays in the machine."""
    cd = make(tmp_path / "cd", "iso", SHORT)
    disk = tmp_path / "disk.img"
    shutil.copyfile(image, disk)
    before = digest(cd), digest(disk)
    boot = boots.boot(
        tmp_path / "boot",
        boots.cd,
        cd,
        cpus=cpus,
        more=[*SCREENS[screen], *second_stick(image), *fixed_disk(disk)],
    )
    boot.expect("PASS")
    assert boot.found.cpu["cpus"] == cpus
    boots.same_report(boot, image)
    assert (digest(cd), digest(disk)) == before


def test_a_cd_alone_says_where_the_report_is_not(tmp_path, image):
    cd = make(tmp_path / "cd", "iso", SHORT)
    before = digest(image)
    boot = boots.boot(tmp_path / "boot", boots.cd, cd, more=fixed_disk(image)).expect("PASS")
    assert NO_MEDIUM in boot.serial
    assert digest(image) == before


def test_alone_from_the_firmware_s_shell_with_words(tmp_path, image):
    boots.mtools("mmove", image, "::/EFI/BOOT/BOOTX64.EFI", "::/BOOTX64.EFI")
    boots.put(image, "/crossmod.cfg", b"tests=unit/no_such_test seconds=7")
    boots.put(image, "/startup.nsh", f"fs0:\r\nBOOTX64.EFI {SHORT} cpus=2\r\n".encode())
    boot = boots.boot(tmp_path / "boot", machine.usb_stick, image, cpus=4).expect("PASS")
    assert boot.found.cpu["cpus"] == 2
    said = boot.found.start["words"]
    assert "seconds=7" in said and SHORT in said, "options win over the file, word by word"
    boots.same_report(boot, image)


def test_unknown_words_from_the_shell_are_an_error(tmp_path, image):
    boots.mtools("mmove", image, "::/EFI/BOOT/BOOTX64.EFI", "::/BOOTX64.EFI")
    boots.put(image, "/startup.nsh", b"fs0:\r\nBOOTX64.EFI cpuz=2\r\n")
    boot = boots.boot(tmp_path / "boot", machine.usb_stick, image).expect("ERROR")
    assert boot.found.bail["why"] == "load options: unknown word 'cpuz'; did you mean 'cpus'?"
    boots.same_report(boot, image)


def test_started_by_another_program_from_another_volume(tmp_path, image):
    """The report belongs to the volume with the program, not to the one with its starter."""
    starter = tmp_path / "starter.img"
    shutil.copyfile(image, starter)
    boots.mtools("mdel", starter, "::/EFI/BOOT/BOOTX64.EFI", "::/crossmod.cfg")
    lines = ["connect -r", "map -r"]
    for volume in ("fs0:", "fs1:"):
        program = rf"{volume}\EFI\BOOT\BOOTX64.EFI"
        lines += [f"if exist {program} then", f"{program} seconds=3", "endif"]
    boots.put(starter, "/startup.nsh", "\r\n".join([*lines, ""]).encode())
    before = digest(starter)
    boot = boots.boot(tmp_path / "boot", machine.usb_stick, starter, more=fixed_disk(image)).expect(
        "PASS"
    )
    assert boot.found.start["words"].startswith(f"{SHORT} seconds=3 ")
    boots.same_report(boot, image)
    assert digest(starter) == before


def test_served_by_the_network(tmp_path):
    """There is no volume: no crossmod.cfg, and no report but on the serial port."""
    served = tmp_path / "tftp"
    served.mkdir()
    shutil.copyfile(tree.KERNEL / build.LOADER, served / "BOOTX64.EFI")
    boot = boots.boot(tmp_path / "boot", boots.network, served, words=SHORT).expect("PASS")
    assert "PXE" in boot.serial and NO_MEDIUM in boot.serial
    assert [path.name for path in served.iterdir()] == ["BOOTX64.EFI"]


def test_served_by_http_with_words(tmp_path):
    """As iPXE's users do it: a script by TFTP, which fetches the program and gives it words."""
    shutil.copyfile(tree.KERNEL / build.LOADER, tmp_path / "BOOTX64.EFI")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program = f"http://10.0.2.2:{server.server_port}/BOOTX64.EFI"
        (tmp_path / "boot.ipxe").write_text(f"#!ipxe\nchain {program} {SHORT} cpus=1\n")
        boot = boots.boot(
            tmp_path / "boot", lambda path: boots.network(path, "boot.ipxe", ""), tmp_path
        )
        server.shutdown()
    boot.expect("PASS")
    assert boot.found.cpu["cpus"] == 1 and NO_MEDIUM in boot.serial


# ---- Secure Boot ----


@pytest.fixture(name="snakeoil")
def fixture_snakeoil(tmp_path) -> list[str]:
    """Debian's key for tests, without its password, as arguments."""
    if not (SNAKEOIL.variables.is_file() and SNAKEOIL_KEY.is_file()):
        pytest.skip("no firmware with the snakeoil keys is installed")
    key = tmp_path / "snakeoil.key"
    decrypt = ("openssl", "pkey", "-in", SNAKEOIL_KEY, "-passin", "pass:snakeoil", "-out", key)
    result = tool(*decrypt)
    assert result.returncode == 0, result.stdout
    return [f"KEY={key}", f"CERT={SNAKEOIL_KEY.with_suffix('.pem')}"]


def test_secure_boot_starts_what_is_signed(tmp_path, snakeoil):
    image = make(tmp_path / "image", "sign", *snakeoil, SHORT)
    boot = boots.boot(tmp_path / "boot", machine.usb_stick, image, flash=SNAKEOIL).expect("PASS")
    boots.same_report(boot, image)


def test_secure_boot_refuses_what_is_not(tmp_path, image, snakeoil):
    refused = {"unsigned": image}
    changed = make(tmp_path / "changed", "sign", *snakeoil, SHORT)
    loader = bytearray(build.extract(changed, "/EFI/BOOT/BOOTX64.EFI"))
    loader[len(loader) // 2] ^= 1  # in the kernel that it carries
    boots.put(changed, "/EFI/BOOT/BOOTX64.EFI", loader)
    refused["changed"] = changed
    for name, medium in refused.items():
        end_at = b"No bootable option"
        boot = boots.boot(tmp_path / name, machine.usb_stick, medium, flash=SNAKEOIL, end_at=end_at)
        assert re.search(r"failed to (load|start) .*Access Denied", boot.serial), boot.serial
        assert boot.name is None and not boot.found.start


def test_a_signature_by_another_key_is_no_signature(tmp_path, snakeoil):
    """sbverify, as the command uses it."""
    other, certificate = tmp_path / "other.key", tmp_path / "other.pem"
    subject = ("-subj", "/CN=another", "-days", "2", "-keyout", other, "-out", certificate)
    request = ("openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes")
    assert tool(*request, *subject).returncode == 0
    mixed = [f"KEY={other}", snakeoil[1]]
    with pytest.raises(RunnerError, match="sb(sign|verify) failed"):
        make(tmp_path / "image", "sign", *mixed)
    image = make(tmp_path / "image2", "sign", f"KEY={other}", f"CERT={certificate}")
    loader = tmp_path / "loader.efi"
    loader.write_bytes(build.extract(image, "/EFI/BOOT/BOOTX64.EFI"))
    assert tool("sbverify", "--cert", certificate, loader).returncode == 0
    assert tool("sbverify", "--cert", snakeoil[1].removeprefix("CERT="), loader).returncode
