#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Fetch what is missing, build, run in QEMU or on this machine's own cores, print the verdict.
# `./run.sh help` tells the rest.
set -euo pipefail

root=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
out=${CROSSMOD_OUT:-$root/out}
python=/usr/bin/python3
[ -x "$python" ] || python=python3
install=yes
# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"

need()
{
    packages_install "$1" "$install" || exit 3
}

# Bring products below the build directory up to date, through the runner's lock.
build()
{
    PYTHONPATH=$root/tools "$python" -B -m runner.build "$@" || exit 3
}

help()
{
    cat <<'END'
./run.sh [--no-install] [WORD...]         build, boot in QEMU, print the verdict, exit with its code
./run.sh [--no-install] hosted [WORD...]  the same tests as a process on this machine's own cores,
                                          without QEMU (docs/hosted.md)
./run.sh [--no-install] list              all tests with their claims
./run.sh [--no-install] usb [WORD...]     out/crossmod.img, for a USB stick (docs/hardware.md); its
                                          crossmod.cfg explains every word and has these in force
./run.sh [--no-install] iso [WORD...]     the same as a CD, out/crossmod.iso
./run.sh [--no-install] sign KEY=FILE CERT=FILE [WORD...]
                                          as usb, signed for Secure Boot (usb and iso take them too)
./run.sh contribute [RUN]                 a file for results/ from a finished run (default: the last)
./run.sh [--no-install] gdb [WORD...]     boot in QEMU and stop at kernel_main in gdb
./run.sh [--no-install] model [WORD...]   the engine on simulated cores that may fetch stale bytes
                                          ("./run.sh model help" tells its words)
./run.sh [--no-install] bench [WORD...]   the latency tests on every machine there is here, and what
                                          else patches code here: one table beside Linux's numbers;
                                          "bench record" puts the last one into docs/performance.md
./run.sh [--no-install] bench-count       instructions per operation, exactly; exit 1 if any rose
                                          above the record; "bench-count record" writes a new one
./run.sh bench-compare A B                two measurements (out/bench/...): exit 1 if B is worse
./run.sh [--no-install] test [OPTION...]  all tests: host, hosted, checks, QEMU (options go to pytest)
./run.sh help                             this text

Words are name=value; the kernel reads the same ones from \crossmod.cfg and from its load options:

END
    if [ -z "$(packages_missing "$packages_to_compile")" ]; then
        build host/words
        "$out/host/words" help
    else # help installs nothing
        sed -n 's/^WORD_[A-Z]*(\([a-z]*\),.*"\(.*\)")$/\1: \2/p' "$root/kernel/lib/words.def"
    fi
    cat <<'END'

Environment: OVMF_CODE, OVMF_VARS   the firmware's two files
             CROSSMOD_CFG           a file for the boot image's \crossmod.cfg
             CROSSMOD_OUT           directory of the build and the runs (default: out)
             CROSSMOD_RUNS          directory of the runs alone
             CROSSMOD_TWIN          boot this kernel of tests/twins/: it is broken on purpose

Exit codes: 0 PASS, 1 FAIL, 3 ERROR (of the harness, a word, a missing tool),
            4 WEAK (too little was seen), 5 PANIC, 6 HANG, 7 CUT (time limit, Ctrl-C, QEMU failed)
            or RESET, 77 SKIP (nothing but skips)
END
}

list()
{
    local name claim
    need "$packages_to_compile$packages_to_boot"
    build tests.list
    while IFS= read -r -d '' name && IFS= read -r -d '' claim; do
        printf '%-32s %s\n' "$name" "$claim"
    done <"$out/tests.list"
}

run_tests()
{
    local scratch status=0
    if [ -n "${CROSSMOD_TWIN-}" ]; then
        echo "run.sh: the tests start the twins themselves: unset CROSSMOD_TWIN" >&2
        exit 3
    fi
    need "$packages_to_compile$packages_to_boot$packages_of_firmware$packages_of_cd"
    need "$packages_to_sign$packages_to_test$packages_to_debug"
    build BOOTX64.EFI kernel.elf host/words tests.list crossmod
    rm -f "$out/tests.junit.xml"
    scratch=$(mktemp -d "$out/tests.XXXXXX")
    # Two at a time whatever the number of cores: the machines under test have time limits.
    "$python" -B -m pytest -n 2 -q -p no:cacheprovider -c "$root/tests/system/pytest.ini" \
        --rootdir "$root/tests/system" --basetemp "$scratch/runs" \
        --junitxml "$out/tests.junit.xml" "$root/tests/system" "$@" || status=$?
    # The runs of a failed test are kept: its message names the directory.
    [ "$status" != 0 ] || rm -rf "$scratch"
    return "$status"
}

if [ "${1-}" = --no-install ]; then
    install=no
    shift
fi

case ${1-} in
help | -h | --help)
    help
    ;;
list)
    list
    ;;
test)
    shift
    run_tests "$@"
    ;;
model)
    shift
    need "$packages_to_compile"
    build model/crossmod-model
    exec "$out/model/crossmod-model" "$@"
    ;;
gdb)
    shift
    need "$packages_to_compile$packages_to_boot$packages_of_firmware$packages_to_debug"
    exec "$python" -B "$root/tools/gdb.py" "$0" "$@"
    ;;
usb | iso | sign)
    need "$packages_to_compile$packages_of_image"
    [ "$1" != iso ] || need "$packages_of_cd"
    case " $*" in *" KEY="* | *" CERT="*) need "$packages_to_sign" ;; esac
    exec "$python" -B "$root/tools/media.py" "$0" "$@"
    ;;
contribute)
    shift
    exec "$python" -B "$root/tools/contribute.py" "$0" "$@"
    ;;
bench | bench-count)
    need "$packages_to_compile$packages_to_boot$packages_of_firmware"
    PYTHONPATH=$root/tools exec "$python" -B -m bench "$0" "$@"
    ;;
bench-compare)
    PYTHONPATH=$root/tools exec "$python" -B -m bench "$0" "$@"
    ;;
hosted)
    shift
    need "$packages_to_compile"
    exec "$python" -B "$root/tools/hosted.py" "$0" "$@"
    ;;
*)
    need "$packages_to_compile$packages_to_boot$packages_of_firmware"
    exec "$python" -B "$root/tools/run.py" "$0" "$@"
    ;;
esac
