/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/look.h"
#include "ask/lookup.h"
#include "ask/origin.h"
#include "base/err.h"
#include "resource/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- whose code ---- */

/* The folder of the module os; a Python that runs in its source has it where no rule says. */
void hw_stdlib_find(struct hw_resource_work *work)
{
    const struct hw_graph *graph = work->graph;
    char file[HW_LOOK_TEXT_MAX];
    hw_id modules = hw_modules_dict(graph);
    uint32_t entry = modules == HW_NONE ? HW_NO_EDGE : hw_entry_find(graph, modules, "os");
    if (entry == HW_NO_EDGE ||
        !hw_look_value(graph, hw_look_attr(graph, graph->edge_to[entry], "__file__"), file))
        return;
    char *slash = strrchr(file, '/');
    if (!slash || file[0] != '\'' || file[1] != '/')
        return;
    slash[1] = 0;
    snprintf(work->stdlib, sizeof(work->stdlib), "%s", file + 1);
}

bool hw_file_is_library(const struct hw_resource_work *work, const char *file)
{
    file += *file == '\'' || *file == '"';
    return hw_origin_of_file(file) == HW_ORIGIN_LIBRARY ||
           (*work->stdlib && strncmp(file, work->stdlib, strlen(work->stdlib)) == 0);
}

/* ---- counting texts ---- */

struct keyed {
    const char *key;
    size_t row;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static int by_count(const void *a, const void *b)
{
    const struct hw_key_row *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

bool hw_keys_count(const char *const *keys, size_t count, struct hw_key_row **ret_rows,
                   size_t *ret_count, struct hw_err *err)
{
    struct keyed *keyed = calloc(count + 1, sizeof(*keyed));
    struct hw_key_row *rows = calloc(count + 1, sizeof(*rows));
    size_t n = 0, row_count = 0;
    if (!keyed || !rows) {
        free(keyed);
        free(rows);
        return hw_err_no_memory(err);
    }
    for (size_t i = 0; i < count; i++)
        if (keys[i])
            keyed[n++] = (struct keyed){keys[i], i};
    qsort(keyed, n, sizeof(*keyed), by_key);
    for (size_t i = 0; i < n; i++) {
        if (!row_count || strcmp(rows[row_count - 1].key, keyed[i].key) != 0)
            rows[row_count++] = (struct hw_key_row){keyed[i].key, keyed[i].row, 0};
        rows[row_count - 1].count++;
    }
    qsort(rows, row_count, sizeof(*rows), by_count);
    free(keyed);
    *ret_rows = rows;
    *ret_count = row_count;
    return true;
}
