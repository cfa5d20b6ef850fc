/* SPDX-License-Identifier: MIT */
#include "tests/harness/replay.h"

#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"

/* Append "name=value"; a line that does not fit is cut at its end. */
static void add(char *out, size_t size, const char *name, const char *value)
{
    size_t used = strlen(out);

    fmt_print(out + used, size - used, "%s%s=%s", used ? " " : "", name, value);
}

static void add_number(char *out, size_t size, const char *name, uint64_t value)
{
    char text[24];

    /* A seed is known by its hexadecimal form. */
    fmt_print(text, sizeof text, strcmp(name, "seed") ? "%llu" : "0x%llx",
              (unsigned long long)value);
    add(out, size, name, text);
}

void replay_words(const struct words *w, char *out, size_t size)
{
    static struct words defaults;

    words_defaults(&defaults);
    out[0] = '\0';
#define WORD_NUMBER(name, lo, hi, def, scope, help)                                                \
    if (w->name != defaults.name)                                                                  \
        add_number(out, size, #name, w->name);
#define WORD_CHOICE(name, choices, def, scope, help)                                               \
    if (w->name != defaults.name)                                                                  \
        add(out, size, #name, words_choice_text(w, #name));
#define WORD_TEXT(name, def, scope, help)                                                          \
    if (strcmp(w->name, defaults.name))                                                            \
        add(out, size, #name, w->name);
#include "kernel/lib/words.def"
#undef WORD_NUMBER
#undef WORD_CHOICE
#undef WORD_TEXT
}
