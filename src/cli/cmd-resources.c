/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/run.h"
#include "tell/tell.h"

#include <stdlib.h>

enum { STANDARD_ROWS = 12 };

struct moments {
    struct hw_resources **items;
    size_t count;
};

/* Only the answer is kept of each graph. */
static bool take_graph(void *ctx, struct hw_graph *graph, struct hw_err *err)
{
    struct moments *moments = ctx;
    bool ok = hw_resources_ask(graph, &moments->items[moments->count], err);
    moments->count += ok;
    hw_graph_destroy(graph);
    return ok;
}

static bool tell_growth(struct hw_run *run, struct moments *moments, struct hw_err *err)
{
    struct hw_resources_growth *growth = NULL;
    if (!hw_resources_compare(moments->items, moments->count, &growth, err))
        return false;
    hw_tell_resources_growth(&run->out, moments->items, growth, hw_run_limit(run, STANDARD_ROWS));
    hw_resources_growth_destroy(growth);
    return true;
}

bool hw_cmd_resources(struct hw_run *run, struct hw_err *err)
{
    struct moments moments = {.items = calloc(run->args->word_count + 1, sizeof(*moments.items))};
    if (!moments.items)
        return hw_err_no_memory(err);
    bool ok = hw_run_each(run, take_graph, &moments, err);
    hw_progress_clear(&run->progress);
    if (ok && moments.count == 1)
        hw_tell_resources(&run->out, moments.items[0], hw_run_limit(run, STANDARD_ROWS));
    else if (ok)
        ok = tell_growth(run, &moments, err);
    for (size_t i = 0; i < moments.count; i++)
        hw_resources_destroy(moments.items[i]);
    free(moments.items);
    return ok;
}
