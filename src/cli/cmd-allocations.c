/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/profile.h"
#include "tell/tell.h"

enum { STANDARD_ROWS = 20 };

static bool check_over_time(const struct hw_args *args, const struct hw_profile *profile,
                            struct hw_err *err)
{
    return !args->over_time || profile->is_recording ||
           hw_err_set(err, HW_ERR_UNSUPPORTED,
                      "a process or a snapshot is one moment; heapwhy run -o FILE records more");
}

/* Two: what changed from the first to the second. */
static bool open_profiles(struct hw_run *run, struct hw_profile **ret_profile,
                          struct hw_profile **ret_before, struct hw_err *err)
{
    const struct hw_args *args = run->args;
    if (args->word_count < 2)
        return hw_run_profile(run, args->words[0], ret_profile, err);
    return hw_run_profile(run, args->words[0], ret_before, err) &&
           hw_run_profile(run, args->words[1], ret_profile, err);
}

bool hw_cmd_allocations(struct hw_run *run, struct hw_err *err)
{
    const struct hw_args *args = run->args;
    const struct hw_allocations_look look = {.over_time = args->over_time,
                                             .ascii = hw_run_wants_ascii(run)};
    struct hw_profile *profile = NULL, *before = NULL;
    struct hw_allocations *allocations = NULL;
    enum hw_measure measure;
    bool ok = open_profiles(run, &profile, &before, err) && check_over_time(args, profile, err) &&
              hw_run_measure(args, profile, &measure, err) &&
              hw_allocations_ask(profile, before, (enum hw_allocations_by)args->place, measure,
                                 &allocations, err);
    if (ok)
        hw_tell_allocations(&run->out, profile, allocations, &look,
                            hw_run_limit(run, STANDARD_ROWS));
    hw_allocations_destroy(allocations);
    hw_profile_destroy(profile);
    hw_profile_destroy(before);
    return ok;
}
