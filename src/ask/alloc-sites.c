/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/alloc-sites.h"

#include "base/err.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

/* ---- frames ---- */

bool hw_site_spelling_init(struct hw_site_spelling *spelling, const struct hw_graph *graph,
                           struct hw_arena *arena)
{
    *spelling = (struct hw_site_spelling){
        .graph = graph,
        .arena = arena,
        .frames = hw_arena_array(arena, graph->allocs.frame_count + 1, sizeof(*spelling->frames)),
        .texts = calloc(graph->string_count + 1, sizeof(*spelling->texts))};
    return spelling->frames && spelling->texts;
}

void hw_site_spelling_deinit(struct hw_site_spelling *spelling)
{
    free(spelling->texts);
}

const char *hw_site_spell_text(struct hw_site_spelling *spelling, uint32_t string)
{
    const char **text = &spelling->texts[string < spelling->graph->string_count ? string : 0];
    if (!*text)
        *text = hw_arena_strdup(spelling->arena, hw_graph_string(spelling->graph, string));
    return *text;
}

/* How C code is told (native/symbols.h), which nothing of Python's is: "function (module.so)" at a line, or the
 * module instead of a file, without a line. */
static bool is_native(const struct hw_site_frame *frame)
{
    size_t n = strlen(frame->function);
    if (n && frame->function[n - 1] == ')' && strstr(frame->function, " ("))
        return true;
    return n && !frame->line && strstr(frame->file, ".so");
}

/* Callers have lower numbers: nearly always they are there already, and a chain of those that are not is only
 * as long as a stack. */
const struct hw_site_frame *hw_site_spell_frame(struct hw_site_spelling *spelling, uint32_t number)
{
    const struct hw_alloc_sites *allocs = &spelling->graph->allocs;
    struct hw_site_frame *first = NULL, **caller = &first;
    for (uint32_t at = number;; at = allocs->frames[at].caller) {
        bool is_known = at < allocs->frame_count;
        struct hw_site_frame *frame = &spelling->frames[is_known ? at : allocs->frame_count];
        bool is_made = frame->file != NULL;
        if (!is_made) {
            frame->file = hw_site_spell_text(spelling, is_known ? allocs->frames[at].file : 0);
            frame->function = hw_site_spell_text(spelling, is_known ? allocs->frames[at].function : 0);
            frame->line = is_known ? allocs->frames[at].line : 0;
            if (!frame->file || !frame->function)
                return NULL;
            frame->is_native = is_native(frame);
        }
        *caller = frame;
        if (is_made || !is_known || allocs->frames[at].caller == HW_NONE)
            return first;
        caller = (struct hw_site_frame **)&frame->caller;
    }
}

static bool say_nothing_written(const struct hw_graph *graph, struct hw_err *err)
{
    if (!graph->facts.alloc_rate)
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "process %d has heapwhy's agent, but its Python is one whose frames heapwhy does "
                          "not know: nothing was written down in it",
                          (int)graph->facts.pid);
    return hw_err_set(err, HW_ERR_UNSUPPORTED,
                      "process %d has heapwhy's agent, but nothing was written down in it: it has not "
                      "allocated enough for a sample since (see --rate of heapwhy run and attach), or Python has "
                      "set its allocators anew (PYTHONMALLOC, -X dev)",
                      (int)graph->facts.pid);
}

bool hw_alloc_known(const struct hw_graph *graph, struct hw_err *err)
{
    switch ((enum hw_alloc_source)graph->facts.alloc_source) {
    case HW_ALLOC_TRACEMALLOC:
        return true;
    case HW_ALLOC_AGENT:
        return graph->allocs.site_count || say_nothing_written(graph, err);
    case HW_ALLOC_NOT_RECORDED:
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "the snapshot does not say where memory was allocated: its file is from before "
                          "heapwhy recorded that");
    case HW_ALLOC_UNREADABLE:
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "process %d runs tracemalloc, but its tables could not be read with "
                          "certainty; look again",
                          (int)graph->facts.pid);
    case HW_ALLOC_NOBODY:
        break;
    }
    return hw_err_set(err, HW_ERR_UNSUPPORTED,
                      "process %d does not record where memory is allocated: heapwhy attach %d lets it, from then on; "
                      "heapwhy run starts it so; or PYTHONTRACEMALLOC=10 in its environment, or "
                      "tracemalloc.start(10) in the program",
                      (int)graph->facts.pid, (int)graph->facts.pid);
}

/* ---- rows ---- */

