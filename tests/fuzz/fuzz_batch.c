/* SPDX-License-Identifier: MIT */
/*
 * Any sequence of calls of the engine's public functions on the fake machine, against the plain
 * model of tests/fuzz/batch_model.c: right calls, wrong ones, cores that come and go, a window that
 * will not open.
 *
 * Left out is what would not return or not come back: taking a lock that another core holds, and a
 * store that is lost, which ends patching for the whole process (tests/host/test_poke_batch.c).
 */
#include "tests/fuzz/batch_model.h"
#include "tests/fuzz/fuzz.h"

#include "poke/table.h"

enum {
    ADDED,
    FLUSHED,
    OVERFLOWED,
    RAN,
    REFUSED,
    NOT_OPENED,
    WROTE,
    EARLY,
    LEFT,
    HIT,
};
static const char *const names[] = { "added",      "flushed", "overflowed", "ran",  "refused",
                                     "not_opened", "wrote",   "early",      "left", "hit" };
static unsigned long reached[COUNT(names)];

static struct fuzz_input in;
static size_t last_offset; /* of the last address taken */
static uint64_t hook_choices;

static void print_reached(void)
{
    fuzz_print_reached(names, reached, COUNT(names));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    setenv("CMOCKA_TEST_ABORT", "1", 1); /* the fake machine's asserts are failures here too */
    atexit(print_reached);
    return 0;
}

/* ---- what the input says ---- */

/* Near the last address, near the end of a page, anywhere, or around either end of the text. */
static uintptr_t take_addr(void)
{
    unsigned shape = (unsigned)fuzz_take(&in, 1);
    size_t offset;

    switch (shape % 4) {
    case 0:
        offset = last_offset + (size_t)(int8_t)fuzz_take(&in, 1);
        break;
    case 1:
        offset = (1 + (size_t)fuzz_take(&in, 1)) * MACHINE_PAGE - (shape >> 2) % 8;
        break;
    case 2:
        offset = (size_t)fuzz_take(&in, 4) % FAKE_TEXT_BYTES;
        break;
    default:
        offset = (shape & 4 ? FAKE_TEXT_BYTES : 0) + (size_t)(int8_t)fuzz_take(&in, 1);
    }
    last_offset = offset;
    return (uintptr_t)fake_text + offset;
}

/* Bytes that may be an instruction: one of the images of poke/insn.h, or anything of any length. */
static uint8_t *take_image(size_t *len)
{
    static const struct {
        uint8_t len, fixed, bytes[6];
    } images[] = {
        { 1, 1, { 0xC3 } },
        { 1, 1, { 0xCC } },
        { 2, 2, { 0x66, 0x90 } },
        { 2, 1, { 0xEB } },
        { 2, 1, { 0x74 } },
        { 2, 2, { 0xC3, 0xCC } },
        { 5, 5, { 0x0F, 0x1F, 0x44, 0, 0 } },
        { 5, 1, { 0xE8 } },
        { 5, 1, { 0xE9 } },
        { 5, 5, { 0xEB, 0x10, 0xCC, 0xCC, 0xCC } },
        { 6, 6, { 0x66, 0x0F, 0x1F, 0x44, 0, 0 } },
        { 6, 2, { 0x0F, 0x8F } },
        { 6, 6, { 0xC3, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC } },
    };
    unsigned choice = (unsigned)fuzz_take(&in, 1) % (COUNT(images) + 3);

    if (choice >= COUNT(images)) {
        static const uint16_t odd_lens[] = { 0, 3, 4, 7, 256 + 5, 5, 6, 2 };

        *len = odd_lens[fuzz_take(&in, 1) % COUNT(odd_lens)];
        return fuzz_take_bytes(&in, *len);
    }
    *len = images[choice].len;
    uint8_t *image = fuzz_take_bytes(&in, *len - images[choice].fixed);

    image = realloc(image, *len);
    fuzz_check(image);
    memmove(image + images[choice].fixed, image, *len - images[choice].fixed);
    memcpy(image, images[choice].bytes, images[choice].fixed);
    return image;
}

/* ---- in the middle of a batch ---- */

/* A core leaves or comes back, as poke/machine.h wants it done. */
static void toggle_core(unsigned core)
{
    unsigned me = fake_core;

    if (core == me || model.holder == core + 1)
        return;
    fake_core = core;
    if (fake.offline[core]) {
        fake.offline[core] = false;
        poke_log_online();
    } else {
        poke_log_offline();
        fake.offline[core] = true;
        reached[LEFT]++;
    }
    fake_core = me;
}

