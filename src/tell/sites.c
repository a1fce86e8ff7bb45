/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/clock.h"
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>

/* ---- frames ---- */

void hw_parts_site_frame(struct hw_buf *buf, const struct hw_site_frame *frame)
{
    if (*frame->file)
        hw_text_escape(buf, frame->file);
    else
        hw_buf_puts(buf, "not known");
    if (frame->line)
        hw_buf_printf(buf, ":%" PRIu32, frame->line);
    if (*frame->function) {
        hw_buf_puts(buf, " in ");
        hw_text_escape(buf, frame->function);
    }
}

static void frame_json(struct hw_json *json, const struct hw_site_frame *frame)
{
    hw_json_string(json, "file", frame->file);
    hw_json_u64(json, "line", frame->line);
    hw_json_string(json, "function", frame->function);
}

void hw_parts_site_json(struct hw_json *json, const struct hw_site_frame *frame)
{
    frame_json(json, frame);
    hw_json_array(json, "callers");
    for (frame = frame->caller; frame; frame = frame->caller) {
        hw_json_object(json, NULL);
        frame_json(json, frame);
        hw_json_end(json);
    }
    hw_json_end(json);
}

void hw_parts_site_stack(struct hw_out *out, const struct hw_site_frame *frame, uint32_t depth)
{
    uint32_t kept = 0;
    for (; frame; frame = frame->caller, kept++) {
        struct hw_buf line = {0};
        hw_parts_site_frame(&line, frame);
        hw_out_printf(out, "    %s%s\n", kept ? "from " : "", hw_buf_str(&line));
        hw_buf_deinit(&line);
    }
    if (depth > kept)
        hw_out_printf(out, "    and %" PRIu32 " more callers, not kept\n", depth - kept);
}

/* ---- text ---- */

/* Of an agent that came into a program that ran: what was there before is not among it. */
static void put_since(struct hw_buf *line, const struct hw_facts *facts)
{
    const int64_t slack_ns = 5000000000; /* from its start to Python's */
    int64_t started_ns = facts->taken_at_ns - facts->uptime_ns;
    if (!facts->alloc_began_ns || facts->alloc_began_ns < started_ns + slack_ns)
        return;
    hw_buf_puts(line, " since ");
    hw_text_time(line, HW_CLOCK_FULL, facts->alloc_began_ns);
}

static void put_source(struct hw_buf *line, const struct hw_facts *facts)
{
    if (facts->alloc_rate) {
        hw_buf_puts(line, "Estimated from ");
        hw_text_count(line, facts->alloc_samples);
        hw_buf_puts(line, facts->alloc_samples == 1 ? " sample" : " samples");
        hw_buf_puts(line, ", one for each ");
        hw_text_bytes(line, (double)facts->alloc_rate);
        hw_buf_puts(line, " allocated");
        put_since(line, facts);
        hw_buf_puts(line, ": ");
        return;
    }
    hw_buf_puts(line, "Recorded by tracemalloc, ");
    if (facts->alloc_frames)
        hw_buf_printf(line, "%" PRIu32 " frame%s deep, ", facts->alloc_frames,
                      facts->alloc_frames == 1 ? "" : "s");
    hw_buf_puts(line, "since it was started: ");
}

static void put_domain(struct hw_buf *line, const struct hw_sites *sites, uint32_t domain)
{
    const char *name = hw_domain_name(sites->facts.alloc_rate, domain);
    if (*name)
        hw_buf_printf(line, ", of C code by %s", name);
    else
        hw_buf_printf(line, ", in domain %" PRIu32, domain);
}

static bool has_python(const struct hw_sites *sites)
{
    return !sites->domain_count || sites->domains[0].domain == 0;
}

static void head_text(struct hw_out *out, const struct hw_sites *sites)
{
    struct hw_buf line = {0};
    put_source(&line, &sites->facts);
    hw_text_count(&line, sites->count);
    hw_buf_puts(&line, " blocks, ");
    hw_text_bytes(&line, (double)sites->bytes);
    hw_buf_puts(&line, " in use");
    for (size_t i = 0; i < sites->domain_count; i++) {
        if (!sites->domains[i].domain)
            continue;
        hw_buf_puts(&line, "; of them ");
        hw_text_count(&line, sites->domains[i].count);
        hw_buf_puts(&line, ", ");
        hw_text_bytes(&line, (double)sites->domains[i].bytes);
        put_domain(&line, sites, sites->domains[i].domain);
    }
    hw_buf_puts(&line, ".");
    if (sites->facts.alloc_rate && !has_python(sites))
        hw_buf_puts(&line, " Python's own allocators were not seen: Python has set them anew "
                           "(PYTHONMALLOC, -X dev).");
    hw_out_wrap(out, 0, 0, hw_buf_str(&line));
    hw_buf_deinit(&line);
    if (sites->facts.alloc_missed)
        hw_out_printf(out, "%" PRIu64 " more could not be read.\n", sites->facts.alloc_missed);
}

