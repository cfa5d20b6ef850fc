# SPDX-License-Identifier: MIT
# Crossmod. `make help` lists the targets; everything that is built lies under out/.

VERSION := 0.1.0
BUILD   := $(shell git describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)

# The kernel's compiler: x86_64-elf- where it is installed, else Debian's x86_64-linux-gnu-.
ifeq ($(origin CROSS_COMPILE), undefined)
CROSS_COMPILE := $(if $(shell command -v x86_64-elf-gcc),x86_64-elf-,x86_64-linux-gnu-)
endif
CC      := $(CROSS_COMPILE)gcc
LD      := $(CROSS_COMPILE)ld
NM      := $(CROSS_COMPILE)nm
OBJCOPY := $(CROSS_COMPILE)objcopy
READELF := $(CROSS_COMPILE)readelf
HOSTCC  ?= gcc
NASM    ?= nasm
PYTHON  := $(firstword $(wildcard /usr/bin/python3) python3)
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j% --jobs%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif
ifneq ($(V),1)
Q := @
endif

O := out

# A twin is the kernel with one file replaced by one that is broken on purpose. What is linked from
# it lies in K; all its other objects are the right kernel's.
include tests/twins/twins.mk
ifdef TWIN
$(if $(call twin_replaces,$(TWIN)),,$(error TWIN=$(TWIN): no such twin in tests/twins/twins.mk))
K     := $(O)/twins/$(TWIN)
BUILD := $(BUILD) twin $(TWIN)
# Its object has the name of the one that it replaces, which linker.ld goes by.
TWIN_SRC := $(call twin_replaces,$(TWIN))
TWIN_OBJ := $(K)/obj/$(TWIN_SRC).o
else
K     := $(O)
endif

# ---- the kernel: kernel/ smp/ poke/ tests/ ----

# No frame may step over a guard page.
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
    -Wframe-larger-than=4096
# General registers only: traps do not save vector state. No red zone: interrupts use the same
# stack. Frame pointers, no shrink-wrapping, no sibling calls: backtraces see every caller (but that
# of a leaf without a frame). No CET marks, no PIC: linked at a fixed address.
KERNEL_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
    -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-omit-frame-pointer \
    -fno-optimize-sibling-calls -fno-shrink-wrap -fno-asynchronous-unwind-tables \
    -fno-strict-aliasing -fno-common $(WARN) -I. -isystem /usr/include/stb \
    -ffile-prefix-map=$(CURDIR)=.

ROOMS      := kernel smp poke tests
KERNEL_C   := $(filter-out tests/host/% tests/model/% tests/fuzz/% tests/twins/% \
    tests/efi/% $(TWIN_SRC),$(shell find $(ROOMS) -name '*.c' | sort))
KERNEL_ASM := $(filter-out smp/trampoline.asm tests/efi/%,$(shell find $(ROOMS) -name '*.asm' | sort))
KERNEL_OBJ := $(KERNEL_C:%=$(O)/obj/%.o) $(KERNEL_ASM:%=$(O)/obj/%.o) $(TWIN_OBJ)

