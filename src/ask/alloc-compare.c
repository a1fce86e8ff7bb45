/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/alloc-sites.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static uint64_t size_of(int64_t delta)
{
    return delta < 0 ? 0 - (uint64_t)delta : (uint64_t)delta;
}

int hw_site_compare(const struct hw_site_frame *a, const struct hw_site_frame *b)
{
    for (; a && b; a = a->caller, b = b->caller) {
        if (a == b)
            return 0;
        int order = strcmp(a->file, b->file);
        order = order ? order : compare_u64(a->line, b->line);
        order = order ? order : strcmp(a->function, b->function);
        if (order)
            return order;
    }
    return (a != NULL) - (b != NULL);
}

static int by_place(const void *a, const void *b)
{
    const struct hw_sites_row *x = a, *y = b;
    return hw_site_compare(x->frame, y->frame);
}

/* As tracemalloc sorts Snapshot.compare_to() and statistics() (Lib/tracemalloc.py), except that equals stand
 * in order of their places, not against it. */
static int by_change(const void *a, const void *b)
{
    const struct hw_sites_row *x = a, *y = b;
    int order = compare_u64(size_of(y->bytes_delta), size_of(x->bytes_delta));
    order = order ? order : compare_u64(y->bytes, x->bytes);
    order = order ? order : compare_u64(size_of(y->count_delta), size_of(x->count_delta));
    order = order ? order : compare_u64(y->count, x->count);
    return order ? order : by_place(a, b);
}

static const struct hw_site_frame *copy_frames(struct hw_arena *arena,
                                               const struct hw_site_frame *from)
{
    struct hw_site_frame *first = NULL, **at = &first;
    for (; from; from = from->caller) {
        struct hw_site_frame *copy = hw_arena_alloc(arena, sizeof(*copy));
        *at = copy;
        if (!copy || !(copy->file = hw_arena_strdup(arena, from->file)) ||
            !(copy->function = hw_arena_strdup(arena, from->function)))
            return NULL;
        copy->line = from->line;
        at = (struct hw_site_frame **)&copy->caller;
    }
    return first;
}

static bool row_gone(struct hw_arena *arena, const struct hw_sites_row *old,
                     struct hw_sites_row *to)
{
    *to = (struct hw_sites_row){.frame = copy_frames(arena, old->frame),
                                .depth = old->depth,
                                .count_delta = -(int64_t)old->count,
                                .bytes_delta = -(int64_t)old->bytes,
                                .type = ""};
    return to->frame != NULL;
}

/* Both are in order of their places. What before has beyond now is gone. */
static bool merge(struct hw_sites_result *result, const struct hw_sites_row *old, size_t old_count)
{
    struct hw_sites *sites = &result->sites;
    size_t count = sites->row_count, n = 0, o = 0;
    struct hw_sites_row *rows =
        hw_arena_array(&result->arena, count + old_count + 1, sizeof(*rows));
    if (!rows)
        return false;
    for (size_t i = 0; i < count || o < old_count;) {
        int order = i == count       ? 1
                    : o == old_count ? -1
                                     : hw_site_compare(sites->rows[i].frame, old[o].frame);
        if (order > 0) {
            /* What was gone before already is in no row of its own. */
            if (old[o].count && !row_gone(&result->arena, &old[o], &rows[n++]))
                return false;
            o++;
            continue;
        }
        rows[n] = sites->rows[i++];
        rows[n].count_delta = (int64_t)(rows[n].count - (order ? 0 : old[o].count));
        rows[n].bytes_delta = (int64_t)(rows[n].bytes - (order ? 0 : old[o].bytes));
        n++;
        o += !order;
    }
    sites->rows = rows;
    sites->row_count = n;
    return true;
}

static bool compare(struct hw_sites_result *result, const struct hw_sites *before)
{
    struct hw_sites *sites = &result->sites;
    struct hw_sites_row *old = malloc((before->row_count + 1) * sizeof(*old));
    if (!old)
        return false;
    if (before->row_count)
        memcpy(old, before->rows, before->row_count * sizeof(*old));
    qsort(old, before->row_count, sizeof(*old), by_place);
    qsort(sites->rows, sites->row_count, sizeof(*sites->rows), by_place);
    bool ok = merge(result, old, before->row_count);
    free(old);
    sites->has_before = true;
    sites->count_delta = (int64_t)(sites->count - before->count);
    sites->bytes_delta = (int64_t)(sites->bytes - before->bytes);
    sites->seconds = (double)(sites->facts.taken_at_ns - before->facts.taken_at_ns) / 1e9;
    return ok;
}

bool hw_sites_compare(struct hw_sites_result *result, const struct hw_sites *before,
                      struct hw_err *err)
{
    if (before && !compare(result, before))
        return hw_err_no_memory(err);
    qsort(result->sites.rows, result->sites.row_count, sizeof(*result->sites.rows), by_change);
    return true;
}
