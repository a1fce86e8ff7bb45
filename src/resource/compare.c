/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "resource/work.h"

#include <stdlib.h>
#include <string.h>

struct growth_result {
    struct hw_resources_growth growth;
    struct hw_arena arena;
};

/* ---- kinds of things ---- */

static uint64_t count_all(const struct hw_resources *r, unsigned kind)
{
    return r->facts.descriptor_total;
}

static uint64_t count_kind(const struct hw_resources *r, unsigned kind)
{
    uint64_t count = 0;
    for (size_t i = 0; i < r->descriptor_count; i++)
        count += r->descriptors[i].kind == kind;
    return count;
}

static uint64_t count_unowned(const struct hw_resources *r, unsigned kind)
{
    return r->unowned;
}

static uint64_t count_deleted(const struct hw_resources *r, unsigned kind)
{
    return r->deleted;
}

static uint64_t count_threads(const struct hw_resources *r, unsigned kind)
{
    return r->thread_count;
}

static uint64_t count_children(const struct hw_resources *r, unsigned state)
{
    uint64_t count = 0;
    for (size_t i = 0; i < r->child_count; i++)
        count += !state || (unsigned char)r->children[i].state == state;
    return count;
}

static uint64_t count_tasks(const struct hw_resources *r, unsigned kind)
{
    return r->task_count;
}

static uint64_t count_databases(const struct hw_resources *r, unsigned kind)
{
    return r->database_count;
}

static const struct {
    const char *label;
    uint64_t (*count)(const struct hw_resources *r, unsigned kind);
    unsigned kind;
} kinds[] = {
    {"descriptors", count_all, 0},
    {"files", count_kind, HW_DESCRIPTOR_FILE},
    {"sockets", count_kind, HW_DESCRIPTOR_SOCKET},
    {"pipes", count_kind, HW_DESCRIPTOR_PIPE},
    {"epoll sets", count_kind, HW_DESCRIPTOR_EPOLL},
    {"descriptors nobody owns", count_unowned, 0},
    {"deleted files", count_deleted, 0},
    {"threads", count_threads, 0},
    {"child processes", count_children, 0},
    {"children not waited for", count_children, 'Z'},
    {"asyncio tasks", count_tasks, 0},
    {"database connections", count_databases, 0},
};
enum { KIND_COUNT = sizeof(kinds) / sizeof(*kinds) };

static struct hw_resource_growth *add_row(struct growth_result *result, const char *label,
                                          const char *where)
{
    struct hw_resources_growth *growth = &result->growth;
    struct hw_resource_growth *row = &growth->rows[growth->row_count];
    *row = (struct hw_resource_growth){
        .label = hw_arena_strdup(&result->arena, label),
        .where = hw_arena_strdup(&result->arena, where),
        .counts = hw_arena_array(&result->arena, growth->moment_count, sizeof(*row->counts))};
    growth->row_count++;
    return row->label && row->where && row->counts ? row : NULL;
}

static void set_delta(struct hw_resource_growth *row, size_t moments)
{
    row->delta = (int64_t)(row->counts[moments - 1] - row->counts[0]);
}

static bool add_kinds(struct growth_result *result, struct hw_resources *const *resources)
{
    for (size_t k = 0; k < KIND_COUNT; k++) {
        struct hw_resource_growth *row = add_row(result, kinds[k].label, "");
        if (!row)
            return false;
        for (size_t m = 0; m < result->growth.moment_count; m++)
            row->counts[m] = kinds[k].count(resources[m], kinds[k].kind);
        set_delta(row, result->growth.moment_count);
    }
    return true;
}

/* ---- groups ---- */

/* A group at one moment; the same one at another has the same texts. */
struct seen {
    const char *what, *where;
    size_t moment;
    uint64_t count;
};

static int by_texts(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    int order = strcmp(x->what, y->what);
    return order ? order : strcmp(x->where, y->where);
}

