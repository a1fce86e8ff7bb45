/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/stacks.h"

#include "base/vec.h"
#include "tell/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts, functions, places ---- */

static uint32_t text_number(struct hw_stacks *stacks, struct hw_buf *buf, const char *text)
{
    hw_buf_clear(buf);
    hw_text_escape(buf, text);
    if (!hw_buf_ok(buf))
        stacks->texts.failed = true;
    return hw_names_intern(&stacks->texts, hw_buf_str(buf), buf->len);
}

static uint32_t function_number(struct hw_stacks *stacks, struct hw_buf *buf,
                                const struct hw_site_frame *frame)
{
    bool is_new;
    uint32_t name = text_number(stacks, buf, frame->function);
    uint32_t file = text_number(stacks, buf, frame->file);
    uint32_t number = hw_pairs_number(&stacks->function_pairs, name, file, &is_new);
    if (!is_new)
        return number;
    struct hw_stack_function *functions = hw_vec_grow(stacks->functions, &stacks->function_capacity,
                                                      (size_t)number + 1, sizeof(*functions));
    if (!functions)
        return HW_NONE;
    stacks->functions = functions;
    functions[number] =
        (struct hw_stack_function){.name = name, .file = file, .is_native = frame->is_native};
    stacks->function_count = (size_t)number + 1;
    return number;
}

static uint32_t place_number(struct hw_stacks *stacks, struct hw_buf *buf,
                             const struct hw_site_frame *frame, bool by_function)
{
    bool is_new;
    uint32_t function = function_number(stacks, buf, frame), line = by_function ? 0 : frame->line;
    if (function == HW_NONE)
        return HW_NONE;
    uint32_t number = hw_pairs_number(&stacks->place_pairs, function, line, &is_new);
    if (!is_new)
        return number;
    struct hw_stack_place *places =
        hw_vec_grow(stacks->places, &stacks->place_capacity, (size_t)number + 1, sizeof(*places));
    if (!places)
        return HW_NONE;
    stacks->places = places;
    places[number] = (struct hw_stack_place){.function = function, .line = line};
    stacks->place_count = (size_t)number + 1;
    return number;
}

/* ---- nodes ---- */

static const struct hw_site_frame nothing_known = {.file = "", .function = ""};

/* While nodes are made. */
struct making {
    struct hw_stacks *stacks;
    const struct hw_frames_look *look;
    struct hw_pairs known; /* frames, by their address */
    struct hw_pairs nodes; /* caller, place: their numbers are the nodes' */
    struct made {
        uint32_t node;   /* HW_NONE: not yet made, or left out with all its callers */
        uint32_t frames; /* with its callers */
    } *made;             /* by number of the frame */
    size_t made_capacity;
    const struct hw_site_frame *
        *fresh; /* of one stack, those that are not yet made, innermost first */
    size_t fresh_count, fresh_capacity;
    struct hw_buf buf;
};

static void making_deinit(struct making *making)
{
    hw_pairs_deinit(&making->known);
    hw_pairs_deinit(&making->nodes);
    free(making->made);
    free(making->fresh);
    hw_buf_deinit(&making->buf);
}

static bool is_left_out(const struct making *making, const struct hw_site_frame *frame)
{
    static const char importing[] = "<frozen importlib._bootstrap"; /* and _bootstrap_external */
    return !making->look->imports && strncmp(frame->file, importing, sizeof(importing) - 1) == 0;
}

/* NULL: no memory. */
static struct made *made_of(struct making *making, const struct hw_site_frame *frame,
                            bool *ret_is_new)
{
    uint32_t number = hw_pairs_word(&making->known, (uintptr_t)frame, ret_is_new);
    if (number == HW_PAIRS_NONE)
        return NULL;
    if (*ret_is_new) {
        struct made *grown =
            hw_vec_grow(making->made, &making->made_capacity, (size_t)number + 1, sizeof(*grown));
        if (!grown)
            return NULL;
        making->made = grown;
        grown[number] = (struct made){HW_NONE, 0};
    }
    return &making->made[number];
}

/* Collects what is new of a stack; *ret_known: what is known of the rest. */
static bool collect(struct making *making, const struct hw_site_frame *frame,
                    struct made *ret_known)
{
    making->fresh_count = 0;
    *ret_known = (struct made){HW_NONE, 0};
    for (; frame; frame = frame->caller) {
        bool is_new;
        const struct made *made = made_of(making, frame, &is_new);
        if (!made)
            return false;
        if (!is_new) {
            *ret_known = *made;
            return true;
        }
        const struct hw_site_frame **grown = hw_vec_grow(making->fresh, &making->fresh_capacity,
                                                         making->fresh_count + 1, sizeof(*grown));
        if (!grown)
            return false;
        making->fresh = grown;
        grown[making->fresh_count++] = frame;
    }
    return true;
}

