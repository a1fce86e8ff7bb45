/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/resources.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

static void put_count(struct hw_buf *line, uint64_t count, const char *one, const char *many)
{
    hw_text_count(line, count);
    hw_buf_puts(line, count == 1 ? one : many);
}

static void put_line(struct hw_out *out, struct hw_buf *line, size_t indent)
{
    hw_out_printf(out, "%*s", (int)indent, "");
    hw_out_wrap(out, indent, indent + 2, hw_buf_str(line));
    hw_buf_deinit(line);
}

/* ---- descriptors ---- */

static void put_descriptor_title(struct hw_out *out, const struct hw_resources *r)
{
    struct hw_buf line = {0};
    put_count(&line, r->facts.descriptor_total, " descriptor", " descriptors");
    if (r->facts.descriptor_limit) {
        hw_buf_puts(&line, " of at most ");
        hw_text_count(&line, r->facts.descriptor_limit);
    }
    if (r->unowned) {
        hw_buf_puts(&line, "; no Python object owns ");
        put_count(&line, r->unowned, " of them", " of them");
    }
    if (r->deleted) {
        hw_buf_puts(&line, "; ");
        put_count(&line, r->deleted, " deleted file, ", " deleted files, ");
        hw_text_bytes(&line, (double)r->deleted_bytes);
        hw_buf_puts(&line, " on disk");
    }
    hw_out_puts(out, "\n");
    put_line(out, &line, 0);
}

static void put_group(struct hw_table *table, const struct hw_descriptor_group *g)
{
    hw_text_count(hw_table_cell(table), g->count);
    hw_buf_printf(hw_table_cell(table), "%d", g->fd);
    hw_text_escape(hw_table_cell(table), g->what);
    hw_text_escape(hw_table_cell(table), *g->owner_type ? g->owner_type : g->owner);
    struct hw_buf *below = hw_table_cell(table);
    if (*g->owner_type)
        hw_text_escape(below, g->owner);
    else if (*g->candidate)
        hw_buf_puts(below, "perhaps ");
    if (!*g->owner_type)
        hw_text_escape(below, g->candidate);
}

