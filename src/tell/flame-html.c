/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/flame-page.h"
#include "tell/flame.h"
#include "tell/json-writer.h"
#include "tell/profile.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <stdlib.h>
#include <string.h>

/*
 * A page that draws itself: head, the trees as JSON, tail. The JSON stands in a <script> element of
 * which nothing is executed, and has no < that could end it. Texts, functions and places that no
 * node has left are not written.
 */

/* As page/flame.js knows them. */
enum { PAGE_ROOT = -1, PAGE_OTHERS = -2, PAGE_CUT = -3, PAGE_THREAD = -10 };

/* A tree for each thread is only drawn where there are few of them. */
enum { THREADS_MAX = 256 };

struct page {
    const struct hw_stacks *stacks;
    struct hw_flame flames[HW_FLAME_DIRECTIONS];
    size_t flame_count;
    enum hw_flame_direction directions[HW_FLAME_DIRECTIONS];
    uint32_t *place_numbers, *function_numbers; /* in the page; HW_NONE: not in it */
    uint32_t *places, *functions;               /* those that are, in the page's order */
    size_t place_count, function_count;
    struct hw_json json;
};

static uint32_t *all_none(size_t count)
{
    uint32_t *numbers = malloc((count + 1) * sizeof(*numbers));
    if (numbers)
        memset(numbers, 0xff, (count + 1) * sizeof(*numbers));
    return numbers;
}

static void number_places(struct page *page, const struct hw_flame *flame)
{
    for (size_t i = 0; i < flame->count; i++) {
        uint32_t what = flame->what[i];
        if (what >= page->stacks->place_count || page->place_numbers[what] != HW_NONE)
            continue;
        uint32_t function = page->stacks->places[what].function;
        page->place_numbers[what] = (uint32_t)page->place_count;
        page->places[page->place_count++] = what;
        if (page->function_numbers[function] != HW_NONE)
            continue;
        page->function_numbers[function] = (uint32_t)page->function_count;
        page->functions[page->function_count++] = function;
    }
}

static bool page_init(struct page *page, const struct hw_stacks *stacks)
{
    *page = (struct page){.stacks = stacks,
                          .place_numbers = all_none(stacks->place_count),
                          .function_numbers = all_none(stacks->function_count),
                          .places = all_none(stacks->place_count),
                          .functions = all_none(stacks->function_count)};
    if (!page->place_numbers || !page->function_numbers || !page->places || !page->functions)
        return false;
    for (int direction = 0; direction < HW_FLAME_DIRECTIONS; direction++) {
        if (direction == HW_FLAME_THREADS &&
            (stacks->profile->thread_count < 2 || stacks->profile->thread_count > THREADS_MAX))
            continue;
        struct hw_flame *flame = &page->flames[page->flame_count];
        page->directions[page->flame_count++] = (enum hw_flame_direction)direction;
        if (!hw_flame_init(flame, stacks, (enum hw_flame_direction)direction))
            return false;
        number_places(page, flame);
    }
    return true;
}

static void page_deinit(struct page *page)
{
    for (size_t i = 0; i < page->flame_count; i++)
        hw_flame_deinit(&page->flames[i]);
    free(page->place_numbers);
    free(page->function_numbers);
    free(page->places);
    free(page->functions);
}

/* ---- what the profile says of itself ---- */

static void head_json(struct page *page, const struct hw_flame_look *look)
{
    const struct hw_profile *profile = page->stacks->profile;
    struct hw_json *json = &page->json;
    struct hw_buf text = {0};
    hw_text_escape(&text, look->title ? look->title : profile->command);
    hw_json_string(json, "command", hw_buf_str(&text));
    hw_buf_clear(&text);
    hw_flame_facts(&text, profile);
    hw_json_string(json, "facts", hw_buf_str(&text));
    hw_json_double(json, "seconds", profile->seconds);
    hw_json_double(json, "peak_seconds", profile->peak_seconds);
    hw_json_bool(json, "imports", look->frames.imports);
    hw_json_string(json, "measure", hw_measure_name(look->measure));
    hw_json_array(json, "measures");
    for (size_t i = 0; i < page->flames[0].measure_count; i++)
        hw_json_string(json, NULL, hw_measure_name(page->flames[0].measures[i]));
    hw_json_end(json);
    hw_json_array(json, "measure_texts");
    for (size_t i = 0; i < page->flames[0].measure_count; i++)
        hw_json_string(json, NULL, hw_profile_measure_text(profile, page->flames[0].measures[i]));
    hw_json_end(json);
    hw_json_array(json, "threads");
    for (size_t i = 0; i < profile->thread_count; i++) {
        hw_buf_clear(&text);
        hw_flame_thread(&text, &profile->threads[i]);
        hw_json_string(json, NULL, hw_buf_str(&text));
    }
    hw_json_end(json);
    hw_buf_deinit(&text);
}

