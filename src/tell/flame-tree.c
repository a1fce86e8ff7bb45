/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/flame-tree.h"

#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

/* ---- a tree of all nodes ---- */

struct growing {
    const struct hw_stacks *stacks;
    struct hw_flame tree;
    struct hw_pairs pairs; /* parent, what: their numbers are the nodes' */
};

/* HW_NONE: no memory. */
static uint32_t node_append(struct hw_flame *tree, uint32_t parent, uint32_t what)
{
    size_t need = tree->count + 1, capacity = tree->capacity;
    uint32_t *parents = hw_vec_grow(tree->parent, &capacity, need, sizeof(*parents));
    if (!parents)
        return HW_NONE;
    tree->parent = parents;
    uint32_t *whats = hw_vec_grow(tree->what, &tree->capacity, need, sizeof(*whats));
    if (!whats)
        return HW_NONE;
    tree->what = whats;
    struct hw_amount *amounts = hw_vec_grow(tree->amounts, &tree->amount_capacity,
                                            need * tree->measure_count, sizeof(*amounts));
    if (!amounts)
        return HW_NONE;
    tree->amounts = amounts;
    parents[tree->count] = parent;
    whats[tree->count] = what;
    memset(hw_flame_amounts(tree, tree->count), 0, tree->measure_count * sizeof(*amounts));
    return (uint32_t)tree->count++;
}

static uint32_t child_of(struct growing *growing, uint32_t parent, uint32_t what)
{
    bool is_new;
    uint32_t node = hw_pairs_number(&growing->pairs, parent, what, &is_new);
    return is_new ? node_append(&growing->tree, parent, what) : node;
}

static bool growing_init(struct growing *growing, const struct hw_stacks *stacks)
{
    *growing = (struct growing){.stacks = stacks};
    struct hw_flame *tree = &growing->tree;
    for (int measure = 0; measure < HW_MEASURE_COUNT; measure++)
        if (hw_profile_knows(stacks->profile, (enum hw_measure)measure, NULL))
            tree->measures[tree->measure_count++] = (enum hw_measure)measure;
    return child_of(growing, HW_NONE, HW_FLAME_ROOT) == 0;
}

static void growing_deinit(struct growing *growing)
{
    hw_flame_deinit(&growing->tree);
    hw_pairs_deinit(&growing->pairs);
}

static void add_row(struct hw_flame *tree, uint32_t node, const struct hw_profile_row *row)
{
    struct hw_amount *to = hw_flame_amounts(tree, node);
    for (size_t i = 0; i < tree->measure_count; i++) {
        to[i].bytes += row->amounts[tree->measures[i]].bytes;
        to[i].count += row->amounts[tree->measures[i]].count;
    }
}

static void add_node(struct hw_flame *to_tree, uint32_t to, const struct hw_flame *tree,
                     size_t node)
{
    struct hw_amount *sum = hw_flame_amounts(to_tree, to), *from = hw_flame_amounts(tree, node);
    for (size_t i = 0; i < tree->measure_count; i++) {
        sum[i].bytes += from[i].bytes;
        sum[i].count += from[i].count;
    }
}

/* ---- callers first ---- */

/* Which node of the tree a node of the stacks is, for each thread by itself or for all. */
struct placing {
    struct growing *growing;
    struct hw_pairs known; /* thread, node of the stacks */
    uint32_t *node_of;     /* by their number */
    size_t capacity;
    struct step {
        uint32_t number, node;
    } *steps; /* of one stack, innermost first */
};

static bool placing_init(struct placing *placing, struct growing *growing)
{
    const struct hw_stacks *stacks = growing->stacks;
    size_t levels = hw_stacks_levels(stacks);
    *placing =
        (struct placing){.growing = growing, .steps = calloc(levels + 1, sizeof(*placing->steps))};
    return placing->steps != NULL;
}

static void placing_deinit(struct placing *placing)
{
    hw_pairs_deinit(&placing->known);
    free(placing->node_of);
    free(placing->steps);
}

/* Below the root, or the thread's node, stands the outermost caller. */
static uint32_t first_parent(struct growing *growing, uint32_t thread, bool by_thread, bool is_cut)
{
    uint32_t parent = by_thread ? child_of(growing, 0, HW_FLAME_THREAD | thread) : 0;
    return is_cut && parent != HW_NONE ? child_of(growing, parent, HW_FLAME_CUT) : parent;
}

