/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"

#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

void hw_parts_time(struct hw_buf *buf, int64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    char text[64] = "?";
    if (gmtime_r(&seconds, &tm))
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
    hw_buf_puts(buf, text);
}

static void put_gaps(struct hw_out *out, const struct hw_facts *facts)
{
    if (facts->collector_running)
        hw_out_wrap(out, 0, 0,
                    "The collector was running at that moment; counts may be a little short.");
    if (facts->damaged_objects)
        hw_out_printf(out, "%" PRIu64 " objects could not be read whole.\n",
                      facts->damaged_objects);
}

void hw_parts_facts(struct hw_out *out, const struct hw_facts *facts)
{
    struct hw_buf line = {0};
    hw_buf_printf(&line, "process %d, Python ", (int)facts->pid);
    hw_text_python(&line, facts->python_version);
    hw_buf_puts(&line, facts->main_script[0] ? ", " : "");
    hw_buf_puts(&line, facts->main_script);
    hw_buf_puts(&line, ", ");
    hw_parts_time(&line, facts->taken_at_ns);
    hw_buf_puts(&line, ", paused ");
    hw_text_duration(&line, facts->pause_ns);
    hw_out_style(out, HW_STYLE_FAINT);
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_buf_deinit(&line);
    put_gaps(out, facts);
}

void hw_parts_facts_json(struct hw_json *json, const char *key, const struct hw_facts *facts)
{
    struct hw_buf version = {0};
    hw_text_python(&version, facts->python_version);
    hw_json_object(json, key);
    hw_json_i64(json, "pid", facts->pid);
    hw_json_string(json, "python", hw_buf_str(&version));
    hw_json_string(json, "executable", facts->executable);
    hw_json_string(json, "script", facts->main_script);
    hw_json_time(json, "at", facts->taken_at_ns);
    hw_json_double(json, "pause_ms", (double)facts->pause_ns / 1e6);
    hw_json_u64(json, "rss_bytes", facts->rss_bytes);
    hw_json_bool(json, "collector_running", facts->collector_running);
    hw_json_u64(json, "bad_pointers", facts->bad_pointers);
    hw_json_u64(json, "damaged_objects", facts->damaged_objects);
    hw_json_end(json);
    hw_buf_deinit(&version);
}

static void put_step(struct hw_table *table, const struct hw_step *step)
{
    hw_text_escape(hw_table_cell(table), step->edge);
    hw_text_escape(hw_table_cell(table), step->type);
    struct hw_buf *addr = hw_table_cell(table);
    if (step->addr)
        hw_buf_printf(addr, "0x%" PRIx64, step->addr);
    struct hw_buf *what = hw_table_cell(table);
    hw_text_escape(what, step->what);
    if (step->inferred)
        hw_buf_puts(what, *step->what ? " (inferred)" : "(inferred)");
}

/* A root (an interpreter, a thread, a frame) is held by nothing and has no address: one line that
 * names it. */
static bool is_root(const struct hw_step *step)
{
    return !step->addr && !*step->edge;
}

static void put_root(struct hw_out *out, const struct hw_step *step, size_t indent)
{
    struct hw_buf line = {0}, cut = {0};
    if (strncmp(step->what, step->type, strlen(step->type)) != 0) {
        hw_text_escape(&line, step->type);
        hw_buf_putc(&line, ' ');
    }
    hw_text_escape(&line, step->what);
    hw_text_cut(&cut, hw_buf_str(&line), out->terminal ? out->width - indent : SIZE_MAX);
    hw_out_printf(out, "%*s%s\n", (int)indent, "", hw_buf_str(&cut));
    hw_buf_deinit(&line);
    hw_buf_deinit(&cut);
}

void hw_parts_chain(struct hw_out *out, const struct hw_chain *chain, size_t indent)
{
    static const struct hw_column columns[] = {
        {"edge", HW_COLUMN_CUT}, {"type", HW_COLUMN_CUT}, {"address", 0}, {"what", HW_COLUMN_CUT}};
    struct hw_table table = {
        .columns = columns, .column_count = 4, .indent = indent + 2, .no_titles = true};
    hw_out_printf(out, "%*s", (int)indent, "");
    hw_out_style(out, HW_STYLE_KEY);
    hw_out_text(out, chain->path);
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_puts(out, "\n");
    size_t at = 0;
    for (; at < chain->step_count && is_root(&chain->steps[at]); at++)
        put_root(out, &chain->steps[at], indent + 2);
    for (; at < chain->step_count; at++)
        put_step(&table, &chain->steps[at]);
    hw_table_finish(&table, out);
}

