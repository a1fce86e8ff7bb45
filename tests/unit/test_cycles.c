/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/garbage.h"
#include "collect/components.h"
#include "graph-text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct hw_cycles *ask(const char *text, struct hw_graph **ret_graph)
{
    struct hw_cycles *cycles = NULL;
    *ret_graph = graph_from_text(text);
    assert_true(hw_cycles_ask(*ret_graph, 0, &cycles, NULL));
    return cycles;
}

static void done(struct hw_cycles *cycles, struct hw_graph *graph)
{
    hw_cycles_destroy(cycles);
    hw_graph_destroy(graph);
}

/* One group; what closes it, and the places that break it, with blanks between them. */
static void assert_group(const char *text, uint64_t components, const char *closes,
                         const char *places)
{
    struct hw_graph *graph;
    struct hw_cycles *cycles = ask(text, &graph);
    assert_int_equal(cycles->group_total, 1);
    assert_int_equal(cycles->group_count, 1);
    const struct hw_cycle_group *group = &cycles->groups[0];
    char said[400] = "";
    for (size_t i = 0; i < group->break_count; i++)
        snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s", i ? " " : "",
                 group->breaks[i].place);
    assert_int_equal(group->components, components);
    assert_string_equal(group->closes, closes);
    assert_string_equal(said, places);
    assert_int_equal(group->breaks_all, *places != 0);
    done(cycles, graph);
}

#define CLASSES "type app.A python\ntype app.B python\ntype app.C python\ntype app.D python\n"

static void test_one_cycle(void **state)
{
    (void)state;
    assert_group(CLASSES "@0x10 app.A\n.me -> 0x10\n", 1, "app.A.me is the same app.A", "app.A.me");
    assert_group(CLASSES "@0x10 app.A\n.b -> 0x20\n@0x20 app.B\n.owner -> 0x10\n", 1,
                 "app.A.b.owner is the same app.A", "app.B.owner");
    /* a container that contains itself takes no weak reference */
    assert_group("@0x10 list\n[0] -> 0x10\n[1] -> 0x10\n", 1, "list[0] is the same list",
                 "list[...]");
}

/* The attribute that many make at one object is the one to make weak, whatever it is called. */
static void test_many_to_one(void **state)
{
    (void)state;
    assert_group("type app.Order python\ntype app.Line python\n"
                 "@0x10 app.Order\n.lines -> 0x20\n@0x20 list\n[0] -> 0x30\n[1] -> 0x40\n"
                 "@0x30 app.Line\n.order -> 0x10\n@0x40 app.Line\n.order -> 0x10\n",
                 1, "app.Order.lines[0].order is the same app.Order", "app.Line.order");
    /* attributes in a namespace are the same place as those in the object */
    assert_group("type app.Order python\ntype app.Line python\n"
                 "@0x10 app.Order\n.lines -> 0x20\n@0x20 list\n[0] -> 0x30\n[1] -> 0x40\n"
                 "@0x30 app.Line\n.__dict__ -> 0x50\n@0x50 dict\n['order'] -> 0x10\n"
                 "@0x40 app.Line\n.order -> 0x10\n",
                 1, "app.Order.lines[1].order is the same app.Order", "app.Line.order");
}

static void test_several_cycles_in_one(void **state)
{
    (void)state;
    /* overlapping: one edge is part of both */
    assert_group(CLASSES "@0x10 app.A\n.b -> 0x20\n@0x20 app.B\n.c -> 0x30\n.d -> 0x40\n"
                         "@0x30 app.C\n.a -> 0x10\n@0x40 app.D\n.a -> 0x10\n",
                 1, "app.B.c.a.b is the same app.B", "app.A.b");
    /* a back reference that does not suffice is not proposed where another place does */
    assert_group(CLASSES "@0x10 app.A\n.b -> 0x20\n@0x20 app.B\n.c -> 0x30\n.parent -> 0x10\n"
                         "@0x30 app.C\n.a -> 0x10\n",
                 1, "app.B.parent.b is the same app.B", "app.A.b");
    /* a figure eight: no single place suffices */
    assert_group(CLASSES "@0x10 app.A\n.b -> 0x20\n.c -> 0x30\n@0x20 app.B\n.owner -> 0x10\n"
                         "@0x30 app.C\n.owner -> 0x10\n",
                 1, "app.A.b.owner is the same app.A", "app.B.owner app.C.owner");
}

