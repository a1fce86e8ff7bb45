/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/profile.h"

bool hw_run_profile(struct hw_run *run, const char *word, struct hw_profile **ret_profile,
                    struct hw_err *err)
{
    struct hw_graph *graph = NULL;
    bool ok = hw_run_open(run, word, &graph, err) && hw_profile_of_graph(graph, ret_profile, err);
    hw_graph_destroy(graph);
    hw_progress_clear(&run->progress);
    return ok;
}
