/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"
#include "tell/tell.h"

typedef bool attach_fn(pid_t pid, const struct hw_attach_options *opts, struct hw_attached *ret,
                       struct hw_err *err);

static bool run_it(struct hw_run *run, attach_fn *attach, enum hw_attach_verb verb,
                   struct hw_err *err)
{
    char library[PATH_MAX];
    pid_t pid;
    struct hw_attached attached;
    struct hw_attach_options opts = {.library = library,
                                     .rate_bytes = (uint64_t)run->args->rate_bytes,
                                     .timeout_ns = run->args->timeout_ns,
                                     .allow_seccomp = run->args->allow_seccomp,
                                     .cancel = run->cancel};
    if (!hw_run_pid(run->args->words[0], &pid, err) || !hw_run_find_agent(library, err) ||
        !attach(pid, &opts, &attached, err))
        return false;
    hw_tell_attached(&run->out, &attached, verb);
    return true;
}

bool hw_cmd_attach(struct hw_run *run, struct hw_err *err)
{
    return run_it(run, hw_attach, HW_ATTACH_VERB_ATTACH, err);
}

bool hw_cmd_detach(struct hw_run *run, struct hw_err *err)
{
    return run_it(run, hw_detach, HW_ATTACH_VERB_DETACH, err);
}