static void type_text(struct hw_buf *cell, const struct hw_sites *sites,
                      const struct hw_sites_row *row)
{
    if (row->type_objects)
        hw_text_escape(cell, row->type);
    else if (row->domain && row->count && *hw_domain_name(sites->facts.alloc_rate, row->domain))
        hw_buf_puts(cell, hw_domain_name(sites->facts.alloc_rate, row->domain));
    else
        hw_buf_puts(cell, row->count ? "-" : "gone");
}

static void put_share(struct hw_buf *cell, const struct hw_sites *sites, uint64_t bytes)
{
    if (sites->bytes)
        hw_buf_printf(cell, "%.1f", 100.0 * (double)bytes / (double)sites->bytes);
}

static void put_numbers(struct hw_table *table, const struct hw_sites *sites,
                        const struct hw_sites_row *row)
{
    if (sites->has_before) {
        hw_text_delta(hw_table_cell(table), row->count_delta);
        hw_text_delta_bytes(hw_table_cell(table), row->bytes_delta);
    }
    hw_text_count(hw_table_cell(table), row->count);
    hw_text_bytes(hw_table_cell(table), (double)row->bytes);
    if (!sites->has_before)
        put_share(hw_table_cell(table), sites, row->bytes);
    type_text(hw_table_cell(table), sites, row);
}

static const struct hw_column plain_columns[] = {{"blocks", HW_COLUMN_RIGHT},
                                                 {"bytes", HW_COLUMN_RIGHT},
                                                 {"%", HW_COLUMN_RIGHT},
                                                 {"mostly", HW_COLUMN_CUT},
                                                 {"allocated at", HW_COLUMN_CUT}};
static const struct hw_column compare_columns[] = {
    {"blocks", HW_COLUMN_RIGHT}, {"bytes", HW_COLUMN_RIGHT},   {"now", HW_COLUMN_RIGHT},
    {"bytes", HW_COLUMN_RIGHT},  {"mostly", HW_COLUMN_CUT},    {"allocated at", HW_COLUMN_CUT}};

static void rows_text(struct hw_out *out, const struct hw_sites *sites, size_t shown)
{
    struct hw_table table = {.columns = sites->has_before ? compare_columns : plain_columns,
                             .column_count = sites->has_before ? 6 : 5};
    for (size_t i = 0; i < shown; i++) {
        put_numbers(&table, sites, &sites->rows[i]);
        hw_parts_site_frame(hw_table_cell(&table), sites->rows[i].frame);
    }
    struct hw_sites_row all = {.count = sites->count,
                               .bytes = sites->bytes,
                               .count_delta = sites->count_delta,
                               .bytes_delta = sites->bytes_delta};
    put_numbers(&table, sites, &all);
    hw_buf_printf(hw_table_cell(&table), "all %zu", sites->row_count);
    hw_table_finish(&table, out);
}

static void stacks_text(struct hw_out *out, const struct hw_sites *sites, size_t shown)
{
    for (size_t i = 0; i < shown; i++) {
        const struct hw_sites_row *row = &sites->rows[i];
        struct hw_buf line = {0};
        if (sites->has_before) {
            hw_text_delta(&line, row->count_delta);
            hw_buf_puts(&line, " blocks, ");
            hw_text_delta_bytes(&line, row->bytes_delta);
            hw_buf_puts(&line, "; now ");
        }
        hw_text_count(&line, row->count);
        hw_buf_puts(&line, " blocks, ");
        hw_text_bytes(&line, (double)row->bytes);
        if (row->type_objects) {
            hw_buf_puts(&line, ", mostly ");
            hw_text_escape(&line, row->type);
        }
        if (row->domain && row->count)
            put_domain(&line, sites, row->domain);
        hw_out_printf(out, "%s%s\n", i ? "\n" : "", hw_buf_str(&line));
        hw_buf_deinit(&line);
        hw_parts_site_stack(out, row->frame, row->depth);
    }
}

