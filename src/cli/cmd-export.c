/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/output.h"
#include "cli/profile.h"
#include "tell/tell.h"

#include <unistd.h>

struct exported {
    const struct hw_args *args;
    const struct hw_profile *profile;
    enum hw_measure measure;
};

static void write_profile(struct hw_out *out, const void *ctx)
{
    const struct exported *exported = ctx;
    const struct hw_frames_look look = hw_run_frames(exported->args);
    if (exported->args->json)
        hw_tell_profile_json(out, exported->profile);
    else if (exported->args->format == HW_EXPORT_SPEEDSCOPE)
        hw_tell_speedscope(out, exported->profile, &look);
    else if (exported->args->format == HW_EXPORT_PPROF)
        hw_tell_pprof(out, exported->profile, &look);
    else
        hw_tell_collapsed(out, exported->profile, exported->measure, &look);
}

/* Before the process is touched. */
static bool check_output(const struct hw_args *args, struct hw_err *err)
{
    if (args->format == HW_EXPORT_PPROF && !args->json && !args->output && isatty(STDOUT_FILENO))
        return hw_err_set(err, HW_ERR_USAGE,
                          "pprof's format is no text for a terminal: name a file, -o app.pb.gz");
    return true;
}

bool hw_cmd_export(struct hw_run *run, struct hw_err *err)
{
    const struct hw_args *args = run->args;
    struct exported exported = {.args = args};
    struct hw_profile *profile = NULL;
    uint64_t bytes;
    bool ok = check_output(args, err) && hw_run_profile(run, args->words[0], &profile, err) &&
              hw_run_measure(args, profile, &exported.measure, err);
    exported.profile = profile;
    if (ok && !args->output)
        write_profile(&run->out, &exported);
    else
        ok = ok && hw_run_write(run, args->output, write_profile, &exported, &bytes, err);
    if (ok && args->output && !args->json)
        hw_tell_profile_file(&run->out, profile, args->output, bytes);
    hw_profile_destroy(profile);
    return ok;
}
