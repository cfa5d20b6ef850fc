/* SPDX-License-Identifier: MIT */
#include "kernel/lib/words.h"
#include "kernel/lib/fmt.h"
#include "kernel/lib/string.h"

enum kind { NUMBER, CHOICE, TEXT };

struct word {
    const char *name;
    size_t value; /* offset in struct words */
    enum kind kind;
    uint64_t lo, hi, number;    /* NUMBER: range and default */
    const char *const *choices; /* CHOICE: up to a NULL */
    const char *text;           /* CHOICE, TEXT: default */
    const char *help;
};

static const struct word table[] = {
#define CHOICES(...) __VA_ARGS__, NULL
#define WORD_NUMBER(name_, lo_, hi_, def_, scope, help_)                                           \
    { .name = #name_,                                                                              \
      .value = offsetof(struct words, name_),                                                      \
      .kind = NUMBER,                                                                              \
      .lo = lo_,                                                                                   \
      .hi = hi_,                                                                                   \
      .number = def_,                                                                              \
      .help = help_ },
#define WORD_CHOICE(name_, choices_, def_, scope, help_)                                           \
    { .name = #name_,                                                                              \
      .value = offsetof(struct words, name_),                                                      \
      .kind = CHOICE,                                                                              \
      .choices = (const char *const[]){ choices_ },                                                \
      .text = def_,                                                                                \
      .help = help_ },
#define WORD_TEXT(name_, def_, scope, help_)                                                       \
    { .name = #name_,                                                                              \
      .value = offsetof(struct words, name_),                                                      \
      .kind = TEXT,                                                                                \
      .text = def_,                                                                                \
      .help = help_ },
#include "kernel/lib/words.def"
};

_Static_assert(WORD_COUNT <= 64, "struct words.given has one bit for each word");

/* A piece of the text that is read: not NUL-terminated. */
struct piece {
    const char *at;
    size_t bytes;
};

/* For the precision of "%.*s": an error stays one readable line whatever the text was. */
#define SHOWN_MAX   60
#define SHOWN(p)    (int)((p).bytes < SHOWN_MAX ? (p).bytes : SHOWN_MAX), (p).at
#define BOUND_BYTES 24

/* The same for a line of words.ignored. */
#define SHOWN_SHORT_MAX 32
#define SHOWN_SHORT(p)  (int)((p).bytes < SHOWN_SHORT_MAX ? (p).bytes : SHOWN_SHORT_MAX), (p).at

struct reader {
    const char *source;
    unsigned line; /* 0: the text is one line without an end */
    char *error;
    size_t size;
    bool is_file; /* unknown words are ignored */
};

static void *value_of(struct words *w, const struct word *word)
{
    return (char *)w + word->value;
}

/* ---- errors ---- */

__attribute__((format(printf, 2, 3))) static bool mistake(const struct reader *r, const char *fmt,
                                                          ...)
{
    int used = r->line ? fmt_print(r->error, r->size, "%s line %u: ", r->source, r->line)
                       : fmt_print(r->error, r->size, "%s: ", r->source);
    va_list args;

    if ((size_t)used < r->size) {
        va_start(args, fmt);
        fmt_vprint(r->error + used, r->size - (size_t)used, fmt, args);
        va_end(args);
    }
    return false;
}

/* Small bounds are read as decimal, masks and the like as hexadecimal. */
static const char *bound(uint64_t value, char out[static BOUND_BYTES])
{
    fmt_print(out, BOUND_BYTES, value <= UINT32_MAX ? "%llu" : "0x%llx", (unsigned long long)value);
    return out;
}

/* A default of 0 below the range stands for "decide yourself": it may be written, too. */
static bool zero_is_special(const struct word *word)
{
    return word->number == 0 && word->lo > 0;
}

static bool in_range(const struct word *word, uint64_t number)
{
    return (number >= word->lo && number <= word->hi) || (number == 0 && zero_is_special(word));
}

/* What may stand behind `name=`: "0 to 4096", "auto, kvm or tcg". */
static void expected(const struct word *word, char *out, size_t size)
{
    char lo[BOUND_BYTES], hi[BOUND_BYTES];
    size_t used = 0;

    switch (word->kind) {
    case NUMBER:
        fmt_print(out, size, "%s%s to %s", zero_is_special(word) ? "0 or " : "",
                  bound(word->lo, lo), bound(word->hi, hi));
        break;
    case CHOICE:
        for (unsigned i = 0; word->choices[i] && used < size; i++) {
            const char *before = i == 0 ? "" : word->choices[i + 1] ? ", " : " or ";

            used += (size_t)fmt_print(out + used, size - used, "%s%s", before, word->choices[i]);
        }
        break;
    case TEXT:
        fmt_print(out, size, "1 to %u characters", WORDS_TEXT_MAX - 1);
        break;
    }
}