void hw_parts_chain_json(struct hw_json *json, const struct hw_chain *chain)
{
    hw_json_string(json, "path", chain->path);
    hw_json_array(json, "steps");
    for (size_t i = 0; i < chain->step_count; i++) {
        const struct hw_step *step = &chain->steps[i];
        hw_json_object(json, NULL);
        hw_json_string(json, "edge", step->edge);
        hw_json_string(json, "type", step->type);
        hw_json_addr(json, "addr", step->addr);
        hw_json_string(json, "what", step->what);
        hw_json_bool(json, "inferred", step->inferred);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static const char *type_name(const struct hw_graph *graph, hw_id id)
{
    return hw_graph_type(graph, hw_graph_type_index(graph, id))->name;
}

void hw_parts_object(struct hw_out *out, const struct hw_graph *graph, hw_id id)
{
    char value[HW_VALUE_BYTES];
    hw_out_style(out, HW_STYLE_TITLE);
    hw_out_text(out, type_name(graph, id));
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_printf(out, " 0x%" PRIx64, hw_graph_addr(graph, id));
    if (hw_graph_value(graph, id, value, sizeof(value))) {
        hw_out_puts(out, " ");
        hw_out_text(out, value);
    }
    hw_out_puts(out, "\n");
}

void hw_parts_object_json(struct hw_json *json, const struct hw_graph *graph, hw_id id)
{
    char value[HW_VALUE_BYTES];
    size_t n = hw_graph_value(graph, id, value, sizeof(value));
    hw_json_string(json, "type", type_name(graph, id));
    hw_json_addr(json, "addr", hw_graph_addr(graph, id));
    hw_json_u64(json, "size", hw_graph_size(graph, id));
    hw_json_string(json, "value", n ? value : "");
}

void hw_parts_match(struct hw_out *out, const struct hw_match *match)
{
    if (match->total <= match->count)
        return;
    struct hw_buf line = {0};
    hw_text_count(&line, match->total);
    hw_buf_printf(&line, " objects match %s; %zu of them:", match->question, match->count);
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_out_puts(out, "\n");
    hw_buf_deinit(&line);
}

void hw_parts_match_json(struct hw_json *json, const struct hw_graph *graph,
                         const struct hw_match *match)
{
    hw_json_object(json, NULL);
    hw_parts_facts_json(json, "snapshot", hw_graph_facts(graph));
    hw_json_string(json, "question", match->question);
    hw_json_u64(json, "matches", match->total);
    hw_json_array(json, "objects");
}

void hw_parts_retained_name(struct hw_buf *buf, const struct hw_retained_object *object)
{
    const struct hw_step *step = &object->step;
    hw_text_escape(buf, step->type);
    if (!*step->what || strcmp(step->what, step->type) == 0)
        return;
    hw_buf_putc(buf, ' ');
    hw_text_escape(buf, step->what);
}

void hw_parts_retained_json(struct hw_json *json, const struct hw_retained_object *object)
{
    hw_json_string(json, "type", object->step.type);
    hw_json_addr(json, "addr", object->step.addr);
    hw_json_string(json, "what", object->step.what);
    hw_json_u64(json, "bytes", object->bytes);
    hw_json_u64(json, "retained_bytes", object->retained_bytes);
    hw_json_u64(json, "retained_objects", object->retained_objects);
}

void hw_parts_retained_type_json(struct hw_json *json, const struct hw_retained_type *row,
                                 bool with_retained)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "type", row->name);
    hw_json_u64(json, "objects", row->objects);
    hw_json_u64(json, "bytes", row->bytes);
    if (with_retained) {
        hw_json_u64(json, "retained_bytes", row->retained_bytes);
        hw_json_u64(json, "retained_objects", row->retained_objects);
    }
    hw_json_end(json);
}

void hw_parts_more(struct hw_out *out, size_t indent, uint64_t shown, uint64_t total)
{
    if (shown >= total)
        return;
    struct hw_buf line = {0};
    hw_text_count(&line, total - shown);
    hw_out_style(out, HW_STYLE_FAINT);
    hw_out_printf(out, "%*sand %s more\n", (int)indent, "", hw_buf_str(&line));
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_buf_deinit(&line);
}
