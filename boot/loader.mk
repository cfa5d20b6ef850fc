# SPDX-License-Identifier: MIT
# BOOTX64.EFI: a shared object linked with GNU-EFI's start code, turned into a PE file, with the
# kernel inside.

# Where distributions put GNU-EFI: Debian, Arch: /usr/lib; Fedora: /usr/lib/gnuefi; openSUSE: lib64.
EFI_PLACES := /usr/lib /usr/lib/gnuefi /usr/lib64 /usr/lib64/gnuefi /usr/lib/x86_64-linux-gnu \
    /usr/lib/x86_64-linux-gnu/gnuefi
EFI_CRT0 := $(firstword $(wildcard $(EFI_PLACES:%=%/crt0-efi-x86_64.o)))
EFI_LIB  := $(firstword $(wildcard $(EFI_PLACES:%=%/libgnuefi.a)))

# The QR code's library. The loader has what it calls (boot/library.c).
QR_HEADER := $(firstword $(wildcard /usr/include/qrcodegen/qrcodegen.h /usr/include/qrcodegen.h))
QR_LIB    := $(firstword $(wildcard $(EFI_PLACES:%=%/libqrcodegen.a)))

# Position-independent, since the firmware chooses the address; UCS-2 strings; direct calls of the
# firmware by its ABI.
LOADER_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fpic -fvisibility=hidden -fshort-wchar \
    -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none \
    -fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common $(WARN) \
    -DGNU_EFI_USE_MS_ABI -I. -isystem /usr/include/efi -isystem /usr/include/efi/x86_64 \
    -isystem /usr/include/stb $(QR_HEADER:%/qrcodegen.h=-isystem %) -ffile-prefix-map=$(CURDIR)=.

# What the loader shares with the kernel, compiled a second time for this side.
LOADER_SHARED := kernel/exit.c kernel/console/geometry.c kernel/console/pixels.c \
    kernel/console/serial.c kernel/lib/fmt.c kernel/lib/string.c
LOADER_C      := $(sort $(wildcard boot/*.c)) $(LOADER_SHARED)
LOADER_ASM    := $(filter-out boot/embedded_kernel.asm,$(sort $(wildcard boot/*.asm)))
LOADER_OBJ    := $(LOADER_C:%=$(O)/loader/%.o) $(LOADER_ASM:%=$(O)/loader/%.o) \
    $(O)/loader/font.c.o $(K)/link/embedded_kernel.asm.o

$(O)/loader/%.c.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(LOADER_CFLAGS) -MMD -MP -c $< -o $@

$(O)/loader/font.c.o: $(FONT_C) kernel/console/font.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(LOADER_CFLAGS) -c $< -o $@

$(O)/loader/%.asm.o: %.asm
	@mkdir -p $(@D)
	$(Q)$(NASM) -f elf64 -g -F dwarf -I. -MD $(@:.o=.d) -MP $< -o $@

$(K)/link/embedded_kernel.asm.o: boot/embedded_kernel.asm $(K)/kernel.stripped
	$(Q)$(NASM) -f elf64 -g -F dwarf -DKERNEL_FILE="'$(K)/kernel.stripped'" $< -o $@

ifeq ($(and $(QR_HEADER),$(QR_LIB)),)
$(O)/loader/boot/qr.c.o: no_qrcodegen
.PHONY: no_qrcodegen
no_qrcodegen:
	$(error libqrcodegen.a or its header is missing: install libqrcodegen-dev)
endif

# build.c.o is the kernel's: two strings, at home in any image.
$(K)/loader.so: $(LOADER_OBJ) $(K)/link/build.c.o boot/loader.lds
	$(if $(and $(EFI_CRT0),$(EFI_LIB)),,$(error GNU-EFI is missing: install gnu-efi or gnu-efi-devel))
	$(Q)$(LD) -nostdlib -shared -Bsymbolic -z noexecstack -z nocombreloc -z max-page-size=4096 \
	    --build-id=none --no-undefined -T boot/loader.lds \
	    $(EFI_CRT0) $(LOADER_OBJ) $(K)/link/build.c.o $(QR_LIB) $(EFI_LIB) -o $@

$(K)/BOOTX64.EFI: $(K)/loader.so tools/pe_nx.py tools/check_pe.py tools/pe_header.py
	$(Q)$(OBJCOPY) -j .text -j .rodata -j .reloc -j .data -j .dynamic -j .rela \
	    --target efi-app-x86_64 --subsystem=10 $< $@.new
	$(Q)$(PYTHON) tools/pe_nx.py $@.new
	$(Q)$(PYTHON) tools/check_pe.py $@.new
	$(Q)mv $@.new $@

-include $(LOADER_OBJ:.o=.d)
