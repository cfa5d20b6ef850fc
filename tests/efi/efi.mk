# SPDX-License-Identifier: MIT
# EFI programs of the tests. out/efi/prelude.efi stands before the loader on an image, out/efi/cet.efi
# in its place: see their sources.

EFI_SHARED  := $(O)/loader/kernel/lib/string.c.o
prelude_OBJ := $(O)/loader/tests/efi/prelude.c.o $(O)/loader/tests/efi/five_levels.asm.o $(EFI_SHARED)
prelude_LD  := --defsym=switch_stub=0
cet_OBJ     := $(O)/loader/tests/efi/cet.c.o $(O)/loader/tests/efi/cet.asm.o \
    $(O)/loader/boot/switch.asm.o $(EFI_SHARED)

define efi_program
$(O)/efi/$(1).efi: $($(1)_OBJ) boot/loader.lds
	@mkdir -p $$(@D)
	$$(Q)$$(LD) -nostdlib -shared -Bsymbolic -z noexecstack -z nocombreloc -z max-page-size=4096 \
	    --build-id=none --no-undefined $($(1)_LD) -T boot/loader.lds \
	    $(EFI_CRT0) $($(1)_OBJ) $(EFI_LIB) -o $$(@:.efi=.so)
	$$(Q)$$(OBJCOPY) -j .text -j .rodata -j .reloc -j .data -j .dynamic -j .rela \
	    --target efi-app-x86_64 --subsystem=10 $$(@:.efi=.so) $$@

-include $($(1)_OBJ:.o=.d)
endef
$(foreach program,prelude cet,$(eval $(call efi_program,$(program))))
