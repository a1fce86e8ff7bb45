/* SPDX-License-Identifier: Apache-2.0 */
#include "grow/native-sites.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static uint64_t mix(uint64_t hash, uint64_t more)
{
    const uint64_t words[2] = {hash, more};
    return XXH3_64bits(words, sizeof(words));
}

static uint64_t text_hash(const struct hw_graph *graph, uint32_t string)
{
    const char *text = hw_graph_string(graph, string);
    return XXH3_64bits(text, strlen(text));
}

/* Callers stand before those whom they call. */
static bool frames_hash(const struct hw_graph *graph, uint64_t **ret_hashes)
{
    const struct hw_alloc_sites *allocs = &graph->allocs;
    uint64_t *hashes = malloc((allocs->frame_count + 1) * sizeof(*hashes));
    *ret_hashes = hashes;
    for (size_t i = 0; hashes && i < allocs->frame_count; i++) {
        const struct hw_alloc_frame *frame = &allocs->frames[i];
        uint64_t hash = frame->caller == HW_NONE ? 0 : hashes[frame->caller];
        hash = mix(hash, text_hash(graph, frame->file));
        hash = mix(hash, text_hash(graph, frame->function));
        hashes[i] = mix(hash, frame->line);
    }
    return hashes != NULL;
}

static int by_stack(const void *a, const void *b)
{
    const struct hw_native_site *x = a, *y = b;
    return (x->stack > y->stack) - (x->stack < y->stack);
}

/* Sites that differ in what their stack had beyond the frames that are kept become one. */
static void merge(struct hw_native_sites *sites)
{
    size_t n = 0;
    if (sites->count)
        qsort(sites->rows, sites->count, sizeof(*sites->rows), by_stack);
    for (size_t i = 0; i < sites->count; i++) {
        if (n && sites->rows[n - 1].stack == sites->rows[i].stack) {
            sites->rows[n - 1].count += sites->rows[i].count;
            sites->rows[n - 1].bytes += sites->rows[i].bytes;
        } else {
            sites->rows[n++] = sites->rows[i];
        }
    }
    sites->count = n;
}

bool hw_native_sites_read(const struct hw_graph *graph, struct hw_arena *arena,
                          struct hw_native_sites *ret_sites)
{
    const struct hw_alloc_sites *allocs = &graph->allocs;
    struct hw_native_sites sites = {0};
    uint64_t *hashes = NULL;
    *ret_sites = sites;
    if (graph->facts.alloc_source != HW_ALLOC_AGENT)
        return true;
    sites.rows = hw_arena_array(arena, allocs->site_count + 1, sizeof(*sites.rows));
    if (!sites.rows || !frames_hash(graph, &hashes))
        return false;
    for (size_t i = 0; i < allocs->site_count; i++) {
        const struct hw_alloc_site *site = &allocs->sites[i];
        if (site->domain != HW_DOMAIN_MALLOC && site->domain != HW_DOMAIN_MMAP)
            continue;
        sites.rows[sites.count++] = (struct hw_native_site){
            .stack = mix(site->frame == HW_NONE ? 0 : hashes[site->frame], site->domain),
            .site = (uint32_t)i,
            .domain = site->domain,
            .count = site->count,
            .bytes = site->bytes};
    }
    free(hashes);
    merge(&sites);
    *ret_sites = sites;
    return true;
}

const struct hw_native_site *hw_native_site_find(const struct hw_native_sites *sites,
                                                 uint64_t stack)
{
    const struct hw_native_site wanted = {.stack = stack};
    return sites->count ? bsearch(&wanted, sites->rows, sites->count, sizeof(wanted), by_stack)
                        : NULL;
}

uint64_t hw_native_sites_bytes(const struct hw_native_sites *sites, enum hw_domain domain)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < sites->count; i++)
        bytes += sites->rows[i].domain == domain ? sites->rows[i].bytes : 0;
    return bytes;
}
