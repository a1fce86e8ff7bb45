/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"

#include <stdlib.h>

/* The file that is asked for, else the one that the environment names; NULL: none. */
static const char *rules_path(const struct hw_args *args)
{
    const char *path = args->rules ? args->rules : getenv("HEAPWHY_RULES");
    return path && *path ? path : NULL;
}

bool hw_ignores_init(struct hw_ignores *ignores, const struct hw_args *args, struct hw_err *err)
{
    const char *path = rules_path(args);
    *ignores = (struct hw_ignores){0};
    if (path && !hw_rules_load(path, &ignores->rules, err))
        return false;
    size_t in_file = ignores->rules ? ignores->rules->ignore_count : 0;
    ignores->items = calloc(args->ignore.count + in_file + 1, sizeof(*ignores->items));
    if (!ignores->items) {
        hw_ignores_deinit(ignores);
        return hw_err_no_memory(err);
    }
    for (size_t i = 0; i < in_file; i++)
        ignores->items[ignores->count++] = ignores->rules->ignores[i];
    for (size_t i = 0; i < args->ignore.count; i++)
        ignores->items[ignores->count++] =
            (struct hw_ignore){.what = args->ignore.items[i], .reason = "", .source = "--ignore"};
    return true;
}

void hw_ignores_deinit(struct hw_ignores *ignores)
{
    free(ignores->items);
    hw_rules_destroy(ignores->rules);
    *ignores = (struct hw_ignores){0};
}
