/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/alloc-sites.h"

#include "base/vec.h"

#include <stdlib.h>

void hw_alloc_sites_deinit(struct hw_alloc_sites *sites)
{
    free(sites->frames);
    free(sites->sites);
    free(sites->of);
    *sites = (struct hw_alloc_sites){0};
}

void hw_alloc_maker_deinit(struct hw_alloc_maker *maker)
{
    hw_pairs_deinit(&maker->lines);
    hw_pairs_deinit(&maker->places);
    hw_pairs_deinit(&maker->frames);
    hw_pairs_deinit(&maker->ends);
    hw_pairs_deinit(&maker->wheres);
}

uint32_t hw_alloc_frame_make(struct hw_alloc_maker *maker, const struct hw_alloc_frame *wanted)
{
    struct hw_alloc_sites *sites = maker->sites;
    bool is_new;
    uint32_t line = hw_pairs_number(&maker->lines, wanted->file, wanted->line, &is_new);
    if (line == HW_PAIRS_NONE)
        return HW_NONE;
    uint32_t place = hw_pairs_number(&maker->places, line, wanted->function, &is_new);
    if (place == HW_PAIRS_NONE)
        return HW_NONE;
    uint32_t frame = hw_pairs_number(&maker->frames, wanted->caller, place, &is_new);
    if (!is_new || frame == HW_PAIRS_NONE)
        return frame;
    struct hw_alloc_frame *frames =
        hw_vec_grow(sites->frames, &sites->frame_capacity, sites->frame_count + 1, sizeof(*frames));
    if (!frames)
        return HW_NONE;
    sites->frames = frames;
    frames[sites->frame_count++] = *wanted;
    return frame;
}

uint32_t hw_alloc_site_make(struct hw_alloc_maker *maker, uint32_t frame, uint32_t depth,
                            uint32_t domain)
{
    struct hw_alloc_sites *sites = maker->sites;
    bool is_new;
    uint32_t end = hw_pairs_number(&maker->ends, frame, depth, &is_new);
    if (end == HW_PAIRS_NONE)
        return HW_NONE;
    uint32_t site = hw_pairs_number(&maker->wheres, end, domain, &is_new);
    if (!is_new || site == HW_PAIRS_NONE)
        return site;
    struct hw_alloc_site *grown =
        hw_vec_grow(sites->sites, &sites->site_capacity, sites->site_count + 1, sizeof(*grown));
    if (!grown)
        return HW_NONE;
    sites->sites = grown;
    grown[sites->site_count++] =
        (struct hw_alloc_site){.frame = frame, .depth = depth, .domain = domain};
    return site;
}
