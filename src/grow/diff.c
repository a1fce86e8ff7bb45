/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/spell.h"
#include "base/err.h"
#include "grow/growth.h"
#include "grow/site.h"

#include <stdlib.h>
#include <string.h>

enum { HOLDERS_MAX = 50 };

struct diff_result {
    struct hw_diff diff;
    struct hw_arena arena;
};

/* ---- types ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hw_diff_type *)a)->name, ((const struct hw_diff_type *)b)->name);
}

static int by_delta(const void *a, const void *b)
{
    const struct hw_diff_type *x = a, *y = b;
    if (x->bytes_delta != y->bytes_delta)
        return x->bytes_delta > y->bytes_delta ? -1 : 1;
    if (x->count_delta != y->count_delta)
        return x->count_delta > y->count_delta ? -1 : 1;
    return strcmp(x->name, y->name);
}

static struct hw_diff_type *find_type(struct hw_diff *diff, const char *name)
{
    struct hw_diff_type key = {.name = name};
    return bsearch(&key, diff->types, diff->type_count, sizeof(key), by_name);
}

/* A row for every type of any snapshot, by name. */
static bool collect_types(struct diff_result *result, const struct hw_series *series)
{
    struct hw_diff *diff = &result->diff;
    size_t n = 0, rows = 0;
    for (size_t k = 0; k < series->count; k++)
        rows += series->shots[k].type_count;
    diff->types = hw_arena_array(&result->arena, rows + 1, sizeof(*diff->types));
    if (!diff->types)
        return false;
    for (size_t k = 0; k < series->count; k++)
        for (size_t i = 0; i < series->shots[k].type_count; i++)
            diff->types[n++].name = series->shots[k].types[i].name;
    qsort(diff->types, n, sizeof(*diff->types), by_name);
    for (size_t i = 0; i < n; i++)
        if (!diff->type_count ||
            strcmp(diff->types[diff->type_count - 1].name, diff->types[i].name) != 0)
            diff->types[diff->type_count++] = diff->types[i];
    for (size_t i = 0; i < diff->type_count; i++) {
        struct hw_diff_type *type = &diff->types[i];
        type->name = hw_arena_strdup(&result->arena, type->name);
        type->counts = hw_arena_array(&result->arena, series->count, sizeof(*type->counts));
        type->bytes = hw_arena_array(&result->arena, series->count, sizeof(*type->bytes));
        if (!type->name || !type->counts || !type->bytes)
            return false;
    }
    return true;
}

static void count_types(struct hw_diff *diff, const struct hw_series *series)
{
    for (size_t k = 0; k < series->count; k++) {
        const struct hw_series_shot *shot = &series->shots[k];
        for (size_t i = 0; i < shot->type_count; i++) {
            struct hw_diff_type *type = find_type(diff, shot->types[i].name);
            type->counts[k] = shot->types[i].count;
            type->bytes[k] = shot->types[i].bytes + shot->types[i].native_bytes;
        }
    }
    size_t last = series->count - 1;
    for (size_t i = 0; i < diff->type_count; i++) {
        struct hw_diff_type *type = &diff->types[i];
        type->count_delta = (int64_t)(type->counts[last] - type->counts[0]);
        type->bytes_delta = (int64_t)(type->bytes[last] - type->bytes[0]);
    }
}

static bool count_type_births(struct hw_diff *diff, const struct hw_growth *growth)
{
    const struct hw_graph *graph = growth->graph;
    size_t last = growth->series->count - 1;
    struct hw_diff_type **rows = malloc((graph->type_count + 1) * sizeof(struct hw_diff_type *));
    if (!rows)
        return false;
    for (uint32_t t = 0; t < graph->type_count; t++)
        rows[t] = find_type(diff, graph->types[t].name);
    for (hw_id id = 0; id < graph->object_count; id++) {
        if (!is_new(growth, id))
            continue;
        rows[graph->type[id]]->born++;
        rows[graph->type[id]]->survived += growth->birth[id] < last;
    }
    free(rows);
    return true;
}

static void drop_unchanged(struct hw_diff *diff)
{
    size_t n = 0;
    for (size_t i = 0; i < diff->type_count; i++)
        if (diff->types[i].count_delta || diff->types[i].bytes_delta)
            diff->types[n++] = diff->types[i];
    diff->type_count = n;
    qsort(diff->types, n, sizeof(*diff->types), by_delta);
}