static struct seen *list_groups(struct hw_resources *const *resources, size_t moments,
                                size_t *ret_count)
{
    size_t most = 0, n = 0;
    for (size_t m = 0; m < moments; m++)
        most += resources[m]->group_count + resources[m]->thread_group_count +
                resources[m]->task_group_count;
    struct seen *seen = calloc(most + 1, sizeof(*seen));
    for (size_t m = 0; seen && m < moments; m++) {
        const struct hw_resources *r = resources[m];
        for (size_t i = 0; i < r->group_count; i++)
            seen[n++] = (struct seen){r->groups[i].what, r->groups[i].owner, m, r->groups[i].count};
        for (size_t i = 0; i < r->thread_group_count; i++)
            seen[n++] =
                (struct seen){r->thread_groups[i].what, "threads", m, r->thread_groups[i].count};
        for (size_t i = 0; i < r->task_group_count; i++)
            seen[n++] = (struct seen){r->task_groups[i].what, "tasks", m, r->task_groups[i].count};
    }
    if (n)
        qsort(seen, n, sizeof(*seen), by_texts);
    *ret_count = n;
    return seen;
}

static int by_growth(const void *a, const void *b)
{
    const struct hw_resource_growth *x = a, *y = b;
    if (x->delta != y->delta)
        return x->delta < y->delta ? 1 : -1;
    int order = strcmp(x->label, y->label);
    return order ? order : strcmp(x->where, y->where);
}

static bool add_groups(struct growth_result *result, const struct seen *seen, size_t count)
{
    struct hw_resources_growth *growth = &result->growth;
    size_t first = growth->row_count;
    for (size_t i = 0; i < count;) {
        struct hw_resource_growth *row = add_row(result, seen[i].what, seen[i].where);
        if (!row)
            return false;
        row->is_group = true;
        size_t k = i;
        for (; k < count && by_texts(&seen[k], &seen[i]) == 0; k++)
            row->counts[seen[k].moment] += seen[k].count;
        set_delta(row, growth->moment_count);
        growth->row_count -= row->delta == 0;
        i = k;
    }
    qsort(growth->rows + first, growth->row_count - first, sizeof(*growth->rows), by_growth);
    return true;
}

static bool is_one_process(struct hw_resources *const *resources, size_t count, struct hw_err *err)
{
    for (size_t m = 1; m < count; m++) {
        const struct hw_facts *before = &resources[m - 1]->facts, *now = &resources[m]->facts;
        if (before->pid != now->pid || before->start_time != now->start_time)
            return hw_err_set(err, HW_ERR_USAGE,
                              "the snapshots are of different processes (%d and %d)", before->pid,
                              now->pid);
    }
    return true;
}

bool hw_resources_compare(struct hw_resources *const *resources, size_t count,
                          struct hw_resources_growth **ret_growth, struct hw_err *err)
{
    if (!is_one_process(resources, count, err))
        return false;
    size_t seen_count = 0;
    struct growth_result *result = calloc(1, sizeof(*result));
    struct seen *seen = count ? list_groups(resources, count, &seen_count) : NULL;
    bool ok = result && seen;
    if (ok) {
        result->growth.moment_count = count;
        result->growth.rows =
            hw_arena_array(&result->arena, KIND_COUNT + seen_count + 1, sizeof(*result->growth.rows));
        ok = result->growth.rows && add_kinds(result, resources) &&
             add_groups(result, seen, seen_count);
    }
    free(seen);
    if (!ok) {
        hw_resources_growth_destroy(result ? &result->growth : NULL);
        return count ? hw_err_no_memory(err)
                     : hw_err_set(err, HW_ERR_USAGE, "comparing needs a moment");
    }
    *ret_growth = &result->growth;
    return true;
}

void hw_resources_growth_destroy(struct hw_resources_growth *growth)
{
    if (!growth)
        return;
    struct growth_result *result = (struct growth_result *)growth;
    hw_arena_deinit(&result->arena);
    free(result);
}
