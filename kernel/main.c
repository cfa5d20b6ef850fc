/* SPDX-License-Identifier: MIT */
/*
 * The kernel as a list. The only file of this room that may use the other rooms: it wires them
 * together.
 *
 * From the firmware's entry to the first test: boot/loader.c, this file, tests/harness/run.c.
 */
#include "boot/boot_info.h"
#include "kernel/console/console.h"
#include "kernel/console/keyboard.h"
#include "kernel/console/pixels.h"
#include "kernel/console/screen.h"
#include "kernel/cpu/machine_check.h"
#include "kernel/cpu/protection.h"
#include "kernel/cpu/regs.h"
#include "kernel/exit.h"
#include "kernel/leave.h"
#include "kernel/lib/fixed_text.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"
#include "kernel/lib/words.h"
#include "kernel/mm/mm.h"
#include "kernel/time/time.h"
#include "kernel/trap/trap.h"
#include "poke/poke.h"
#include "poke/users/alternative.h"
#include "poke/users/ftrace.h"
#include "poke/users/jump_label.h"
#include "poke/users/kprobe.h"
#include "poke/users/redirect.h"
#include "poke/users/static_call.h"
#include "smp/smp.h"
#include "smp/watchdog.h"
#include "tests/harness/harness.h"

enum exit_code kernel_main(struct boot_info *info);

/* The general registers come first in both, in one order. */
_Static_assert(offsetof(struct kprobe_regs, at) == offsetof(struct trap_frame, vector),
               "one order");
_Static_assert(offsetof(struct kprobe_regs, rax) == offsetof(struct trap_frame, rax), "one order");

static struct words words;

/* A picture that cannot be drawn or mapped is no reason not to run. */
static void find_screen(struct boot_framebuffer *fb)
{
    uint64_t bytes = pixels_bytes(fb);
    void *base = bytes ? mm_map_framebuffer(fb->base, bytes) : NULL;

    if (base)
        screen_attach(fb, base);
}

/* All three sources, the most specific last. False: `error` says which one is wrong and how. */
static bool read_words(const struct boot_info *info, char *error, size_t size)
{
    static const struct {
        const char *name;
        bool (*parse)(struct words *, const char *, const char *, size_t, char *, size_t);
    } sources[BOOT_WORDS_SOURCES] = {
        [BOOT_WORDS_FILE] = { "crossmod.cfg", words_parse_file },
        [BOOT_WORDS_OPTIONS] = { "load options", words_parse },
        [BOOT_WORDS_FW_CFG] = { "fw_cfg", words_parse },
    };

    words_defaults(&words);
    for (unsigned i = 0; i < BOOT_WORDS_SOURCES; i++) {
        const struct boot_words *w = &info->words[i];
        if (w->base && !sources[i].parse(&words, sources[i].name, phys_to_virt(w->base), w->bytes,
                                         error, size))
            return false;
    }
    return true;
}

/*
 * #BP belongs to the engine first, then to probes; what they leave goes to a recovery point or a
 * panic. The engine was asked already if the breakpoint has come the short way, and not if a
 * handler of a test stands before this one.
 */
FIXED_TEXT static bool breakpoint(struct trap_frame *frame)
{
    struct kprobe_regs regs;
    bool asked = frame->error;

    regs.at = (struct poke_regs){ .ip = frame->rip, .sp = frame->rsp, .flags = frame->rflags };
    if (asked || !smp_text_poke_int3_handler(&regs.at)) {
        memcpy(&regs, frame, offsetof(struct kprobe_regs, at));
        if (!kprobe_int3_handler(&regs))
            return false;
    }
    frame->rip = regs.at.ip;
    frame->rsp = regs.at.sp;
    return true;
}

/* No test runs on mappings that are not proven. */
static enum exit_code laboratory(void)
{
    struct mm_audit audit;
    char error[160];

    if (mm_audit(&audit))
        return harness_main(&words);
    if (audit.violations)
        fmt_print(error, sizeof error, "W^X is violated: 0x%llx is executable, 0x%llx writes it",
                  (unsigned long long)audit.bad_virt, (unsigned long long)audit.bad_alias);
    else
        fmt_print(error, sizeof error, "%llu stacks have no guard page",
                  (unsigned long long)audit.guards_missing);
    return harness_bail(error);
}

/* ---- the world around a run: the loader and its medium ---- */

static struct boot_text *summary;

