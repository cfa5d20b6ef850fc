# SPDX-License-Identifier: MIT
# The loader's pure parts.

test_boot_elf_SRC          := boot/elf.c
test_boot_load_options_SRC := boot/load_options.c
test_boot_tables_SRC       := boot/bootstrap_tables.c
test_boot_text_file_SRC    := boot/text_file.c kernel/lib/words.c kernel/lib/fmt.c

test_boot_memory_map_SRC   := boot/memory_map.c boot/efi_status.c kernel/lib/fmt.c
test_boot_memory_map_FLAGS := -fshort-wchar -DGNU_EFI_USE_MS_ABI -isystem /usr/include/efi \
    -isystem /usr/include/efi/x86_64

# What the loader writes, on firmware that is faked.
test_report_file_SRC     := boot/report_file.c
test_report_file_FLAGS   := -DGNU_EFI_USE_MS_ABI -fshort-wchar -isystem /usr/include/efi \
    -isystem /usr/include/efi/x86_64
test_report_file_TWINNED := boot/report_file.c
test_report_file_TWINS   := \
    tests/host/twins/not_compared.c

# Links the library itself: the host has a C library and a thread's canary.
test_qr_SRC   := boot/qr.c kernel/console/geometry.c kernel/console/pixels.c $(FONT_C)
test_qr_FLAGS := $(QR_HEADER:%/qrcodegen.h=-isystem %)
test_qr_LIBS  := $(QR_LIB)
