/* SPDX-License-Identifier: MIT */
#include "tests/lib/site.h"

#include "kernel/lib/string.h"
#include "kernel/mm/mm.h"

/* Before the first page of the sites and after their last: the targets of rel32 instructions. */
#define TARGET_PAGES 16
#define TARGET_BYTES 13
/* A target of JMP8 must lie within 127 bytes of its instruction. */
#define NEAR_TARGET_A 20
#define NEAR_TARGET_B 44

enum target { NO_TARGET, FAR_BELOW, FAR_ABOVE, NEAR_A, NEAR_B };

struct image_spec {
    uint8_t kind;   /* enum site_kind */
    uint8_t target; /* enum target */
};

static const struct {
    uint8_t len;
    struct image_spec images[SITE_IMAGES_MAX];
    uint8_t count;
} families[] = {
    [SITE_5] = { 5,
                 { { SITE_NOP, NO_TARGET },
                   { SITE_CALL, FAR_BELOW },
                   { SITE_CALL, FAR_ABOVE },
                   { SITE_JMP32, FAR_BELOW },
                   { SITE_JMP32, FAR_ABOVE },
                   { SITE_RET, NO_TARGET },
                   { SITE_JMP8, NEAR_A } },
                 7 },
    [SITE_5_CALL] = { 5, { { SITE_NOP, NO_TARGET }, { SITE_CALL, FAR_ABOVE } }, 2 },
    [SITE_5_CALLS] = { 5, { { SITE_CALL, FAR_BELOW }, { SITE_CALL, FAR_ABOVE } }, 2 },
    [SITE_5_JMPS] = { 5,
                      { { SITE_NOP, NO_TARGET },
                        { SITE_JMP32, FAR_BELOW },
                        { SITE_JMP32, FAR_ABOVE } },
                      3 },
    [SITE_2] = { 2,
                 { { SITE_NOP, NO_TARGET },
                   { SITE_JMP8, NEAR_A },
                   { SITE_JMP8, NEAR_B },
                   { SITE_RET, NO_TARGET } },
                 4 },
    [SITE_2_JCC] = { 2,
                     { { SITE_JCC_TAKEN, NEAR_A },
                       { SITE_JCC_TAKEN, NEAR_B },
                       { SITE_JCC_NOT_TAKEN, NEAR_B },
                       { SITE_RET, NO_TARGET } },
                     4 },
    [SITE_6] = { 6,
                 { { SITE_NOP, NO_TARGET },
                   { SITE_JMP32, FAR_BELOW },
                   { SITE_JMP32, FAR_ABOVE },
                   { SITE_RET, NO_TARGET } },
                 4 },
    [SITE_5_NOPS] = { 5, { { SITE_NOPS, NO_TARGET }, { SITE_CALL, FAR_ABOVE } }, 2 },
    [SITE_11] = { 11, { { SITE_SKIP, NO_TARGET }, { SITE_CALL, FAR_ABOVE } }, 2 },
    [SITE_6_JCC] = { 6,
                     { { SITE_JCC_TAKEN, FAR_BELOW },
                       { SITE_JCC_TAKEN, FAR_ABOVE },
                       { SITE_JCC_NOT_TAKEN, FAR_BELOW },
                       { SITE_JMP8, NEAR_A } },
                     4 },
};

static const char *const kind_names[] = {
    [SITE_NOP] = "nop",   [SITE_NOPS] = "nops",           [SITE_SKIP] = "skip",
    [SITE_CALL] = "call", [SITE_JMP32] = "jmp32",         [SITE_JMP8] = "jmp8",
    [SITE_RET] = "ret",   [SITE_JCC_TAKEN] = "jcc_taken", [SITE_JCC_NOT_TAKEN] = "jcc_not_taken",
};

const char *site_kind_name(enum site_kind kind)
{
    return kind_names[kind];
}

_Static_assert(SITES_MAX *SITE_IMAGES_MAX * 64 <= TARGET_PAGES * 4096, "targets overlap");