struct work {
    const struct hw_graph *graph;
    struct hw_sites_result *result;
    struct hw_site_spelling spelling;
    struct hw_pairs keys;      /* what a row is about */
    uint32_t *row_of;          /* by site */
    struct hw_pairs kinds;     /* row, type */
    struct kind {
        uint32_t row, type;
        uint64_t objects;
    } *kinds_of;
    size_t row_capacity, kind_capacity;
    struct hw_sites_row *rows; /* grown; copied into the arena in the end */
    uint64_t *largest;         /* by row: bytes of its largest site */
    size_t largest_capacity;
    struct hw_err *err;
};

/* What makes a row: file and line, file, or the innermost frame, which stands for all its callers. */
static uint32_t row_number(struct work *work, enum hw_sites_by by, uint32_t frame, bool *ret_is_new)
{
    const struct hw_alloc_sites *allocs = &work->graph->allocs;
    if (by == HW_SITES_BY_TRACEBACK || frame == HW_NONE)
        return hw_pairs_number(&work->keys, HW_NONE, frame, ret_is_new);
    const struct hw_alloc_frame *place = &allocs->frames[frame];
    return hw_pairs_number(&work->keys, place->file, by == HW_SITES_BY_LINE ? place->line : 0,
                           ret_is_new);
}

static const struct hw_site_frame *place_make(struct work *work, enum hw_sites_by by, uint32_t frame)
{
    if (by == HW_SITES_BY_TRACEBACK || frame == HW_NONE)
        return hw_site_spell_frame(&work->spelling, frame);
    const struct hw_alloc_frame *from = &work->graph->allocs.frames[frame];
    struct hw_site_frame *place = hw_arena_alloc(&work->result->arena, sizeof(*place));
    if (!place)
        return NULL;
    place->file = hw_site_spell_text(&work->spelling, from->file);
    place->function = "";
    place->line = by == HW_SITES_BY_LINE ? from->line : 0;
    return place->file ? place : NULL;
}

static bool add_site(struct work *work, uint32_t number)
{
    const struct hw_alloc_site *site = &work->graph->allocs.sites[number];
    enum hw_sites_by by = work->result->sites.by;
    bool is_new;
    uint32_t row = row_number(work, by, site->frame, &is_new);
    if (row == HW_PAIRS_NONE)
        return false;
    if (is_new) {
        struct hw_sites_row *rows =
            hw_vec_grow(work->rows, &work->row_capacity, (size_t)row + 1, sizeof(*rows));
        if (!rows)
            return false;
        work->rows = rows;
        uint64_t *largest = hw_vec_grow(work->largest, &work->largest_capacity, (size_t)row + 1,
                                        sizeof(*largest));
        if (!largest)
            return false;
        work->largest = largest;
        largest[row] = 0;
        rows[row] = (struct hw_sites_row){.type = "", .frame = place_make(work, by, site->frame)};
        if (!rows[row].frame)
            return false;
    }
    struct hw_sites_row *to = &work->rows[row];
    to->count += site->count;
    to->bytes += site->bytes;
    if (site->bytes >= work->largest[row]) {
        work->largest[row] = site->bytes;
        to->domain = site->domain;
    }
    if (by == HW_SITES_BY_TRACEBACK && site->depth > to->depth)
        to->depth = site->depth;
    work->row_of[number] = row;
    return true;
}

static int by_domain(const void *a, const void *b)
{
    const struct hw_sites_domain *x = a, *y = b;
    return (x->domain > y->domain) - (x->domain < y->domain);
}

static bool add_domains(struct work *work)
{
    const struct hw_alloc_sites *allocs = &work->graph->allocs;
    struct hw_sites *sites = &work->result->sites;
    struct hw_pairs numbers = {0};
    sites->domains = hw_arena_array(&work->result->arena, allocs->site_count + 1,
                                    sizeof(*sites->domains));
    bool ok = sites->domains != NULL;
    for (size_t i = 0; ok && i < allocs->site_count; i++) {
        bool is_new;
        uint32_t n = hw_pairs_number(&numbers, 0, allocs->sites[i].domain, &is_new);
        ok = n != HW_PAIRS_NONE;
        if (!ok)
            break;
        sites->domains[n].domain = allocs->sites[i].domain;
        sites->domains[n].count += allocs->sites[i].count;
        sites->domains[n].bytes += allocs->sites[i].bytes;
    }
    sites->domain_count = numbers.count;
    hw_pairs_deinit(&numbers);
    if (ok)
        qsort(sites->domains, sites->domain_count, sizeof(*sites->domains), by_domain);
    return ok;
}

/* ---- what was made there ---- */