static void test_bound_methods(void **state)
{
    (void)state;
    assert_group("type app.Connection python\n@0x10 app.Connection\n.handlers -> 0x20\n"
                 "@0x20 dict\n[1] -> 0x30\n[2] -> 0x40\n"
                 "@0x30 method\n.__self__ -> 0x10\n@0x40 method\n.__self__ -> 0x10\n",
                 1, "app.Connection.handlers[1].__self__ is the same app.Connection",
                 "app.Connection.handlers[...]");
}

static void test_exception(void **state)
{
    (void)state;
    assert_group("type app.Failed python\n@0x10 app.Failed\n.__traceback__ -> 0x20\n"
                 "@0x20 traceback\n.tb_frame -> 0x30\n@0x30 frame\nlocal error -> 0x10\n",
                 1, "app.Failed.__traceback__.tb_frame.error is the same app.Failed",
                 "error of frame");
    struct hw_graph *graph;
    struct hw_cycles *cycles =
        ask("@0x10 KeyError\n.__traceback__ -> 0x20\n@0x20 traceback\n.tb_frame -> 0x30\n"
            "@0x30 frame\nlocal error -> 0x10\n",
            &graph);
    assert_int_equal(cycles->groups[0].kind, HW_CYCLE_EXCEPTION);
    done(cycles, graph);
}

/* Rings of one shape are one group, however long. */
static void test_groups(void **state)
{
    (void)state;
    struct hw_graph *graph;
    const char *text =
        CLASSES "@0x10 app.A size=10\n.next -> 0x20\n@0x20 app.A size=10\n.next -> 0x10\n"
                "@0x30 app.A size=10\n.next -> 0x40\n@0x40 app.A size=10\n.next -> 0x50\n"
                "@0x50 app.A size=10\n.next -> 0x30\n.s -> 0x60\n@0x60 list size=7\n"
                "@0x70 app.A size=10\n.other -> 0x70\n";
    struct hw_cycles *cycles = ask(text, &graph);
    assert_int_equal(cycles->components, 3);
    assert_int_equal(cycles->group_total, 2);
    assert_int_equal(cycles->groups[0].components, 2);
    assert_int_equal(cycles->groups[0].objects, 5);
    assert_int_equal(cycles->groups[0].bytes, 50);
    assert_int_equal(cycles->groups[0].largest, 3);
    assert_int_equal(cycles->groups[0].held_objects, 1);
    assert_int_equal(cycles->groups[0].held_bytes, 7);
    assert_int_equal(cycles->groups[0].cycle.step_count, 2); /* the smallest is the example */
    assert_int_equal(cycles->groups[1].objects, 1);
    assert_int_equal(cycles->objects, 7);
    assert_int_equal(cycles->cycle_objects, 6);
    uint64_t signature = cycles->groups[0].signature;
    done(cycles, graph);
    /* the signature is a matter of names only */
    cycles = ask("type app.Z python\ntype app.A python\n@0x90 app.A\n.next -> 0xa0\n"
                 "@0xa0 app.A\n.next -> 0x90\n",
                 &graph);
    assert_true(cycles->groups[0].signature == signature);
    done(cycles, graph);
}

