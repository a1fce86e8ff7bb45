/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/graph.h"

#include <stdlib.h>
#include <string.h>

struct types_result {
    struct hw_types types;
    struct hw_arena arena;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hw_type_row *)a)->name, ((const struct hw_type_row *)b)->name);
}

static int by_bytes(const void *a, const void *b)
{
    const struct hw_type_row *x = a, *y = b;
    uint64_t x_bytes = x->bytes + x->native_bytes, y_bytes = y->bytes + y->native_bytes;
    if (x_bytes != y_bytes)
        return x_bytes > y_bytes ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Two classes may carry one name: they share a row, which keeps the first's number. */
static size_t merge_rows(struct hw_type_row *rows, size_t count)
{
    size_t n = 0;
    qsort(rows, count, sizeof(*rows), by_name);
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].count)
            continue;
        if (n && strcmp(rows[n - 1].name, rows[i].name) == 0) {
            rows[n - 1].count += rows[i].count;
            rows[n - 1].bytes += rows[i].bytes;
            rows[n - 1].native_bytes += rows[i].native_bytes;
        } else {
            rows[n++] = rows[i];
        }
    }
    return n;
}

static bool fill(struct types_result *result, const struct hw_graph *graph)
{
    struct hw_types *types = &result->types;
    struct hw_type_row *rows =
        hw_arena_array(&result->arena, graph->type_count, sizeof(*types->rows));
    if (!rows)
        return false;
    for (uint32_t t = 0; t < graph->type_count; t++) {
        rows[t].type_index = t;
        rows[t].name = hw_arena_strdup(&result->arena, graph->types[t].name);
        if (!rows[t].name)
            return false;
    }
    for (hw_id id = 0; id < graph->object_count; id++) {
        uint64_t bytes = hw_graph_size(graph, id);
        rows[graph->type[id]].count++;
        rows[graph->type[id]].bytes += bytes;
        types->bytes += bytes;
    }
    for (size_t i = 0; i < graph->native_count; i++)
        rows[graph->type[graph->native[i].id]].native_bytes += graph->native[i].bytes;
    types->native_bytes = graph->native_bytes;
    types->count = graph->object_count;
    types->rows = rows;
    types->row_count = merge_rows(rows, graph->type_count);
    qsort(rows, types->row_count, sizeof(*rows), by_bytes);
    return true;
}

bool hw_types_ask(const struct hw_graph *graph, struct hw_types **ret_types, struct hw_err *err)
{
    struct types_result *result = calloc(1, sizeof(*result));
    if (!result || !fill(result, graph)) {
        hw_types_destroy(result ? &result->types : NULL);
        return hw_err_no_memory(err);
    }
    *ret_types = &result->types;
    return true;
}

void hw_types_destroy(struct hw_types *types)
{
    if (!types)
        return;
    struct types_result *result = (struct types_result *)types;
    hw_arena_deinit(&result->arena);
    free(result);
}
