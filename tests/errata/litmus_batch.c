/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_batch.h"

#include "poke/poke.h"

#define DELAY_MAX          256u /* turns of an empty loop: about what a line takes between cores */
#define TURNS_PER_PAUSE    4096u
#define SPINS_BEFORE_PAUSE 64u /* PAUSE makes the start coarse, an emulator needs it */

/*
 * Generations of numbers: byte 4, 8, ... so that 0, 1 and 2 of one differ from those of the 62
 * before; but 0xcc, which is INT3's.
 */
#define GENERATIONS 63u

static uint32_t base_of(uint64_t batch)
{
    uint32_t generation = (uint32_t)(batch % GENERATIONS);

    return 4 * (generation + (generation >= (LITMUS_NUMBER_OF_INT3 & 0xff) / 4));
}

enum litmus_value litmus_value_of(const struct litmus_round *round, uint32_t raw)
{
    uint32_t byte = raw & 0xff;

    if (raw == LITMUS_NUMBER_OF_INT3)
        return litmus_does(round->shape, LITMUS_POKE) ? LITMUS_INT3 : LITMUS_STALE;
    if (raw != byte * 0x01010101u)
        return LITMUS_TORN;
    return byte - round->base <= 2 ? (enum litmus_value)(byte - round->base) : LITMUS_STALE;
}

/* ---- waiting ---- */

void litmus_meet(struct litmus_round *round)
{
    uint32_t generation = load_acquire(&round->generation);

    if (fetch_add(&round->arrived, 1) + 1 == round->shape->threads) {
        store_relaxed(&round->arrived, 0);
        store_release(&round->generation, generation + 1); /* pairs with the acquire below */
    } else {
        while (load_acquire(&round->generation) == generation)
            cpu_relax();
    }
}

static void keep_step(const struct litmus_role *role)
{
    struct litmus_round *round = role->round;
    uint64_t step = round->batch * LITMUS_INSTANCES + role->next + 1;

    store_release(&round->at[role->thread].step, step); /* pairs with the acquire below */
    for (unsigned other = 0; other < round->shape->threads; other++) {
        for (unsigned spins = 1; load_acquire(&round->at[other].step) < step; spins++) {
            if (spins % SPINS_BEFORE_PAUSE == 0)
                cpu_relax();
        }
    }
}

/* ---- set-up ---- */

static struct litmus_round *poked; /* thread 0's own */

static uint8_t *entry_of(const struct litmus_memory *m, unsigned instance, enum litmus_place place)
{
    return m->text + m->place[instance][place] + LITMUS_ENTRY;
}

void litmus_batch_poke(unsigned instance)
{
    const struct litmus_memory *m = poked->memory;
    uint8_t *site = entry_of(m, instance, LITMUS_F);
    uint8_t code[JMP32_INSN_SIZE] = { 0xb8 }, emulate[TEXT_POKE_MAX_OPCODE_SIZE];
    uint32_t number = litmus_number(poked, 1);
    size_t length;

    memcpy(code + 1, &number, sizeof number);
    ASSERT(text_gen_insn(JMP32_INSN_OPCODE, site, entry_of(m, instance, LITMUS_G), emulate,
                         &length) == POKE_OK);
    text_mutex_lock();
    ASSERT(smp_text_poke_single(site, code, sizeof code, emulate) == POKE_OK);
    text_mutex_unlock();
}

/* Functions that only the engine writes. */
static bool reset_by_engine(struct litmus_round *round)
{
    const struct litmus_memory *m = round->memory;
    uint64_t first = litmus_code_quadword(litmus_number(round, 0));
    bool ok = true;

    poked = round;
    text_mutex_lock();
    for (unsigned i = 0; i < LITMUS_INSTANCES && ok; i++)
        ok = text_poke(m->text + m->place[i][LITMUS_F], &first, sizeof first) == POKE_OK;
    text_mutex_unlock();
    return ok;
}

