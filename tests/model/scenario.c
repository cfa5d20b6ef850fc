/* SPDX-License-Identifier: MIT */
#include "tests/model/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where displacements are meant to differ, they differ in every byte: any mix shows. */
#define DISP32_A 0x44332211
#define DISP32_B 0x18a7b6c5
#define BYTES_A  0x11, 0x22, 0x33, 0x44
#define BYTES_B  0xc5, 0xb6, 0xa7, 0x18

static const struct image nop2 = { "nop2", IMAGE_NOP, 2, 2, 0, { 0x66, 0x90 } };
static const struct image nop5 = { "nop5", IMAGE_NOP, 5, 5, 0, { 0x0f, 0x1f, 0x44, 0, 0 } };
static const struct image nop6 = { "nop6", IMAGE_NOP, 6, 6, 0, { 0x66, 0x0f, 0x1f, 0x44, 0, 0 } };
static const struct image call = { "call", IMAGE_CALL, 5, 5, DISP32_A, { 0xe8, BYTES_A } };
static const struct image call_b = { "call", IMAGE_CALL, 5, 5, DISP32_B, { 0xe8, BYTES_B } };
static const struct image jmp32 = { "jmp32", IMAGE_JMP, 5, 5, DISP32_A, { 0xe9, BYTES_A } };
static const struct image jmp32_b = { "jmp32", IMAGE_JMP, 5, 5, DISP32_B, { 0xe9, BYTES_B } };
static const struct image xor5 = { "xor", IMAGE_XOR, 5, 5, 0, { 0x66, 0x66, 0x48, 0x31, 0xc0 } };
static const struct image jmp8 = { "jmp8", IMAGE_JMP, 2, 2, 0x21, { 0xeb, 0x21 } };
static const struct image jmp8_5 = { "jmp8+pad", IMAGE_JMP, 5,
                                     2,          0x21,      { 0xeb, 0x21, 0xcc, 0xcc, 0xcc } };
static const struct image ret = { "ret", IMAGE_RET, 1, 1, 0, { 0xc3 } };
static const struct image ret_5 = {
    "ret+pad", IMAGE_RET, 5, 1, 0, { 0xc3, 0xcc, 0xcc, 0xcc, 0xcc }
};
static const struct image int3 = { "int3", IMAGE_INT3, 1, 1, 0, { 0xcc } };
static const struct image je8 = { "je8", IMAGE_JE, 2, 2, 0x21, { 0x74, 0x21 } };
static const struct image jne8 = { "jne8", IMAGE_JNE, 2, 2, 0x32, { 0x75, 0x32 } };
static const struct image je32 = { "je32", IMAGE_JE, 6, 6, DISP32_A, { 0x0f, 0x84, BYTES_A } };
static const struct image jne32 = { "jne32", IMAGE_JNE, 6, 6, DISP32_B, { 0x0f, 0x85, BYTES_B } };

/* There and back again. On the way there INT3 may stand for an image that is never written. */
static const struct transition {
    const struct image *image[2];
    const struct image *emulate; /* NULL: image[1] */
} transitions[] = {
    { { &nop5, &call }, NULL },    { { &call, &call_b }, NULL }, { { &jmp32, &jmp32_b }, NULL },
    { { &nop5, &jmp32 }, NULL },   { { &call, &ret_5 }, NULL },  { { &jmp8_5, &nop5 }, NULL },
    { { &nop2, &jmp8 }, NULL },    { { &je8, &jne8 }, NULL },    { { &nop2, &je8 }, NULL },
    { { &nop6, &je32 }, NULL },    { { &je32, &jne32 }, NULL },  { { &ret, &int3 }, NULL },
    { { &call, &xor5 }, &call_b }, /* Linux: a static call to a function that returns 0 */
    { { &jmp32, &nop5 }, &call },
};
#define TRANSITIONS (sizeof(transitions) / sizeof(transitions[0]))

