/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_RESOURCES_H
#define HW_TELL_RESOURCES_H

/* JSON of resources (docs/json.md), apart from its text. */

#include "heapwhy.h"
#include "tell/out.h"

void hw_resources_json(struct hw_out *out, const struct hw_resources *r, size_t limit);
void hw_resources_growth_json(struct hw_out *out, struct hw_resources *const *resources,
                              const struct hw_resources_growth *growth, size_t limit);

#endif
