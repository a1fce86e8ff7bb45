/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_STACKS_H
#define HW_TELL_STACKS_H

/*
 * The stacks of a profile as a tree of numbers: each text, each function, each place in the program
 * is there once, and each place with the same callers is one node. A caller has a lower number than
 * whom it calls.
 *
 *     nodes   0: app.py:90 in main, called by nobody known     row_nodes   row 0 ends in node 2
 *             1: app.py:41 in serve, called by 0                           row 1 ends in node 1
 *             2: hub.py:7 in Hub.add, called by 1
 *
 * Texts are escaped (tell/text.h): they can be shown, and are valid UTF-8.
 */

#include "base/buf.h"
#include "base/names.h"
#include "base/pairs.h"
#include "heapwhy.h"
#include "tell/tell.h"

struct hw_stack_place {
    uint32_t function; /* of functions */
    uint32_t line;     /* 0: not known, or not asked for */
};
struct hw_stack_function {
    uint32_t name, file; /* texts; "" where not known */
    bool is_native;
    uint32_t label;   /* text: the file as short as it is told apart by, "asyncio/events.py" */
    uint32_t package; /* text: "asyncio", "numpy"; of the program's own files what they have below
                       * the folder in which all of them are */
    enum hw_file_kind {
        HW_FILE_OWN,      /* the program's */
        HW_FILE_LIBRARY,  /* in site-packages */
        HW_FILE_STANDARD, /* Python's own */
        HW_FILE_NATIVE,   /* no Python file */
        HW_FILE_UNKNOWN
    } kind;
};
struct hw_stack_node {
    uint32_t caller; /* HW_NONE: not known, or none */
    uint32_t place;
    uint32_t level; /* nodes above it */
    bool is_cut;    /* it had callers that were not kept */
};
struct hw_stacks {
    const struct hw_profile *profile;
    struct hw_names texts;
    struct hw_stack_function *functions;
    struct hw_stack_place *places;
    struct hw_stack_node *nodes;
    uint32_t *row_nodes; /* by row of the profile */
    size_t function_count, place_count, node_count;
    size_t function_capacity, place_capacity, node_capacity;
    struct hw_pairs function_pairs, place_pairs;
    struct hw_arena arena;
};

/* The profile must live as long. False: no memory. */
bool hw_stacks_init(struct hw_stacks *stacks, const struct hw_profile *profile,
                    const struct hw_frames_look *look);
void hw_stacks_deinit(struct hw_stacks *stacks); /* also after a failure */

static inline const char *hw_stacks_text(const struct hw_stacks *stacks, uint32_t number)
{
    return stacks->texts.text[number];
}

/* "asyncio/events.py:Handle._run:80", "app.py:88", "(not known)". */
void hw_stacks_label(struct hw_buf *buf, const struct hw_stacks *stacks, uint32_t place);

/* The most frames of a stack. */
uint32_t hw_stacks_levels(const struct hw_stacks *stacks);

/* Sets label, package and kind of all functions; part of hw_stacks_init(). */
bool hw_stacks_name_files(struct hw_stacks *stacks);

#endif
