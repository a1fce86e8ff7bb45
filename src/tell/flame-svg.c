/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/flame.h"
#include "tell/markup.h"
#include "tell/profile.h"
#include "tell/tell.h"
#include "tell/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/*
 * A picture that says all it can without a script: boxes with titles, callers above whom they call,
 * largest first. What is narrower than half a unit is not drawn.
 */

enum {
    WIDTH = 1200,
    MARGIN = 12,
    TOP = 64,
    ROW = 19,
    BOTTOM = 30,
    FACTS_COLUMNS = 175,
    LEAST_COLUMNS = 6
};
#define LEAST_WIDTH 0.5
#define CHAR_WIDTH 6.65 /* of the font below */

struct picture {
    struct hw_out *out;
    const struct hw_stacks *stacks;
    struct hw_flame flame;
    size_t measure;   /* of those that the flame knows */
    uint32_t *sorted; /* nodes by parent, then by bytes, largest first */
    double *x;        /* by node, as a share of the width */
    uint32_t *levels;
};

static uint64_t bytes_of(const struct picture *picture, size_t node)
{
    return hw_flame_amounts(&picture->flame, node)[picture->measure].bytes;
}

static double share_of(const struct picture *picture, size_t node)
{
    uint64_t all = bytes_of(picture, 0);
    return all ? (double)bytes_of(picture, node) / (double)all : 0;
}

/* ---- where boxes are ---- */

static int by_parent_and_bytes(const void *a, const void *b, void *ctx)
{
    const struct picture *picture = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint32_t p = picture->flame.parent[x], q = picture->flame.parent[y];
    uint64_t m = bytes_of(picture, x), n = bytes_of(picture, y);
    if (p != q)
        return p < q ? -1 : 1;
    if (m != n)
        return m > n ? -1 : 1;
    return (x > y) - (x < y);
}

/* Parents have lower numbers, so a parent's place is known before its children's. */
static bool lay_out(struct picture *picture)
{
    size_t count = picture->flame.count;
    picture->sorted = calloc(count, sizeof(*picture->sorted));
    picture->x = calloc(count, sizeof(*picture->x));
    picture->levels = calloc(count, sizeof(*picture->levels));
    if (!picture->sorted || !picture->x || !picture->levels)
        return false;
    for (size_t i = 0; i < count; i++)
        picture->sorted[i] = (uint32_t)i;
    /* all but the root, whose parent is none */
    qsort_r(picture->sorted + 1, count - 1, sizeof(*picture->sorted), by_parent_and_bytes, picture);
    double x = 0;
    for (size_t i = 1; i < count; i++) {
        uint32_t node = picture->sorted[i], parent = picture->flame.parent[node];
        if (i == 1 || picture->flame.parent[picture->sorted[i - 1]] != parent)
            x = picture->x[parent];
        picture->x[node] = x;
        picture->levels[node] = picture->levels[parent] + 1;
        x += share_of(picture, node);
    }
    return true;
}

static bool is_drawn(const struct picture *picture, size_t node)
{
    return share_of(picture, node) * (WIDTH - 2 * MARGIN) >= LEAST_WIDTH;
}

static uint32_t deepest(const struct picture *picture)
{
    uint32_t level = 0;
    for (size_t i = 0; i < picture->flame.count; i++)
        if (is_drawn(picture, i) && picture->levels[i] > level)
            level = picture->levels[i];
    return level;
}

/* ---- boxes ---- */

static const struct hw_stack_function *function_of(const struct picture *picture, uint32_t what)
{
    const struct hw_stacks *stacks = picture->stacks;
    return what < stacks->place_count ? &stacks->functions[stacks->places[what].function] : NULL;
}

