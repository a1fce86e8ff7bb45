/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_SHOTS_H
#define HW_TELL_SHOTS_H

/* The table of snapshots that diagnose and diff both print. */

#include "heapwhy.h"
#include "tell/json-writer.h"

void hw_shots_text(struct hw_out *out, const struct hw_facts *facts, const struct hw_shot *shots,
                   size_t count);
/* pid, python, snapshots */
void hw_shots_json(struct hw_json *json, const struct hw_facts *facts, const struct hw_shot *shots,
                   size_t count);

void hw_shots_diff(struct hw_out *out, const struct hw_diff *diff);
void hw_shots_diff_json(struct hw_json *json, const struct hw_diff *diff);

#endif
