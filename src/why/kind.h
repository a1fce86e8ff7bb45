/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_KIND_H
#define HW_WHY_KIND_H

/* What grows at a site, and which known pattern that is. */

#include "grow/growth.h"
#include "why/rules.h"

struct hw_kind {
    enum hw_pattern pattern;
    uint32_t type;                           /* what leaks: index into the graph's types */
    uint32_t member_type;                    /* what the container holds directly; often the same */
    bool in_key;                             /* what leaks hangs from the key, not the value */
    const struct hw_resource_rule *resource; /* for unclosed resources */
    uint32_t sampled;                        /* new members looked at */
    const char *carries;                     /* as in struct hw_suspect; the graph's text */
    uint32_t direct;                         /* of them, of member_type */
    uint32_t carriers;                       /* instances of type found in them */
};
bool hw_kind_find(const struct hw_growth *growth, const struct hw_site *site,
                  struct hw_kind *ret_kind, struct hw_err *err);

/* The type that says most among the marked nodes: a class of the program, by count, then by size;
 * else the most frequent type that holds something. UINT32_MAX: nothing is marked. */
bool hw_kind_dominant(const struct hw_graph *graph, const uint8_t *marks, uint32_t *ret_type,
                      struct hw_err *err);

#endif