/* Two rings and an edge from one to the other, and what both hold. */
static void test_joined_rings(void **state)
{
    (void)state;
    struct hw_graph *graph;
    struct hw_cycles *cycles =
        ask(CLASSES "@0x10 app.A\n.a -> 0x10\n.b -> 0x20\n.s -> 0x30\n@0x20 app.B\n.b -> 0x20\n"
                    ".s -> 0x30\n.t -> 0x40\n@0x30 list size=5\n[0] -> 0x50\n@0x40 list\n"
                    "@0x50 list size=6\n",
            &graph);
    assert_int_equal(cycles->components, 2);
    assert_int_equal(cycles->group_total, 2);
    assert_int_equal(cycles->cycle_objects, 2);
    assert_int_equal(cycles->shared_objects, 2);
    assert_int_equal(cycles->shared_bytes, 11);
    assert_int_equal(cycles->groups[0].held_objects + cycles->groups[1].held_objects, 1);
    done(cycles, graph);
}

static void test_finalizers(void **state)
{
    (void)state;
    struct hw_graph *graph;
    struct hw_cycles *cycles =
        ask("type app.A python has_del\n@0x10 app.A\n.a -> 0x10\n.b -> 0x20\n@0x20 app.A\n"
            "@0x30 app.A flags=tracked,finalized\n.a -> 0x30\n",
            &graph);
    assert_int_equal(cycles->finalizers, 2);
    assert_int_equal(cycles->group_total, 1);
    assert_int_equal(cycles->groups[0].finalizers, 1);
    assert_int_equal(cycles->groups[0].finalized, 1);
    assert_int_equal(cycles->tracked, 3);
    done(cycles, graph);
}

/* What has a legacy finalizer stays, and what it reaches; what only leads to it goes. */
static void test_legacy_finalizers(void **state)
{
    (void)state;
    struct hw_graph *graph;
    struct hw_cycles *cycles =
        ask("type app.A python\ntype app.L legacy_del heap\n@0x10 app.L\n.a -> 0x10\n.b -> 0x20\n"
            "@0x20 app.A\n.a -> 0x20\n.text -> 'kept'\n@0x30 app.A\n.a -> 0x30\n.b -> 0x10\n",
            &graph);
    assert_int_equal(cycles->tracked, 3);
    assert_int_equal(cycles->objects, 1);
    assert_int_equal(cycles->stuck_objects, 2 + 1);
    assert_int_equal(cycles->cycle_objects, 1);
    assert_int_equal(cycles->group_total, 3);
    for (size_t i = 0; i < cycles->group_count; i++) {
        const struct hw_cycle_group *group = &cycles->groups[i];
        hw_addr start = hw_graph_addr(graph, group->start);
        assert_int_equal(group->uncollectable, start != 0x30);
        assert_int_equal(group->legacy, start == 0x10);
    }
    done(cycles, graph);
}

/* What gc.garbage keeps is told apart from what a collection would free. */
static void test_gc_garbage(void **state)
{
    (void)state;
    struct hw_graph *graph;
    struct hw_cycles *cycles =
        ask("$i interpreter \"main\"\nroot gc.garbage -> 0x100\n@0x100 list\n[0] -> 0x10\n"
            "@0x10 app.A\n.a -> 0x10\n.s -> 0x20\n@0x20 list\n@0x30 app.A\n.a -> 0x30\n",
            &graph);
    assert_int_equal(cycles->kept, 1);
    assert_int_equal(cycles->kept_objects, 2);
    assert_string_equal(cycles->kept_types[0].name, "app.A");
    assert_int_equal(cycles->objects, 1);
    assert_int_equal(cycles->cycle_objects, 1);
    assert_int_equal(cycles->group_total, 2);
    assert_true(cycles->groups[0].kept);
    assert_false(cycles->groups[1].kept);
    done(cycles, graph);
}

static void test_nothing(void **state)
{
    (void)state;
    struct hw_graph *graph;
    struct hw_cycles *cycles =
        ask("$f frame \"f\" \"f.py\" 1\nlocal a -> 0x10\n@0x10 app.A\n.a -> 0x10\n", &graph);
    assert_int_equal(cycles->objects, 0);
    assert_int_equal(cycles->group_total, 0);
    assert_int_equal(cycles->components, 0);
    done(cycles, graph);
}