static void reset_by_view(struct litmus_round *round)
{
    const struct litmus_memory *m = round->memory;

    for (unsigned i = 0; i < LITMUS_INSTANCES; i++) {
        for (unsigned place = LITMUS_F; place <= LITMUS_G; place++)
            store_relaxed((uint64_t *)(m->view + m->place[i][place]),
                          litmus_code_quadword(litmus_number(round, 0)));
    }
}

bool litmus_batch_reset(struct litmus_round *round)
{
    const struct litmus_memory *m = round->memory;

    round->batch++;
    round->base = base_of(round->batch);
    round->in_step = prng_below(&round->role[0].random, 4) != 0;
    for (unsigned i = 0; i < LITMUS_INSTANCES; i++) {
        for (unsigned place = LITMUS_X; place <= LITMUS_Y; place++)
            store_relaxed((uint32_t *)(m->data + m->place[i][place]), litmus_number(round, 0));
    }
    if (litmus_does(round->shape, LITMUS_POKE))
        return reset_by_engine(round);
    if (litmus_does(round->shape, LITMUS_CODE) && !round->shape->careless)
        reset_by_view(round);
    return true;
}

/* ---- one thread ---- */

/* Each function has been set up, and this core has serialised: only the new number may come. */
static void warm_code(void *arg)
{
    struct litmus_role *role = arg;
    struct litmus_round *round = role->round;
    unsigned last = litmus_does(round->shape, LITMUS_POKE) ? LITMUS_F : LITMUS_G;

    for (; role->next < LITMUS_INSTANCES; role->next++) {
        for (unsigned place = LITMUS_F; place <= last; place++) {
            uint32_t raw = litmus_memory_call(round->memory, role->next, (enum litmus_place)place);

            role->between++;
            if (raw == litmus_number(round, 0))
                continue;
            role->stale_between++;
            role->stale_raw = raw;
        }
    }
}

static void warm_data(const struct litmus_memory *m)
{
    for (unsigned i = 0; i < LITMUS_INSTANCES; i++) {
        for (unsigned place = LITMUS_X; place <= LITMUS_Y; place++)
            (void)load_relaxed((volatile uint32_t *)(m->data + m->place[i][place]));
    }
}

/* Below `max`, and small ones as often as large ones. */
static uint32_t draw_delay(struct prng *random, uint32_t max)
{
    return prng_below(random, 1 + (max >> prng_below(random, 4)));
}

/* An emulator that takes turns lets the others run at each PAUSE only. */
static void wait_turns(uint32_t turns)
{
    for (; turns > 0; turns--) {
        compiler_barrier();
        if (turns % TURNS_PER_PAUSE == 0)
            cpu_relax();
    }
}

static void run_instances(void *arg)
{
    struct litmus_role *role = arg;
    struct litmus_round *round = role->round;
    struct litmus_memory *m = round->memory;
    uint32_t one = litmus_number(round, 1), two = litmus_number(round, 2);
    uint32_t delay_max = round->shape->delay ? round->shape->delay : DELAY_MAX;

    for (; role->next < LITMUS_INSTANCES; role->next++) {
        litmus_code code = litmus_memory_code(m, role->thread, role->next);
        uint32_t delay = draw_delay(&role->random, delay_max);

        if (round->in_step)
            keep_step(role);
        wait_turns(delay);
        code(m->view, m->data, m->results[role->thread][0], one, two);
    }
}

void litmus_batch_run(struct litmus_role *role)
{
    struct litmus_round *round = role->round;
    bool has_code =
        litmus_does(round->shape, LITMUS_CODE) || litmus_does(round->shape, LITMUS_POKE);
    struct trap_caught caught;

    litmus_memory_serialise(round->memory); /* behind litmus_meet(): as the manuals ask */
    role->next = has_code && prng_below(&role->random, 4) != 0 ? 0 : LITMUS_INSTANCES;
    for (; !trap_try(warm_code, role, &caught); role->next++)
        role->stale_between++;
    if (prng_below(&role->random, 2) != 0)
        warm_data(round->memory);
    role->next = 0;
    litmus_meet(round);
    while (!trap_try(run_instances, role, &caught))
        role->caught[role->next++] = caught;
}
