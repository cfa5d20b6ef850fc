# SPDX-License-Identifier: MIT
# What has to be installed, and how: sourced by run.sh, which uses the tables.
# shellcheck shell=bash disable=SC2034

# package, and commands or files of which any one shows that it is there. Files of other
# distributions stand beside Debian's, so that the same table serves all.
packages_to_compile='
gcc              gcc
libc6-dev        /usr/include/stdio.h
make             make
nasm             nasm
libstb-dev       /usr/include/stb/stb_sprintf.h
python3          python3
git              git'
packages_of_image='
binutils         ld
fonts-spleen     /usr/share/consolefonts/spleen-8x16.psfu.gz
gnu-efi          /usr/lib/crt0-efi-x86_64.o /usr/lib*/gnuefi/crt0-efi-x86_64.o
libqrcodegen-dev /usr/lib*/libqrcodegen.a /usr/lib/*/libqrcodegen.a
mtools           mcopy'
packages_of_cd='
xorriso          xorriso'
packages_to_sign='
sbsigntool       sbsign'
packages_to_boot="$packages_of_image
qemu-system-x86  qemu-system-x86_64"
packages_of_firmware='
ovmf             /usr/share/OVMF/OVMF_CODE*.fd /usr/share/qemu/firmware/*.json'
packages_to_test='
libcmocka-dev        /usr/include/cmocka.h
libcapstone-dev      /usr/include/capstone/capstone.h
clang-14             clang-14 clang
libclang-rt-14-dev   /usr/lib*/clang/*/lib/*/libclang_rt.fuzzer*
python3-pytest       /usr/lib/python3*/*-packages/pytest
python3-pytest-xdist /usr/lib/python3*/*-packages/xdist
python3-jsonschema   /usr/lib/python3*/*-packages/jsonschema
openssl              openssl
gdisk                sgdisk /usr/sbin/sgdisk
zbar-tools           zbarimg
dosfstools           fsck.fat /usr/sbin/fsck.fat
ipxe-qemu            /usr/lib/ipxe/qemu/efi-virtio.rom /usr/share/qemu/efi-virtio.rom
bochs                bochs
seabios              /usr/share/seabios/vgabios-stdvga.bin
shellcheck           shellcheck
clang-format         clang-format-14 clang-format'
packages_to_debug='
gdb                  gdb'

# Print the packages of table $1 that are missing.
packages_missing()
{
    local package probes probe
    while read -r package probes; do
        [ -n "$package" ] || continue
        for probe in $probes; do # unquoted: a probe may be a pattern
            if [ -e "$probe" ] || command -v "$probe" >/dev/null 2>&1; then
                continue 2
            fi
        done
        echo "$package"
    done <<<"$1"
}

# Install what is missing of table $1. $2: yes or no. Returns 1, with the command to type, if that
# cannot be done.
packages_install()
{
    local missing as_root=() command
    mapfile -t missing < <(packages_missing "$1")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "run.sh: missing (Debian's names): ${missing[*]}" >&2
        return 1
    fi
    command=(apt-get install -y --no-install-recommends "${missing[@]}")
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            as_root=(sudo)
        else
            set -- "$1" no
        fi
    fi
    if [ "$2" = no ]; then
        echo "run.sh: missing: ${missing[*]}. As root, type: ${command[*]}" >&2
        return 1
    fi
    echo "installing: ${missing[*]}"
    if ! "${as_root[@]}" apt-get -qq update </dev/null ||
        ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            "${command[@]}" </dev/null >/dev/null; then
        echo "run.sh: the installation failed: ${command[*]}" >&2
        return 1
    fi
}
