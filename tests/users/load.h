/* SPDX-License-Identifier: MIT */
/*
 * Load for a text user: while a core takes it from version to version, others execute it in thread
 * context, timer interrupts and NMIs, and each execution is judged by the versions around it.
 */
#ifndef TESTS_USERS_LOAD_H
#define TESTS_USERS_LOAD_H

#include "poke/poke.h"
#include "tests/harness/test.h"

struct user_load {
    /* Execute it once, for the `turn`th time on this core and in this context; what came of it. */
    uint64_t (*run)(uint64_t turn);
    /* Can `value` have come of the versions from `first` to `last`, of which each may be seen? */
    bool (*allowed)(uint64_t value, uint64_t turn, uint64_t first, uint64_t last);
    /* Go to a version, from 1, one more each time. The thread of one core. */
    enum poke_error (*go_to)(uint64_t version);
};

/*
 * Who goes to a version stores it in `begun` before, and in `done` afterwards (releases). Who
 * executes acquires `done` before and `begun` after: what it met was of a version between the two.
 */
struct user_versions {
    uint64_t begun, done;
};

enum user_context { USER_THREAD, USER_TIMER, USER_NMI, USER_CONTEXTS };

/* What one core saw of a user in one context; its own until it has stopped. */
struct user_seen {
    uint64_t executions, overlaps, wrong;
    uint64_t value, first, last; /* the first that was wrong, and the versions around it */
};

/*
 * The next version, with an NMI to each other core. Thread context of the core that owns
 * `versions`.
 */
enum poke_error user_go_to_next(const struct user_load *load, struct user_versions *versions);

/* Execute once, and judge. Any context. */
void user_execute(const struct user_load *load, const struct user_versions *versions,
                  struct user_seen *seen);

/* Report what `core` saw in `context`; FAIL if something was wrong. `name`: the user's. */
void user_report_seen(struct test_run *t, const char *name, const struct user_seen *seen,
                      unsigned core, enum user_context context);

/*
 * Run it for as long as the test is to run, and for an even number of versions; report to the test
 * what was seen, and FAIL for what is not allowed, for an error of go_to(), and for an order that
 * the engine's own check does not accept. Boot core, thread context; others idle.
 */
void user_load_run(struct test_run *t, const struct user_load *load);

/* For users/all_at_once, which runs several: one of them, by name. */
struct text_user {
    const char *name;
    struct user_load load;
    /* To version 0; from any version back. FAIL if it is not as it ought to be. Nobody executes. */
    void (*begin)(struct test_run *t), (*end)(struct test_run *t);
};

#endif
