/* SPDX-License-Identifier: Apache-2.0 */
#include "why/created.h"

#include "ask/alloc-sites.h"
#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum { CREATED_MAX = 5 };

/* One stack of one suspect. */
struct tally {
    uint32_t suspect, frame, depth;
    bool is_kind; /* of objects of its types, or of the others */
    uint64_t objects, bytes;
};

struct work {
    const struct hw_graph *graph;
    const uint8_t *owner;
    const struct hw_created_kind *kinds;
    struct hw_suspect *suspects;
    struct hw_pairs pairs; /* frame, twice the suspect + is_kind */
    struct tally *tallies;
    size_t tally_capacity;
    uint64_t *looked; /* two for each suspect: objects that are none of its types, and that are */
};

static bool count_object(struct work *work, hw_id id)
{
    uint32_t suspect = work->owner[id] - 1u, type = work->graph->type[id];
    const struct hw_created_kind *kind = &work->kinds[suspect];
    bool is_kind = type == kind->type || type == kind->other_type, is_new;
    uint32_t number = work->graph->allocs.of[id];
    work->looked[suspect * 2 + is_kind]++;
    if (number == HW_NONE)
        return true;
    const struct hw_alloc_site *site = &work->graph->allocs.sites[number];
    uint32_t row = hw_pairs_number(&work->pairs, site->frame, suspect * 2 + is_kind, &is_new);
    if (row == HW_PAIRS_NONE)
        return false;
    if (is_new) {
        struct tally *tallies =
            hw_vec_grow(work->tallies, &work->tally_capacity, (size_t)row + 1, sizeof(*tallies));
        if (!tallies)
            return false;
        work->tallies = tallies;
        tallies[row] = (struct tally){.suspect = suspect, .frame = site->frame, .is_kind = is_kind};
    }
    struct tally *tally = &work->tallies[row];
    tally->objects++;
    tally->bytes += hw_graph_weight(work->graph, id);
    if (site->depth > tally->depth)
        tally->depth = site->depth;
    return true;
}

static int by_weight(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;
    if (x->suspect != y->suspect)
        return x->suspect < y->suspect ? -1 : 1;
    if (x->is_kind != y->is_kind)
        return x->is_kind ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* Tallies of one suspect, heaviest first; those of its own types before the others, which then do not count. */
static bool fill_suspect(struct hw_site_spelling *spelling, const struct work *work,
                         const struct tally *tallies, size_t count, struct hw_arena *arena)
{
    uint32_t number = tallies[0].suspect;
    struct hw_suspect *suspect = &work->suspects[number];
    suspect->created = hw_arena_array(arena, CREATED_MAX, sizeof(*suspect->created));
    if (!suspect->created)
        return false;
    suspect->created_looked = work->looked[number * 2 + tallies[0].is_kind];
    for (size_t i = 0; i < count && tallies[i].is_kind == tallies[0].is_kind; i++) {
        suspect->created_known += tallies[i].objects;
        suspect->created_total++;
        if (i >= CREATED_MAX)
            continue;
        const struct hw_site_frame *frame = hw_site_spell_frame(spelling, tallies[i].frame);
        if (!frame)
            return false;
        suspect->created[suspect->created_count++] = (struct hw_created){
            .frame = frame,
            .depth = tallies[i].depth,
            .objects = tallies[i].objects,
            .bytes = tallies[i].bytes,
        };
    }
    return true;
}

static bool fill_all(struct work *work, struct hw_arena *arena)
{
    struct hw_site_spelling spelling;
    size_t total = work->pairs.count;
    bool ok = hw_site_spelling_init(&spelling, work->graph, arena);
    if (total)
        qsort(work->tallies, total, sizeof(*work->tallies), by_weight);
    for (size_t first = 0, next; ok && first < total; first = next) {
        for (next = first; next < total && work->tallies[next].suspect == work->tallies[first].suspect;)
            next++;
        ok = fill_suspect(&spelling, work, work->tallies + first, next - first, arena);
    }
    hw_site_spelling_deinit(&spelling);
    return ok;
}

bool hw_created_fill(const struct hw_graph *graph, const uint8_t *owner,
                     const struct hw_created_kind *kinds, struct hw_suspect *suspects, size_t count,
                     struct hw_arena *arena, struct hw_err *err)
{
    struct work work = {.graph = graph,
                        .owner = owner,
                        .kinds = kinds,
                        .suspects = suspects,
                        .looked = calloc(count * 2 + 1, sizeof(*work.looked))};
    bool ok = work.looked != NULL;
    for (hw_id id = 0; ok && hw_created_is_known(graph) && id < graph->object_count; id++)
        ok = !owner[id] || count_object(&work, id);
    ok = ok && fill_all(&work, arena);
    hw_pairs_deinit(&work.pairs);
    free(work.tallies);
    free(work.looked);
    return ok || hw_err_no_memory(err);
}
