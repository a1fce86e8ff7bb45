/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CLI_PROFILE_H
#define HW_CLI_PROFILE_H

/* Commands that ask where memory was allocated. */

#include "cli/run.h"

/* The profile of what word names: a process, a snapshot file, or a recording (heapwhy run -o). */
bool hw_run_profile(struct hw_run *run, const char *word, struct hw_profile **ret_profile,
                    struct hw_err *err);

/* --measure; when not given, the peak where it is known. Fails where the profile does not know it. */
bool hw_run_measure(const struct hw_args *args, const struct hw_profile *profile,
                    enum hw_measure *ret_measure, struct hw_err *err);

#endif