/* Put transition `t` to site `i`, with `split` bytes below `boundary`; all of them above if 0. */
static void put_site(struct scenario *s, unsigned i, const struct transition *t, uintptr_t boundary,
                     unsigned split)
{
    s->site[i] = (struct site){
        .addr = boundary - split,
        .image = { t->image[0], t->image[1] },
        .emulate = { t->image[0], t->emulate ? t->emulate : t->image[1] },
    };
    s->sites = i + 1;
}

static int print_site(char *name, size_t size, const struct site *site)
{
    bool differs = site->emulate[1] != site->image[1];

    return snprintf(name, size, "%s<->%s%s%s", site->image[0]->name, site->image[1]->name,
                    differs ? " emulated as " : "", differs ? site->emulate[1]->name : "");
}

static void put_op(struct scenario *s, unsigned patcher, enum op_kind kind, unsigned site,
                   unsigned image)
{
    unsigned n = 0;

    while (s->program[patcher][n].kind != OP_END)
        n++;
    if (n == MAX_OPS - 1)
        abort();
    s->program[patcher][n] = (struct op){ (uint8_t)kind, (uint8_t)site, (uint8_t)image };
}

/* The first quadword boundary that is used for site `i`; sites are two lines apart. */
static uintptr_t boundary_of(unsigned i)
{
    return (uintptr_t)model_text + 64 + i * 64;
}

/* Scenario number *index of the set; if it has fewer, false, and *index is less by their number. */
static bool single(unsigned *index, struct scenario *s)
{
    for (unsigned t = 0; t < TRANSITIONS; t++) {
        const struct image *from = transitions[t].image[0];
        unsigned splits = s->view == VIEW_VENDOR ? from->slot : 1; /* 0 .. slot - 1 */
        bool page = from->slot > 1;                                /* and one across a page */

        if (*index >= splits + page) {
            *index -= splits + page;
            continue;
        }
        bool at_page = *index == splits;
        unsigned split = at_page ? from->slot / 2 : *index;
        size_t used;

        put_site(s, 0, &transitions[t], at_page ? (uintptr_t)model_text + 4096 : boundary_of(0),
                 split);
        used = (size_t)print_site(s->name, sizeof(s->name), &s->site[0]);
        if (split)
            snprintf(s->name + used, sizeof(s->name) - used, " %u|%u%s", split, from->slot - split,
                     at_page ? " across a page" : "");
        for (unsigned image = 2; image-- > 0;) {
            put_op(s, 0, OP_LOCK, 0, 0);
            put_op(s, 0, OP_SINGLE, 0, image);
            put_op(s, 0, OP_UNLOCK, 0, 0);
        }
        return true;
    }
    return false;
}

/* Pairs of transitions, by their place in the table. */
static const uint8_t batches[][2] = { { 0, 2 }, { 1, 6 }, { 10, 4 }, { 7, 11 } };
#define BATCHES (sizeof(batches) / sizeof(batches[0]))

static bool batch(unsigned *index, struct scenario *s)
{
    size_t used;

    if (*index >= BATCHES) {
        *index -= BATCHES;
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct transition *t = &transitions[batches[*index][i]];

        put_site(s, i, t, boundary_of(i), t->image[0]->slot / 2);
    }
    used = (size_t)snprintf(s->name, sizeof(s->name), "batch of ");
    used += (size_t)print_site(s->name + used, sizeof(s->name) - used, &s->site[0]);
    used += (size_t)snprintf(s->name + used, sizeof(s->name) - used, " and ");
    print_site(s->name + used, sizeof(s->name) - used, &s->site[1]);
    put_op(s, 0, OP_LOCK, 0, 0);
    put_op(s, 0, OP_ADD, 0, 1);
    put_op(s, 0, OP_ADD, 1, 1);
    put_op(s, 0, OP_FINISH, 0, 0);
    put_op(s, 0, OP_ADD, 1, 0);
    put_op(s, 0, OP_ADD, 0, 0);
    put_op(s, 0, OP_FINISH, 0, 0);
    put_op(s, 0, OP_UNLOCK, 0, 0);
    return true;
}

