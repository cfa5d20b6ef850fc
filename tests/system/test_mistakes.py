# SPDX-License-Identifier: MIT
"""Bad input gets a clear error, and never a verdict that it does not deserve."""

import pytest
from runner import accel


@pytest.mark.parametrize(
    "words, message",
    [
        (("cpuz=4",), "unknown word 'cpuz'"),
        (("cpus=many",), "cpus=many"),
        (("cpus=5000",), "must be 0 to 4096"),
        (("seconds=",), "seconds="),
        (("cpus",), "cpus"),
        (("accel=xen",), "accel=xen"),
        (("--no-such-option",), "--no-such-option"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "error",
)
def test_a_wrong_word_is_named_before_anything_runs(crossmod, words, message):
    result = crossmod.run(*words)
    assert result.code == 3 and message in result.text, result.text
    assert result.directory is None


@pytest.mark.parametrize(
    "words, message",
    [
        (("tests=unit/no_such_test",), "unit/no_such_test"),
        (("cpus=8", "vcpus=4", "tests=unit/*"), "this machine has 4 usable cores"),
        (("sync=serialize", "accel=tcg", "tests=unit/*"), "no SERIALIZE instruction"),
    ],
)
def test_what_only_the_kernel_can_know_is_an_error_of_the_run(crossmod, words, message):
    result = crossmod.run(*words).expect("ERROR", 3)
    assert message in result.report["reason"], result.text
    assert result.lines[-5] == f"ERROR: {result.report['reason']}", "no claim about the machine"
    assert result.report["bail"]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"cpus=2\nseconds=lots\n", "crossmod.cfg line 2"),
        (bytes(range(256)), "not a text file"),
        ("cpus=2\n".encode("utf-16-le"), "not a text file"),
        (b"\xff\xfe" + "cpus=zwo\nseconds=f\u00fcnf".encode("utf-16-le"), "byte 0xff at offset 18"),
        (b"\xfe\xff" + "\n\nsync=\n".encode("utf-16-be"), "crossmod.cfg line 3: sync=: the value"),
        (b"x" * 70_000, "crossmod.cfg: larger than 64 KiB"),
        (b"# a comment\n" * 6000 + b"seconds=lots\n", "crossmod.cfg: larger than 64 KiB"),
    ],
    ids=[
        "wrong-value",
        "binary",
        "no-mark",
        "no-ascii",
        "utf-16",
        "too-long",
        "wrong-value-beyond-the-limit",
    ],
)
def test_a_corrupt_configuration_file_is_an_error_that_names_it(
    crossmod, tmp_path, content, message
):
    config = tmp_path / "crossmod.cfg"
    config.write_bytes(content)
    result = crossmod.run("tests=unit/*", CROSSMOD_CFG=str(config)).expect("ERROR", 3)
    assert message in result.report["reason"], result.report["reason"]


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16-le", "utf-16-be"])
def test_a_configuration_file_of_any_editor_works(crossmod, tmp_path, encoding):
    """And a word that nobody knows is named on every way out of the machine, and ignored."""
    mark = "\ufeff" if encoding.startswith("utf-16") else ""
    text = f"{mark}# comment\r\ntests=unit/ipi*  seconsd=9\r\n\r\ncpus=1 # 2\r\n"
    config = tmp_path / "crossmod.cfg"
    config.write_bytes(text.encode(encoding))
    result = crossmod.run("vcpus=2", CROSSMOD_CFG=str(config)).expect("SKIP", 77)
    assert result.report["cpu"]["cpus"] == 1
    said = "crossmod.cfg line 2: unknown word 'seconsd' is ignored; did you mean 'seconds'?"
    assert result.report["ignored"] == {"count": 1, "words": [said]}
    assert f"# ignored: {said}\n" in result.file("report.tap")
    assert f"note: {said}" in result.lines and f"note: {said}\n" in result.file("summary.txt")
    assert [c["state"] for c in result.report["copies"]] == ["same", "same"]


def test_many_unknown_words_are_counted(crossmod, tmp_path):
    config = tmp_path / "crossmod.cfg"
    config.write_text("tests=unit/ipi*\n" + "".join(f"word{n}=1\n" for n in range(11)))
    result = crossmod.run("cpus=2", CROSSMOD_CFG=str(config)).expect("PASS", 0)
    assert result.report["ignored"]["count"] == 11
    assert len(result.report["ignored"]["words"]) == 8
    assert "# ignored: 3 more unknown words\n" in result.file("report.tap")
    assert "note: 3 more unknown words are ignored" in result.lines


def test_words_come_from_the_file_and_the_command_line_wins(crossmod, tmp_path):
    config = tmp_path / "crossmod.cfg"
    config.write_bytes(b"\xef\xbb\xbf# a comment\r\ntests=unit/ipi* seconds=9\r\nsync=cpuid\r\n")
    result = crossmod.run("cpus=2", "sync=cr2", CROSSMOD_CFG=str(config)).expect("PASS", 0)
    assert {n.split("/")[0] for n in result.report["plan"]["tests"]} == {"unit"}
    assert all("ipi" in n for n in result.report["plan"]["tests"])
    assert result.report["cpu"]["sync"] == "cr2"


@pytest.mark.parametrize("method", ["iret", "cr2", "cpuid"])
def test_the_word_sync_is_obeyed(crossmod, method):
    result = crossmod.run("cpus=2", f"sync={method}", "tests=unit/sync_methods").expect("PASS", 0)
    assert result.report["cpu"]["sync"] == method


def test_a_configuration_file_that_is_not_there(crossmod, tmp_path):
    result = crossmod.run(CROSSMOD_CFG=str(tmp_path / "absent"))
    assert result.code == 3 and "no such file" in result.text


def test_missing_firmware(crossmod, tmp_path):
    result = crossmod.run(OVMF_CODE=str(tmp_path / "absent.fd"))
    assert result.code == 3 and "OVMF_CODE=" in result.text and "no such file" in result.text


def test_more_cores_than_the_emulator_can(crossmod):
    result = crossmod.run("cpus=1000", "tests=unit/*").expect("CUT", 7)
    assert (
        "QEMU failed with status 1" in result.text and "CPUs" in result.report["reason"]
    ), result.text


def test_kvm_without_the_means(crossmod):
    if not accel.kvm_obstacle():
        pytest.skip("KVM works on this machine")
    result = crossmod.run("accel=kvm", "tests=unit/ipi*")
    assert result.code == 3 and "accel=kvm: " in result.text


def test_auto_says_which_accelerator_and_why(crossmod):
    result = crossmod.run("accel=auto", "tests=unit/ipi*", "cpus=2").expect("PASS", 0)
    assert result.lines[0].startswith("accelerator: "), result.text
    assert f"accel={result.report['emulation']['accel']}" in result.report["replay"]
