/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_COLLECT_EXPLAIN_H
#define HW_COLLECT_EXPLAIN_H

/* The example of a group of cycles: what closes it and what breaks it. */

#include "collect/groups.h"
#include "collect/words.h"

struct hw_explained {
    struct hw_cycle cycle; /* count 0: none was found in bounded time */
    enum hw_cycle_kind kind;
    struct hw_weak weak; /* of classes and modules nothing can be weak */
};

/* slots as in part.h. */
bool hw_explain_row(const struct hw_part *part, const struct hw_components *components,
                    const struct hw_cycle_row *row, uint32_t *slots,
                    struct hw_explained *ret_explained, struct hw_err *err);

/* The group among marked nodes that weighs most, one with instances of type before others. */
bool hw_explain_marked(const struct hw_graph *graph, const uint8_t *marks, uint32_t type,
                       struct hw_explained *ret_explained, struct hw_err *err);

#endif
