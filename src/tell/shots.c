/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/shots.h"

#include "tell/table.h"
#include "tell/text.h"

#include <stdlib.h>
#include <time.h>

/* Local time, as the reader's clock and logs show it; JSON has UTC. */
static void put_clock(struct hw_buf *buf, int64_t ns)
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm tm;
    char text[32] = "?";
    if (localtime_r(&seconds, &tm))
        strftime(text, sizeof(text), "%H:%M:%S", &tm);
    hw_buf_printf(buf, "%s.%03d", text, (int)(ns / 1000000 % 1000));
}

static void put_title(struct hw_out *out, const struct hw_facts *facts)
{
    struct hw_buf line = {0};
    hw_buf_printf(&line, "Snapshots of process %d, Python ", (int)facts->pid);
    hw_text_python(&line, facts->python_version);
    hw_buf_puts(&line, facts->main_script[0] ? ", " : "");
    hw_buf_puts(&line, facts->main_script);
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

void hw_shots_text(struct hw_out *out, const struct hw_facts *facts, const struct hw_shot *shots,
                   size_t count)
{
    static const struct hw_column columns[] = {{"time", 0},
                                               {"objects", HW_COLUMN_RIGHT},
                                               {"bytes", HW_COLUMN_RIGHT},
                                               {"RSS", HW_COLUMN_RIGHT},
                                               {"paused", HW_COLUMN_RIGHT}};
    struct hw_table table = {.columns = columns, .column_count = 5, .indent = 2};
    put_title(out, facts);
    for (size_t i = 0; i < count; i++) {
        put_clock(hw_table_cell(&table), shots[i].taken_at_ns);
        hw_text_count(hw_table_cell(&table), shots[i].objects);
        hw_text_bytes(hw_table_cell(&table), (double)shots[i].bytes);
        hw_text_bytes(hw_table_cell(&table), (double)shots[i].rss_bytes);
        hw_text_duration(hw_table_cell(&table), shots[i].pause_ns);
    }
    hw_table_finish(&table, out);
}

void hw_shots_json(struct hw_json *json, const struct hw_facts *facts, const struct hw_shot *shots,
                   size_t count)
{
    struct hw_buf version = {0};
    hw_text_python(&version, facts->python_version);
    hw_json_i64(json, "pid", facts->pid);
    hw_json_string(json, "python", hw_buf_str(&version));
    hw_json_array(json, "snapshots");
    for (size_t i = 0; i < count; i++) {
        hw_json_object(json, NULL);
        hw_json_time(json, "at", shots[i].taken_at_ns);
        hw_json_double(json, "pause_ms", (double)shots[i].pause_ns / 1e6);
        hw_json_u64(json, "objects", shots[i].objects);
        hw_json_u64(json, "bytes", shots[i].bytes);
        hw_json_u64(json, "native_bytes", shots[i].native_bytes);
        hw_json_u64(json, "rss_bytes", shots[i].rss_bytes);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_buf_deinit(&version);
}

/* A diff knows the same facts in columns. NULL: no memory. */
static struct hw_shot *shots_of_diff(const struct hw_diff *diff, struct hw_out *out)
{
    struct hw_shot *shots = calloc(diff->snapshot_count, sizeof(*shots));
    if (!shots)
        hw_out_no_memory(out);
    for (size_t i = 0; shots && i < diff->snapshot_count; i++)
        shots[i] = (struct hw_shot){diff->facts[i].taken_at_ns, diff->facts[i].pause_ns,
                                    diff->objects[i], diff->bytes[i],
                                    diff->native_bytes[i], diff->facts[i].rss_bytes};
    return shots;
}

void hw_shots_diff(struct hw_out *out, const struct hw_diff *diff)
{
    struct hw_shot *shots = shots_of_diff(diff, out);
    if (shots)
        hw_shots_text(out, &diff->facts[diff->snapshot_count - 1], shots, diff->snapshot_count);
    free(shots);
}

void hw_shots_diff_json(struct hw_json *json, const struct hw_diff *diff)
{
    struct hw_shot *shots = shots_of_diff(diff, json->out);
    if (shots)
        hw_shots_json(json, &diff->facts[diff->snapshot_count - 1], shots, diff->snapshot_count);
    free(shots);
}