static uint32_t place_stack(struct placing *placing, uint32_t thread, bool by_thread, uint32_t at)
{
    const struct hw_stack_node *nodes = placing->growing->stacks->nodes;
    size_t count = 0;
    bool is_cut = false;
    uint32_t parent = HW_NONE;
    for (; at != HW_NONE; at = nodes[at].caller) {
        bool is_new;
        uint32_t number = hw_pairs_number(&placing->known, by_thread ? thread : 0, at, &is_new);
        if (number == HW_PAIRS_NONE)
            return HW_NONE;
        if (!is_new) {
            parent = placing->node_of[number];
            break;
        }
        placing->steps[count++] = (struct step){number, at};
        is_cut = nodes[at].is_cut;
    }
    if (parent == HW_NONE)
        parent = first_parent(placing->growing, thread, by_thread, is_cut);
    while (count-- > 0 && parent != HW_NONE) {
        uint32_t *grown =
            hw_vec_grow(placing->node_of, &placing->capacity, placing->known.count, sizeof(*grown));
        if (!grown)
            return HW_NONE;
        placing->node_of = grown;
        parent = child_of(placing->growing, parent, nodes[placing->steps[count].node].place);
        grown[placing->steps[count].number] = parent;
    }
    return parent;
}

static bool grow_callers(struct growing *growing, bool by_thread)
{
    const struct hw_profile *profile = growing->stacks->profile;
    struct hw_flame *tree = &growing->tree;
    struct placing placing;
    bool ok = placing_init(&placing, growing);
    for (size_t i = 0; ok && i < profile->row_count; i++) {
        const struct hw_profile_row *row = &profile->rows[i];
        uint32_t thread = row->thread < profile->thread_count ? row->thread : 0;
        uint32_t node = place_stack(&placing, thread, by_thread, growing->stacks->row_nodes[i]);
        ok = node != HW_NONE;
        if (ok)
            add_row(tree, node, row);
    }
    placing_deinit(&placing);
    for (size_t i = tree->count; ok && i-- > 1;)
        add_node(tree, tree->parent[i], tree, i);
    return ok;
}

/* ---- what is kept ---- */

static bool is_kept(const struct hw_flame *tree, size_t node, double share)
{
    const struct hw_amount *all = hw_flame_amounts(tree, 0), *own = hw_flame_amounts(tree, node);
    for (size_t i = 0; i < tree->measure_count; i++)
        if (own[i].bytes && (double)own[i].bytes >= share * (double)all[i].bytes)
            return true;
    return node == 0;
}

/* ---- what was allocated first ---- */

/* A row that goes up its stack. */
struct climber {
    uint32_t row, at; /* node of the stacks */
    uint32_t node;    /* of the tree */
};

static bool climb(struct growing *growing, struct climber *climbers, size_t count)
{
    const struct hw_stacks *stacks = growing->stacks;
    for (size_t i = 0; i < count; i++) {
        struct climber *climber = &climbers[i];
        uint32_t what = climber->at == HW_NONE ? HW_FLAME_CUT : stacks->nodes[climber->at].place;
        climber->node = child_of(growing, climber->node, what);
        if (climber->node == HW_NONE)
            return false;
        add_row(&growing->tree, climber->node, &stacks->profile->rows[climber->row]);
    }
    return true;
}

/* Those that go on: what is too small to be kept need not be told apart further. */
static size_t climb_on(const struct growing *growing, struct climber *climbers, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        struct climber climber = climbers[i];
        if (climber.at == HW_NONE || !is_kept(&growing->tree, climber.node, HW_FLAME_LEAST_SHARE))
            continue;
        const struct hw_stack_node *node = &growing->stacks->nodes[climber.at];
        climber.at = node->caller;
        if (climber.at != HW_NONE || node->is_cut)
            climbers[left++] = climber;
    }
    return left;
}

