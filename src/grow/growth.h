/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_GROW_GROWTH_H
#define HW_GROW_GROWTH_H

/*
 * Where new objects hang. An object is new when the first snapshot did not have it. Along the best
 * path of the last graph each new object has a first old ancestor: its front. Fronts are brought
 * together to sites, places that a user can name:
 *
 *     front -> new -> new             a list that got new members: the site is the list
 *     owner .a -> new, .b -> new      attributes and locals are fronts of their own
 *     owner -> new tuple -> new       a tuple that is replaced by a longer one: the tuple
 *     index -> many fronts -> new     lists in one dict that all grow: index[*]
 *     node -> node -> front -> new    a linked list: its first node
 *     wrapper -> inner -> new         what only C knows: the object that Python knows
 *     interpreter -> new, new         its callbacks of one kind: all of them, named by the first
 *
 * Which of them is a leak is not decided here.
 */

#include "ask/tree.h"
#include "grow/series.h"

struct hw_site {
    hw_id box;           /* the place itself */
    hw_id name;          /* whose path names it; mostly the same */
    bool is_container;   /* has members, whose number has a history */
    bool is_merged;      /* several fronts, siblings below box */
    const char *way;     /* from name to each of these, "[*].history"; NULL when they differ */
    bool is_rooted;      /* the fronts are themselves the members: held by the interpreter alone */
    const hw_id *fronts; /* the nodes whose members count: box, or the siblings */
    uint32_t front_count;
    uint64_t *born; /* everything new under it that lives now, by snapshot of birth */
    uint64_t born_total, born_bytes;
    uint64_t *joined; /* new direct members, by snapshot of birth */
    uint64_t joined_total;
    uint64_t *lengths; /* members in each snapshot; of what lives now when it has no history */
    bool has_history;
    bool is_replaced; /* a younger container in the place of others, whose lengths these are */
};

struct hw_growth {
    const struct hw_series *series;
    const struct hw_graph *graph; /* the last */
    struct hw_tree tree;
    uint8_t *birth;        /* by node */
    uint32_t *below;       /* by node: new nodes in its subtree, itself included */
    uint32_t *under;       /* by new node: its site, or HW_NONE */
    struct hw_site *sites; /* by born_bytes, largest first */
    size_t site_count;
    struct hw_arena arena;
};
bool hw_growth_init(struct hw_growth *growth, const struct hw_series *series, struct hw_err *err);
void hw_growth_deinit(struct hw_growth *growth);

/* The node that stands for the places where members are: one of the siblings, or name. */
static inline hw_id site_holder(const struct hw_site *site)
{
    return site->is_merged && site->way ? site->fronts[0] : site->name;
}

static inline bool is_new(const struct hw_growth *growth, hw_id id)
{
    return growth->birth[id] != 0;
}

/* Calls visit for every direct member of the site that is new, keys only when no value is, until it
 * says false. */
typedef bool hw_member_visit(void *ctx, const struct hw_growth *growth, uint32_t edge);
void hw_site_members(const struct hw_growth *growth, const struct hw_site *site,
                     hw_member_visit *visit, void *ctx);

/* The snapshot in which a member came to its container, as far as that can be told. */
uint8_t hw_member_birth(const struct hw_growth *growth, uint32_t edge);

/* The most frequent type among the new members; UINT32_MAX when there are none. */
uint32_t hw_site_member_type(const struct hw_growth *growth, const struct hw_site *site);

#endif
