/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/type-rows.h"
#include "base/err.h"
#include "heap/graph.h"

#include <stdlib.h>

struct types_result {
    struct hw_types types;
    struct hw_arena arena;
};

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
    types->row_count = hw_type_rows_settle(rows, graph->type_count);
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
