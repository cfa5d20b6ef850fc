/* SPDX-License-Identifier: MIT */
/*
 * Wait for many cores through one word: a tree of two levels. Each core arrives at its group's
 * word; the one that completes the group arrives at the root. The waiter polls the root alone,
 * where it would otherwise fetch a line from every core, one after the other.
 */
#ifndef SMP_ACK_TREE_H
#define SMP_ACK_TREE_H

#include <stdbool.h>

/* Neighbours by index share a group. Up to so many cores are better waited for one by one. */
#define ACK_GROUP 16u

/* Wait for `core` too, once. The waiter alone, while none that it has named can arrive. */
void ack_tree_expect(unsigned core);

/*
 * `core`, which is expected, has done what is waited for. What it stored before is visible to the
 * waiter when ack_tree_complete() is true. Any context, once.
 */
void ack_tree_arrive(unsigned core);

/* Have all arrived? Then the tree is empty, and can be used again. The waiter alone. */
bool ack_tree_complete(void);

#endif