static struct site sites[SITES_MAX];

/* The text of one set: targets below, sites, targets above. */
struct ground {
    uint8_t *below, *first, *above;
    struct prng *rng;
};

static bool write_text(uint8_t *at, const void *bytes, size_t len)
{
    return text_poke_copy(at, bytes, len) == POKE_OK;
}

/* A random place for each far target, in 64 bytes of its own. */
static uint8_t *far_target(const struct ground *g, const struct site *s, unsigned image,
                           enum target where)
{
    uint8_t *region = where == FAR_BELOW ? g->below : g->above;
    unsigned slice = s->index * SITE_IMAGES_MAX + image;

    return region + slice * 64 + prng_below(g->rng, 64 - TARGET_BYTES);
}

static uint8_t *place_target(const struct ground *g, const struct site *s, unsigned image,
                             enum target where)
{
    switch (where) {
    case NEAR_A:
        return s->slot + NEAR_TARGET_A;
    case NEAR_B:
        return s->slot + NEAR_TARGET_B;
    default:
        return far_target(g, s, image, where);
    }
}

static bool write_target(uint8_t *at, uint32_t number)
{
    uint8_t code[TARGET_BYTES] = {
        0xb8,
        0,
        0,
        0,
        0, /* mov eax, number */
        0x48,
        0x8b,
        0x14,
        0x24, /* mov rdx, [rsp] */
        0x48,
        0x89,
        0xe1, /* mov rcx, rsp */
        RET_INSN_OPCODE,
    };

    memcpy(code + 1, &number, 4);
    return write_text(at, code, sizeof code);
}

/* A condition (even; odd is its negation) that holds after XOR EAX, EAX: Z, P, not C, O, S. */
static unsigned pick_condition(struct prng *rng, bool taken)
{
    /* O  B  Z  BE S  P  L  LE in the order of their codes: does the even one hold? */
    static const bool holds[8] = { false, false, true, true, false, true, false, true };
    unsigned pair = prng_below(rng, 8);

    return pair * 2 + (holds[pair] == taken ? 0 : 1);
}

static const uint8_t *standard_nop(size_t len)
{
    return len == 2 ? poke_nop2 : len == 5 ? poke_nop5 : poke_nop6;
}

/* mov r10d, 1: what stands before the CALL in a slot of 11 bytes. */
static const uint8_t sled_head[6] = { 0x41, 0xba, 1 };

/* The bytes of one image; a shorter instruction is filled up with INT3. */
static bool encode(const struct site *s, struct site_image *image, const uint8_t *target,
                   struct prng *rng)
{
    size_t len = s->len, before;
    enum poke_error e = POKE_OK;

    memset(image->bytes, INT3_INSN_OPCODE, sizeof image->bytes);
    switch ((enum site_kind)image->kind) {
    case SITE_NOP:
        memcpy(image->bytes, standard_nop(len), len);
        break;
    case SITE_NOPS:
        memset(image->bytes, 0x90, len);
        break;
    case SITE_SKIP:
        e = text_gen_insn(JMP8_INSN_OPCODE, s->slot, s->slot + len, image->bytes, &len);
        break;
    case SITE_CALL:
        before = s->len - CALL_INSN_SIZE;
        memcpy(image->bytes, sled_head, before);
        e = text_gen_insn(CALL_INSN_OPCODE, s->slot + before, target, image->bytes + before, &len);
        break;
    case SITE_JMP32:
        e = text_gen_insn(JMP32_INSN_OPCODE, s->slot, target, image->bytes, &len);
        break;
    case SITE_JMP8:
        e = text_gen_insn(JMP8_INSN_OPCODE, s->slot, target, image->bytes, &len);
        break;
    case SITE_RET:
        e = text_gen_insn(RET_INSN_OPCODE, s->slot, NULL, image->bytes, &len);
        break;
    case SITE_JCC_TAKEN:
    case SITE_JCC_NOT_TAKEN:
        e = text_gen_jcc(pick_condition(rng, image->kind == SITE_JCC_TAKEN), len, s->slot, target,
                         image->bytes);
        break;
    default:
        return false;
    }
    return e == POKE_OK;
}

