/* SPDX-License-Identifier: MIT */
/*
 * Shared words: `missing` of every node, each in a line of its own: how many arrivals it waits for.
 * The waiter adds to them with plain stores while nobody can arrive; what it sends to the cores
 * afterwards orders these stores before the arrivals. Arrivals are locked subtractions. The last
 * one of a group has, by the chain of locked operations on the group's word, acquired what the
 * others released; its own on the root releases all of it to the waiter's acquire. Nobody touches a
 * group's word after its own arrival, and the root is 0 only after the last arrival at any
 * group: then the waiter may write again.
 */
#include "smp/ack_tree.h"

#include <stdint.h>

#include "kernel/lib/atomic.h"

#define GROUPS 64u /* beyond 1024 cores two groups share a node: larger ones, no wrong ones */

struct node {
    uint32_t missing __attribute__((aligned(CACHE_LINE)));
};

static struct node groups[GROUPS], root;

static struct node *group_of(unsigned core)
{
    return &groups[core / ACK_GROUP % GROUPS];
}

void ack_tree_expect(unsigned core)
{
    struct node *group = group_of(core);

    if (group->missing++ == 0)
        root.missing++;
}

void ack_tree_arrive(unsigned core)
{
    if (fetch_sub(&group_of(core)->missing, 1) == 1)
        fetch_sub(&root.missing, 1); /* pairs with the acquire in ack_tree_complete() */
}

bool ack_tree_complete(void)
{
    return load_acquire(&root.missing) == 0; /* pairs with ack_tree_arrive() */
}
