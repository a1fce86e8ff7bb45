/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_GROW_SWELL_H
#define HW_GROW_SWELL_H

/* Single objects that become larger and larger and contain no other objects: byte buffers, arrays;
 * also those that are replaced by larger ones in one place. */

#include "grow/growth.h"

enum { HW_SWELL_MAX = 16 };

struct hw_swell {
    struct hw_site site;   /* box and name are the object; nothing is born below it */
    const uint64_t *sizes; /* in each snapshot */
};

/* At most HW_SWELL_MAX of them into ret_swells. Their arrays live in the growth's arena. */
bool hw_swells_find(struct hw_growth *growth, struct hw_swell *ret_swells, size_t *ret_count,
                    struct hw_err *err);

#endif