/* Levenshtein distance, with one row of the matrix. */
static unsigned edit_distance(const char *name, struct piece typed)
{
    unsigned row[16];
    size_t length = strlen(name);

    if (length >= sizeof(row) / sizeof(row[0]))
        return UINT32_MAX;
    for (unsigned i = 0; i <= length; i++)
        row[i] = i;
    for (size_t t = 0; t < typed.bytes; t++) {
        unsigned diagonal = row[0]++;

        for (size_t i = 1; i <= length; i++) {
            unsigned replaced = diagonal + (name[i - 1] != typed.at[t]);

            diagonal = row[i];
            row[i] = (row[i] < row[i - 1] ? row[i] : row[i - 1]) + 1;
            if (replaced < row[i])
                row[i] = replaced;
        }
    }
    return row[length];
}

static const struct word *nearest_word(struct piece name)
{
    const struct word *nearest = NULL;
    unsigned least = 3; /* farther than two edits is no misspelling */

    for (unsigned i = 0; i < WORD_COUNT; i++) {
        unsigned distance = edit_distance(table[i].name, name);

        if (distance < least) {
            least = distance;
            nearest = &table[i];
        }
    }
    return nearest;
}

static bool unknown_word(const struct reader *r, struct piece name)
{
    const struct word *nearest = nearest_word(name);
    char names[256] = "";
    size_t used = 0;

    if (nearest)
        return mistake(r, "unknown word '%.*s'; did you mean '%s'?", SHOWN(name), nearest->name);
    for (unsigned i = 0; i < WORD_COUNT && used < sizeof(names); i++)
        used += (size_t)fmt_print(names + used, sizeof(names) - used, " %s", table[i].name);
    return mistake(r, "unknown word '%.*s'; the words are%s", SHOWN(name), names);
}

/* Note it. What does not fit is counted only. */
static bool ignored_word(const struct reader *r, struct words *w, struct piece name)
{
    const struct word *nearest = nearest_word(name);
    struct reader note = *r;

    if (w->ignored_count < WORDS_IGNORED_MAX) {
        note.error = w->ignored[w->ignored_count];
        note.size = WORDS_IGNORED_LINE;
        mistake(&note, "unknown word '%.*s' is ignored%s%s%s", SHOWN_SHORT(name),
                nearest ? "; did you mean '" : "", nearest ? nearest->name : "",
                nearest ? "'?" : "");
    }
    w->ignored_count++;
    return true;
}

/* ---- values ---- */

static bool digit(char c, unsigned base, unsigned *value)
{
    if (c >= '0' && c <= '9')
        *value = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *value = (unsigned)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F')
        *value = (unsigned)(c - 'A') + 10;
    else
        return false;
    return *value < base;
}

/* False if it is no number; one that does not fit becomes `*too_large`. */
static bool read_number(struct piece text, uint64_t *number, bool *too_large)
{
    bool hex = text.bytes > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'X');
    unsigned base = hex ? 16 : 10, value;

    *number = 0;
    *too_large = false;
    for (size_t i = hex ? 2 : 0; i < text.bytes; i++) {
        if (!digit(text.at[i], base, &value))
            return false;
        *too_large |= __builtin_mul_overflow(*number, base, number);
        *too_large |= __builtin_add_overflow(*number, value, number);
    }
    return true;
}

static bool equal(struct piece piece, const char *text)
{
    return strlen(text) == piece.bytes && memcmp(piece.at, text, piece.bytes) == 0;
}

static bool read_choice(const struct word *word, struct piece text, unsigned *index)
{
    for (unsigned i = 0; word->choices[i]; i++) {
        if (equal(text, word->choices[i])) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* Set the word's value, or say why not. */
static bool set_value(const struct reader *r, struct words *w, const struct word *word,
                      struct piece text)
{
    char right[160], *copy;
    uint64_t number;
    bool too_large;

    expected(word, right, sizeof(right));
    if (text.bytes == 0)
        return mistake(r, "%s=: the value is missing, must be %s", word->name, right);

    switch (word->kind) {
    case NUMBER:
        if (!read_number(text, &number, &too_large))
            return mistake(r, "%s=%.*s: not a number, must be %s", word->name, SHOWN(text), right);
        if (too_large || !in_range(word, number))
            return mistake(r, "%s=%.*s: must be %s", word->name, SHOWN(text), right);
        *(uint64_t *)value_of(w, word) = number;
        break;
    case CHOICE:
        if (!read_choice(word, text, value_of(w, word)))
            return mistake(r, "%s=%.*s: must be %s", word->name, SHOWN(text), right);
        break;
    case TEXT:
        if (text.bytes >= WORDS_TEXT_MAX)
            return mistake(r, "%s=%.*s...: must be %s", word->name, SHOWN(text), right);
        copy = value_of(w, word);
        memcpy(copy, text.at, text.bytes);
        copy[text.bytes] = '\0';
        break;
    }
    w->given |= 1ull << (word - table);
    return true;
}

/* ---- words ---- */

static bool read_word(const struct reader *r, struct words *w, struct piece word)
{
    struct piece name = { word.at, 0 };

    while (name.bytes < word.bytes && word.at[name.bytes] != '=')
        name.bytes++;
    if (name.bytes == 0)
        return mistake(r, "'%.*s': a name must stand before '='", SHOWN(word));

    for (unsigned i = 0; i < WORD_COUNT; i++) {
        if (!equal(name, table[i].name))
            continue;
        if (name.bytes == word.bytes)
            return mistake(r, "'%s' has no value; write %s=VALUE", table[i].name, table[i].name);

        struct piece value = { word.at + name.bytes + 1, word.bytes - name.bytes - 1 };

        return set_value(r, w, &table[i], value);
    }
    return r->is_file ? ignored_word(r, w, name) : unknown_word(r, name);
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_text(char c)
{
    return is_blank(c) || (c > ' ' && c <= '~');
}

static bool has_line_end(struct piece text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] == '\n')
            return true;
    }
    return false;
}

