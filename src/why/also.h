/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_ALSO_H
#define HW_WHY_ALSO_H

/* Who else holds what a suspect holds: containers that refer directly to most of a sample of its
 * new members. Emptying one of two indexes frees nothing. */

#include "why/suspect.h"

enum { HW_ALSO_CANDIDATES_MAX = 64, HW_ALSO_SAMPLE_MAX = 1000 };

/* Fills also and also_count of the first HW_ALSO_CANDIDATES_MAX candidates. One pass over all
 * edges. */
bool hw_also_find(const struct hw_growth *growth, struct hw_candidate *candidates, size_t count,
                  struct hw_err *err);

#endif