/* An entry's INT3 is met on the core that executes: emulated, or left to its owner. */
static void meet(const struct poke_entry *e)
{
    uint64_t stack[3] = { 0x1111, 0x2222, 0x3333 };
    uintptr_t top = (uintptr_t)&stack[1], sp = top, ip = e->emulate.target;
    struct poke_regs regs = { .ip = e->addr + 1, .sp = top, .flags = 0x202 };
    bool claimed = smp_text_poke_int3_handler(&regs);

    switch ((enum poke_insn_kind)e->emulate.kind) {
    case POKE_INSN_INT3:
        ip = e->addr + 1;
        break;
    case POKE_INSN_CALL:
        sp -= sizeof(stack[0]);
        fuzz_check(stack[0] == e->addr + 5);
        break;
    case POKE_INSN_RET:
        sp += sizeof(stack[0]);
        ip = 0x2222;
        break;
    case POKE_INSN_JCC: /* which way is not this fuzzer's business */
        ip = regs.ip == e->addr + e->len ? regs.ip : ip;
        break;
    case POKE_INSN_JMP:
    case POKE_INSN_NOP:
        break;
    }
    fuzz_check(claimed == (e->emulate.kind != POKE_INSN_INT3));
    fuzz_check(regs.ip == ip && regs.sp == sp && regs.flags == 0x202);
    reached[HIT]++;
}

/*
 * After every store and every sync of a batch some core meets the INT3 of some entry, and now and
 * then one leaves or comes back.
 */
static void others_run(void)
{
    unsigned me = fake_core;

    hook_choices = hook_choices * 0x5851f42d4c957f2dull + 1;
    fake_core = (hook_choices >> 32) % FAKE_CORES;
    const struct poke_table *table = &poke_tables[(hook_choices >> 20) % POKE_TABLES];

    if (!table->published)
        table = &poke_tables[table == poke_tables];
    if (table->published)
        meet(&table->entries[(hook_choices >> 40) % table->count]);
    fake_core = me;
    if ((hook_choices >> 33) % 16 == 0)
        toggle_core((hook_choices >> 37) % FAKE_CORES);
}

/* The call is over: the machine saw exactly what the model says, and the engine is in no phase. */
static void check_machine(void)
{
    fuzz_check(fake.opens == model.opens);
    fuzz_check(fake.syncs == model.syncs);
    fuzz_check(!fake.open && !fake.phase);
}

/* The engine's table is the model's queue, and as poke/table.h says. */
static void check_table(void)
{
    fuzz_check(poke_table->count == model.count);
    for (unsigned i = 0; i < model.count; i++) {
        const struct poke_entry *e = &poke_table->entries[i];

        fuzz_check(e->addr == model.sites[i].addr && e->len == model.sites[i].len);
        fuzz_check(!memcmp(e->text, model.sites[i].text, e->len));
        fuzz_check(!i || e[-1].addr + e[-1].len <= e->addr);
    }
}

/* ---- the calls ---- */

static void call_add(bool single, uintptr_t addr, const uint8_t *bytes, size_t len,
                     const uint8_t *emulate)
{
    unsigned pending = model.count;
    bool flushed = false, want_flushed;
    enum poke_error e, want;

    fake.hook = others_run;
    e = single ? smp_text_poke_single((void *)addr, bytes, len, emulate)
               : smp_text_poke_batch_add((void *)addr, bytes, len, emulate, &flushed);
    fake.hook = NULL;
    want = model_add(addr, bytes, len, emulate, &want_flushed);
    if (single && !want)
        want = model_finish();
    fuzz_check(e == want);
    fuzz_check(single || flushed == want_flushed);

    reached[e ? REFUSED : ADDED]++;
    reached[FLUSHED] += want_flushed;
    reached[OVERFLOWED] += want_flushed && pending == TEXT_POKE_ARRAY_MAX;
}

static void add(bool single)
{
    uintptr_t addr = take_addr();
    size_t len, other;
    uint8_t *bytes = take_image(&len), *emulate = NULL;

    if (fuzz_take(&in, 1) % 4 == 0) {
        emulate = take_image(&other);
        emulate = realloc(emulate, len ? len : 1); /* both are read to the same length */
        fuzz_check(emulate);
        if (len > other)
            memset(emulate + other, 0xCC, len - other);
    }
    call_add(single, addr, bytes, len, emulate);
    free(emulate);
    free(bytes);
}

static void add_many(void)
{
    uintptr_t addr = take_addr();
    unsigned sites = (unsigned)fuzz_take(&in, 2) % (TEXT_POKE_ARRAY_MAX + 32);
    size_t stride = (size_t)fuzz_take(&in, 2) % (MACHINE_PAGE + 2), len;
    uint8_t *bytes = take_image(&len);

    for (unsigned i = 0; i < sites; i++)
        call_add(false, addr + i * stride, bytes, len, NULL);
    free(bytes);
}

