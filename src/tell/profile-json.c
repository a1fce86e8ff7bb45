/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/clock.h"
#include "tell/flame.h"
#include "tell/parts.h"
#include "tell/profile.h"
#include "tell/tell.h"
#include "tell/text.h"

static void row_json(struct hw_json *json, const struct hw_profile *profile,
                     const struct hw_profile_row *row)
{
    hw_json_object(json, NULL);
    hw_parts_site_json(json, row->frame);
    hw_json_u64(json, "depth", row->depth);
    hw_json_u64(json, "domain", row->domain);
    hw_json_string(json, "domain_name", hw_profile_domain_name(profile, row->domain));
    hw_json_u64(json, "thread", row->thread);
    hw_profile_amounts_json(json, profile, row->amounts);
    hw_json_end(json);
}

void hw_tell_profile_json(struct hw_out *out, const struct hw_profile *profile)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_profile_json(&json, profile);
    hw_json_array(&json, "threads");
    for (size_t i = 0; i < profile->thread_count; i++) {
        hw_json_object(&json, NULL);
        hw_json_u64(&json, "id", profile->threads[i].id);
        hw_json_string(&json, "name", profile->threads[i].name);
        hw_json_end(&json);
    }
    hw_json_end(&json);
    hw_profile_moments_json(&json, profile);
    hw_json_array(&json, "stacks");
    for (size_t i = 0; i < profile->row_count && hw_out_ok(out); i++)
        row_json(&json, profile, &profile->rows[i]);
    hw_json_end(&json);
    hw_json_end(&json);
}

void hw_tell_profile_file(struct hw_out *out, const struct hw_profile *profile, const char *path,
                          uint64_t file_bytes)
{
    struct hw_buf text = {0};
    struct hw_json json;
    if (out->json) {
        hw_json_init(&json, out, false);
        hw_json_object(&json, NULL);
        hw_json_string(&json, "file", path);
        hw_json_u64(&json, "file_bytes", file_bytes);
        hw_profile_json(&json, profile);
        hw_json_end(&json);
        return;
    }
    hw_buf_printf(&text, "%s, ", path);
    hw_text_bytes(&text, (double)file_bytes);
    hw_buf_puts(&text, ", of ");
    hw_text_count(&text, profile->row_count);
    hw_buf_puts(&text, profile->row_count == 1 ? " stack. " : " stacks. ");
    hw_flame_facts(&text, profile);
    hw_out_wrap(out, 0, 2, hw_buf_str(&text));
    hw_buf_deinit(&text);
}
