/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/origin.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

struct hw_origins {
    const struct hw_graph *graph;
    struct hw_costs *costs; /* knows the standard library */
    const char **installed; /* packages outside the standard library that were installed, sorted */
    size_t installed_count;
    uint8_t *of_type; /* enum hw_origin, by type */
    struct hw_arena arena;
};

enum hw_origin hw_origin_of_file(const char *file)
{
    bool is_installed = strstr(file, "/site-packages/") || strstr(file, "/dist-packages/");
    bool is_library = is_installed || file[0] == '<' || strstr(file, "/lib/python");
    return is_library ? HW_ORIGIN_LIBRARY : HW_ORIGIN_PROGRAM;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The file of a module; key is the str object '__file__', one for all modules, HW_NONE until it is
 * found. */
static hw_id file_of(const struct hw_graph *graph, hw_id module, hw_id *key)
{
    hw_id space = hw_namespace_of(graph, module);
    if (space == HW_NONE)
        return HW_NONE;
    if (*key == HW_NONE) {
        uint32_t edge = hw_entry_find(graph, space, "__file__");
        if (edge == HW_NO_EDGE)
            return HW_NONE;
        if (edge_kind(graph, edge) == HW_LABEL_VALUE)
            *key = key_of(graph, edge);
        return graph->edge_to[edge];
    }
    for (uint32_t e = graph->edge_start[space]; e < graph->edge_start[space + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_VALUE && key_of(graph, e) == *key)
            return graph->edge_to[e];
    return HW_NONE;
}

/* The text of a str; false when it is none or not recorded whole. */
static bool text_of(const struct hw_graph *graph, hw_id id, struct hw_buf *text)
{
    char value[HW_VALUE_MAX_BYTES + 16];
    return hw_graph_value(graph, id, value, sizeof(value)) && hw_literal_text(value, text);
}

static bool add_module(struct hw_origins *origins, uint32_t edge, hw_id *key, struct hw_buf *text)
{
    const struct hw_graph *graph = origins->graph;
    hw_id module = graph->edge_to[edge];
    if (edge_kind(graph, edge) != HW_LABEL_VALUE || !type_has(graph, module, HW_TYPE_MODULE))
        return true;
    hw_id file = file_of(graph, module, key);
    if (file == HW_NONE || !text_of(graph, file, text) ||
        (!strstr(hw_buf_str(text), "/site-packages/") &&
         !strstr(hw_buf_str(text), "/dist-packages/")) ||
        !text_of(graph, key_of(graph, edge), text))
        return true;
    const char *name = hw_buf_str(text);
    const char *copy = hw_arena_strndup(&origins->arena, name, strcspn(name, "."));
    origins->installed[origins->installed_count++] = copy;
    return copy != NULL;
}

static bool read_installed(struct hw_origins *origins)
{
    const struct hw_graph *graph = origins->graph;
    hw_id modules = hw_modules_dict(graph), key = HW_NONE;
    if (modules == HW_NONE)
        return true;
    origins->installed = hw_arena_array(&origins->arena, graph_degree(graph, modules) + 1,
                                        sizeof(*origins->installed));
    struct hw_buf text = {0};
    bool ok = origins->installed != NULL;
    for (uint32_t e = graph->edge_start[modules]; ok && e < graph->edge_start[modules + 1]; e++)
        ok = add_module(origins, e, &key, &text);
    hw_buf_deinit(&text);
    if (ok && origins->installed_count)
        qsort(origins->installed, origins->installed_count, sizeof(*origins->installed), by_text);
    return ok;
}

enum hw_origin hw_origin_of_module(const struct hw_origins *origins, const char *name)
{
    char top[128];
    size_t n = strcspn(name, ".");
    if (n >= sizeof(top))
        return HW_ORIGIN_PROGRAM;
    memcpy(top, name, n);
    top[n] = 0;
    const char *key = top;
    bool is_installed =
        origins->installed_count && bsearch(&key, origins->installed, origins->installed_count,
                                            sizeof(*origins->installed), by_text);
    return is_installed || hw_costs_is_stdlib(origins->costs, top) ? HW_ORIGIN_LIBRARY
                                                                   : HW_ORIGIN_PROGRAM;
}

static void judge_types(struct hw_origins *origins)
{
    const struct hw_graph *graph = origins->graph;
    for (uint32_t t = 0; t < graph->type_count; t++) {
        const struct hw_type *type = &graph->types[t];
        if (type->flags & HW_TYPE_PYTHON && strchr(type->name, '.'))
            origins->of_type[t] = (uint8_t)hw_origin_of_module(origins, type->name);
    }
}

enum hw_origin hw_origin_of_type(const struct hw_origins *origins, uint32_t type)
{
    return (enum hw_origin)origins->of_type[type];
}

bool hw_origins_create(struct hw_origins **ret_origins, const struct hw_graph *graph,
                       struct hw_err *err)
{
    struct hw_origins *origins = calloc(1, sizeof(*origins));
    if (!origins)
        return hw_err_no_memory(err);
    origins->graph = graph;
    origins->of_type = hw_arena_array(&origins->arena, graph->type_count + 1, 1);
    if (!origins->of_type || !read_installed(origins)) {
        hw_origins_destroy(origins);
        return hw_err_no_memory(err);
    }
    if (!hw_costs_create(&origins->costs, graph, err)) {
        hw_origins_destroy(origins);
        return false;
    }
    judge_types(origins);
    *ret_origins = origins;
    return true;
}

void hw_origins_destroy(struct hw_origins *origins)
{
    if (!origins)
        return;
    hw_costs_destroy(origins->costs);
    hw_arena_deinit(&origins->arena);
    free(origins);
}
