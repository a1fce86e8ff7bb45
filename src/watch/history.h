/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WATCH_HISTORY_H
#define HW_WATCH_HISTORY_H

/* How a history of samples grows: from a file's lines, or from events of a watch. */

#include "base/arena.h"
#include "heapwhy.h"

enum {
    HW_HISTORY_SERIES_MAX = 4096,
    HW_HISTORY_SAMPLES_MAX = 8 << 20,
    HW_HISTORY_MARKS_MAX = 100000
};

/* The public part comes first: the one is cast into the other. */
struct hw_history {
    struct hw_memory_history told;
    struct hw_arena arena; /* texts */
    size_t *capacities;    /* of each series' samples */
    size_t series_capacity, capacities_capacity, marks_capacity;
    size_t samples; /* in all */
};

struct hw_history *hw_history_of(struct hw_memory_history *history);

/* All fail for want of memory, or with HW_ERR_LIMIT. process->name is copied. */
bool hw_history_begin(struct hw_history *history, const struct hw_watched *process,
                      size_t *ret_series, struct hw_err *err);
bool hw_history_sample(struct hw_history *history, size_t series,
                       const struct hw_memory_sample *sample, struct hw_err *err);
bool hw_history_mark(struct hw_history *history, const struct hw_memory_mark *mark,
                     struct hw_err *err); /* its text is copied */

/* Removes series without samples, and their marks; other marks keep pointing at theirs. */
void hw_history_drop_empty(struct hw_history *history);

/* The last series of the process; SIZE_MAX: none. */
size_t hw_history_find(const struct hw_history *history, pid_t pid);

#endif