static void put_groups(struct hw_out *out, const struct hw_resources *r, size_t limit)
{
    static const struct hw_column columns[] = {{"count", HW_COLUMN_RIGHT},
                                               {"fd", HW_COLUMN_RIGHT},
                                               {"what", HW_COLUMN_CUT},
                                               {"owner", HW_COLUMN_CUT},
                                               {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 5, .indent = 2};
    size_t shown = hw_parts_limit(r->group_count, limit);
    put_descriptor_title(out, r);
    for (size_t i = 0; i < shown; i++)
        put_group(&table, &r->groups[i]);
    if (shown)
        hw_table_finish(&table, out);
    hw_parts_more(out, 2, shown, r->group_count);
    if (r->numbers_hidden)
        hw_out_wrap(out, 0, 2,
                    "  The snapshot was taken without values: what Python code keeps as a number "
                    "cannot be matched.");
}

static void put_problems(struct hw_out *out, const struct hw_resources *r, size_t limit)
{
    size_t shown = hw_parts_limit(r->problem_count, limit);
    if (!r->problem_count)
        return;
    hw_out_puts(out, "\n");
    hw_out_style(out, HW_STYLE_BAD);
    hw_out_puts(out, "Should have been closed");
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_puts(out, "\n");
    for (size_t i = 0; i < shown; i++) {
        const struct hw_problem *p = &r->problems[i];
        struct hw_buf line = {0};
        hw_text_count(&line, p->count);
        hw_buf_printf(&line, ": %s", p->what);
        if (p->fd >= 0)
            hw_buf_printf(&line, " (fd %d)", p->fd);
        if (*p->where)
            hw_buf_printf(&line, ": %s", p->where);
        put_line(out, &line, 2);
    }
    hw_parts_more(out, 2, shown, r->problem_count);
}

/* ---- who waits ---- */

static void put_waits(struct hw_out *out, const char *title, const struct hw_wait_group *groups,
                      size_t count, size_t limit)
{
    static const struct hw_column columns[] = {{"count", HW_COLUMN_RIGHT},
                                               {"where", HW_COLUMN_CUT},
                                               {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 3, .indent = 2, .no_titles = true};
    size_t shown = hw_parts_limit(count, limit);
    if (!count)
        return;
    hw_out_printf(out, "\n%s\n", title);
    for (size_t i = 0; i < shown; i++) {
        hw_text_count(hw_table_cell(&table), groups[i].count);
        hw_text_escape(hw_table_cell(&table), groups[i].what);
        hw_text_escape(hw_table_cell(&table), groups[i].where);
    }
    hw_table_finish(&table, out);
    hw_parts_more(out, 2, shown, count);
}

static void put_children(struct hw_out *out, const struct hw_resources *r, size_t limit)
{
    static const struct hw_column columns[] = {{"pid", HW_COLUMN_RIGHT},
                                               {"name", HW_COLUMN_CUT},
                                               {"state", 0},
                                               {"object", HW_COLUMN_CUT},
                                               {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 5, .indent = 2};
    size_t shown = hw_parts_limit(r->child_count, limit);
    if (!r->child_count)
        return;
    hw_out_puts(out, "\nChild processes\n");
    for (size_t i = 0; i < shown; i++) {
        const struct hw_child_info *c = &r->children[i];
        hw_buf_printf(hw_table_cell(&table), "%d", c->id);
        hw_text_escape(hw_table_cell(&table), c->name);
        hw_buf_puts(hw_table_cell(&table), c->state == 'Z' ? "ended" : "runs");
        hw_text_escape(hw_table_cell(&table), *c->object.type ? c->object.type : "none");
        hw_text_escape(hw_table_cell(&table), c->object.path);
    }
    hw_table_finish(&table, out);
    hw_parts_more(out, 2, shown, r->child_count);
}

static void put_databases(struct hw_out *out, const struct hw_resources *r, size_t limit)
{
    static const struct hw_column columns[] = {{"fd", HW_COLUMN_RIGHT},
                                               {"type", HW_COLUMN_CUT},
                                               {"server or file", HW_COLUMN_CUT},
                                               {"", HW_COLUMN_BELOW}};
    struct hw_table table = {.columns = columns, .column_count = 4, .indent = 2};
    size_t shown = hw_parts_limit(r->database_count, limit);
    if (!r->database_count)
        return;
    hw_out_puts(out, "\nDatabase connections\n");
    for (size_t i = 0; i < shown; i++) {
        const struct hw_database_info *d = &r->databases[i];
        struct hw_buf *fd = hw_table_cell(&table);
        if (d->fd >= 0)
            hw_buf_printf(fd, "%d", d->fd);
        hw_text_escape(hw_table_cell(&table), d->object.type);
        hw_text_escape(hw_table_cell(&table), d->server);
        hw_text_escape(hw_table_cell(&table), d->object.path);
    }
    hw_table_finish(&table, out);
    hw_parts_more(out, 2, shown, r->database_count);
}

static const char *counted_title(struct hw_buf *buf, const char *what, uint64_t count)
{
    hw_buf_printf(buf, "%s: ", what);
    hw_text_count(buf, count);
    return hw_buf_str(buf);
}

void hw_tell_resources(struct hw_out *out, const struct hw_resources *r, size_t limit)
{
    struct hw_buf threads = {0}, tasks = {0};
    if (out->json) {
        hw_resources_json(out, r, limit);
        return;
    }
    hw_parts_facts(out, &r->facts);
    put_groups(out, r, limit);
    put_problems(out, r, limit);
    put_waits(out, counted_title(&threads, "Threads", r->thread_count), r->thread_groups,
              r->thread_group_count, limit);
    put_children(out, r, limit);
    put_waits(out, counted_title(&tasks, "asyncio tasks", r->task_count), r->task_groups,
              r->task_group_count, limit);
    put_databases(out, r, limit);
    hw_buf_deinit(&threads);
    hw_buf_deinit(&tasks);
}

/* ---- growth ---- */

static void put_growth_row(struct hw_table *table, const struct hw_resource_growth *row,
                           size_t moments)
{
    hw_text_delta(hw_table_cell(table), row->delta);
    struct hw_buf *counts = hw_table_cell(table);
    for (size_t m = 0; m < moments; m++) {
        hw_buf_puts(counts, m ? " > " : "");
        hw_text_count(counts, row->counts[m]);
    }
    hw_text_escape(hw_table_cell(table), row->label);
    if (row->is_group)
        hw_text_escape(hw_table_cell(table), row->where);
}

static bool has_any(const struct hw_resource_growth *row, size_t moments)
{
    for (size_t m = 0; m < moments; m++)
        if (row->counts[m])
            return true;
    return false;
}

void hw_tell_resources_growth(struct hw_out *out, struct hw_resources *const *resources,
                              const struct hw_resources_growth *growth, size_t limit)
{
    static const struct hw_column columns[] = {{"growth", HW_COLUMN_RIGHT},
                                               {"counts", HW_COLUMN_RIGHT},
                                               {"what", HW_COLUMN_CUT},
                                               {"", HW_COLUMN_BELOW}};
    struct hw_table kinds = {.columns = columns, .column_count = 3, .indent = 2};
    struct hw_table groups = {.columns = columns, .column_count = 4, .indent = 2};
    const struct hw_resources *last = resources[growth->moment_count - 1];
    size_t group_count = 0, shown = 0;
    if (out->json) {
        hw_resources_growth_json(out, resources, growth, limit);
        return;
    }
    hw_parts_facts(out, &last->facts);
    hw_out_puts(out, "\n");
    for (size_t i = 0; i < growth->row_count; i++) {
        const struct hw_resource_growth *row = &growth->rows[i];
        group_count += row->is_group;
        if (!row->is_group && has_any(row, growth->moment_count))
            put_growth_row(&kinds, row, growth->moment_count);
        if (!row->is_group || (limit && shown == limit))
            continue;
        put_growth_row(&groups, row, growth->moment_count);
        shown++;
    }
    hw_table_finish(&kinds, out);
    if (!group_count)
        return;
    hw_out_puts(out, "\nWhat became more or fewer\n");
    hw_table_finish(&groups, out);
    hw_parts_more(out, 2, shown, group_count);
}
