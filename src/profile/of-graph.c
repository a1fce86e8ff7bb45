/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/alloc-sites.h"
#include "base/err.h"
#include "profile/profile.h"

static bool row_make(struct hw_site_spelling *spelling, const struct hw_alloc_site *site,
                     struct hw_profile_row *row)
{
    row->frame = hw_site_spell_frame(spelling, site->frame);
    row->depth = site->depth;
    row->domain = site->domain;
    row->amounts[HW_MEASURE_LIVE] = (struct hw_amount){site->count, site->bytes};
    return row->frame != NULL;
}

static bool head_make(const struct hw_graph *graph, struct hw_profile_result *result)
{
    const struct hw_facts *facts = &graph->facts;
    struct hw_profile *profile = &result->profile;
    profile->is_complete = true;
    profile->rate_bytes = facts->alloc_rate;
    profile->missed = facts->alloc_missed;
    profile->pid = facts->pid;
    profile->began_unix = (double)facts->taken_at_ns / 1e9;
    profile->command = hw_arena_strdup(&result->arena, *facts->main_script ? facts->main_script
                                                                           : facts->executable);
    return profile->command != NULL;
}

static bool fill(const struct hw_graph *graph, struct hw_profile_result *result)
{
    struct hw_profile *profile = &result->profile;
    struct hw_site_spelling spelling;
    bool ok = hw_site_spelling_init(&spelling, graph, &result->arena) && head_make(graph, result);
    for (size_t i = 0; ok && i < profile->row_count; i++) {
        const struct hw_alloc_site *site = &graph->allocs.sites[i];
        ok = row_make(&spelling, site, &profile->rows[i]);
        profile->totals[HW_MEASURE_LIVE].count += site->count;
        profile->totals[HW_MEASURE_LIVE].bytes += site->bytes;
    }
    hw_site_spelling_deinit(&spelling);
    profile->sample_count =
        profile->rate_bytes ? graph->facts.alloc_samples : profile->totals[HW_MEASURE_LIVE].count;
    return ok;
}

bool hw_profile_of_graph(const struct hw_graph *graph, struct hw_profile **ret_profile,
                         struct hw_err *err)
{
    struct hw_profile_result *result = NULL;
    if (!hw_alloc_known(graph, err) ||
        !hw_profile_result_create(graph->allocs.site_count, 1, &result, err))
        return false;
    if (!fill(graph, result)) {
        hw_profile_destroy(&result->profile);
        return hw_err_no_memory(err);
    }
    *ret_profile = &result->profile;
    return true;
}