static void finish(void)
{
    fake.hook = others_run;
    enum poke_error e = smp_text_poke_batch_finish();

    fake.hook = NULL;
    fuzz_check(e == model_finish());
}

static void write_text(enum model_write how)
{
    uintptr_t addr = take_addr();
    size_t len = fuzz_take(&in, 1) % 8 ? (size_t)fuzz_take(&in, 1) : (size_t)fuzz_take(&in, 2);
    uint8_t *bytes = malloc(len), fill = (uint8_t)fuzz_take(&in, 1);
    unsigned stores = fake.stores;
    enum poke_error e = POKE_OK;

    fuzz_check(bytes || !len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = how == MODEL_SET ? fill : (uint8_t)(fill + i * 7);
    switch (how) {
    case MODEL_POKE:
        e = text_poke((void *)addr, bytes, len);
        break;
    case MODEL_COPY:
        e = text_poke_copy((void *)addr, bytes, len);
        break;
    case MODEL_SET:
        e = text_poke_set((void *)addr, fill, len);
        break;
    case MODEL_EARLY:
        e = text_poke_early((void *)addr, bytes, len);
        break;
    }
    fuzz_check(e == model_write(how, addr, bytes, len));
    fuzz_check(!e || fake.stores == stores);
    reached[e ? REFUSED : how == MODEL_EARLY ? EARLY : WROTE]++;
    free(bytes);
}

static void change_core(void)
{
    unsigned core = (unsigned)fuzz_take(&in, 1) % FAKE_CORES;

    if (!fake.offline[core])
        fake_core = core;
}

static void lock_or_unlock(void)
{
    if (model.holder) {
        text_mutex_unlock(); /* no effect on a core that does not hold it */
        if (model_holds())
            model_unlock();
    } else {
        text_mutex_lock();
        model.holder = fake_core + 1;
    }
}

/* The seeds know these numbers. */
enum {
    CALL_ADD, /* and up to the next one */
    CALL_SINGLE = 4,
    CALL_ADD_MANY = 7,
    CALL_SELECT,
    CALL_FINISH,
    CALL_SYNC,
    CALL_COPY,
    CALL_SET,
    CALL_EARLY,
    CALL_POKE,
    CHANGE_CORE,
    TOGGLE_CORE,
    REFUSE_OPENING,
    FORBID_ADDRESS,
    CALL_LOCK,
    CALLS
};

static void call(void)
{
    /* A core that needs a lock that another one holds would wait for ever. */
    bool waits = model.holder && !model_holds();

    switch (fuzz_take(&in, 1) % CALLS) {
    case CALL_ADD ... CALL_SINGLE - 1:
        add(false);
        break;
    case CALL_SINGLE ... CALL_ADD_MANY - 1:
        add(true);
        break;
    case CALL_ADD_MANY:
        add_many();
        break;
    case CALL_SELECT:
        fuzz_check(poke_select_protocol(NULL) == (!model_holds() ? POKE_E_LOCK
                                                  : model.count  ? POKE_E_PENDING
                                                                 : POKE_OK));
        break;
    case CALL_FINISH:
        finish();
        break;
    case CALL_SYNC:
        if (waits)
            break;
        smp_text_poke_sync_each_cpu();
        model_sync();
        break;
    case CALL_COPY:
        if (!waits)
            write_text(MODEL_COPY);
        break;
    case CALL_SET:
        if (!waits)
            write_text(MODEL_SET);
        break;
    case CALL_EARLY:
        if (!waits)
            write_text(MODEL_EARLY);
        break;
    case CALL_POKE:
        write_text(MODEL_POKE);
        break;
    case CHANGE_CORE:
        change_core();
        break;
    case TOGGLE_CORE:
        toggle_core((unsigned)fuzz_take(&in, 1) % FAKE_CORES);
        break;
    case REFUSE_OPENING:
        fake.refused_open = fake.opens + 1;
        break;
    case FORBID_ADDRESS:
        fake.forbidden = fake.forbidden ? 0 : take_addr();
        break;
    case CALL_LOCK:
        lock_or_unlock();
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    in = (struct fuzz_input){ data, size };
    last_offset = 0;
    hook_choices = size;
    fake_reset(POKE_LOG_PATCHER_MIN);
    poke_order_reset();
    text_mutex_lock();
    model_reset();

    for (unsigned calls = 0; in.left && calls < 64; calls++) {
        call();
        check_machine();
        check_table();
    }

    if (model.holder)
        fake_core = model.holder - 1;
    else
        lock_or_unlock();
    fake.refused_open = 0;
    finish();
    fuzz_check(!poke_first_fault());
    fuzz_check(model_text_is_right());
    reached[RAN] += model.batches;
    reached[NOT_OPENED] += model.not_opened;
    text_mutex_unlock();
    return 0;
}
