/* SPDX-License-Identifier: Apache-2.0 */
#include "weigh/dominators.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- memory that runs out ---- */

static size_t allocations_left = SIZE_MAX;

static bool is_due(void)
{
    return allocations_left != SIZE_MAX && !allocations_left--;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    return is_due() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return is_due() ? NULL : __real_calloc(count, bytes);
}

/* ---- graphs made of nothing but numbers: the columns that dominators look at ---- */

static uint64_t rng_state;
static uint32_t rng(uint32_t below)
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((rng_state >> 33) % below);
}

struct pairs {
    uint32_t (*rows)[2];
    size_t count, capacity;
};

static void link_nodes(struct pairs *pairs, uint32_t from, uint32_t to)
{
    if (pairs->count == pairs->capacity) {
        pairs->capacity = pairs->capacity ? 2 * pairs->capacity : 64;
        pairs->rows = realloc(pairs->rows, pairs->capacity * sizeof(*pairs->rows));
        assert_non_null(pairs->rows);
    }
    pairs->rows[pairs->count][0] = from;
    pairs->rows[pairs->count++][1] = to;
}

/* Node 0 of the pairs becomes the last one, the root; the others change places when shuffled. */
static struct hw_graph *graph_of(struct pairs *pairs, uint32_t n, bool shuffled)
{
    struct hw_graph *graph = hw_graph_create();
    uint32_t *place = malloc(n * sizeof(*place));
    for (uint32_t i = 0; i < n; i++)
        place[i] = n - 1 - i;
    for (uint32_t i = n - 1; shuffled && i > 1; i--) {
        uint32_t other = 1 + rng(i), swap = place[i];
        place[i] = place[other];
        place[other] = swap;
    }
    graph->node_count = n;
    graph->object_count = n - 1;
    graph->edge_count = pairs->count;
    graph->size = calloc(n, sizeof(*graph->size));
    graph->edge_start = calloc(n + 2, sizeof(*graph->edge_start));
    graph->edge_to = calloc(pairs->count + 1, sizeof(*graph->edge_to));
    for (uint32_t i = 0; i + 1 < n; i++)
        graph->size[i] = 1 + rng(1000);
    for (size_t i = 0; i < pairs->count; i++)
        graph->edge_start[place[pairs->rows[i][0]] + 2]++;
    for (uint32_t i = 2; i < n + 2; i++)
        graph->edge_start[i] += graph->edge_start[i - 1];
    for (size_t i = 0; i < pairs->count; i++)
        graph->edge_to[graph->edge_start[place[pairs->rows[i][0]] + 1]++] =
            place[pairs->rows[i][1]];
    free(place);
    free(pairs->rows);
    *pairs = (struct pairs){0};
    return graph;
}

/* ---- shapes of at most 64 nodes ---- */

static void any_edges(struct pairs *pairs, uint32_t n, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        link_nodes(pairs, rng(n), rng(n));
}

static void sparse(struct pairs *pairs, uint32_t n)
{
    any_edges(pairs, n, n + rng(n));
}

static void dense(struct pairs *pairs, uint32_t n)
{
    any_edges(pairs, n, n * (2 + rng(6)));
}

static void acyclic(struct pairs *pairs, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t k = rng(4); k-- > 0;)
            link_nodes(pairs, rng(i), i);
}

/* A tree, and a few references across. */
static void tree(struct pairs *pairs, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        link_nodes(pairs, rng(i), i);
    any_edges(pairs, n, rng(6));
}

/* Linked lists, some both ways, that share what they hold. */
static void lists(struct pairs *pairs, uint32_t n)
{
    uint32_t shared = 1 + rng(3), before = 0;
    bool both = rng(2);
    for (uint32_t i = 1 + shared; i < n; i++) {
        before = rng(12) ? before : 0;
        link_nodes(pairs, before, i);
        if (both && before)
            link_nodes(pairs, i, before);
        if (!rng(3) && shared < n)
            link_nodes(pairs, i, 1 + rng(shared));
        before = i;
    }
    any_edges(pairs, n, rng(3));
}

/* Few nodes that refer to something, many that do not. */
static void shared_leaves(struct pairs *pairs, uint32_t n)
{
    uint32_t core = 1 + n / 3;
    for (uint32_t i = 1; i < core; i++)
        link_nodes(pairs, rng(i), i);
    for (uint32_t i = core; i < n; i++)
        for (uint32_t k = rng(4); k-- > 0;)
            link_nodes(pairs, rng(core), i);
    any_edges(pairs, core, rng(core));
}

/* Ladders, on which semidominators and dominators differ most. */
static void ladder(struct pairs *pairs, uint32_t n)
{
    for (uint32_t i = 0; i + 1 < n; i++) {
        link_nodes(pairs, i, i + 1);
        if (i + 2 < n && rng(2))
            link_nodes(pairs, i, i + 2);
        if (!rng(3))
            link_nodes(pairs, i + 1, rng(i + 1));
    }
}

