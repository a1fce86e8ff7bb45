/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/tell.h"
#include "tell/text.h"

static void put_count(struct hw_out *out, const struct hw_holders *holders)
{
    struct hw_buf line = {0};
    if (holders->garbage)
        hw_buf_puts(&line, "Garbage: no root reaches it, only a collection will free it. ");
    hw_text_count(&line, holders->referrer_count);
    hw_buf_puts(&line, holders->referrer_count == 1 ? " object refers to it directly."
                                                    : " objects refer to it directly.");
    if (!holders->chain_count && !holders->garbage)
        hw_buf_puts(&line, " No chain from a root was found: C code holds it, or it is garbage.");
    hw_out_wrap(out, 0, 0, hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static void holders_text(struct hw_out *out, const struct hw_graph *graph,
                         const struct hw_holders *holders)
{
    hw_parts_object(out, graph, holders->target);
    put_count(out, holders);
    for (size_t i = 0; i < holders->chain_count; i++) {
        hw_out_puts(out, "\n");
        hw_parts_chain(out, &holders->chains[i], 2);
    }
}

static void holders_json(struct hw_json *json, const struct hw_graph *graph,
                         const struct hw_holders *holders)
{
    hw_json_object(json, NULL);
    hw_parts_object_json(json, graph, holders->target);
    hw_json_bool(json, "garbage", holders->garbage);
    hw_json_u64(json, "referrers", holders->referrer_count);
    hw_json_array(json, "chains");
    for (size_t i = 0; i < holders->chain_count; i++) {
        hw_json_object(json, NULL);
        hw_parts_chain_json(json, &holders->chains[i]);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_end(json);
}

void hw_tell_holders(struct hw_out *out, const struct hw_graph *graph, const struct hw_match *match,
                     struct hw_holders *const *holders)
{
    struct hw_json json;
    if (out->json) {
        hw_json_init(&json, out, false);
        hw_parts_match_json(&json, graph, match);
        for (size_t i = 0; i < match->count; i++)
            holders_json(&json, graph, holders[i]);
        hw_json_end(&json);
        hw_json_end(&json);
        return;
    }
    hw_parts_match(out, match);
    for (size_t i = 0; i < match->count; i++) {
        hw_out_puts(out, i ? "\n" : "");
        holders_text(out, graph, holders[i]);
    }
}
