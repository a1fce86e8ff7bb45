/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

enum { STANDARD_ROWS = 20 };

/* The sites of one snapshot after the other. Of a graph only what it says is kept. */
struct sites_look {
    enum hw_sites_by by;
    struct hw_sites *sites; /* the last; NULL: none */
};

static bool take(void *ctx, struct hw_graph *graph, struct hw_err *err)
{
    struct sites_look *look = ctx;
    struct hw_sites *sites = NULL;
    bool ok = hw_sites_ask(graph, look->by, look->sites, &sites, err);
    if (ok) {
        hw_sites_destroy(look->sites);
        look->sites = sites;
    }
    hw_graph_destroy(graph);
    return ok;
}

bool hw_cmd_sites(struct hw_run *run, struct hw_err *err)
{
    struct sites_look look = {.by = (enum hw_sites_by)run->args->by};
    bool ok = hw_run_each(run, take, &look, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_sites(&run->out, look.sites, hw_run_limit(run, STANDARD_ROWS));
    hw_sites_destroy(look.sites);
    return ok;
}
