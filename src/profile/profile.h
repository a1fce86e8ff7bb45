/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_PROFILE_PROFILE_H
#define HW_PROFILE_PROFILE_H

/* Profiles, as a result: who makes one puts all that it points to into its arena. */

#include "base/arena.h"
#include "heapwhy.h"

struct hw_profile_result {
    struct hw_profile profile; /* first: hw_profile_destroy() finds the rest by it */
    struct hw_arena arena;
};

/* Empty, with room for rows and threads. Freed by hw_profile_destroy(). */
bool hw_profile_result_create(size_t row_count, size_t thread_count,
                              struct hw_profile_result **ret_result, struct hw_err *err);

#endif