/* HW_NONE: no memory. */
static uint32_t node_make(struct making *making, const struct hw_site_frame *frame, uint32_t caller)
{
    bool is_new;
    struct hw_stacks *stacks = making->stacks;
    uint32_t place = place_number(stacks, &making->buf, frame, making->look->by_function);
    uint32_t number =
        place == HW_NONE ? HW_NONE : hw_pairs_number(&making->nodes, caller, place, &is_new);
    if (number == HW_NONE || !is_new)
        return number;
    struct hw_stack_node *nodes =
        hw_vec_grow(stacks->nodes, &stacks->node_capacity, stacks->node_count + 1, sizeof(*nodes));
    if (!nodes)
        return HW_NONE;
    stacks->nodes = nodes;
    nodes[stacks->node_count++] = (struct hw_stack_node){
        .caller = caller, .place = place, .level = caller == HW_NONE ? 0 : nodes[caller].level + 1};
    return number;
}

/* All frames of a stack; *ret_made: what is known of the innermost one then. */
static bool stack_make(struct making *making, const struct hw_site_frame *frame,
                       struct made *ret_made)
{
    struct made made;
    if (!collect(making, frame, &made))
        return false;
    for (size_t i = making->fresh_count; i-- > 0;) {
        bool is_new;
        if (!is_left_out(making, making->fresh[i])) {
            made.node = node_make(making, making->fresh[i], made.node);
            if (made.node == HW_NONE)
                return false;
        }
        made.frames++;
        *made_of(making, making->fresh[i], &is_new) = made;
    }
    *ret_made = made;
    return true;
}

static void mark_cut(struct hw_stack_node *nodes, uint32_t node)
{
    while (nodes[node].caller != HW_NONE)
        node = nodes[node].caller;
    nodes[node].is_cut = true;
}

static bool row_add(struct making *making, const struct hw_profile_row *row, uint32_t *ret_node)
{
    const struct hw_site_frame *frame = row->frame ? row->frame : &nothing_known;
    struct made made;
    if (!stack_make(making, frame, &made))
        return false;
    if (is_left_out(making, frame))
        made.node = node_make(making, frame, made.node);
    if (made.node == HW_NONE)
        return false;
    if (row->depth > made.frames)
        mark_cut(making->stacks->nodes, made.node);
    *ret_node = made.node;
    return true;
}

bool hw_stacks_init(struct hw_stacks *stacks, const struct hw_profile *profile,
                    const struct hw_frames_look *look)
{
    *stacks = (struct hw_stacks){.profile = profile};
    struct making making = {.stacks = stacks, .look = look};
    stacks->row_nodes = malloc((profile->row_count + 1) * sizeof(*stacks->row_nodes));
    bool ok = hw_names_init(&stacks->texts, &stacks->arena) && stacks->row_nodes;
    for (size_t i = 0; ok && i < profile->row_count; i++)
        ok = row_add(&making, &profile->rows[i], &stacks->row_nodes[i]);
    making_deinit(&making);
    return ok && hw_stacks_name_files(stacks) && !stacks->texts.failed;
}

void hw_stacks_deinit(struct hw_stacks *stacks)
{
    hw_names_deinit(&stacks->texts);
    hw_pairs_deinit(&stacks->function_pairs);
    hw_pairs_deinit(&stacks->place_pairs);
    free(stacks->functions);
    free(stacks->places);
    free(stacks->nodes);
    free(stacks->row_nodes);
    hw_arena_deinit(&stacks->arena);
    *stacks = (struct hw_stacks){0};
}

uint32_t hw_stacks_levels(const struct hw_stacks *stacks)
{
    uint32_t levels = 0;
    for (size_t i = 0; i < stacks->node_count; i++)
        if (stacks->nodes[i].level >= levels)
            levels = stacks->nodes[i].level + 1;
    return levels;
}

void hw_stacks_label(struct hw_buf *buf, const struct hw_stacks *stacks, uint32_t place)
{
    const struct hw_stack_function *function = &stacks->functions[stacks->places[place].function];
    const char *label = hw_stacks_text(stacks, function->label),
               *name = hw_stacks_text(stacks, function->name);
    hw_buf_puts(buf, *label ? label : *name ? "" : "(not known)");
    if (*name)
        hw_buf_printf(buf, "%s%s", *label ? ":" : "", name);
    if (stacks->places[place].line)
        hw_buf_printf(buf, ":%" PRIu32, stacks->places[place].line);
}
