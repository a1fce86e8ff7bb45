/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_SHARING_H
#define HW_WHY_SHARING_H

/* Would it help to empty a holder? What others hold, too, stays: of a sample of the new members of
 * each candidate that has company (why/also.h), how many only this holder keeps alive. */

#include "why/suspect.h"

enum { HW_SHARING_SAMPLE_MAX = 1000 };

/* Fills sampled and freed. Finds out who owns whom, once, and only when somebody has company. */
bool hw_sharing_find(const struct hw_growth *growth, struct hw_candidate *candidates, size_t count,
                     struct hw_err *err);

#endif
