/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_PROFILE_H
#define HW_TELL_PROFILE_H

/* Pieces that the views of profiles share. */

#include "heapwhy.h"
#include "tell/json-writer.h"

/* What was recorded, of what, how long; the totals; what is missing: some lines. */
void hw_profile_head(struct hw_out *out, const struct hw_profile *profile);

/* Members of the object that is open: those of docs/json.md#profile. */
void hw_profile_head_json(struct hw_json *json, const struct hw_profile *profile);
void hw_profile_json(struct hw_json *json,
                     const struct hw_profile *profile); /* all of them: profile */
void hw_profile_moments_json(struct hw_json *json, const struct hw_profile *profile);

/* "at the peak", "in use at the end", "in use": of what is in use when the profile was made. */
const char *hw_profile_measure_text(const struct hw_profile *profile, enum hw_measure measure);

/* A member for each measure that the profile knows: live, peak, ..., each with blocks and bytes. */
void hw_profile_amounts_json(struct hw_json *json, const struct hw_profile *profile,
                             const struct hw_amount amounts[HW_MEASURE_COUNT]);

#endif
