/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_MEMBERS_H
#define HW_WHY_MEMBERS_H

/* What all members of a site have in common, old ones too: evidence for causes. */

#include "why/cause.h"

enum {
    HW_MEMBERS_MAX = 2000
}; /* looked at; the first ones and the last ones where there are more */

/* A sample of the edges that lead to the members of the case's site. Lists and deques: in their
 * order. */
struct hw_members {
    uint32_t *edges; /* in the case's arena */
    uint32_t count;
    uint64_t total;
};
struct hw_members hw_members_of(struct hw_case *c);

/* How many of them are containers without content, or the number 0. */
uint32_t hw_members_empty(const struct hw_case *c, const struct hw_members *members);

/* An attribute that has one and the same value in all of them. A value is worth telling when it is
 * True, False or None. Calls visit(name, value) for each until it says true; returns whether it
 * did. */
typedef bool hw_common_visit(void *ctx, const char *name, hw_id value);
bool hw_members_common(const struct hw_case *c, const struct hw_members *members,
                       hw_common_visit *visit, void *ctx);

/* The attribute (or "[0]" of tuples) whose numbers rise from member to member: a time, a serial
 * number. NULL: there is none. */
const char *hw_members_rising(struct hw_case *c, const struct hw_members *members);

/* Whether all keys are tuples of length n >= 1; *ret_length. */
bool hw_members_tuple_keys(const struct hw_case *c, const struct hw_members *members,
                           uint32_t *ret_length);

/* Of so many keys the texts are looked at. */
uint32_t hw_members_looked(const struct hw_members *members);

/* Different values at a position of keys that are tuples; position UINT32_MAX: different keys. */
uint32_t hw_members_distinct(const struct hw_case *c, const struct hw_members *members,
                             uint32_t position);

/* What the program's code does to the container; read once. NULL: memory is out. */
const struct hw_code_report *hw_case_report(struct hw_case *c);

/* The key of a member, HW_NONE where it has none. */
hw_id hw_member_key(const struct hw_case *c, uint32_t edge);

/* Whether id is an instance of a class whose name matches, or of a subclass. */
bool hw_is_instance(const struct hw_graph *graph, hw_id id, const char *pattern);

/* Whether a type object is base, or derives from it; HW_NONE is none. */
bool hw_is_class_or_base(const struct hw_graph *graph, hw_id type, hw_id base);

/* Whether the holder is attribute `name` of an instance of that class or of a subclass, or of a
 * module ("module"). Either may be NULL, for any, and may hold one '*'. */
bool hw_holder_is(const struct hw_case *c, const char *owner, const char *name);

/* Instances of exactly that type. */
uint64_t hw_count_instances(const struct hw_graph *graph, uint32_t type);

/* "240 of 242" or "all 240". */
const char *hw_share_text(struct hw_arena *arena, uint64_t part, uint64_t whole);

#endif