/* ---- random graphs, against the definition ---- */

enum { NODES = 12, GRAPHS = 3000 };

static struct hw_graph *random_graph(unsigned *seed)
{
    char text[4096];
    size_t n = 0;
    for (unsigned i = 0; i < NODES; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "@0x%x list\n", 0x10 * (i + 1));
        for (unsigned e = 0; e < (unsigned)rand_r(seed) % 4; e++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "[%u] -> 0x%x\n", e,
                                  0x10 * (1 + (unsigned)rand_r(seed) % NODES));
    }
    return graph_from_text(text);
}

static void reach(const struct hw_part *part, bool to[NODES][NODES])
{
    memset(to, 0, sizeof(bool) * NODES * NODES);
    for (uint32_t i = 0; i < NODES; i++)
        for (uint32_t e = part->start[i]; e < part->start[i + 1]; e++)
            to[i][part->to[e]] = true;
    for (int k = 0; k < NODES; k++)
        for (int i = 0; i < NODES; i++)
            for (int j = 0; j < NODES; j++)
                to[i][j] |= to[i][k] && to[k][j];
}

static void test_components_by_definition(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int g = 0; g < GRAPHS; g++) {
        struct hw_graph *graph = random_graph(&seed);
        uint8_t marks[NODES + 1];
        struct hw_part part;
        struct hw_components found;
        bool to[NODES][NODES];
        memset(marks, 1, sizeof(marks));
        assert_true(hw_part_init(&part, graph, marks, NULL));
        assert_true(hw_components_init(&found, &part, NULL, NULL));
        reach(&part, to);
        uint32_t place[NODES];
        for (uint32_t i = 0; i < NODES; i++)
            place[found.order[i]] = i;
        for (int i = 0; i < NODES; i++) {
            assert_int_equal(found.of[i] != HW_NONE, to[i][i]);
            for (int j = 0; j < NODES; j++) {
                bool together = to[i][i] && to[j][j] && to[i][j] && to[j][i];
                assert_int_equal(together, found.of[i] != HW_NONE && found.of[i] == found.of[j]);
                if (to[i][j] && !to[j][i])
                    assert_true(place[j] < place[i]);
            }
        }
        hw_components_deinit(&found);
        hw_part_deinit(&part);
        hw_graph_destroy(graph);
    }
}

/* Every node a class of its own, every reference an attribute of its own: a place is one edge. */
static struct hw_graph *random_classes(unsigned *seed)
{
    char text[8192];
    size_t n = 0;
    for (unsigned i = 0; i < NODES; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "type T%u python\n", i);
    for (unsigned i = 0; i < NODES; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "@0x%x T%u\n", 0x10 * (i + 1), i);
        for (unsigned e = 0; e < (unsigned)rand_r(seed) % 4; e++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, ".e%u -> 0x%x\n", e,
                                  0x10 * (1 + (unsigned)rand_r(seed) % NODES));
    }
    return graph_from_text(text);
}

/* Nodes in the component of `start` that are in a cycle when the edges are taken away. */
static int left_without(const struct hw_graph *graph, hw_id start, const uint32_t *edges,
                        size_t count)
{
    bool before[NODES][NODES], after[NODES][NODES];
    struct hw_part part;
    uint8_t marks[NODES + 1];
    int left = 0;
    memset(marks, 1, sizeof(marks));
    assert_true(hw_part_init(&part, graph, marks, NULL));
    reach(&part, before);
    for (uint32_t e = 0; e < part.edge_count; e++)
        for (size_t i = 0; i < count; i++)
            if (part.edge[e] == edges[i])
                part.to[e] = NODES;
    memset(after, 0, sizeof(after));
    for (uint32_t i = 0; i < NODES; i++)
        for (uint32_t e = part.start[i]; e < part.start[i + 1]; e++)
            if (part.to[e] < NODES)
                after[i][part.to[e]] = true;
    for (int k = 0; k < NODES; k++)
        for (int i = 0; i < NODES; i++)
            for (int j = 0; j < NODES; j++)
                after[i][j] |= after[i][k] && after[k][j];
    for (int i = 0; i < NODES; i++)
        left += before[start][i] && before[i][start] && after[i][i];
    hw_part_deinit(&part);
    return left;
}

