/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/json-writer.h"
#include "tell/stacks.h"
#include "tell/tell.h"

#include <stdlib.h>

/* The file format of speedscope (github.com/jlfwong/speedscope, src/lib/file-format-spec.ts):
 * frames once, and for each measure a profile of samples, each a stack with the outermost caller
 * first, and its weight. */

static void frames_json(struct hw_json *json, const struct hw_stacks *stacks)
{
    hw_json_object(json, "shared");
    hw_json_array(json, "frames");
    for (size_t i = 0; i < stacks->place_count; i++) {
        const struct hw_stack_function *function = &stacks->functions[stacks->places[i].function];
        const char *name = hw_stacks_text(stacks, function->name),
                   *file = hw_stacks_text(stacks, function->file);
        const char *label = hw_stacks_text(stacks, function->label);
        hw_json_object(json, NULL);
        hw_json_string(json, "name", *name ? name : *label ? label : "(not known)");
        if (*file)
            hw_json_string(json, "file", file);
        if (stacks->places[i].line)
            hw_json_u64(json, "line", stacks->places[i].line);
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_end(json);
}

static void stack_json(struct hw_json *json, const struct hw_stacks *stacks, uint32_t node,
                       uint32_t *path)
{
    size_t count = 0;
    for (; node != HW_NONE; node = stacks->nodes[node].caller)
        path[count++] = node;
    hw_json_array(json, NULL);
    while (count-- > 0)
        hw_json_u64(json, NULL, stacks->nodes[path[count]].place);
    hw_json_end(json);
}

static void profile_json(struct hw_json *json, const struct hw_stacks *stacks,
                         enum hw_measure measure, uint32_t *path)
{
    const struct hw_profile *profile = stacks->profile;
    uint64_t end = 0;
    hw_json_object(json, NULL);
    hw_json_string(json, "type", "sampled");
    hw_json_string(json, "name", hw_measure_name(measure));
    hw_json_string(json, "unit", "bytes");
    hw_json_array(json, "samples");
    for (size_t i = 0; i < profile->row_count && hw_out_ok(json->out); i++)
        if (profile->rows[i].amounts[measure].bytes)
            stack_json(json, stacks, stacks->row_nodes[i], path);
    hw_json_end(json);
    hw_json_array(json, "weights");
    for (size_t i = 0; i < profile->row_count; i++) {
        uint64_t bytes = profile->rows[i].amounts[measure].bytes;
        end += bytes;
        if (bytes)
            hw_json_u64(json, NULL, bytes);
    }
    hw_json_end(json);
    hw_json_u64(json, "startValue", 0);
    hw_json_u64(json, "endValue", end);
    hw_json_end(json);
}

static void file_json(struct hw_out *out, const struct hw_stacks *stacks, uint32_t *path)
{
    struct hw_json json;
    hw_json_init(&json, out, true);
    hw_json_object(&json, NULL);
    hw_json_string(&json, "$schema", "https://www.speedscope.app/file-format-schema.json");
    hw_json_string(&json, "exporter", "heapwhy " HW_VERSION);
    hw_json_string(&json, "name", stacks->profile->command);
    hw_json_u64(&json, "activeProfileIndex", 0);
    frames_json(&json, stacks);
    hw_json_array(&json, "profiles");
    for (int measure = 0; measure < HW_MEASURE_COUNT; measure++)
        if (hw_profile_knows(stacks->profile, (enum hw_measure)measure, NULL))
            profile_json(&json, stacks, (enum hw_measure)measure, path);
    hw_json_end(&json);
    hw_json_end(&json);
}

void hw_tell_speedscope(struct hw_out *out, const struct hw_profile *profile,
                        const struct hw_frames_look *look)
{
    struct hw_stacks stacks;
    uint32_t *path = NULL;
    bool ok = hw_stacks_init(&stacks, profile, look);
    if (ok)
        path = calloc((size_t)hw_stacks_levels(&stacks) + 1, sizeof(*path));
    if (path)
        file_json(out, &stacks, path);
    else
        hw_out_no_memory(out);
    free(path);
    hw_stacks_deinit(&stacks);
}
