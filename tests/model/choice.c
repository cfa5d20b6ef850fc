/* SPDX-License-Identifier: MIT */
#include "tests/model/choice.h"

#include <stdlib.h>

struct choices choices;

unsigned choose(unsigned n)
{
    struct choices *c = &choices;
    unsigned at = c->made;

    if (n < 2)
        return 0;
    if (at == CHOICES_MAX || n > UINT8_MAX)
        abort();
    if (at >= c->fixed)
        c->value[at] = c->prng ? (uint8_t)prng_below(c->prng, n) : 0;
    c->limit[at] = (uint8_t)n;
    c->made++;
    return c->value[at];
}

bool choices_next(void)
{
    struct choices *c = &choices;

    for (unsigned i = c->made; i > 0; i--) {
        if (c->value[i - 1] + 1u == c->limit[i - 1])
            continue;
        c->value[i - 1]++;
        c->fixed = i;
        return true;
    }
    return false;
}
