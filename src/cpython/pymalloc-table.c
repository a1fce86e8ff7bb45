/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/pymalloc-table.h"

#include <stdlib.h>
#include <string.h>

#define RT_OFF(rt, name) ((rt)->layout->f[HW_F_##name].offset)
#define RT_WIDTH(rt, name) ((rt)->layout->f[HW_F_##name].width)

/* Entries of a table; of them, unused ones in a row. */
enum { TABLE_MAX = 1 << 22, UNUSED_RUN_MAX = 1 << 16 };

/* ---- 3.12 and later: the interpreter names its allocator's state ---- */

/* Embedded in 3.12, a pointer since 3.13. */
static hw_addr state_of(struct hw_image *image, const struct hw_runtime *rt, uint32_t interpreter)
{
    hw_addr at = rt->interpreters[interpreter] + RT_OFF(rt, PyInterpreterState_obmalloc);
    bool is_pointer = RT_WIDTH(rt, PyInterpreterState_obmalloc) == sizeof(hw_addr);
    return is_pointer ? hw_image_word(image, at) : at;
}

static bool state_is_shared(struct hw_image *image, const struct hw_runtime *rt,
                            uint32_t interpreter, hw_addr state)
{
    for (uint32_t i = 0; i < interpreter; i++)
        if (state_of(image, rt, i) == state)
            return true;
    return false;
}

static bool table_of_state(struct hw_image *image, const struct hw_runtime *rt,
                           uint32_t interpreter, struct hw_pymalloc_table *ret)
{
    hw_addr state = state_of(image, rt, interpreter);
    struct hw_pymalloc_table table = {0};
    if (!state || state_is_shared(image, rt, interpreter, state))
        return false;
    table.addr = hw_image_word(image, state + RT_OFF(rt, _obmalloc_state_mgmt_arenas));
    hw_image_read(image, state + RT_OFF(rt, _obmalloc_state_mgmt_maxarenas), &table.count,
                  sizeof(table.count));
    *ret = table;
    return table.addr != 0 && table.count <= TABLE_MAX;
}

/* ---- 3.11: some variable of the interpreter's file points at it ---- */

/* The arena's first pool has written down which entry of the table the arena is; where even the
 * first was never used, nothing tells. */
static bool entry_is_sound(struct hw_image *image, const struct hw_layout *layout,
                           const unsigned char *object, uint32_t index, bool *ret_named)
{
    struct hw_pymalloc_arena arena;
    uint32_t named = 0;
    if (!hw_pymalloc_arena_read(layout, object, &arena))
        return false;
    *ret_named = arena.unused > arena.pools;
    return !*ret_named ||
           (hw_image_read(image, arena.pools + layout->f[HW_F_pool_header_arenaindex].offset,
                          &named, sizeof(named)) &&
            named == index);
}

/* Entries not in use are linked with each other, to their neighbours in one table. */
static bool entry_is_unused(const struct hw_layout *layout, const unsigned char *object,
                            hw_addr table)
{
    hw_addr next = load64(object + layout->f[HW_F_arena_object_nextarena].offset);
    uint64_t offset = next - table;
    return !load64(object + layout->f[HW_F_arena_object_address].offset) &&
           (!next || (offset % layout->s[HW_S_arena_object] == 0 &&
                      offset / layout->s[HW_S_arena_object] < TABLE_MAX));
}

/* How many entries a table at addr has, up to the first that cannot be one; *ret_named: of them,
 * those that a pool confirms. The first arena holds what the interpreter made when it started, so
 * it is always there. */
static uint32_t table_measure(struct hw_image *image, const struct hw_layout *layout, hw_addr addr,
                              uint32_t *ret_named)
{
    uint32_t step = layout->s[HW_S_arena_object], n = 0, last = 0;
    *ret_named = 0;
    for (; n < TABLE_MAX && n - last < UNUSED_RUN_MAX; n++) {
        const unsigned char *p = hw_image_at(image, addr + (hw_addr)n * step, step);
        bool named = false;
        unsigned char object[64];
        if (!p || step > sizeof(object))
            break;
        memcpy(object, p, step);
        if (!entry_is_unused(layout, object, addr) &&
            !entry_is_sound(image, layout, object, n, &named))
            break;
        if (n == 0 && !named)
            break;
        *ret_named += named;
        last = named ? n : last;
    }
    return n;
}

/* The table is grown with realloc(), and a stale pointer to where it was may lie about; the one
 * with the most arenas is alive. */
static void table_try(struct hw_image *image, const struct hw_layout *layout, hw_addr addr,
                      struct hw_pymalloc_table *best, uint32_t *best_named)
{
    uint32_t named;
    if (addr % HW_PYMALLOC_BLOCK_STEP || addr == best->addr || !hw_image_segment(image, addr))
        return;
    uint32_t count = table_measure(image, layout, addr, &named);
    if (named > *best_named) {
        *best = (struct hw_pymalloc_table){addr, count};
        *best_named = named;
    }
}

static bool table_by_shape(struct hw_image *image, const struct hw_runtime *rt,
                           struct hw_pymalloc_table *ret)
{
    struct hw_module *modules;
    size_t count;
    uint32_t named = 0;
    struct hw_pymalloc_table best = {0};
    if (!hw_modules_list(image, &modules, &count, NULL))
        return false;
    const struct hw_module *module = hw_module_at(modules, count, rt->addr);
    hw_addr start, end;
    for (size_t i = 0; module && hw_module_data_next(image, module, &i, &start, &end);)
        for (hw_addr at = start; at + sizeof(hw_addr) <= end; at += sizeof(hw_addr)) {
            hw_addr word = hw_image_word(image, at);
            if (word && (word < module->start || word >= module->end))
                table_try(image, rt->layout, word, &best, &named);
        }
    free(modules);
    *ret = best;
    return named > 0;
}

bool hw_pymalloc_table_find(struct hw_image *image, const struct hw_runtime *runtime,
                            uint32_t interpreter, struct hw_pymalloc_table *ret_table)
{
    if (RT_WIDTH(runtime, _obmalloc_state_mgmt_arenas))
        return table_of_state(image, runtime, interpreter, ret_table);
    return interpreter == 0 && table_by_shape(image, runtime, ret_table);
}
