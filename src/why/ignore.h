/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_IGNORE_H
#define HW_WHY_IGNORE_H

/* What the user has decided to live with: candidates that a rule fits are no suspects. */

#include "why/suspect.h"

/* Notes in each candidate the first rule that fits it; candidates are signed. options may be NULL.
 * Fills unused_rules of the diagnosis. */
bool hw_ignores_apply(const struct hw_growth *growth, const struct hw_diagnose_options *options,
                      struct hw_candidate *candidates, size_t count, struct hw_arena *arena,
                      struct hw_diagnosis *diagnosis, struct hw_err *err);

/* Tells a candidate that was ignored, as the diagnosis does. */
bool hw_ignored_fill(const struct hw_growth *growth, const struct hw_candidate *candidate,
                     struct hw_arena *arena, struct hw_ignored *ignored, struct hw_err *err);

#endif
