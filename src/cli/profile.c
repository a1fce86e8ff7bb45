/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/profile.h"

static bool read_recording(struct hw_run *run, const char *word, struct hw_profile **ret_profile,
                           struct hw_err *err)
{
    hw_progress_stage(&run->progress, word);
    bool ok = hw_profile_read(word, run->cancel, ret_profile, err);
    hw_progress_clear(&run->progress);
    return ok;
}

bool hw_run_profile(struct hw_run *run, const char *word, struct hw_profile **ret_profile,
                    struct hw_err *err)
{
    if (!hw_run_is_pid(word) && hw_recording_is(word))
        return read_recording(run, word, ret_profile, err);
    struct hw_graph *graph = NULL;
    bool ok = hw_run_open(run, word, &graph, err) && hw_profile_of_graph(graph, ret_profile, err);
    hw_graph_destroy(graph);
    hw_progress_clear(&run->progress);
    return ok;
}