static bool grow_callees(struct growing *growing)
{
    const struct hw_stacks *stacks = growing->stacks;
    size_t count = stacks->profile->row_count;
    struct climber *climbers = malloc((count + 1) * sizeof(*climbers));
    if (!climbers)
        return false;
    for (size_t i = 0; i < count; i++) {
        climbers[i] = (struct climber){(uint32_t)i, stacks->row_nodes[i], 0};
        add_row(&growing->tree, 0, &stacks->profile->rows[i]);
    }
    bool ok = true;
    for (size_t level = 0; ok && count && level <= HW_FLAME_LEVELS_MAX; level++) {
        ok = climb(growing, climbers, count);
        count = ok ? climb_on(growing, climbers, count) : 0;
    }
    free(climbers);
    return ok;
}

/* ---- made small ---- */

static size_t count_kept(const struct hw_flame *tree, const uint32_t *levels, double share)
{
    size_t kept = 0;
    for (size_t i = 0; i < tree->count; i++)
        kept += levels[i] <= HW_FLAME_LEVELS_MAX && is_kept(tree, i, share);
    return kept;
}

/* numbers: by node of the tree, its number in flame; HW_NONE: left out. */
static bool keep(struct hw_flame *flame, const struct hw_flame *tree, const uint32_t *levels,
                 uint32_t *numbers)
{
    for (size_t i = 0; i < tree->count; i++) {
        numbers[i] = HW_NONE;
        if (levels[i] > HW_FLAME_LEVELS_MAX || !is_kept(tree, i, flame->least_share))
            continue;
        uint32_t parent = i ? numbers[tree->parent[i]] : HW_NONE;
        numbers[i] = node_append(flame, parent, tree->what[i]);
        if (numbers[i] == HW_NONE)
            return false;
        add_node(flame, numbers[i], tree, i);
    }
    return true;
}

/* others: by node of flame, the child that stands for what is left out. */
static bool sum_others(struct hw_flame *flame, const struct hw_flame *tree, const uint32_t *numbers,
                       uint32_t *others)
{
    for (size_t i = 1; i < tree->count; i++) {
        uint32_t parent = numbers[tree->parent[i]];
        flame->left_out += numbers[i] == HW_NONE;
        if (numbers[i] != HW_NONE || parent == HW_NONE)
            continue;
        if (others[parent] == HW_NONE)
            others[parent] = node_append(flame, parent, HW_FLAME_OTHERS);
        if (others[parent] == HW_NONE)
            return false;
        add_node(flame, others[parent], tree, i);
    }
    return true;
}

static bool prune(struct hw_flame *flame, const struct hw_flame *tree)
{
    uint32_t *levels = calloc(tree->count, sizeof(*levels));
    uint32_t *numbers = calloc(tree->count, sizeof(*numbers)), *others = NULL;
    memcpy(flame->measures, tree->measures, sizeof(flame->measures));
    flame->measure_count = tree->measure_count;
    flame->least_share = HW_FLAME_LEAST_SHARE;
    bool ok = levels && numbers;
    for (size_t i = 1; ok && i < tree->count; i++)
        levels[i] = levels[tree->parent[i]] + 1;
    while (ok && count_kept(tree, levels, flame->least_share) > HW_FLAME_NODES_MAX)
        flame->least_share *= 2;
    ok = ok && keep(flame, tree, levels, numbers);
    if (ok)
        others = malloc(flame->count * sizeof(*others));
    for (size_t i = 0; others && i < flame->count; i++)
        others[i] = HW_NONE;
    ok = ok && others && sum_others(flame, tree, numbers, others);
    free(levels);
    free(numbers);
    free(others);
    return ok;
}

bool hw_flame_init(struct hw_flame *flame, const struct hw_stacks *stacks,
                   enum hw_flame_direction direction)
{
    struct growing growing;
    *flame = (struct hw_flame){0};
    bool ok =
        growing_init(&growing, stacks) &&
        (direction == HW_FLAME_CALLEES ? grow_callees(&growing)
                                       : grow_callers(&growing, direction == HW_FLAME_THREADS)) &&
        prune(flame, &growing.tree);
    growing_deinit(&growing);
    return ok;
}

void hw_flame_deinit(struct hw_flame *flame)
{
    free(flame->parent);
    free(flame->what);
    free(flame->amounts);
    *flame = (struct hw_flame){0};
}