static void moments_json(struct hw_json *json, const struct hw_profile *profile)
{
    hw_json_array(json, "moments");
    for (size_t i = 0; i < profile->moment_count; i++) {
        hw_json_array(json, NULL);
        hw_json_double(json, NULL, profile->moments[i].seconds);
        hw_json_u64(json, NULL, profile->moments[i].live_bytes);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void places_json(struct page *page)
{
    const struct hw_stacks *stacks = page->stacks;
    struct hw_json *json = &page->json;
    hw_json_array(json, "functions");
    for (size_t i = 0; i < page->function_count; i++) {
        const struct hw_stack_function *function = &stacks->functions[page->functions[i]];
        hw_json_object(json, NULL);
        hw_json_string(json, "name", hw_stacks_text(stacks, function->name));
        hw_json_string(json, "file", hw_stacks_text(stacks, function->file));
        hw_json_string(json, "label", hw_stacks_text(stacks, function->label));
        hw_json_string(json, "package", hw_stacks_text(stacks, function->package));
        hw_json_u64(json, "kind", function->kind);
        hw_json_u64(json, "hue", hw_flame_hue(hw_stacks_text(stacks, function->package)));
        hw_json_end(json);
    }
    hw_json_end(json);
    hw_json_array(json, "places");
    for (size_t i = 0; i < page->place_count; i++) {
        const struct hw_stack_place *place = &stacks->places[page->places[i]];
        hw_json_array(json, NULL);
        hw_json_u64(json, NULL, page->function_numbers[place->function]);
        hw_json_u64(json, NULL, place->line);
        hw_json_end(json);
    }
    hw_json_end(json);
}

/* ---- trees ---- */

static int64_t page_what(const struct page *page, uint32_t what)
{
    switch (what) {
    case HW_FLAME_ROOT:
        return PAGE_ROOT;
    case HW_FLAME_OTHERS:
        return PAGE_OTHERS;
    case HW_FLAME_CUT:
        return PAGE_CUT;
    }
    if (what >= HW_FLAME_THREAD)
        return PAGE_THREAD - (int64_t)(what - HW_FLAME_THREAD);
    return page->place_numbers[what];
}

static void amounts_json(struct hw_json *json, const struct hw_flame *flame, const char *key,
                         bool blocks)
{
    hw_json_array(json, key);
    for (size_t measure = 0; measure < flame->measure_count; measure++) {
        hw_json_array(json, NULL);
        for (size_t i = 0; i < flame->count; i++) {
            const struct hw_amount *amount = &hw_flame_amounts(flame, i)[measure];
            hw_json_u64(json, NULL, blocks ? amount->count : amount->bytes);
        }
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void tree_json(struct page *page, size_t number)
{
    static const char *const names[] = {[HW_FLAME_CALLERS] = "callers",
                                        [HW_FLAME_CALLEES] = "callees",
                                        [HW_FLAME_THREADS] = "threads"};
    const struct hw_flame *flame = &page->flames[number];
    struct hw_json *json = &page->json;
    hw_json_object(json, NULL);
    hw_json_string(json, "direction", names[page->directions[number]]);
    hw_json_double(json, "percent", 100 * flame->least_share);
    hw_json_u64(json, "left_out", flame->left_out);
    hw_json_array(json, "parent");
    for (size_t i = 0; i < flame->count; i++)
        hw_json_i64(json, NULL, flame->parent[i] == HW_NONE ? -1 : (int64_t)flame->parent[i]);
    hw_json_end(json);
    hw_json_array(json, "what");
    for (size_t i = 0; i < flame->count; i++)
        hw_json_i64(json, NULL, page_what(page, flame->what[i]));
    hw_json_end(json);
    amounts_json(json, flame, "bytes", false);
    amounts_json(json, flame, "blocks", true);
    hw_json_end(json);
}

static void page_json(struct page *page, struct hw_out *out, const struct hw_flame_look *look)
{
    hw_json_init(&page->json, out, true);
    page->json.in_page = true;
    hw_json_object(&page->json, NULL);
    head_json(page, look);
    moments_json(&page->json, page->stacks->profile);
    places_json(page);
    hw_json_array(&page->json, "trees");
    for (size_t i = 0; i < page->flame_count; i++)
        tree_json(page, i);
    hw_json_end(&page->json);
    hw_json_end(&page->json);
}

void hw_tell_flame_html(struct hw_out *out, const struct hw_profile *profile,
                        const struct hw_flame_look *look)
{
    struct hw_stacks stacks;
    struct page page = {0};
    if (hw_stacks_init(&stacks, profile, &look->frames) && page_init(&page, &stacks)) {
        hw_out_puts(out, hw_flame_page_head);
        page_json(&page, out, look);
        hw_out_puts(out, hw_flame_page_tail);
    } else {
        hw_out_no_memory(out);
    }
    page_deinit(&page);
    hw_stacks_deinit(&stacks);
}
