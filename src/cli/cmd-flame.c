/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/output.h"
#include "cli/profile.h"
#include "tell/tell.h"

#include <string.h>
#include <strings.h>

struct picture {
    const struct hw_profile *profile;
    struct hw_flame_look look;
    bool is_svg;
};

static void write_picture(struct hw_out *out, const void *ctx)
{
    const struct picture *picture = ctx;
    if (picture->is_svg)
        hw_tell_flame_svg(out, picture->profile, &picture->look);
    else
        hw_tell_flame_html(out, picture->profile, &picture->look);
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcasecmp(s + n - m, end) == 0;
}

/* Before the process is touched. */
static bool check_output(const char *path, bool *ret_is_svg, struct hw_err *err)
{
    if (!path)
        return hw_err_set(err, HW_ERR_USAGE, "flame wants -o FILE.html or -o FILE.svg");
    *ret_is_svg = ends_with(path, ".svg");
    if (!*ret_is_svg && !ends_with(path, ".html") && !ends_with(path, ".htm"))
        return hw_err_set(
            err, HW_ERR_USAGE,
            "flame writes FILE.html or FILE.svg, not '%s'; heapwhy export writes for other tools",
            path);
    return true;
}

bool hw_cmd_flame(struct hw_run *run, struct hw_err *err)
{
    const struct hw_args *args = run->args;
    struct picture picture = {.look.title = args->title, .look.frames = hw_run_frames(args)};
    struct hw_profile *profile = NULL;
    uint64_t bytes = 0;
    bool ok = check_output(args->output, &picture.is_svg, err) &&
              hw_run_profile(run, args->words[0], &profile, err) &&
              hw_run_measure(args, profile, &picture.look.measure, err);
    picture.profile = profile;
    ok = ok && hw_run_write(run, args->output, write_picture, &picture, &bytes, err);
    if (ok)
        hw_tell_profile_file(&run->out, profile, args->output, bytes);
    hw_profile_destroy(profile);
    return ok;
}
