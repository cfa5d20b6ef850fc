/* SPDX-License-Identifier: MIT */
/*
 * Broken on purpose: acknowledging a core sync prints in the fixed text, behind a static key. The
 * kernel must not link (tools/fixed_text.py).
 */
#include "kernel/console/console.h"
#include "poke/users/jump_label.h"
#include "smp/ack_tree.h"

#define ack_tree_arrive arrive
void arrive(unsigned core);
#include "smp/ack_tree.c"
#undef ack_tree_arrive

static DEFINE_STATIC_KEY_FALSE(talk);

void ack_tree_arrive(unsigned core)
{
    if (static_branch_unlikely(&talk))
        con_printf("# core %u\n", core);
    arrive(core);
}