static bool queue(unsigned index, struct scenario *s)
{
    if (index)
        return false;
    put_site(s, 0, &transitions[0], boundary_of(0), 0);
    put_site(s, 1, &transitions[6], boundary_of(1), 0);
    snprintf(s->name, sizeof(s->name), "queue of one patcher, single poke of another");
    s->patchers = 2;
    put_op(s, 0, OP_LOCK, 0, 0);
    put_op(s, 0, OP_ADD, 1, 1);
    put_op(s, 0, OP_UNLOCK, 0, 0);
    put_op(s, 0, OP_LOCK, 0, 0);
    put_op(s, 0, OP_FINISH, 0, 0);
    put_op(s, 0, OP_UNLOCK, 0, 0);
    put_op(s, 1, OP_LOCK, 0, 0);
    put_op(s, 1, OP_SINGLE, 0, 1);
    put_op(s, 1, OP_UNLOCK, 0, 0);
    return true;
}

bool scenario_at(enum scenario_set set, unsigned index, enum view view, unsigned readers,
                 struct scenario *s)
{
    *s = (struct scenario){
        .view = view, .engine = &engine_real, .patchers = 1, .readers = readers
    };
    switch (set) {
    case SET_SINGLE:
        return single(&index, s);
    case SET_BATCH:
        return batch(&index, s);
    case SET_QUEUE:
        return queue(index, s);
    case SET_HOTPLUG:
        s->hotplug = HOTPLUG_RIGHT;
        return (readers == 1 && single(&index, s)) || batch(&index, s);
    case SET_NMI:
        s->nmi = true;
        return single(&index, s) || batch(&index, s);
    case SETS:
        break;
    }
    return false;
}

/*
 * One stretch under the lock: some of the patcher's sites queued in any order, some poked singly,
 * and as a rule finished. Queued: those that it may have left in the queue.
 */
static void random_section(struct prng *prng, unsigned patcher, bool finish, bool *queued,
                           struct scenario *s)
{
    put_op(s, patcher, OP_LOCK, 0, 0);
    for (unsigned n = 1 + prng_below(prng, 4); n; n--) {
        unsigned own = (s->sites - patcher + s->patchers - 1) / s->patchers;
        unsigned site = patcher + s->patchers * prng_below(prng, own);
        unsigned image = prng_below(prng, 2);

        /* The oracle does not know when a single poke of a queued site runs the queue. */
        if (queued[site] || prng_below(prng, 4)) {
            put_op(s, patcher, OP_ADD, site, image);
            queued[site] = true;
        } else {
            put_op(s, patcher, OP_SINGLE, site, image);
            memset(queued, 0, MAX_SITES * sizeof(*queued));
        }
    }
    if (finish) {
        put_op(s, patcher, OP_FINISH, 0, 0);
        memset(queued, 0, MAX_SITES * sizeof(*queued));
    }
    put_op(s, patcher, OP_UNLOCK, 0, 0);
}

void scenario_random(struct prng *prng, enum view view, const struct engine *engine,
                     const struct poke_protocol *protocol, struct scenario *s)
{
    *s = (struct scenario){
        .name = "random",
        .view = view,
        .engine = engine,
        .protocol = protocol,
        .patchers = 1 + prng_below(prng, MAX_PATCHERS),
        .readers = 2 + prng_below(prng, MAX_READERS - 1),
        .hotplug = prng_below(prng, 2) ? HOTPLUG_RIGHT : HOTPLUG_NONE,
        .nmi = !prng_below(prng, 4),
    };
    for (unsigned i = 0, n = MAX_PATCHERS + prng_below(prng, MAX_SITES - 1); i < n; i++) {
        const struct transition *t = &transitions[prng_below(prng, TRANSITIONS)];

        put_site(s, i, t, boundary_of(i), prng_below(prng, t->image[0]->slot));
    }
    for (unsigned p = 0; p < s->patchers; p++) {
        bool queued[MAX_SITES] = { false };

        for (unsigned n = prng_below(prng, 3); n; n--) /* a protocol is selected with no queue */
            random_section(prng, p, protocol || prng_below(prng, 4), queued, s);
        random_section(prng, p, true, queued, s);
    }
}
