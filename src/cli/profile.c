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
    const bool asked[HW_MEASURE_COUNT] = {[HW_MEASURE_LIVE] = args->leaks,
                                          [HW_MEASURE_PEAK] = args->peak,
                                          [HW_MEASURE_ALLOCATED] = args->allocated,
                                          [HW_MEASURE_TEMPORARY] = args->temporary};
    enum hw_measure measure = profile->is_recording ? HW_MEASURE_PEAK : HW_MEASURE_LIVE;
    size_t count = 0;
    for (size_t i = 0; i < HW_MEASURE_COUNT; i++)
        if (asked[i]) {
            measure = (enum hw_measure)i;
            count++;
        }
    if (count > 1)
        return hw_err_set(err, HW_ERR_USAGE,
                          "one of --peak, --leaks, --allocated and --temporary at a time");
    if (!hw_profile_knows(profile, measure, err))
        return false;
    *ret_measure = measure;
    return true;
}

struct hw_frames_look hw_run_frames(const struct hw_args *args)
{
    return (struct hw_frames_look){.by_function = args->merge == HW_MERGE_FUNCTION,
                                   .imports = args->imports};
}
