/* SPDX-License-Identifier: MIT */
/*
 * The command words for shell scripts, read by the kernel's own parser:
 *
 *   words check WORD...      exit 0, or 2 with the error as one line on stderr
 *   words help               the table of words
 *   words get NAME WORD...   the value that NAME has after these words
 *   words kernel WORD...     those of these words that are for the kernel, one line
 *   words config WORD...     a crossmod.cfg that explains every word, with these in force
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lib/words.h"

#define EXIT_MISTAKE 2

enum scope { KERNEL = 1, RUNNER = 2, BOTH = KERNEL | RUNNER };

static const char *const names[] = {
#define WORD_NUMBER(name, lo, hi, def, scope, help)  #name,
#define WORD_CHOICE(name, choices, def, scope, help) #name,
#define WORD_TEXT(name, def, scope, help)            #name,
#include "kernel/lib/words.def"
};

static const enum scope scopes[] = {
#define WORD_NUMBER(name, lo, hi, def, scope, help)  scope,
#define WORD_CHOICE(name, choices, def, scope, help) scope,
#define WORD_TEXT(name, def, scope, help)            scope,
#include "kernel/lib/words.def"
};

static const char *const explanations[] = {
#define WORD_NUMBER(name, lo, hi, def, scope, help)  help,
#define WORD_CHOICE(name, choices, def, scope, help) help,
#define WORD_TEXT(name, def, scope, help)            help,
#include "kernel/lib/words.def"
};

static void print_value(const struct words *w, enum word_id id)
{
    switch (id) {
#define WORD_NUMBER(name, lo, hi, def, scope, help)                                                \
    case WORD_ID_##name:                                                                           \
        printf("%" PRIu64, w->name);                                                               \
        break;
#define WORD_CHOICE(name, choices, def, scope, help)                                               \
    case WORD_ID_##name:                                                                           \
        fputs(words_choice_text(w, #name), stdout);                                                \
        break;
#define WORD_TEXT(name, def, scope, help)                                                          \
    case WORD_ID_##name:                                                                           \
        fputs(w->name, stdout);                                                                    \
        break;
#include "kernel/lib/words.def"
    case WORD_COUNT:
        break;
    }
}

/* Each argument is a text of its own: a '#' in one comments out nothing of the next. */
static bool read_arguments(struct words *w, char **arguments)
{
    char error[512];

    words_defaults(w);
    for (; *arguments; arguments++) {
        if (words_parse(w, "command line", *arguments, strlen(*arguments), error, sizeof(error)))
            continue;
        fprintf(stderr, "%s\n", error);
        return false;
    }
    return true;
}

static int help(void)
{
    char text[8192];

    if (words_help(text, sizeof(text)) >= sizeof(text))
        return EXIT_MISTAKE;
    fputs(text, stdout);
    return 0;
}

static int get(const char *name, char **arguments)
{
    struct words w;

    if (!read_arguments(&w, arguments))
        return EXIT_MISTAKE;
    for (unsigned id = 0; id < WORD_COUNT; id++) {
        if (strcmp(names[id], name) != 0)
            continue;
        print_value(&w, id);
        putchar('\n');
        return 0;
    }
    fprintf(stderr, "words get: no word '%s'\n", name);
    return EXIT_MISTAKE;
}

static int for_kernel(char **arguments)
{
    const char *blank = "";
    struct words w;

    if (!read_arguments(&w, arguments))
        return EXIT_MISTAKE;
    for (unsigned id = 0; id < WORD_COUNT; id++) {
        if (!(scopes[id] & KERNEL) || !(w.given & 1ull << id))
            continue;
        printf("%s%s=", blank, names[id]);
        print_value(&w, id);
        blank = " ";
    }
    putchar('\n');
    return 0;
}

/* Comment lines of at most WIDTH columns, broken at blanks. */
#define WIDTH 78
static void print_comment(const char *text)
{
    while (*text) {
        size_t length = strlen(text);

        if (length > WIDTH - 2) {
            length = WIDTH - 2;
            while (length > 0 && text[length] != ' ')
                length--;
        }
        printf("# %.*s\r\n", (int)length, text);
        text += length + (text[length] == ' ');
    }
}

static const char config_head[] =
    "# Settings of Crossmod. As this file comes, nothing is set: all tests are run,\r\n"
    "# with the values that stand here. A line that begins with # does nothing; to\r\n"
    "# set a word, take the # before its name away and change what stands behind the\r\n"
    "# =, without blanks. A word that is not known is reported and ignored; a value\r\n"
    "# that cannot be obeyed ends the run with a report that says so.\r\n";

/* Lines end as all editors of all systems like them. */
static int config(char **arguments)
{
    struct words w;
    char right[160];

    if (!read_arguments(&w, arguments))
        return EXIT_MISTAKE;
    for (unsigned id = 0; id < WORD_COUNT; id++) {
        if (w.given & 1ull << id && !(scopes[id] & KERNEL)) {
            fprintf(stderr, "%s=: is for run.sh's own virtual machine\n", names[id]);
            return EXIT_MISTAKE;
        }
    }
    fputs(config_head, stdout);
    for (unsigned id = 0; id < WORD_COUNT; id++) {
        words_expected(id, right, sizeof(right));
        printf("\r\n# %s: %s\r\n", names[id], right);
        print_comment(explanations[id]);
        if (!(scopes[id] & KERNEL))
            print_comment("(of ./run.sh's virtual machine: on a real one it does nothing)");
        printf("%s%s=", w.given & 1ull << id ? "" : "#", names[id]);
        print_value(&w, id);
        fputs("\r\n", stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct words w;

    if (argc >= 2 && strcmp(argv[1], "check") == 0)
        return read_arguments(&w, argv + 2) ? 0 : EXIT_MISTAKE;
    if (argc == 2 && strcmp(argv[1], "help") == 0)
        return help();
    if (argc >= 3 && strcmp(argv[1], "get") == 0)
        return get(argv[2], argv + 3);
    if (argc >= 2 && strcmp(argv[1], "kernel") == 0)
        return for_kernel(argv + 2);
    if (argc >= 2 && strcmp(argv[1], "config") == 0)
        return config(argv + 2);
    fprintf(stderr, "usage: words check WORD... | help | get NAME WORD... | kernel WORD... |"
                    " config WORD...\n");
    return EXIT_MISTAKE;
}
