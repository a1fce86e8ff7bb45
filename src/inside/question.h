/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_QUESTION_H
#define HW_INSIDE_QUESTION_H

/*
 * The library's questions, as a table: what the commands of the program ask, asked of graphs that
 * Python objects hold. A question is asked without the interpreter's lock; what came of it is told by the
 * same views as the program's, as text or JSON (docs/json.md), as often as somebody wants.
 */

#include "inside/inside.h"
#include "tell/tell.h"

struct hw_question;

struct hw_asking {
    const struct hw_question *question;
    struct hw_graph **graphs; /* in order of time; owned */
    size_t graph_count;
    char *word;               /* the object, as hw_object_resolve() takes it; of sites what a row is; NULL:
                                 none; owned */
    size_t most;              /* objects, when the word fits several */
    size_t links;             /* chains or references of each; 0: as many as the program shows */
    size_t depth;             /* of a tree */
    /* the answer */
    struct hw_match match;
    hw_id *ids;
    void **results;           /* one, or one for each object or graph */
    size_t result_count;
};

struct hw_question {
    const char *name;
    size_t rows; /* that text shows unless more are asked for */
    bool (*ask)(struct hw_asking *asking, struct hw_err *err);
    void (*tell)(struct hw_out *out, const struct hw_asking *asking, size_t limit);
    void (*destroy)(void *result);
};

/* NULL: there is none of that name. */
const struct hw_question *hw_question_find(const char *name);

void hw_asking_deinit(struct hw_asking *asking);

#endif