/* T3.e1 -> the edge */
static uint32_t edge_of_place(const struct hw_graph *graph, const char *place)
{
    unsigned node, name;
    char wanted[8];
    assert_int_equal(sscanf(place, "T%u.e%u", &node, &name), 2);
    snprintf(wanted, sizeof(wanted), "e%u", name);
    for (uint32_t e = graph->edge_start[node]; e < graph->edge_start[node + 1]; e++)
        if (!strcmp(hw_graph_string(graph, hw_label_payload(graph->edge_label[e])), wanted))
            return e;
    fail();
    return 0;
}

static void assert_proposal(const struct hw_graph *graph, const struct hw_cycle_group *group)
{
    uint32_t edges[8];
    assert_true(group->break_count > 0 && group->break_count <= 8);
    for (size_t i = 0; i < group->break_count; i++)
        edges[i] = edge_of_place(graph, group->breaks[i].place);
    assert_int_equal(group->breaks_all,
                     left_without(graph, group->start, edges, group->break_count) == 0);
    if (group->break_count > 1)
        for (uint32_t e = 0; e < graph->edge_count; e++)
            assert_int_not_equal(left_without(graph, group->start, &e, 1), 0);
    for (size_t i = 0; group->breaks_all && i < group->break_count; i++) {
        uint32_t others[8];
        size_t n = 0;
        for (size_t k = 0; k < group->break_count; k++)
            if (k != i)
                others[n++] = edges[k];
        assert_int_not_equal(left_without(graph, group->start, others, n), 0);
    }
}

/* What is proposed does break every cycle; several places only where no single one does, and none
 * that could be left out. */
static void test_proposals_hold(void **state)
{
    (void)state;
    unsigned seed = 11, single = 0, several = 0;
    for (int g = 0; g < GRAPHS / 10; g++) {
        struct hw_graph *graph = random_classes(&seed);
        struct hw_cycles *cycles;
        assert_true(hw_cycles_ask(graph, 0, &cycles, NULL));
        for (size_t i = 0; i < cycles->group_count; i++) {
            const struct hw_cycle_group *group = &cycles->groups[i];
            const struct hw_step *last = &group->cycle.steps[group->cycle.step_count - 1];
            assert_int_equal(last->node, group->start);
            assert_proposal(graph, group);
            *(group->break_count > 1 ? &several : &single) += 1;
        }
        done(cycles, graph);
    }
    assert_true(single > 50 && several > 50);
}

/* What lies outside of objects belongs to them, in a cycle and below one. */
static void test_memory_outside(void **state)
{
    (void)state;
    struct hw_graph *graph;
    struct hw_cycles *cycles = ask(CLASSES "@0x10 app.A size=48 native=1000\n"
                                           ".b -> 0x20\n"
                                           "@0x20 app.B size=48\n"
                                           ".owner -> 0x10\n"
                                           ".map -> 0x30\n"
                                           "@0x30 app.C size=40 native=5000\n",
                                   &graph);
    assert_int_equal(cycles->bytes, 48 + 1000 + 48 + 40 + 5000);
    assert_int_equal(cycles->cycle_bytes, 48 + 1000 + 48);
    assert_int_equal(cycles->groups[0].bytes, 48 + 1000 + 48);
    assert_int_equal(cycles->groups[0].held_bytes, 40 + 5000);
    assert_int_equal(cycles->types[0].bytes, 5040);
    assert_int_equal(cycles->groups[0].types[0].bytes, 1048);
    done(cycles, graph);
}

