/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/extension.h"

#include "ask/lookup.h"
#include "base/err.h"

#include <string.h>

static const struct hw_synthetic *library_of(const struct hw_graph *graph, hw_id id)
{
    const struct hw_synthetic *node = &graph->synthetic[id - graph->object_count];
    return node->kind == HW_SYN_C_GLOBALS ? node : NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* name.cpython-311-x86_64-linux-gnu.so, name.abi3.so, name.so; other libraries begin with "lib" or end
 * with a number. */
static bool is_extension(const struct hw_synthetic *library)
{
    return ends_with(library->name, ".so") &&
           (strstr(library->name, ".cpython-") || strstr(library->name, ".abi3.") ||
            strncmp(library->name, "lib", 3) != 0);
}

static bool is_pythons_own(const struct hw_synthetic *library)
{
    return strstr(library->file, "/lib-dynload/") != NULL;
}

bool hw_extensions_list(const struct hw_graph *graph, struct hw_arena *arena,
                        const char ***ret_names, size_t *ret_count, struct hw_err *err)
{
    size_t most = graph->node_count - graph->object_count, count = 0;
    const char **names = hw_arena_array(arena, most, sizeof(*names));
    for (hw_id id = graph->object_count; names && id < graph->node_count; id++) {
        const struct hw_synthetic *library = library_of(graph, id);
        if (!library || !is_extension(library) || is_pythons_own(library))
            continue;
        names[count] = hw_arena_strdup(arena, library->name);
        if (!names[count++])
            return hw_err_no_memory(err);
    }
    *ret_names = names;
    *ret_count = count;
    return names || hw_err_no_memory(err);
}

/* "etree.cpython-311-x86_64-linux-gnu.so" is the module of lxml.etree._Element. */
static bool is_module_of(const struct hw_synthetic *library, const char *type)
{
    const char *end = strrchr(type, '.');
    if (!end)
        return false;
    const char *begin = end;
    while (begin > type && begin[-1] != '.')
        begin--;
    size_t n = (size_t)(end - begin);
    return strncmp(library->name, begin, n) == 0 && library->name[n] == '.';
}

static bool points_at(const struct hw_graph *graph, hw_id library, uint32_t type,
                      const uint32_t *marked)
{
    bool is_anybodys = graph->types[type].flags & HW_TYPE_BUILTIN;
    for (uint32_t e = graph->edge_start[library]; e < graph->edge_start[library + 1]; e++) {
        hw_id to = graph->edge_to[e];
        if (to < graph->object_count && ((marked[to] && graph->type[to] == type) ||
                                         (!is_anybodys && to == graph->types[type].node)))
            return true;
    }
    return false;
}

bool hw_extensions_near(const struct hw_graph *graph, uint32_t type, const uint32_t *marked,
                        struct hw_arena *arena, struct hw_audit_row *row, struct hw_err *err)
{
    for (hw_id id = graph->object_count; id < graph->node_count; id++) {
        const struct hw_synthetic *library = library_of(graph, id);
        if (!library || !is_extension(library) || row->library_count == HW_AUDIT_LIBRARIES_MAX ||
            !(points_at(graph, id, type, marked) || is_module_of(library, graph->types[type].name)))
            continue;
        row->libraries[row->library_count] = hw_arena_strdup(arena, library->name);
        if (!row->libraries[row->library_count++])
            return hw_err_no_memory(err);
    }
    return true;
}