/* ---- JSON ---- */

static void row_json(struct hw_json *json, const struct hw_sites *sites,
                     const struct hw_sites_row *row)
{
    hw_json_object(json, NULL);
    if (sites->by == HW_SITES_BY_TRACEBACK) {
        hw_parts_site_json(json, row->frame);
        hw_json_u64(json, "depth", row->depth);
    } else {
        hw_json_string(json, "file", row->frame->file);
        if (sites->by == HW_SITES_BY_LINE)
            hw_json_u64(json, "line", row->frame->line);
    }
    hw_json_u64(json, "blocks", row->count);
    hw_json_u64(json, "bytes", row->bytes);
    if (sites->has_before) {
        hw_json_i64(json, "blocks_delta", row->count_delta);
        hw_json_i64(json, "bytes_delta", row->bytes_delta);
    }
    hw_json_u64(json, "objects", row->objects);
    hw_json_string(json, "type", row->type);
    hw_json_u64(json, "type_objects", row->type_objects);
    hw_json_u64(json, "domain", row->domain);
    hw_json_end(json);
}

static void domains_json(struct hw_json *json, const struct hw_sites *sites)
{
    hw_json_array(json, "domains");
    for (size_t i = 0; i < sites->domain_count; i++) {
        hw_json_object(json, NULL);
        hw_json_u64(json, "domain", sites->domains[i].domain);
        hw_json_string(json, "name", hw_domain_name(sites->facts.alloc_rate, sites->domains[i].domain));
        hw_json_u64(json, "blocks", sites->domains[i].count);
        hw_json_u64(json, "bytes", sites->domains[i].bytes);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void sites_json(struct hw_out *out, const struct hw_sites *sites, size_t shown)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", &sites->facts);
    hw_json_string(&json, "source", sites->facts.alloc_rate ? "agent" : "tracemalloc");
    hw_json_u64(&json, "rate", sites->facts.alloc_rate);
    hw_json_u64(&json, "samples", sites->facts.alloc_samples);
    if (sites->facts.alloc_began_ns)
        hw_json_time(&json, "began", sites->facts.alloc_began_ns);
    hw_json_u64(&json, "frame_limit", sites->facts.alloc_frames);
    hw_json_u64(&json, "blocks_missed", sites->facts.alloc_missed);
    hw_json_string(&json, "by", hw_sites_by_name(sites->by));
    hw_json_u64(&json, "blocks", sites->count);
    hw_json_u64(&json, "bytes", sites->bytes);
    if (sites->has_before) {
        hw_json_double(&json, "seconds", sites->seconds);
        hw_json_i64(&json, "blocks_delta", sites->count_delta);
        hw_json_i64(&json, "bytes_delta", sites->bytes_delta);
    }
    domains_json(&json, sites);
    hw_json_u64(&json, "site_count", sites->row_count);
    hw_json_array(&json, "sites");
    for (size_t i = 0; i < shown; i++)
        row_json(&json, sites, &sites->rows[i]);
    hw_json_end(&json);
    hw_json_end(&json);
}

/* In text only what changed, unless all rows are asked for. */
static size_t changed_rows(const struct hw_sites *sites)
{
    size_t n = 0;
    while (n < sites->row_count && sites->rows[n].bytes_delta)
        n++;
    return n;
}

void hw_tell_sites(struct hw_out *out, const struct hw_sites *sites, size_t limit)
{
    size_t shown = hw_parts_limit(sites->row_count, limit);
    if (!out->json && limit && sites->has_before)
        shown = hw_parts_limit(changed_rows(sites), limit);
    if (out->json) {
        sites_json(out, sites, shown);
        return;
    }
    hw_parts_facts(out, &sites->facts);
    head_text(out, sites);
    hw_out_puts(out, "\n");
    if (sites->by == HW_SITES_BY_TRACEBACK)
        stacks_text(out, sites, shown);
    else
        rows_text(out, sites, shown);
    if (shown < sites->row_count)
        hw_out_printf(out, "%s%zu of %zu sites; --all shows all.\n",
                      sites->by == HW_SITES_BY_TRACEBACK ? "\n" : "", shown, sites->row_count);
}