static bool count_object(struct work *work, hw_id id)
{
    bool is_new;
    uint32_t row = work->row_of[work->graph->allocs.of[id]], type = work->graph->type[id];
    uint32_t kind = hw_pairs_number(&work->kinds, row, type, &is_new);
    if (kind == HW_PAIRS_NONE)
        return false;
    if (is_new) {
        struct kind *kinds =
            hw_vec_grow(work->kinds_of, &work->kind_capacity, (size_t)kind + 1, sizeof(*kinds));
        if (!kinds)
            return false;
        work->kinds_of = kinds;
        kinds[kind] = (struct kind){row, type, 0};
    }
    work->kinds_of[kind].objects++;
    return true;
}

static bool add_objects(struct work *work)
{
    const struct hw_graph *graph = work->graph;
    for (hw_id id = 0; graph->allocs.of && id < graph->object_count; id++)
        if (graph->allocs.of[id] != HW_NONE && !count_object(work, id))
            return false;
    for (size_t i = 0; i < work->kinds.count; i++) {
        const struct kind *kind = &work->kinds_of[i];
        struct hw_sites_row *row = &work->rows[kind->row];
        row->objects += kind->objects;
        if (kind->objects > row->type_objects) {
            row->type_objects = kind->objects;
            row->type = graph->types[kind->type].name;
        }
    }
    for (size_t i = 0; i < work->keys.count; i++) {
        work->rows[i].type = hw_arena_strdup(&work->result->arena, work->rows[i].type);
        if (!work->rows[i].type)
            return false;
    }
    return true;
}

/* ---- the answer ---- */

static bool fill(struct work *work)
{
    const struct hw_alloc_sites *allocs = &work->graph->allocs;
    struct hw_sites *sites = &work->result->sites;
    work->row_of = malloc((allocs->site_count + 1) * sizeof(*work->row_of));
    if (!work->row_of)
        return false;
    for (size_t i = 0; i < allocs->site_count; i++)
        if (!add_site(work, (uint32_t)i))
            return false;
    if (!add_domains(work) || !add_objects(work))
        return false;
    sites->row_count = work->keys.count;
    sites->rows = hw_arena_array(&work->result->arena, sites->row_count + 1, sizeof(*sites->rows));
    if (!sites->rows)
        return false;
    if (sites->row_count)
        memcpy(sites->rows, work->rows, sites->row_count * sizeof(*sites->rows));
    for (size_t i = 0; i < sites->row_count; i++) {
        sites->count += sites->rows[i].count;
        sites->bytes += sites->rows[i].bytes;
    }
    return true;
}

bool hw_sites_ask(const struct hw_graph *graph, enum hw_sites_by by, const struct hw_sites *before,
                  struct hw_sites **ret_sites, struct hw_err *err)
{
    if (!hw_alloc_known(graph, err))
        return false;
    if (before && before->by != by)
        return hw_err_set(err, HW_ERR_USAGE, "the answer before is by %s, this one by %s",
                          hw_sites_by_name(before->by), hw_sites_by_name(by));
    struct hw_sites_result *result = calloc(1, sizeof(*result));
    if (!result)
        return hw_err_no_memory(err);
    result->sites.by = by;
    result->sites.facts = graph->facts;
    struct work work = {.graph = graph, .result = result, .err = err};
    bool ok = hw_site_spelling_init(&work.spelling, graph, &result->arena) && fill(&work);
    hw_site_spelling_deinit(&work.spelling);
    hw_pairs_deinit(&work.keys);
    hw_pairs_deinit(&work.kinds);
    free(work.kinds_of);
    free(work.row_of);
    free(work.rows);
    free(work.largest);
    if (!ok)
        hw_err_no_memory(err);
    ok = ok && hw_sites_compare(result, before, err);
    if (!ok) {
        hw_sites_destroy(&result->sites);
        return false;
    }
    *ret_sites = &result->sites;
    return true;
}

void hw_sites_destroy(struct hw_sites *sites)
{
    if (!sites)
        return;
    struct hw_sites_result *result = (struct hw_sites_result *)sites;
    hw_arena_deinit(&result->arena);
    free(result);
}

const char *hw_domain_name(uint64_t rate_bytes, uint32_t domain)
{
    static const char *const names[] = {[HW_DOMAIN_PYTHON] = "python",
                                        [HW_DOMAIN_MALLOC] = "malloc",
                                        [HW_DOMAIN_MMAP] = "mmap"};
    uint32_t known = rate_bytes ? HW_DOMAIN_MMAP : HW_DOMAIN_PYTHON;
    return domain <= known ? names[domain] : "";
}

const char *hw_sites_by_name(enum hw_sites_by by)
{
    static const char *const names[] = {[HW_SITES_BY_LINE] = "line",
                                        [HW_SITES_BY_FILE] = "filename",
                                        [HW_SITES_BY_TRACEBACK] = "traceback"};
    return names[by];
}