static void (*const shapes[])(struct pairs *, uint32_t) = {
    sparse, dense, acyclic, tree, lists, shared_leaves, ladder,
};
enum { SHAPE_COUNT = sizeof(shapes) / sizeof(shapes[0]), ROUNDS = 3000, NODES_MAX = 64 };

/* ---- the truth, by other means ---- */

/* What the root reaches when node `without` is gone. */
static uint64_t reach(const struct hw_graph *graph, hw_id without)
{
    uint64_t seen = 0, waiting = (uint64_t)1 << (graph->node_count - 1);
    if (without != HW_NONE)
        waiting &= ~((uint64_t)1 << without);
    while (waiting) {
        hw_id id = (hw_id)__builtin_ctzll(waiting);
        seen |= (uint64_t)1 << id;
        for (uint32_t e = graph->edge_start[id]; e < graph->edge_start[id + 1]; e++)
            if (graph->edge_to[e] != without)
                waiting |= (uint64_t)1 << graph->edge_to[e];
        waiting &= ~seen;
    }
    return seen;
}

/* The classic equations: what dominates all referrers, and the node itself. */
static void solve(const struct hw_graph *graph, uint64_t reached, uint64_t *dominators)
{
    hw_id root = graph->node_count - 1;
    for (hw_id id = 0; id <= root; id++)
        dominators[id] = id == root ? (uint64_t)1 << root : UINT64_MAX;
    for (bool changed = true; changed;) {
        changed = false;
        for (hw_id from = 0; from <= root; from++) {
            for (uint32_t e = graph->edge_start[from]; e < graph->edge_start[from + 1]; e++) {
                hw_id to = graph->edge_to[e];
                uint64_t less = dominators[to] & (dominators[from] | (uint64_t)1 << to);
                if (!(reached >> from & 1) || to == root || less == dominators[to])
                    continue;
                dominators[to] = less;
                changed = true;
            }
        }
    }
}

static hw_id nearest(const uint64_t *dominators, hw_id id)
{
    hw_id best = HW_NONE;
    int most = 0;
    for (uint64_t rest = dominators[id] & ~((uint64_t)1 << id); rest; rest &= rest - 1) {
        hw_id other = (hw_id)__builtin_ctzll(rest);
        int count = __builtin_popcountll(dominators[other]);
        if (count > most) {
            most = count;
            best = other;
        }
    }
    return best;
}

static uint64_t weight_of(const struct hw_graph *graph, uint64_t nodes)
{
    uint64_t sum = 0;
    for (; nodes; nodes &= nodes - 1)
        sum += graph->size[__builtin_ctzll(nodes)];
    return sum;
}

static void check_order(const struct hw_graph *graph, const struct hw_dominators *d,
                        uint64_t reached)
{
    uint32_t count;
    const hw_id *order = hw_dominators_order(d, &count);
    assert_int_equal(count, __builtin_popcountll(reached));
    assert_int_equal(order[0], graph->node_count - 1);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = hw_dominators_count(d, order[i]), at = i + 1;
        while (at < i + size) {
            assert_int_equal(hw_dominators_owner(d, order[at]), order[i]);
            at += hw_dominators_count(d, order[at]);
        }
        assert_int_equal(at, i + size);
        assert_int_equal(hw_dominators_position(d, order[i]), i);
    }
}

static void check(const struct hw_graph *graph)
{
    struct hw_dominators *d;
    uint64_t dominators[NODES_MAX], reached = reach(graph, HW_NONE);
    assert_true(hw_dominators_create(&d, graph, NULL));
    solve(graph, reached, dominators);
    for (hw_id id = 0; id < graph->node_count; id++) {
        bool is_reached = reached >> id & 1;
        uint64_t lost = is_reached ? reached & ~reach(graph, id) : 0;
        assert_int_equal(hw_dominators_reached(d, id), is_reached);
        assert_int_equal(hw_dominators_retained(d, id), weight_of(graph, lost));
        assert_int_equal(hw_dominators_count(d, id), __builtin_popcountll(lost));
        assert_int_equal(hw_dominators_owner(d, id),
                         is_reached ? nearest(dominators, id) : HW_NONE);
    }
    check_order(graph, d, reached);
    hw_dominators_destroy(d);
}

static void test_equals_brute_force(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < SHAPE_COUNT * ROUNDS; round++) {
        struct pairs pairs = {0};
        rng_state = round;
        uint32_t n = 1 + rng(rng(4) ? 14 : NODES_MAX);
        shapes[round % SHAPE_COUNT](&pairs, n);
        struct hw_graph *graph = graph_of(&pairs, n, rng(4) != 0);
        check(graph);
        hw_graph_destroy(graph);
    }
}

