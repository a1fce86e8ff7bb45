/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "tell/json-writer.h"
#include "tell/parts.h"
#include "tell/tell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Texts of dict keys. hw_graph_value() unpacks a block of texts for each jump to another part of
 * the heap; the same few keys stand in most dicts, so the latest text of each slot is kept.
 */
enum { KEY_BITS = 15, KEY_SLOTS = 1 << KEY_BITS };
struct key_text {
    hw_id id; /* HW_NONE: empty */
    char text[HW_VALUE_BYTES - sizeof(hw_id)];
};

static const char *key_text(struct key_text *keys, const struct hw_graph *graph, hw_id id)
{
    struct key_text *key = &keys[id * 2654435761u >> (32 - KEY_BITS)];
    if (key->id != id) {
        key->id = id;
        if (!hw_graph_value(graph, id, key->text, sizeof(key->text)))
            snprintf(key->text, sizeof(key->text), "<%s>",
                     hw_graph_type(graph, hw_graph_type_index(graph, id))->name);
    }
    return key->text;
}

static const char *wrapped(struct hw_buf *buf, const char *before, const char *s, const char *after)
{
    hw_buf_clear(buf);
    hw_buf_puts(buf, before);
    hw_buf_puts(buf, s);
    hw_buf_puts(buf, after);
    return hw_buf_str(buf);
}

static const char *number_label(struct hw_buf *buf, enum hw_label_kind kind, uint32_t payload)
{
    char digits[16];
    const char *before = kind == HW_LABEL_INDEX ? "[" : kind == HW_LABEL_WORD ? "+" : "<stack ";
    const char *after = kind == HW_LABEL_INDEX ? "]" : kind == HW_LABEL_WORD ? "" : ">";
    snprintf(digits, sizeof(digits), "%" PRIu32, payload);
    return wrapped(buf, before, digits, after);
}

/* The plain name of edge n of id. */
static const char *label_text(struct hw_buf *buf, struct key_text *keys,
                              const struct hw_graph *graph, hw_id id, uint32_t n)
{
    uint32_t label = hw_graph_edge(graph, id, n).label, payload = hw_label_payload(label);
    switch (hw_label_kind(label)) {
    case HW_LABEL_ATTR:
    case HW_LABEL_ROOT:
        return hw_graph_string(graph, payload);
    case HW_LABEL_LOCAL:
        return wrapped(buf, "local ", hw_graph_string(graph, payload), "");
    case HW_LABEL_HIDDEN:
        return wrapped(buf, "<~", hw_graph_string(graph, payload), ">");
    case HW_LABEL_INTERNAL:
        return wrapped(buf, "<", hw_graph_string(graph, payload), ">");
    case HW_LABEL_NAMED:
        return wrapped(buf, "['", hw_graph_string(graph, payload), "']");
    case HW_LABEL_VALUE:
        return n ? wrapped(buf, "[", key_text(keys, graph, hw_graph_edge(graph, id, n - 1).to), "]")
                 : "<value>";
    case HW_LABEL_KEY:
        return "<key>";
    case HW_LABEL_MEMBER:
        return "<member>";
    case HW_LABEL_TYPE:
        return "__class__";
    default:
        return number_label(buf, hw_label_kind(label), payload);
    }
}

/* False: memory is out, and a label is missing. */
static bool put_refs(struct hw_json *json, struct hw_buf *buf, struct key_text *keys,
                     const struct hw_graph *graph, hw_id id)
{
    uint32_t degree = hw_graph_degree(graph, id), objects = hw_graph_object_count(graph);
    bool ok = true;
    hw_json_array(json, "refs");
    for (uint32_t n = 0; n < degree; n++) {
        hw_id to = hw_graph_edge(graph, id, n).to;
        if (to >= objects)
            continue;
        hw_json_object(json, NULL);
        hw_json_u64(json, "to", hw_graph_addr(graph, to));
        hw_json_string(json, "label", label_text(buf, keys, graph, id, n));
        hw_json_end(json);
        ok = ok && hw_buf_ok(buf);
    }
    hw_json_end(json);
    return ok;
}

static bool put_line(struct hw_json *json, struct hw_buf *buf, struct key_text *keys,
                     const struct hw_graph *graph, hw_id id)
{
    hw_json_object(json, NULL);
    hw_json_u64(json, "addr", hw_graph_addr(graph, id));
    hw_json_string(json, "type", hw_graph_type(graph, hw_graph_type_index(graph, id))->name);
    hw_json_u64(json, "size", hw_graph_size(graph, id));
    if (hw_graph_native(graph, id))
        hw_json_u64(json, "native_bytes", hw_graph_native(graph, id));
    hw_json_u64(json, "refcount", hw_graph_refcount(graph, id));
    hw_json_bool(json, "tracked", hw_graph_flags(graph, id) & HW_NODE_TRACKED);
    hw_json_u64(json, "age", hw_graph_age(graph, id));
    bool ok = put_refs(json, buf, keys, graph, id);
    hw_json_end(json);
    return ok;
}

bool hw_tell_ndjson(struct hw_out *out, const struct hw_graph *graph, struct hw_err *err)
{
    struct key_text *keys = malloc(KEY_SLOTS * sizeof(*keys));
    struct hw_buf buf = {0};
    struct hw_json json;
    bool ok = true;
    if (!keys)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < KEY_SLOTS; i++)
        keys[i].id = HW_NONE;
    hw_json_init(&json, out, true);
    for (hw_id id = 0; ok && id < hw_graph_object_count(graph) && hw_out_ok(out); id++)
        ok = put_line(&json, &buf, keys, graph, id);
    hw_buf_deinit(&buf);
    free(keys);
    return ok || hw_err_no_memory(err);
}
