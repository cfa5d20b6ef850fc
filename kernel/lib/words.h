/* SPDX-License-Identifier: MIT */
/* The command words: one table (words.def), one parser for kernel, run.sh and tests. Pure. */
#ifndef KERNEL_LIB_WORDS_H
#define KERNEL_LIB_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_TEXT_MAX     512 /* bytes of one text value, with the NUL */
#define WORDS_IGNORED_MAX  8   /* unknown words that are named, each by a line of at most */
#define WORDS_IGNORED_LINE 128 /* bytes, with the NUL */

/* Position of each word in words.def. */
enum word_id {
#define WORD_NUMBER(name, lo, hi, def, scope, help)  WORD_ID_##name,
#define WORD_CHOICE(name, choices, def, scope, help) WORD_ID_##name,
#define WORD_TEXT(name, def, scope, help)            WORD_ID_##name,
#include "kernel/lib/words.def"
    WORD_COUNT
};

/*
 * Values of all words, one member per word: uint64_t for numbers, an index for choices, char[] for
 * texts.
 */
struct words {
    uint64_t given;         /* bit (1 << WORD_ID_...): words_parse() met the word */
    unsigned ignored_count; /* unknown words of words_parse_file(); the first of them by name */
    char ignored[WORDS_IGNORED_MAX][WORDS_IGNORED_LINE];
#define WORD_NUMBER(name, lo, hi, def, scope, help)  uint64_t name;
#define WORD_CHOICE(name, choices, def, scope, help) unsigned name;
#define WORD_TEXT(name, def, scope, help)            char name[WORDS_TEXT_MAX];
#include "kernel/lib/words.def"
};

/* Indices of the choices, in words.def's order. */
enum word_screen { SCREEN_NO, SCREEN_YES, SCREEN_RECORD };
enum word_accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG, ACCEL_TCG_MT };

void words_defaults(struct words *w);

/*
 * Read one source of `bytes` bytes: words separated by blanks or line ends; '#' starts a comment up
 * to the line's end; CR, a UTF-8 byte order mark and a final NUL are accepted. A later word
 * overrides an earlier one. `source` names the text in errors. False on the first mistake: `error`
 * (size `size`) then is one line that says where (source, and the line if there are several), what,
 * and what would be right ("crossmod.cfg line 3: unknown word 'cpuz'; did you mean 'cpus'?";
 * "fw_cfg: cpus=5000: must be 0 to 4096"); the words before the mistake are in *w. Any byte outside
 * printable ASCII and white space is a mistake ("not a text file: byte 0x.. at offset ..."), found
 * before any word is read.
 */
bool words_parse(struct words *w, const char *source, const char *text, size_t bytes, char *error,
                 size_t size);

/*
 * The same for a file that somebody wrote long before the run, perhaps for another version: an
 * unknown word is no mistake but is passed over and noted in w->ignored, as one line of printable
 * ASCII ("crossmod.cfg line 3: unknown word 'cpuz' is ignored; did you mean 'cpus'?"). A known word
 * with a wrong value stays a mistake: it says what was wanted, and that cannot be done. Comments
 * may hold bytes above 0x7f.
 */
bool words_parse_file(struct words *w, const char *source, const char *text, size_t bytes,
                      char *error, size_t size);

/* The value of choice word `name` as text ("tcg"). NULL if there is no such word. */
const char *words_choice_text(const struct words *w, const char *name);

/*
 * What may stand behind `name=` of word `id`, as text: "0 to 4096", "auto, kvm or tcg". Cut if it
 * does not fit in `size` bytes.
 */
void words_expected(enum word_id id, char *out, size_t size);

/* The table as text, a line per word, with range and default. Returns its length like snprintf. */
size_t words_help(char *out, size_t size);

#endif