static void put_name(struct hw_buf *buf, const struct picture *picture, uint32_t what)
{
    const struct hw_stack_function *function = function_of(picture, what);
    if (what == HW_FLAME_ROOT)
        hw_buf_puts(buf, "all");
    else if (what == HW_FLAME_OTHERS)
        hw_buf_puts(buf, "(others)");
    else if (what == HW_FLAME_CUT)
        hw_buf_puts(buf, "(callers not kept)");
    if (!function)
        return;
    const char *name = hw_stacks_text(picture->stacks, function->name);
    const char *label = hw_stacks_text(picture->stacks, function->label);
    hw_buf_printf(buf, "%s%s%s", name, *name && *label ? "  " : "",
                  *name || *label ? label : "(not known)");
    if (picture->stacks->places[what].line)
        hw_buf_printf(buf, ":%" PRIu32, picture->stacks->places[what].line);
}

static double channel(double hue, double saturation, double lightness, double n)
{
    double k = fmod(n + hue / 30, 12), a = saturation * fmin(lightness, 1 - lightness);
    return lightness - a * fmax(-1, fmin(fmin(k - 3, 9 - k), 1));
}

static void put_color(struct hw_out *out, const struct picture *picture,
                      const struct hw_stack_function *function)
{
    static const struct {
        double saturation, lightness;
    } looks[] = {[HW_FILE_OWN] = {.68, .7},
                 [HW_FILE_LIBRARY] = {.6, .76},
                 [HW_FILE_STANDARD] = {.22, .82},
                 [HW_FILE_NATIVE] = {.14, .8},
                 [HW_FILE_UNKNOWN] = {0, .87}};
    enum hw_file_kind kind = function ? function->kind : HW_FILE_UNKNOWN;
    double hue = function ? hw_flame_hue(hw_stacks_text(picture->stacks, function->package)) : 0;
    double s = looks[kind].saturation, l = looks[kind].lightness;
    hw_out_printf(out, "#%02x%02x%02x", (unsigned)(255 * channel(hue, s, l, 0)),
                  (unsigned)(255 * channel(hue, s, l, 8)), (unsigned)(255 * channel(hue, s, l, 4)));
}

static void put_title(const struct picture *picture, size_t node, struct hw_buf *name)
{
    const struct hw_amount *amount = &hw_flame_amounts(&picture->flame, node)[picture->measure];
    const struct hw_stack_function *function = function_of(picture, picture->flame.what[node]);
    struct hw_buf text = {0};
    hw_buf_puts(&text, hw_buf_str(name));
    if (function && function->file != function->label)
        hw_buf_printf(&text, "\n%s", hw_stacks_text(picture->stacks, function->file));
    hw_buf_puts(&text, "\n");
    hw_text_bytes(&text, (double)amount->bytes);
    hw_buf_printf(&text, ", %.2f %%, ", 100 * share_of(picture, node));
    hw_text_count(&text, amount->count);
    hw_buf_puts(&text, amount->count == 1 ? " block" : " blocks");
    hw_markup_put(picture->out, hw_buf_str(&text));
    hw_buf_deinit(&text);
}

static void put_box(const struct picture *picture, size_t node)
{
    struct hw_out *out = picture->out;
    const double inner = WIDTH - 2 * MARGIN;
    double x = MARGIN + picture->x[node] * inner, width = share_of(picture, node) * inner;
    uint32_t y = TOP + picture->levels[node] * ROW;
    struct hw_buf name = {0}, shown = {0};
    put_name(&name, picture, picture->flame.what[node]);
    hw_out_puts(out, "<g><title>");
    put_title(picture, node, &name);
    hw_out_printf(out,
                  "</title><rect x=\"%.1f\" y=\"%" PRIu32 "\" width=\"%.1f\" height=\"%d\" fill=\"",
                  x, y, fmax(width - .5, .4), ROW - 1);
    put_color(out, picture, function_of(picture, picture->flame.what[node]));
    hw_out_puts(out, "\"/>");
    size_t columns = (size_t)fmax(0, (width - 6) / CHAR_WIDTH);
    if (columns >= LEAST_COLUMNS) {
        hw_text_cut(&shown, hw_buf_str(&name), columns);
        hw_out_printf(out, "<text x=\"%.1f\" y=\"%" PRIu32 "\">", x + 3, y + 13);
        hw_markup_put(out, hw_buf_str(&shown));
        hw_out_puts(out, "</text>");
    }
    hw_out_puts(out, "</g>\n");
    hw_buf_deinit(&name);
    hw_buf_deinit(&shown);
}

