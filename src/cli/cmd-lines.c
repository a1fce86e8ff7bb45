/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/profile.h"
#include "tell/tell.h"

/* The file that was recorded, or, as a program may be recorded elsewhere, the one that the user
 * named. NULL: neither is there, and lines are told by their numbers. */
static struct hw_source *find_source(const char *recorded, const char *named)
{
    struct hw_source *source = NULL;
    if (!hw_source_read(recorded, &source, NULL))
        hw_source_read(named, &source, NULL);
    return source;
}

bool hw_cmd_lines(struct hw_run *run, struct hw_err *err)
{
    const struct hw_args *args = run->args;
    const char *file = args->words[1];
    struct hw_profile *profile = NULL;
    struct hw_lines *lines = NULL;
    struct hw_lines_look look = {.function = args->function, .all = args->all};
    bool ok = hw_run_profile(run, args->words[0], &profile, err) &&
              hw_lines_ask(profile, file, args->cumulative, &lines, err);
    if (ok) {
        struct hw_source *source = find_source(lines->file, file);
        look.source = source;
        ok = hw_tell_lines(&run->out, profile, lines, &look) ||
             hw_err_set(err, HW_ERR_NOT_FOUND, "%s has no function %s that allocated anything",
                        lines->file, args->function);
        hw_source_destroy(source);
    }
    hw_lines_destroy(lines);
    hw_profile_destroy(profile);
    return ok;
}