# The engine with the machine's smallest answers to it, compiled as one: the calls between its files
# are a third of what a patch executes.
ENGINE_C   := $(wildcard poke/*.c) smp/machine.c smp/percpu.c smp/sync.c smp/ipi.c \
    kernel/mm/text.c kernel/mm/window.c
ENGINE_OBJ := $(filter $(ENGINE_C:%=$(O)/obj/%.o) $(ENGINE_C:%=$(K)/obj/%.o),$(KERNEL_OBJ))
LTO_CFLAGS := -flto -ffat-lto-objects

# Traced is every C file whose text is not in the list of what cannot be patched (linker.ld): a NOP
# of five bytes at each function's entry, and its address in section __mcount_loc
# (poke/users/ftrace.h).
FIXED_SRC    := $(subst *,%,$(shell sed -n 's,^ *\*/obj/\(.*\)\.o.*,\1,p' linker.ld))
$(if $(FIXED_SRC),,$(error linker.ld: no list of fixed text))
TRACED_OBJ   := $(patsubst %,$(O)/obj/%.o,$(filter-out $(FIXED_SRC),$(KERNEL_C))) \
    $(patsubst %,$(K)/obj/%.o,$(filter-out $(FIXED_SRC),$(TWIN_SRC)))
TRACE_CFLAGS := -pg -mfentry -mrecord-mcount -mnop-mcount

.PHONY: all
all: $(K)/BOOTX64.EFI $(O)/host/words ## build the boot image and the host tools (default)

define KERNEL_COMPILE
@mkdir -p $(@D)
$(Q)$(CC) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@
endef
$(O)/obj/%.c.o: %.c
	$(KERNEL_COMPILE)
ifdef TWIN
$(TWIN_OBJ): tests/twins/$(TWIN).c
	$(KERNEL_COMPILE)
endif
# Which files are traced.
$(KERNEL_C:%=$(O)/obj/%.o) $(TWIN_OBJ): linker.ld

$(TRACED_OBJ): KERNEL_CFLAGS += $(TRACE_CFLAGS)
$(ENGINE_OBJ): KERNEL_CFLAGS += $(LTO_CFLAGS)
$(K)/link/engine.o: $(ENGINE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) $(LTO_CFLAGS) -flinker-output=nolto-rel -nostdlib -r $^ -o $@

$(O)/obj/%.asm.o: %.asm
	@mkdir -p $(@D)
	$(Q)$(NASM) -f elf64 -g -F dwarf -I. $(NASMFLAGS) -MD $(@:.o=.d) -MP $< -o $@

# The build's name changes with every commit: only this object depends on it.
$(K)/link/build.c.o: FORCE
	@mkdir -p $(@D)
	@printf 'extern const char crossmod_version[], crossmod_build[];\n' > $(@D)/build.c.new
	@printf 'const char crossmod_version[] = "%s", crossmod_build[] = "%s";\n' \
	    '$(VERSION)' '$(BUILD)' >> $(@D)/build.c.new
	@cmp -s $(@D)/build.c.new $(@D)/build.c || mv $(@D)/build.c.new $(@D)/build.c
	@[ $@ -nt $(@D)/build.c ] || $(CC) $(KERNEL_CFLAGS) -c $(@D)/build.c -o $@

# The trampoline runs in real mode at an address known only at boot: a flat binary in .rodata.
$(O)/obj/smp/trampoline.bin: smp/trampoline.asm
	@mkdir -p $(@D)
	$(Q)$(NASM) -f bin -I. $< -o $@
$(O)/obj/smp/trampoline_blob.asm.o: $(O)/obj/smp/trampoline.bin
$(O)/obj/smp/trampoline_blob.asm.o: NASMFLAGS := -DTRAMPOLINE_BIN="'$(O)/obj/smp/trampoline.bin'"

# The screen's fonts: Debian's fonts-spleen (BSD, two clauses), in the order of their sizes.
FONT_DIR ?= /usr/share/consolefonts
FONTS    := $(foreach size,8x16 16x32,$(FONT_DIR)/spleen-$(size).psfu.gz)
FONT_C   := $(O)/link/font.c
$(FONT_C): tools/font.py $(FONTS)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/font.py $@ $(FONTS)
$(O)/link/font.c.o: $(FONT_C) kernel/console/font.h
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@

# Linked twice: the first link gives the addresses for the tables that the second contains.
LINK = $(LD) -static -nostdlib -z max-page-size=4096 -z noexecstack --build-id=none \
    --orphan-handling=error -T linker.ld
KERNEL_ALL := $(K)/link/engine.o $(filter-out $(ENGINE_OBJ),$(KERNEL_OBJ)) $(O)/link/font.c.o \
    $(K)/link/build.c.o

# $(1): 0, the empty ones, or nothing
TABLES = $(foreach t,ksyms static_calls,$(K)/link/$(t)$(1).o)
COMPILE_TABLE = $(CC) $(KERNEL_CFLAGS) -c $(1:.o=.c) -o $(1)

$(K)/kernel.elf: $(KERNEL_ALL) linker.ld tools/symbols.py tools/static_calls.py tools/fixed_text.py
	$(Q)$(PYTHON) tools/symbols.py --empty $(K)/link/ksyms0.c
	$(Q)$(PYTHON) tools/static_calls.py --empty $(K)/link/static_calls0.c
	$(Q)$(foreach t,$(call TABLES,0),$(call COMPILE_TABLE,$(t)) &&) true
	$(Q)$(LINK) -q $(KERNEL_ALL) $(call TABLES,0) -o $(K)/link/kernel.pass1.elf
	$(Q)$(NM) -n $(K)/link/kernel.pass1.elf | $(PYTHON) tools/symbols.py $(K)/link/ksyms.c
	$(Q)$(READELF) -rW $(K)/link/kernel.pass1.elf | \
	    $(PYTHON) tools/static_calls.py $(K)/link/static_calls.c
	$(Q)$(foreach t,$(call TABLES,),$(call COMPILE_TABLE,$(t)) &&) true
	$(Q)$(LINK) $(KERNEL_ALL) $(call TABLES,) -o $@.new
	$(Q)$(PYTHON) tools/fixed_text.py $(CROSS_COMPILE) $@.new
	$(Q)mv $@.new $@

$(K)/kernel.stripped: $(K)/kernel.elf
	$(Q)$(OBJCOPY) --strip-all -R .test_list $< $@

$(K)/tests.list: $(K)/kernel.elf
	$(Q)$(OBJCOPY) -O binary --only-section=.test_list --set-section-flags .test_list=alloc $< $@

# ---- the loader: boot/ (see boot/loader.mk) ----

include boot/loader.mk

# ---- the host: tools and unit tests ----

HOST_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -I. -isystem /usr/include/stb

WORDS_SRC := tools/words.c kernel/lib/words.c kernel/lib/fmt.c

$(O)/host/words: $(WORDS_SRC) $(wildcard kernel/lib/*.h) kernel/lib/words.def
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) $(WORDS_SRC) -o $@

include tests/efi/efi.mk
include tests/host/host.mk
include hosted/hosted.mk
include tests/model/model.mk
include tests/fuzz/fuzz.mk

# ---- targets ----

.PHONY: run test usb iso sign list gdb clean help FORCE
run: ## build, boot in QEMU with 4 cores, run the main job, print the verdict
	@CROSSMOD_TWIN=$(TWIN) ./run.sh $(WORDS)
test: ## all tests: host, checks, QEMU
	@./run.sh test
usb: ## out/crossmod.img, an image for a USB stick
	@CROSSMOD_TWIN=$(TWIN) ./run.sh usb $(WORDS)
iso: ## out/crossmod.iso, the same as a CD
	@CROSSMOD_TWIN=$(TWIN) ./run.sh iso $(WORDS)
sign: ## as usb, signed for Secure Boot: make sign KEY=db.key CERT=db.pem
	@CROSSMOD_TWIN=$(TWIN) ./run.sh sign $(if $(KEY),'KEY=$(KEY)') $(if $(CERT),'CERT=$(CERT)') \
	    $(WORDS)
list: ## the tests with their claims
	@./run.sh list
gdb: all ## boot in QEMU and stop at kernel_main in gdb, with symbols
	@CROSSMOD_TWIN=$(TWIN) ./run.sh gdb $(WORDS)
clean: ## delete out/
	rm -rf $(O)
help: ## this text
	@echo 'make [target] [WORDS="cpus=8 seconds=20"] [TWIN=wrong_return] [V=1]'
	@echo '     [CROSS_COMPILE=x86_64-elf-]'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include $(KERNEL_OBJ:.o=.d)