static uint32_t signature_of(const struct site *s, unsigned image)
{
    switch ((enum site_kind)s->image[image].kind) {
    case SITE_NOP:
    case SITE_NOPS:
    case SITE_SKIP:
    case SITE_JCC_NOT_TAKEN:
        return s->base + SITE_MARK;
    case SITE_CALL:
        return s->base + image + 1 + SITE_MARK;
    case SITE_RET:
        return s->base;
    default:
        return s->base + image + 1;
    }
}

static bool build_image(const struct ground *g, struct site *s, unsigned image,
                        const struct image_spec *spec)
{
    struct site_image *i = &s->image[image];
    uint8_t *target = NULL;

    i->kind = spec->kind;
    i->signature = signature_of(s, image);
    if (spec->target != NO_TARGET) {
        target = place_target(g, s, image, (enum target)spec->target);
        /* An untaken Jcc shares its near target with a taken one; nobody must arrive from it. */
        if (spec->kind != SITE_JCC_NOT_TAKEN && !write_target(target, s->base + image + 1))
            return false;
    }
    return encode(s, i, target, g->rng);
}

static bool write_frame(const struct site *s)
{
    uint8_t before[7] = { 0x31, 0xc0, 0xb8 }; /* xor eax, eax; mov eax, base */
    uint8_t after[7] = { 0x8d, 0x80, 0, 0, 0, 0, RET_INSN_OPCODE }; /* lea eax, [rax + mark]; ret */
    uint32_t mark = SITE_MARK;

    memcpy(before + 3, &s->base, 4);
    memcpy(after + 2, &mark, 4);
    return write_text(s->slot - sizeof before, before, sizeof before) &&
           write_text(s->slot, s->image[0].bytes, s->len) &&
           write_text(s->slot + s->len, after, sizeof after);
}

static bool build_site(const struct ground *g, struct site *s, unsigned index,
                       const struct site_spec *spec)
{
    memset(s, 0, sizeof *s);
    s->slot = g->first + spec->offset;
    s->entry = s->slot - 7;
    s->base = 0x10000 * (index + 1);
    s->index = (uint16_t)index;
    s->len = families[spec->family].len;
    s->images = families[spec->family].count;
    for (unsigned i = 0; i < s->images; i++) {
        if (!build_image(g, s, i, &families[spec->family].images[i]))
            return false;
    }
    return write_frame(s);
}

/*
 * `pages` pages of text, all INT3: those of the last set if they are enough, since nobody executes
 * it any more.
 */
static uint64_t clear_text(size_t pages)
{
    static uint64_t text;
    static size_t have;

    if (have < pages) {
        text = mm_text_alloc(pages);
        have = text ? pages : 0;
    } else if (text_poke_set((void *)text, INT3_INSN_OPCODE, pages * PAGE_SIZE) != POKE_OK) {
        return 0;
    }
    return text;
}

bool site_set_build(struct site_set *set, const struct site_spec *specs, unsigned count,
                    struct prng *rng)
{
    /* A site may reach into the page after its own. */
    size_t pages = specs[count - 1].offset / PAGE_SIZE + 2;
    uint64_t text = count <= SITES_MAX ? clear_text(2 * TARGET_PAGES + pages) : 0;
    struct ground g = { .rng = rng };

    if (!text)
        return false;
    g.below = (uint8_t *)text;
    g.first = g.below + TARGET_PAGES * PAGE_SIZE;
    g.above = g.first + pages * PAGE_SIZE;
    for (unsigned i = 0; i < count; i++) {
        if (!build_site(&g, &sites[i], i, &specs[i]))
            return false;
    }
    smp_text_poke_sync_each_cpu(); /* no core runs what the last set had here */
    set->sites = sites;
    set->count = count;
    return true;
}