/* Objects and bytes of news are of the same objects. */
static void test_news(void **state)
{
    (void)state;
    struct hw_graph *graphs[2];
    struct hw_cycle_news news[2];
#define HOLDING "@0x10 app.A size=48\n.me -> 0x10\n.c -> 0x20\n@0x20 app.C size=40\n"
    struct hw_cycles *before = ask(CLASSES HOLDING, &graphs[0]);
    struct hw_cycles *now = ask(CLASSES HOLDING "@0x30 app.A size=48\n.me -> 0x30\n.c -> 0x40\n"
                                                "@0x40 app.C size=40\n",
                                &graphs[1]);
#undef HOLDING
    assert_int_equal(hw_cycles_compare(before, now, news), 1);
    assert_int_equal(news[0].components, 1);
    assert_int_equal(news[0].objects, 2);
    assert_int_equal(news[0].bytes, 88);
    assert_false(news[0].first);
    done(before, graphs[0]);
    done(now, graphs[1]);
}

/* ---- size ---- */

/* rings times length instances, each the next one's only holder. */
static struct hw_graph *make_rings(uint32_t rings, uint32_t length)
{
    uint32_t n = rings * length;
    struct hw_graph *graph = graph_from_text("type app.A python\n@0x10 app.A\n.next -> 0x10\n");
    uint32_t type = graph->type[0], label = graph->edge_label[0];
    void **columns[] = {(void **)&graph->where,      (void **)&graph->type,
                        (void **)&graph->size,       (void **)&graph->refcount,
                        (void **)&graph->edge_start, (void **)&graph->edge_to,
                        (void **)&graph->edge_label};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        free(*columns[i]);
        *columns[i] = calloc(n + 2, sizeof(uint32_t));
        assert_non_null(*columns[i]);
    }
    free(graph->flags);
    graph->flags = calloc(n + 2, sizeof(*graph->flags));
    for (uint32_t i = 0; i < n; i++) {
        graph->where[i] = 2 * (i + 1);
        graph->type[i] = type;
        graph->size[i] = 48;
        graph->refcount[i] = 1;
        graph->flags[i] = HW_NODE_TRACKED;
        graph->edge_start[i + 1] = i + 1;
        graph->edge_to[i] = i - i % length + (i % length + 1) % length;
        graph->edge_label[i] = label;
    }
    graph->edge_start[n + 1] = n;
    graph->object_count = n;
    graph->node_count = n + 1;
    graph->edge_count = n;
    graph->type[n] = graph->type_count - 1;
    return graph;
}

static double seconds_for(uint32_t rings, uint32_t length)
{
    struct hw_graph *graph = make_rings(rings, length);
    struct hw_cycles *cycles;
    clock_t before = clock();
    assert_true(hw_cycles_ask(graph, 0, &cycles, NULL));
    double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
    assert_int_equal(cycles->components, rings);
    assert_int_equal(cycles->group_total, 1);
    assert_int_equal(cycles->cycle_objects, (uint64_t)rings * length);
    done(cycles, graph);
    return seconds;
}

/* Eight times as many rings take eight times as long, and not sixty-four times; and a ring of a
 * million objects needs no deep stack. */
static void test_many_rings(void **state)
{
    (void)state;
    double few = seconds_for(125000, 3), many = seconds_for(1000000, 3);
    print_message("# 125,000 rings %.3f s, 1,000,000 rings %.3f s\n", few, many);
    assert_true(many < 32 * few);
    seconds_for(1, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_cycle),
        cmocka_unit_test(test_many_to_one),
        cmocka_unit_test(test_several_cycles_in_one),
        cmocka_unit_test(test_bound_methods),
        cmocka_unit_test(test_exception),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_joined_rings),
        cmocka_unit_test(test_finalizers),
        cmocka_unit_test(test_legacy_finalizers),
        cmocka_unit_test(test_gc_garbage),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_components_by_definition),
        cmocka_unit_test(test_proposals_hold),
        cmocka_unit_test(test_memory_outside),
        cmocka_unit_test(test_news),
        cmocka_unit_test(test_many_rings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