/* A byte order mark before it and one NUL behind it are no part of the text. */
static struct piece without_frame(const char *text, size_t bytes)
{
    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        bytes -= 3;
    }
    if (bytes > 0 && text[bytes - 1] == '\0')
        bytes--;
    return (struct piece){ text, bytes };
}

void words_defaults(struct words *w)
{
    memset(w, 0, sizeof(*w));
    for (unsigned i = 0; i < WORD_COUNT; i++) {
        const struct word *word = &table[i];
        struct piece text = { word->text, word->text ? strlen(word->text) : 0 };

        switch (word->kind) {
        case NUMBER:
            *(uint64_t *)value_of(w, word) = word->number;
            break;
        case CHOICE:
            read_choice(word, text, value_of(w, word));
            break;
        case TEXT:
            memcpy(value_of(w, word), text.at, text.bytes);
            break;
        }
    }
}

/*
 * The first byte that is no text, all.bytes if there is none. What a comment of a file says is
 * nobody's concern, as long as it is none of the codes that only other files have.
 */
static size_t first_non_text(const struct reader *r, struct piece all)
{
    bool comment = false;
    size_t i;

    for (i = 0; i < all.bytes; i++) {
        char c = all.at[i];

        if (!is_text(c) && !(r->is_file && comment && (unsigned char)c > 0x7f))
            break;
        comment = (comment || c == '#') && !is_line_end(c);
    }
    return i;
}

static bool parse(struct reader *r, struct words *w, const char *text, size_t bytes)
{
    struct piece all = without_frame(text, bytes);
    size_t i = first_non_text(r, all);

    if (i < all.bytes)
        return mistake(r, "not a text file: byte 0x%02x at offset %zu", (unsigned char)all.at[i],
                       (size_t)(all.at - text) + i);

    r->line = has_line_end(all) ? 1 : 0;
    i = 0;
    while (i < all.bytes) {
        struct piece word = { all.at + i, 0 };

        if (*word.at == '#') {
            while (i < all.bytes && !is_line_end(all.at[i]))
                i++;
        } else if (is_blank(*word.at)) {
            if (*word.at == '\n')
                r->line++;
            i++;
        } else {
            while (i < all.bytes && !is_blank(all.at[i]) && all.at[i] != '#')
                i++;
            word.bytes = i - (size_t)(word.at - all.at);
            if (!read_word(r, w, word))
                return false;
        }
    }
    return true;
}

bool words_parse(struct words *w, const char *source, const char *text, size_t bytes, char *error,
                 size_t size)
{
    struct reader r = { .source = source, .error = error, .size = size };

    return parse(&r, w, text, bytes);
}

bool words_parse_file(struct words *w, const char *source, const char *text, size_t bytes,
                      char *error, size_t size)
{
    struct reader r = { .source = source, .error = error, .size = size, .is_file = true };

    return parse(&r, w, text, bytes);
}

const char *words_choice_text(const struct words *w, const char *name)
{
    for (unsigned i = 0; i < WORD_COUNT; i++) {
        if (table[i].kind == CHOICE && strcmp(table[i].name, name) == 0)
            return table[i].choices[*(const unsigned *)((const char *)w + table[i].value)];
    }
    return NULL;
}

void words_expected(enum word_id id, char *out, size_t size)
{
    expected(&table[id], out, size);
}

size_t words_help(char *out, size_t size)
{
    char right[160], number[BOUND_BYTES];
    size_t used = 0;

    for (unsigned i = 0; i < WORD_COUNT; i++) {
        const struct word *word = &table[i];
        size_t left = used < size ? size - used : 0;

        expected(word, right, sizeof(right));
        used += (size_t)fmt_print(
            left ? out + used : NULL, left, "%-8s %-36s default %-8s %s\n", word->name, right,
            word->text ? word->text : bound(word->number, number), word->help);
    }
    return used;
}