static void set_summary(const char *text, size_t bytes)
{
    summary->used = bytes < summary->capacity ? bytes : summary->capacity;
    memcpy(phys_to_virt(summary->base), text, summary->used);
}

static void write_report(void)
{
    smp_shutdown();
    leave_for_now(&percpu(0)->tables, &percpu(0)->local);
    screen_invalidate(); /* the loader may have drawn */
    watchdog_stage("starting the other cores again", 60000);
    smp_resume();
}

static void connect_harness(struct boot_info *info)
{
    struct harness_world world = { .write_report = write_report, .set_summary = set_summary };

    summary = &info->summary;
    world.medium_note = info->medium_note;
    if (info->previous.run[0]) {
        world.previous_run = info->previous.run;
        world.previous_state = info->previous.state;
    }
    harness_set_world(&world);
}

static bool has_feature(uint32_t feature)
{
    struct cpuid r = cpuid_basic(ALTERNATIVE_LEAF(feature), 0);
    const uint32_t regs[] = { r.eax, r.ebx, r.ecx, r.edx };

    return regs[ALTERNATIVE_REG(feature)] >> ALTERNATIVE_BIT(feature) & 1;
}

/* The text users' part of booting: when all cores are known and one runs. */
static enum poke_error patch_at_boot(void)
{
    void *tracing = pages_alloc_virt((ftrace_bytes() + PAGE_SIZE - 1) / PAGE_SIZE);
    uint8_t *copies = (uint8_t *)mm_text_alloc((kprobe_text_bytes() + PAGE_SIZE - 1) / PAGE_SIZE);
    enum poke_error e = alternatives_apply(has_feature);

    if (!tracing || !copies)
        panic(NULL, "no memory for function tracing and probes");
    kprobe_init(copies);
    if (!e)
        e = jump_label_init();
    if (!e)
        e = static_call_init();
    if (!e)
        e = redirect_init();
    return e ? e : ftrace_init(tracing);
}

static enum exit_code run(struct boot_info *info)
{
    char error[256];

    connect_harness(info);
    if (!read_words(info, error, sizeof error))
        return harness_bail(error);
    if (words.screen == SCREEN_NO)
        screen_detach();
    info->nvram = words.nvram;
    if (!smp_sync_select((enum sync_method)words.sync))
        return harness_bail("sync=serialize: this processor has no SERIALIZE instruction");
    if (!mm_window_select((enum mm_window_mode)words.pcid))
        return harness_bail("pcid=: this processor has no process-context identifiers");
    smp_discover(info, (unsigned)words.cpus);
    enum poke_error e = patch_at_boot();
    if (e) {
        fmt_print(error, sizeof error, "patching at boot: %s", poke_error_text(e));
        return harness_bail(error);
    }
    smp_apic_init();
    irq_enable();
    watchdog_stage("starting the other cores", 60000);
    smp_start_all(info);
    enum exit_code code = laboratory();
    watchdog_stage("shutting down", 10000);
    smp_shutdown();
    return code;
}

enum exit_code kernel_main(struct boot_info *info)
{
    exit_init();
    console_init();
    smp_init_boot_core();
    cpu_tables_build_early(&percpu(0)->tables, &percpu(0)->local);
    cpu_tables_load(&percpu(0)->tables, &percpu(0)->local);
    if (info->magic != BOOT_INFO_MAGIC || info->size != sizeof *info)
        panic(NULL, "the loader and the kernel do not fit together");
    /* Identity-mapped by the loader until mm_init() ends. */
    console_attach_report(&info->tap, (char *)info->tap.base, &info->json, (char *)info->json.base);
    mm_init(info);
    info = phys_to_virt((uint64_t)info);
    mm_use_memory_types();
    find_screen(&info->framebuffer);
    console_attach_report(&info->tap, phys_to_virt(info->tap.base), &info->json,
                          phys_to_virt(info->json.base));
    if (!cpu_tables_build(&percpu(0)->tables, &percpu(0)->local))
        panic(NULL, "no memory for the boot core's stacks");
    cpu_tables_load(&percpu(0)->tables, &percpu(0)->local);
    trap_set_breakpoint(smp_text_poke_int3_handler, breakpoint);
    machine_check_init();
    write_cr4(cpu_protected(read_cr4())); /* the other cores: smp/ap.c */
    time_init(info);
    keyboard_init(info->rsdp_phys);
    return run(info);
}
