/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CLI_PROFILE_H
#define HW_CLI_PROFILE_H

/* Commands that ask where memory was allocated. */

#include "cli/run.h"
#include "tell/tell.h"

/* The profile of what word names: a process, a snapshot file, or a recording (heapwhy run -o). */
bool hw_run_profile(struct hw_run *run, const char *word, struct hw_profile **ret_profile,
                    struct hw_err *err);

/* --peak, --leaks, --allocated or --temporary; of none the peak, where it is known. Fails where
 * what is asked for is not. */
bool hw_run_measure(const struct hw_args *args, const struct hw_profile *profile,
                    enum hw_measure *ret_measure, struct hw_err *err);

/* --by and --imports */
struct hw_frames_look hw_run_frames(const struct hw_args *args);

#endif
