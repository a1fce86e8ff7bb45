/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/json-writer.h"
#include "tell/tell.h"
#include "tell/text.h"

static const char *const verbs[] = {[HW_ATTACH_VERB_ATTACH] = "attach",
                                    [HW_ATTACH_VERB_DETACH] = "detach"};

static void put_json(struct hw_out *out, const struct hw_attached *attached,
                     enum hw_attach_verb verb)
{
    struct hw_json json;
    struct hw_buf python = {0};
    hw_text_python(&python, attached->python);
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_json_string(&json, "did", verbs[verb]);
    hw_json_i64(&json, "pid", attached->pid);
    hw_json_string(&json, "python", hw_buf_str(&python));
    if (verb == HW_ATTACH_VERB_ATTACH)
        hw_json_u64(&json, "rate", attached->rate_bytes);
    else
        hw_json_bool(&json, "passes", attached->passes);
    hw_json_string(&json, "by", attached->remote ? "interpreter" : "call");
    hw_json_bool(&json, "was_loaded", attached->was_loaded);
    hw_json_u64(&json, "tries", attached->tries);
    hw_json_double(&json, "pause_ms", (double)attached->pause_ns / 1e6);
    hw_json_double(&json, "took_ms", (double)attached->took_ns / 1e6);
    hw_json_end(&json);
    hw_buf_deinit(&python);
}

static void put_attached(struct hw_buf *text, const struct hw_attached *attached)
{
    hw_buf_printf(text, "The agent is in process %d (Python ", (int)attached->pid);
    hw_text_python(text, attached->python);
    hw_buf_puts(text, "): one sample for each ");
    hw_text_bytes(text, (double)attached->rate_bytes);
    hw_buf_printf(
        text,
        " that it allocates from now on. heapwhy sites %d tells where; heapwhy detach %d ends it. ",
        (int)attached->pid, (int)attached->pid);
}

static void put_detached(struct hw_buf *text, const struct hw_attached *attached)
{
    hw_buf_printf(text,
                  "The agent takes no more samples in process %d, and its memory is given back; "
                  "its library stays "
                  "mapped. ",
                  (int)attached->pid);
    if (attached->passes)
        hw_buf_puts(
            text,
            "Something else stands before it, so it stays in its place and passes everything on. ");
}

void hw_tell_attached(struct hw_out *out, const struct hw_attached *attached,
                      enum hw_attach_verb verb)
{
    struct hw_buf text = {0};
    if (out->json) {
        put_json(out, attached, verb);
        return;
    }
    if (verb == HW_ATTACH_VERB_ATTACH)
        put_attached(&text, attached);
    else
        put_detached(&text, attached);
    hw_buf_puts(&text, "Paused for at most ");
    hw_text_duration(&text, attached->pause_ns);
    hw_buf_puts(&text, ".");
    hw_out_wrap(out, 0, 0, hw_buf_str(&text));
    hw_buf_deinit(&text);
}
