/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/profile.h"

#include "base/err.h"

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

bool hw_run_measure(const struct hw_args *args, const struct hw_profile *profile,
                    enum hw_measure *ret_measure, struct hw_err *err)
{
    enum hw_measure measure = profile->is_recording ? HW_MEASURE_PEAK : HW_MEASURE_LIVE;
    if (args->measure != HW_MEASURE_STANDARD)
        measure = (enum hw_measure)args->measure;
    if (measure != HW_MEASURE_LIVE && !profile->is_recording)
        return hw_err_set(err, HW_ERR_USAGE,
                          "of a process or a snapshot only what is live is known, not %s; heapwhy run -o FILE "
                          "records all",
                          hw_measure_name(measure));
    *ret_measure = measure;
    return true;
}
