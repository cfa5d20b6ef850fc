/* SPDX-License-Identifier: MIT */
#include "boot/handoff.h"

#include "boot/boot_info.h"
#include "boot/bootstrap_tables.h"
#include "boot/firmware.h"
#include "kernel/cpu/regs.h"

#define STACK_PAGES 4

/* boot/switch.asm: one page, the only code that runs on both sides. */
extern const char switch_stub[];
uint64_t switch_to_kernel(uint64_t entry, struct boot_info *info, uint64_t root,
                          uint64_t stack_top);

void handoff_prepare(struct boot_info *info, const struct elf_image *image, struct handoff *out)
{
    uint64_t pool = firmware_alloc(BOOTSTRAP_TABLE_PAGES, "page tables");
    uint64_t stack = firmware_alloc(STACK_PAGES, "a stack");

    info->stub_phys = (uint64_t)switch_stub;
    info->stub_pages = 1;
    *out = (struct handoff){
        .entry = image->entry,
        /* CR4.LA57 cannot change in long mode (SDM vol. 3, 2.5): the firmware's choice stays. */
        .root = bootstrap_tables_build(pool, image, info->kernel_phys, info->stub_phys,
                                       read_cr4() & CR4_LA57),
        .stack_top = stack + STACK_PAGES * EFI_PAGE_SIZE,
    };
}

uint64_t handoff_run(const struct handoff *h, struct boot_info *info)
{
    /* No event handler of the firmware may be half way when its processor state is put aside. */
    EFI_TPL tpl = firmware.services->RaiseTPL(TPL_HIGH_LEVEL);
    uint64_t code = switch_to_kernel(h->entry, info, h->root, h->stack_top);
    firmware.services->RestoreTPL(tpl);
    return code;
}