/* ---- large ones ---- */

enum { LARGE = 400000 };

/* A list; every link, and many more from its far end, hold one leaf and one another. */
static void test_long_list_with_a_shared_leaf(void **state)
{
    (void)state;
    struct pairs pairs = {0};
    uint32_t leaf = LARGE + 1;
    for (uint32_t i = 0; i < LARGE; i++) {
        link_nodes(&pairs, i, i + 1);
        link_nodes(&pairs, i + 1, leaf);
    }
    struct hw_graph *graph = graph_of(&pairs, LARGE + 2, false);
    struct hw_dominators *d;
    assert_true(hw_dominators_create(&d, graph, NULL));
    hw_id root = LARGE + 1, first = LARGE;
    assert_int_equal(hw_dominators_owner(d, 0), first);
    assert_int_equal(hw_dominators_owner(d, 1), 2);
    assert_int_equal(hw_dominators_count(d, first), LARGE + 1);
    assert_int_equal(hw_dominators_count(d, 1), 1);
    assert_int_equal(hw_dominators_count(d, root), LARGE + 2);
    hw_dominators_destroy(d);
    hw_graph_destroy(graph);
}

/* What makes walks quadratic: a long list whose end refers to every link, to many nodes that the
 * root holds as well, and to the leaves of these. */
static void test_no_walk_is_quadratic(void **state)
{
    (void)state;
    struct pairs pairs = {0};
    uint32_t n = 1 + 4 * LARGE, end = LARGE;
    for (uint32_t i = 0; i < LARGE; i++) {
        uint32_t held = 1 + LARGE + i, leaf = held + LARGE, far = leaf + LARGE;
        link_nodes(&pairs, i, i + 1);
        link_nodes(&pairs, end, i + 1);
        link_nodes(&pairs, end, held);
        link_nodes(&pairs, 0, held);
        link_nodes(&pairs, held, leaf);
        link_nodes(&pairs, end, leaf);
        link_nodes(&pairs, held, far);
        link_nodes(&pairs, 1 + LARGE, far);
    }
    struct hw_graph *graph = graph_of(&pairs, n, true);
    hw_id root = n - 1;
    struct hw_dominators *d;
    assert_true(hw_dominators_create(&d, graph, NULL));
    assert_int_equal(hw_dominators_count(d, root), n);
    uint32_t children = 0;
    for (hw_id id = 0; id < root; id++)
        children += hw_dominators_owner(d, id) == root;
    /* The list, and all that it shares with the root; but one far leaf has one referrer. */
    assert_int_equal(children, 1 + 3 * LARGE - 1);
    hw_dominators_destroy(d);
    hw_graph_destroy(graph);
}

/* ---- sizes ---- */

static void test_sums_need_more_than_32_bits(void **state)
{
    (void)state;
    struct pairs pairs = {0};
    struct hw_dominators *d;
    link_nodes(&pairs, 0, 1);
    link_nodes(&pairs, 1, 2);
    link_nodes(&pairs, 1, 3);
    struct hw_graph *graph = graph_of(&pairs, 4, false);
    for (hw_id id = 0; id < 3; id++)
        graph->size[id] = HW_BIG_SIZE - 1;
    graph->size[0] = HW_BIG_SIZE;
    graph->big = malloc(sizeof(*graph->big));
    graph->big[0] = (struct hw_big_size){0, (uint64_t)1 << 40};
    graph->big_count = 1;
    assert_true(hw_dominators_create(&d, graph, NULL));
    assert_int_equal(hw_dominators_retained(d, 0), (uint64_t)1 << 40);
    assert_int_equal(hw_dominators_retained(d, 2),
                     ((uint64_t)1 << 40) + 2 * (uint64_t)(HW_BIG_SIZE - 1));
    hw_dominators_destroy(d);
    hw_graph_destroy(graph);
}

static void test_memory_may_run_out(void **state)
{
    (void)state;
    struct pairs pairs = {0};
    rng_state = 7;
    dense(&pairs, 60);
    struct hw_graph *graph = graph_of(&pairs, 60, true);
    bool ok = false;
    size_t round = 0;
    for (; !ok && round < 100; round++) {
        struct hw_dominators *d = NULL;
        struct hw_err err = HW_ERR_INIT;
        allocations_left = round;
        ok = hw_dominators_create(&d, graph, &err);
        allocations_left = SIZE_MAX;
        assert_true(ok || (!d && err.code == HW_ERR_NO_MEMORY));
        hw_dominators_destroy(d);
    }
    assert_in_range(round, 10, 99);
    hw_graph_destroy(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_brute_force),
        cmocka_unit_test(test_long_list_with_a_shared_leaf),
        cmocka_unit_test(test_no_walk_is_quadratic),
        cmocka_unit_test(test_sums_need_more_than_32_bits),
        cmocka_unit_test(test_memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
