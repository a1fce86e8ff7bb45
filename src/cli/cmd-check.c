/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

bool hw_cmd_check(struct hw_run *run, struct hw_err *err)
{
    struct hw_check *check = NULL;
    hw_progress_stage(&run->progress, "checking");
    bool ok = hw_snapshot_check(run->args->words[0], &check, err);
    hw_progress_clear(&run->progress);
    if (ok)
        hw_tell_check(&run->out, run->args->words[0], check);
    hw_check_destroy(check);
    return ok;
}
