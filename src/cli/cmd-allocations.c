/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/profile.h"
#include "tell/tell.h"

enum { STANDARD_ROWS = 20 };

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
    bool ok = open_profiles(run, &profile, &before, err) &&
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
