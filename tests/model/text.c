/* SPDX-License-Identifier: MIT */
#include "tests/model/text.h"

#include "tests/model/hash.h"

#include <stdlib.h>
#include <string.h>

struct store {
    uint16_t offset; /* in model_text */
    uint8_t len;
    uint8_t old[8], new[8];
};

#define STORES_MAX 4096

uint8_t model_text[TEXT_BYTES] __attribute__((aligned(4096)));
static struct store stores[STORES_MAX];
static unsigned now;

void text_reset(void)
{
    memset(model_text, 0xC3, sizeof(model_text));
    now = 0;
}

void text_init(uintptr_t addr, const uint8_t *bytes, size_t len)
{
    memcpy((uint8_t *)addr, bytes, len);
}

void text_store(uintptr_t addr, const uint8_t *bytes, size_t len)
{
    if (now == STORES_MAX || addr / 8 != (addr + len - 1) / 8)
        abort();

    struct store *s = &stores[now++];

    s->offset = (uint16_t)(addr - (uintptr_t)model_text);
    s->len = (uint8_t)len;
    memcpy(s->old, (uint8_t *)addr, len);
    memcpy(s->new, bytes, len);
    memcpy((uint8_t *)addr, bytes, len);
}

unsigned text_now(void)
{
    return now;
}

void text_rewind(unsigned time)
{
    while (now > time) {
        const struct store *s = &stores[--now];

        memcpy(model_text + s->offset, s->old, s->len);
    }
}

void text_pack(struct packing *p)
{
    pack(p, &now, sizeof(now));
    pack(p, stores, now * sizeof(stores[0]));
}

void text_unpack(struct packing *p)
{
    unsigned count;

    text_rewind(0);
    unpack(p, &count, sizeof(count));
    unpack(p, stores, count * sizeof(stores[0]));
    for (; now < count; now++)
        memcpy(model_text + stores[now].offset, stores[now].new, stores[now].len);
}

uint64_t text_hash_since(unsigned since, uint64_t hash)
{
    for (unsigned t = since; t < now; t++) {
        const struct store *s = &stores[t];

        hash = hash_word(hash, s->offset);
        hash = hash_bytes(hash_bytes(hash, s->old, s->len), s->new, s->len);
    }
    return hash_word(hash, now - since);
}

static bool covers(const struct store *s, unsigned offset)
{
    return offset - s->offset < s->len;
}

/* The byte at `offset` after the first `time` stores. */
static uint8_t byte_at(unsigned offset, unsigned time)
{
    uint8_t value = model_text[offset];

    for (unsigned t = now; t-- > time;)
        if (covers(&stores[t], offset))
            value = stores[t].old[offset - stores[t].offset];
    return value;
}

struct fetch {
    enum view view;
    unsigned offset, since;
    struct fetched so_far;
    struct fetched *out;
    unsigned found;
};

/*
 * May the next byte be read at `time`, under view vendor? Not before the byte below it; and if one
 * store wrote both of them, which then lie in one quadword, both are from before it or both from
 * after it. A store's bytes are contiguous, so looking at neighbours is enough.
 */
static bool may_follow(const struct fetch *f, unsigned time)
{
    unsigned i = f->so_far.len;

    if (!i || f->view != VIEW_VENDOR)
        return true;

    unsigned before = f->so_far.time[i - 1];

    if (time < before)
        return false;
    for (unsigned t = before; t < time; t++)
        if (covers(&stores[t], f->offset + i - 1) && covers(&stores[t], f->offset + i))
            return false;
    return true;
}

/* Can it make a difference for the next byte, or a later one, whether it is from before `s`? */
static bool matters(const struct fetch *f, const struct store *s)
{
    if (f->view == VIEW_ANY)
        return covers(s, f->offset + f->so_far.len);
    return s->offset < f->offset + IMAGE_MAX && f->offset < s->offset + s->len;
}

static void found(struct fetch *f, bool known)
{
    f->so_far.known = known;
    for (unsigned i = 0; i < f->found; i++)
        if (f->out[i].len == f->so_far.len &&
            !memcmp(f->out[i].bytes, f->so_far.bytes, f->so_far.len))
            return;
    if (f->found == FETCHES_MAX)
        abort();
    f->out[f->found++] = f->so_far;
}

static void fetch_rest(struct fetch *f)
{
    struct fetched *s = &f->so_far;
    unsigned i = s->len;
    unsigned length = image_length(s->bytes, i);

    if (i == length || !length) {
        found(f, length);
        return;
    }
    /* The latest time first: the freshest result is the first one. */
    for (unsigned t = now + 1; t-- > f->since;) {
        s->len = (uint8_t)i;
        if ((t < now && !matters(f, &stores[t])) || !may_follow(f, t))
            continue;
        s->bytes[i] = byte_at(f->offset + i, t);
        s->time[i] = (uint16_t)t;
        s->len++;
        fetch_rest(f);
    }
    s->len = (uint8_t)i;
}

unsigned text_fetch(enum view view, uintptr_t addr, unsigned since,
                    struct fetched out[static FETCHES_MAX])
{
    struct fetch f = {
        .view = view,
        .offset = (unsigned)(addr - (uintptr_t)model_text),
        .since = since,
        .out = out,
    };

    fetch_rest(&f);
    return f.found;
}
