/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lineage.h"

#include "ask/lookup.h"
#include "ask/rules.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { BASES_MAX = 64 };

struct known {
    hw_id node;
    uint32_t type;
};

static int by_node(const void *a, const void *b)
{
    const struct known *x = a, *y = b;
    return (x->node > y->node) - (x->node < y->node);
}

bool hw_lineage_init(struct hw_lineage *lineage, const struct hw_graph *graph, struct hw_err *err)
{
    uint32_t n = graph->type_count;
    struct known *known = calloc(n + 1, sizeof(*known));
    *lineage = (struct hw_lineage){graph, malloc((n + 1) * sizeof(*lineage->base))};
    if (!known || !lineage->base) {
        free(known);
        hw_lineage_deinit(lineage);
        return hw_err_no_memory(err);
    }
    for (uint32_t t = 0; t < n; t++)
        known[t] = (struct known){graph->types[t].node, t};
    qsort(known, n, sizeof(*known), by_node);
    for (uint32_t t = 0; t < n; t++) {
        hw_id node = graph->types[t].node;
        uint32_t edge =
            node == HW_NONE ? HW_NO_EDGE : hw_edge_find(graph, node, HW_LABEL_ATTR, "__base__");
        struct known key = {.node = edge == HW_NO_EDGE ? HW_NONE : graph->edge_to[edge]};
        const struct known *base =
            key.node == HW_NONE ? NULL : bsearch(&key, known, n, sizeof(key), by_node);
        lineage->base[t] = base ? base->type : UINT32_MAX;
    }
    free(known);
    return true;
}

void hw_lineage_deinit(struct hw_lineage *lineage)
{
    free(lineage->base);
    lineage->base = NULL;
}

bool hw_lineage_has(const struct hw_lineage *lineage, uint32_t type, const char *pattern)
{
    for (unsigned i = 0; type != UINT32_MAX && i < BASES_MAX; i++) {
        if (hw_name_matches(pattern, lineage->graph->types[type].name))
            return true;
        type = lineage->base[type];
    }
    return false;
}

uint8_t *hw_lineage_match(const struct hw_lineage *lineage, const void *patterns, size_t count,
                          size_t stride, struct hw_err *err)
{
    uint32_t n = lineage->graph->type_count;
    uint8_t *found = malloc(n + 1);
    if (!found)
        hw_err_no_memory(err);
    for (uint32_t t = 0; found && t < n; t++) {
        found[t] = UINT8_MAX;
        for (size_t i = 0; i < count && found[t] == UINT8_MAX; i++) {
            const char *const *pattern = (const void *)((const char *)patterns + i * stride);
            if (hw_lineage_has(lineage, t, *pattern))
                found[t] = (uint8_t)i;
        }
    }
    return found;
}

size_t hw_lineage_count(const struct hw_graph *graph, const uint8_t *of_type)
{
    size_t count = 0;
    for (hw_id id = 0; id < graph->object_count; id++)
        count += of_type[graph->type[id]] != UINT8_MAX;
    return count;
}
