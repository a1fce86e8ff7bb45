/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_FIND_H
#define HW_WATCH_FIND_H

/*
 * Finds processes by name, and children of processes. All of /proc is listed, by a budget, but only
 * new processes are looked at, in their first three seconds each time, since one that has just been
 * forked is about to become another program; and all again every minute, by a budget of its own.
 */

#include "heapwhy.h"
#include "watch/budget.h"

#include <regex.h>

struct hw_find_entry {
    pid_t pid;
    bool again; /* look at it again next time */
};

struct hw_find {
    regex_t *patterns;
    size_t pattern_count;
    bool children;
    struct hw_find_entry *entries,
        *next; /* by process id: the last list, and the one in the making */
    size_t count, capacity, next_count, next_capacity;
    struct hw_budget new_budget, all_budget; /* of looks at what is new, and at all */
};

/* is_watched: whether pid is watched already, so that its children are, too.
 * found: pid is one to watch; parent is 0 when it was found by its name. */
struct hw_find_calls {
    bool (*is_watched)(void *ctx, pid_t pid);
    void (*found)(void *ctx, pid_t pid, pid_t parent);
    void *ctx;
};

bool hw_find_init(struct hw_find *find, const char *const *names, size_t name_count, bool children,
                  struct hw_err *err);
void hw_find_deinit(struct hw_find *find);

/* Looks, when it is due. false: no memory. now_ns: hw_clock_now(). */
bool hw_find_look(struct hw_find *find, int64_t now_ns, const struct hw_find_calls *calls);

#endif