/* ---- around them ---- */

static void put_line(struct hw_out *out, const char *look, unsigned y, size_t columns,
                     struct hw_buf *text)
{
    struct hw_buf line = {0};
    hw_text_cut(&line, hw_buf_str(text), columns);
    hw_out_printf(out, "<text %s x=\"%d\" y=\"%u\">", look, MARGIN, y);
    hw_markup_put(out, hw_buf_str(&line));
    hw_out_puts(out, "</text>\n");
    hw_buf_deinit(&line);
    hw_buf_clear(text);
}

static void put_head(const struct picture *picture, const struct hw_flame_look *look,
                     unsigned height)
{
    struct hw_out *out = picture->out;
    struct hw_buf text = {0};
    hw_out_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" width=\"%d\" "
        "height=\"%u\" "
        "font-family=\"monospace\" font-size=\"11\">\n"
        "<style>.back{fill:#fff}.ink{fill:#1c1c1c}.dim{fill:#666}text{fill:#141414}"
        "@media(prefers-color-scheme:dark){.back{fill:#181818}.ink{fill:#eaeaea}.dim{fill:#a0a0a0}}"
        "</style>\n<rect class=\"back\" width=\"%d\" height=\"%u\"/>\n",
        WIDTH, height, WIDTH, height, WIDTH, height);
    hw_text_escape(&text, look->title ? look->title : picture->stacks->profile->command);
    hw_buf_printf(&text, ": %s, ",
                  hw_profile_measure_text(picture->stacks->profile, look->measure));
    hw_text_bytes(&text, (double)bytes_of(picture, 0));
    put_line(out, "class=\"ink\" font-size=\"16\"", 24, 120, &text);
    hw_flame_facts(&text, picture->stacks->profile);
    put_line(out, "class=\"dim\"", 44, FACTS_COLUMNS, &text);
    if (!look->frames.imports)
        hw_buf_puts(&text,
                    "Frames of the import system are left out, except where they allocate. ");
    if (picture->flame.left_out) {
        hw_buf_puts(&text, "(others): ");
        hw_text_count(&text, picture->flame.left_out);
        hw_buf_printf(&text, " frames with less than %g %% of each measure.",
                      100 * picture->flame.least_share);
    }
    put_line(out, "class=\"dim\"", height - 10, FACTS_COLUMNS, &text);
    hw_buf_deinit(&text);
}

static bool draw(struct picture *picture, const struct hw_flame_look *look)
{
    struct hw_flame *flame = &picture->flame;
    if (!hw_flame_init(flame, picture->stacks, HW_FLAME_CALLERS) || !lay_out(picture))
        return false;
    put_head(picture, look, TOP + (deepest(picture) + 1) * ROW + BOTTOM);
    for (size_t i = 0; i < flame->count; i++)
        if (i == 0 || is_drawn(picture, i))
            put_box(picture, i);
    hw_out_puts(picture->out, "</svg>\n");
    return true;
}

void hw_tell_flame_svg(struct hw_out *out, const struct hw_profile *profile,
                       const struct hw_flame_look *look)
{
    struct hw_stacks stacks;
    /* measures are known in their order, and live always is */
    struct picture picture = {.out = out, .stacks = &stacks, .measure = (size_t)look->measure};
    if (!hw_stacks_init(&stacks, profile, &look->frames) || !draw(&picture, look))
        hw_out_no_memory(out);
    hw_flame_deinit(&picture.flame);
    free(picture.sorted);
    free(picture.x);
    free(picture.levels);
    hw_stacks_deinit(&stacks);
}
