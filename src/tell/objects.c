/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/table.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>

static const struct {
    uint32_t bit;
    const char *name;
} flag_names[] = {
    {HW_NODE_TRACKED, "tracked"},
    {HW_NODE_FROZEN, "frozen"},
    {HW_NODE_GEN1, "generation-1"},
    {HW_NODE_GEN2, "generation-2"},
    {HW_NODE_STATIC, "static"},
    {HW_NODE_IMMORTAL, "immortal"},
    {HW_NODE_INFERRED, "inferred"},
    {HW_NODE_DAMAGED, "damaged"},
    {HW_NODE_FINALIZED, "finalized"},
    {HW_NODE_LOST, "lost"},
    {HW_NODE_TYPE, "type"},
    {HW_NODE_LEAF, "leaf"},
    {HW_NODE_NEWEST, "newest"},
    {HW_NODE_DELETES, "deletes-items"},
    {HW_NODE_STORES, "stores-items"},
};
enum { FLAG_COUNT = sizeof(flag_names) / sizeof(*flag_names) };

/* The age as a share of the tracked objects; from the nearer end. */
static void put_age(struct hw_buf *line, unsigned age)
{
    enum { OLDEST = 1, YOUNGEST = 255 };
    if (!age)
        return;
    bool old = age <= YOUNGEST / 2;
    unsigned others = old ? YOUNGEST - age : age - OLDEST;
    hw_buf_printf(line, ", %s than about %u %% of all tracked objects", old ? "older" : "younger",
                  others * 100 / YOUNGEST);
}

static void put_head(struct hw_out *out, const struct hw_graph *graph,
                     const struct hw_object *object)
{
    struct hw_buf line = {0};
    hw_text_count(&line, object->size);
    hw_buf_puts(&line, object->size == 1 ? " byte, " : " bytes, ");
    if (object->native_bytes) {
        hw_text_count(&line, object->native_bytes);
        hw_buf_puts(&line, object->native_bytes == 1 ? " byte outside, " : " bytes outside, ");
    }
    if (object->flags & (HW_NODE_IMMORTAL | HW_NODE_STATIC)) {
        hw_buf_puts(&line, "references not counted");
    } else {
        hw_text_count(&line, object->refcount);
        hw_buf_puts(&line, object->refcount == 1 ? " reference" : " references");
    }
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (object->flags & flag_names[i].bit)
            hw_buf_printf(&line, ", %s", flag_names[i].name);
    put_age(&line, hw_graph_age(graph, object->id));
    hw_out_wrap(out, 0, 2, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static void put_links(struct hw_out *out, const char *title, const struct hw_link *links,
                      size_t count, uint64_t total)
{
    static const struct hw_column columns[] = {
        {"edge", HW_COLUMN_CUT}, {"type", HW_COLUMN_CUT}, {"address", 0}, {"value", HW_COLUMN_CUT}};
    struct hw_table table = {.columns = columns, .column_count = 4, .indent = 2, .no_titles = true};
    struct hw_buf total_text = {0};
    hw_text_count(&total_text, total);
    hw_out_printf(out, "\n%s: %s\n", title, hw_buf_str(&total_text));
    hw_buf_deinit(&total_text);
    for (size_t i = 0; i < count; i++) {
        hw_text_escape(hw_table_cell(&table), links[i].edge);
        hw_text_escape(hw_table_cell(&table), links[i].type);
        struct hw_buf *addr = hw_table_cell(&table);
        if (links[i].addr)
            hw_buf_printf(addr, "0x%" PRIx64, links[i].addr);
        struct hw_buf *value = hw_table_cell(&table);
        hw_text_escape(value, links[i].value);
        if (links[i].inferred)
            hw_buf_puts(value, *links[i].value ? " (inferred)" : "(inferred)");
    }
    hw_table_finish(&table, out);
    hw_parts_more(out, 2, count, total);
}

static void object_text(struct hw_out *out, const struct hw_graph *graph,
                        const struct hw_object *object)
{
    hw_parts_object(out, graph, object->id);
    put_head(out, graph, object);
    if (*object->path) {
        hw_out_puts(out, "  ");
        hw_out_style(out, HW_STYLE_KEY);
        hw_out_text(out, object->path);
        hw_out_style(out, HW_STYLE_PLAIN);
        hw_out_puts(out, "\n");
    } else {
        hw_out_puts(out, "  no root that we see reaches it\n");
    }
    put_links(out, "Refers to", object->referents, object->referent_count, object->referent_total);
    put_links(out, "Referred to by", object->referrers, object->referrer_count,
              object->referrer_total);
}

static void links_json(struct hw_json *json, const char *key, const struct hw_link *links,
                       size_t count)
{
    hw_json_array(json, key);
    for (size_t i = 0; i < count; i++) {
        hw_json_object(json, NULL);
        hw_json_string(json, "edge", links[i].edge);
        hw_json_string(json, "type", links[i].type);
        hw_json_addr(json, "addr", links[i].addr);
        hw_json_string(json, "value", links[i].value);
        hw_json_bool(json, "inferred", links[i].inferred);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void object_json(struct hw_json *json, const struct hw_graph *graph,
                        const struct hw_object *object)
{
    hw_json_object(json, NULL);
    hw_parts_object_json(json, graph, object->id);
    hw_json_u64(json, "native_bytes", object->native_bytes);
    hw_json_u64(json, "refcount", object->refcount);
    hw_json_array(json, "flags");
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (object->flags & flag_names[i].bit)
            hw_json_string(json, NULL, flag_names[i].name);
    hw_json_end(json);
    hw_json_u64(json, "age", hw_graph_age(graph, object->id));
    hw_json_string(json, "path", object->path);
    hw_json_u64(json, "referent_count", object->referent_total);
    links_json(json, "referents", object->referents, object->referent_count);
    hw_json_u64(json, "referrer_count", object->referrer_total);
    links_json(json, "referrers", object->referrers, object->referrer_count);
    hw_json_end(json);
}

void hw_tell_objects(struct hw_out *out, const struct hw_graph *graph, const struct hw_match *match,
                     struct hw_object *const *objects)
{
    struct hw_json json;
    if (out->json) {
        hw_json_init(&json, out, false);
        hw_parts_match_json(&json, graph, match);
        for (size_t i = 0; i < match->count; i++)
            object_json(&json, graph, objects[i]);
        hw_json_end(&json);
        hw_json_end(&json);
        return;
    }
    hw_parts_match(out, match);
    for (size_t i = 0; i < match->count; i++) {
        hw_out_puts(out, i ? "\n" : "");
        object_text(out, graph, objects[i]);
    }
}
