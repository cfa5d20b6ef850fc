/* SPDX-License-Identifier: MIT */
/* Broken on purpose: the root counts the last group as complete. */
#include "smp/ack_tree.h"

#define ack_tree_complete is_complete
bool is_complete(void);
#include "smp/ack_tree.c"
#undef ack_tree_complete

bool ack_tree_complete(void)
{
    return load_acquire(&root.missing) <= 1;
}