/* ---- holders ---- */

static bool fill_holder(struct diff_result *result, const struct hw_growth *growth,
                        const struct hw_site *site, struct hw_diff_holder *holder)
{
    const struct hw_graph *graph = growth->graph;
    size_t n = growth->series->count;
    uint32_t type = hw_site_member_type(growth, site);
    struct hw_buf path = {0};
    hw_site_spell(growth, site, &path);
    holder->path = hw_arena_strdup(&result->arena, hw_buf_str(&path));
    hw_buf_deinit(&path);
    holder->holder_type =
        hw_arena_strdup(&result->arena, graph->types[graph->type[site_holder(site)]].name);
    holder->type =
        hw_arena_strdup(&result->arena, type == UINT32_MAX ? "" : graph->types[type].name);
    holder->node = site->name;
    holder->sizes = hw_arena_array(&result->arena, n, sizeof(*holder->sizes));
    if (!holder->path || !holder->holder_type || !holder->type || !holder->sizes)
        return false;
    for (size_t k = 0; k < n; k++) {
        holder->sizes[k] = site->lengths[k];
        holder->survived += k < n - 1 ? site->born[k] : 0;
    }
    holder->born = site->born_total;
    holder->born_bytes = site->born_bytes;
    return true;
}

static bool fill_holders(struct diff_result *result, const struct hw_growth *growth)
{
    struct hw_diff *diff = &result->diff;
    size_t n = growth->site_count < HOLDERS_MAX ? growth->site_count : HOLDERS_MAX;
    diff->holders = hw_arena_array(&result->arena, n + 1, sizeof(*diff->holders));
    if (!diff->holders)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!fill_holder(result, growth, &growth->sites[i], &diff->holders[i]))
            return false;
    diff->holder_count = n;
    return true;
}

static bool fill_totals(struct diff_result *result, const struct hw_series *series)
{
    struct hw_diff *diff = &result->diff;
    size_t n = series->count;
    diff->snapshot_count = n;
    diff->facts = hw_arena_array(&result->arena, n, sizeof(*diff->facts));
    diff->objects = hw_arena_array(&result->arena, n, sizeof(*diff->objects));
    diff->bytes = hw_arena_array(&result->arena, n, sizeof(*diff->bytes));
    diff->native_bytes = hw_arena_array(&result->arena, n, sizeof(*diff->native_bytes));
    if (!diff->facts || !diff->objects || !diff->bytes || !diff->native_bytes)
        return false;
    for (size_t k = 0; k < n; k++) {
        diff->facts[k] = series->shots[k].facts;
        diff->objects[k] = series->shots[k].count;
        diff->bytes[k] = series->shots[k].bytes;
        diff->native_bytes[k] = series->shots[k].native_bytes;
    }
    return true;
}

static bool fill(struct diff_result *result, const struct hw_series *series,
                 const struct hw_growth *growth)
{
    struct hw_diff *diff = &result->diff;
    if (!fill_totals(result, series) || !collect_types(result, series))
        return false;
    count_types(diff, series);
    if (!count_type_births(diff, growth))
        return false;
    drop_unchanged(diff);
    return fill_holders(result, growth);
}

bool hw_diff_ask(const struct hw_series *series, struct hw_diff **ret_diff, struct hw_err *err)
{
    struct hw_growth growth;
    if (series->count < 2)
        return hw_err_set(err, HW_ERR_USAGE, "comparing needs at least two snapshots");
    if (!hw_growth_init(&growth, series, err))
        return false;
    struct diff_result *result = calloc(1, sizeof(*result));
    bool ok = result && fill(result, series, &growth);
    hw_growth_deinit(&growth);
    if (!ok) {
        hw_diff_destroy(result ? &result->diff : NULL);
        return hw_err_no_memory(err);
    }
    *ret_diff = &result->diff;
    return true;
}

void hw_diff_destroy(struct hw_diff *diff)
{
    if (!diff)
        return;
    struct diff_result *result = (struct diff_result *)diff;
    hw_arena_deinit(&result->arena);
    free(result);
}
