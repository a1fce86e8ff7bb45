/* SPDX-License-Identifier: Apache-2.0 */
#include "why/sharing.h"

#include "weigh/dominators.h"

enum { CLIMB_MAX = 64 }; /* owners above a member, where the holder must be among them */

struct sample {
    const struct hw_dominators *dominators;
    struct hw_candidate *candidate;
};

static bool is_place(const struct hw_site *site, hw_id id)
{
    for (uint32_t i = 0; i < site->front_count && site->front_count <= CLIMB_MAX; i++)
        if (site->fronts[i] == id)
            return true;
    return id == site->box || id == site->name;
}

static bool add_member(void *ctx, const struct hw_growth *growth, uint32_t edge)
{
    struct sample *sample = ctx;
    struct hw_candidate *candidate = sample->candidate;
    hw_id at = growth->graph->edge_to[edge];
    candidate->sampled++;
    for (int i = 0; i < CLIMB_MAX && at != HW_NONE; i++) {
        at = hw_dominators_owner(sample->dominators, at);
        if (at != HW_NONE && is_place(candidate->site, at)) {
            candidate->freed++;
            break;
        }
    }
    return candidate->sampled < HW_SHARING_SAMPLE_MAX;
}

bool hw_sharing_find(const struct hw_growth *growth, struct hw_candidate *candidates, size_t count,
                     struct hw_err *err)
{
    struct hw_dominators *dominators = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i].site || !candidates[i].also_count)
            continue;
        if (!dominators && !hw_dominators_create(&dominators, growth->graph, err))
            return false;
        struct sample sample = {dominators, &candidates[i]};
        hw_site_members(growth, candidates[i].site, add_member, &sample);
    }
    hw_dominators_destroy(dominators);
    return true;
}
