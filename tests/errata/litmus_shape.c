/* SPDX-License-Identifier: MIT */
#include "tests/errata/litmus_shape.h"

#include "kernel/lib/fmt.h"

static bool observes(enum litmus_kind kind)
{
    return kind == LITMUS_EXEC || kind == LITMUS_READ || kind == LITMUS_LOAD;
}

bool litmus_holds(const struct litmus_term terms[static LITMUS_TERMS],
                  const struct litmus_outcome *outcome)
{
    for (unsigned i = 0; i < LITMUS_TERMS && terms[i].relation != LITMUS_NO_TERM; i++) {
        bool is = outcome->reg[terms[i].thread][terms[i].reg] == terms[i].value;

        if (is != (terms[i].relation == LITMUS_IS))
            return false;
    }
    return true;
}

unsigned litmus_registers(const struct litmus_shape *shape, unsigned thread)
{
    unsigned count = 0;

    for (unsigned i = 0; i < LITMUS_OPS; i++)
        count += observes((enum litmus_kind)shape->program[thread][i].kind);
    return count;
}

bool litmus_thread_does(const struct litmus_shape *shape, unsigned thread, enum litmus_kind kind)
{
    for (unsigned i = 0; i < LITMUS_OPS; i++) {
        if (shape->program[thread][i].kind == kind)
            return true;
    }
    return false;
}

bool litmus_does(const struct litmus_shape *shape, enum litmus_kind kind)
{
    for (unsigned thread = 0; thread < shape->threads; thread++) {
        if (litmus_thread_does(shape, thread, kind))
            return true;
    }
    return false;
}

unsigned litmus_writers(const struct litmus_shape *shape)
{
    unsigned count = 0;

    for (unsigned thread = 0; thread < shape->threads; thread++)
        count += litmus_thread_does(shape, thread, LITMUS_CODE);
    return count;
}

/* ---- text ---- */

struct text {
    char *out;
    size_t size;
    int length;
};

static struct text begin(char *out, size_t size)
{
    if (size)
        out[0] = '\0';
    return (struct text){ out, size, 0 };
}

static void add(struct text *text, const char *fmt, ...)
{
    size_t used = (size_t)text->length < text->size ? (size_t)text->length : text->size;
    va_list args;

    va_start(args, fmt);
    text->length += fmt_vprint(text->out + used, text->size - used, fmt, args);
    va_end(args);
}

static void add_op(struct text *text, const struct litmus_op *op, unsigned *reg)
{
    static const char places[] = { 'f', 'g', 'x', 'y' };
    static const char letters[] = { [LITMUS_EXEC] = 'F', [LITMUS_READ] = 'R', [LITMUS_LOAD] = 'R' };

    switch ((enum litmus_kind)op->kind) {
    case LITMUS_EXEC:
    case LITMUS_READ:
    case LITMUS_LOAD:
        add(text, "r%u=%c %c", (*reg)++, letters[op->kind], places[op->place]);
        break;
    case LITMUS_CODE:
    case LITMUS_STORE:
        add(text, "W %c=%u", places[op->place], op->value);
        break;
    case LITMUS_POKE:
        add(text, "int3 %c=%u", places[op->place], op->value);
        break;
    case LITMUS_FENCE:
        add(text, "fence");
        break;
    case LITMUS_MFENCE:
        add(text, "mfence");
        break;
    case LITMUS_END:
        break;
    }
}

int litmus_print_program(const struct litmus_shape *shape, char *out, size_t size)
{
    struct text text = begin(out, size);

    for (unsigned thread = 0; thread < shape->threads; thread++) {
        unsigned reg = 0;

        add(&text, "%s%u:", thread ? " | " : "", thread);
        for (unsigned i = 0; i < LITMUS_OPS && shape->program[thread][i].kind; i++) {
            add(&text, "%s", i ? "; " : " ");
            add_op(&text, &shape->program[thread][i], &reg);
        }
    }
    return text.length;
}

static const char *value_name(unsigned value)
{
    static const char *const names[LITMUS_VALUES] = { "0",     "1",     "2",   "int3",
                                                      "fault", "stale", "torn" };

    return names[value];
}

static void add_terms(struct text *text, const struct litmus_term terms[static LITMUS_TERMS])
{
    for (unsigned i = 0; i < LITMUS_TERMS && terms[i].relation != LITMUS_NO_TERM; i++)
        add(text, terms[i].relation == LITMUS_IS ? "%s%u:r%u=%s" : "%s~(%u:r%u=%s)",
            text->length ? " /\\ " : "", terms[i].thread, terms[i].reg, value_name(terms[i].value));
}

int litmus_print_condition(const struct litmus_shape *shape, char *out, size_t size)
{
    struct text text = begin(out, size);

    add_terms(&text, shape->premise);
    add_terms(&text, shape->asked);
    return text.length;
}

int litmus_print_outcome(const struct litmus_shape *shape, const struct litmus_outcome *outcome,
                         char *out, size_t size)
{
    struct text text = begin(out, size);

    for (unsigned thread = 0; thread < shape->threads; thread++) {
        for (unsigned reg = 0; reg < litmus_registers(shape, thread); reg++)
            add(&text, "%s%u:r%u=%s;", text.length ? " " : "", thread, reg,
                value_name(outcome->reg[thread][reg]));
    }
    return text.length;
}

const char *litmus_word_name(enum litmus_word word)
{
    static const char *const names[] = { [LITMUS_UNSPECIFIED] = "unspecified",
                                         [LITMUS_ALLOWED] = "allowed",
                                         [LITMUS_GUARANTEED] = "guaranteed" };

    return names[word];
}
