/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/graph.h"

#include <pthread.h>

/* The lock is held for moments only; who forks takes it, so that the child finds it free. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct hw_graph *first;

static void take(void)
{
    pthread_mutex_lock(&lock);
}

static void give(void)
{
    pthread_mutex_unlock(&lock);
}

static void prepare(void)
{
    pthread_atfork(take, give, give);
}

void hw_graph_enlist(struct hw_graph *graph)
{
    pthread_once(&once, prepare);
    take();
    graph->listed_next = first;
    graph->listed_at = &first;
    if (first)
        first->listed_at = &graph->listed_next;
    first = graph;
    give();
}

void hw_graph_delist(struct hw_graph *graph)
{
    if (!graph->listed_at)
        return;
    take();
    *graph->listed_at = graph->listed_next;
    if (graph->listed_next)
        graph->listed_next->listed_at = graph->listed_at;
    graph->listed_at = NULL;
    give();
}

static void visit_values(const struct hw_values *values, hw_block_fn visit, void *ctx)
{
    visit(ctx, values->blocks);
    visit(ctx, values->packed.data);
    visit(ctx, values->memos);
    for (size_t i = 0; i < HW_VALUE_CACHES; i++)
        visit(ctx, values->caches[i].raw.data);
}

static void visit_graph(const struct hw_graph *graph, hw_block_fn visit, void *ctx)
{
    const void *const blocks[] = {
        graph,           graph->where,           graph->type,           graph->size,
        graph->refcount, graph->flags,           graph->age,            graph->edge_start,
        graph->edge_to,  graph->edge_label,      graph->spans,          graph->big,
        graph->native,   graph->held,            graph->types,          graph->strings,
        graph->synthetic, graph->ledger.parts,   graph->ledger.classes, graph->ledger.arenas,
        graph->ledger.natives, graph->system.fds, graph->system.watches, graph->system.tasks,
        graph->allocs.frames, graph->allocs.sites, graph->allocs.of};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++)
        visit(ctx, blocks[i]);
    visit_values(&graph->values, visit, ctx);
    hw_arena_visit(&graph->arena, visit, ctx);
    hw_arena_visit(&graph->system.arena, visit, ctx);
}

void hw_graphs_visit_blocks(hw_block_fn visit, void *ctx)
{
    take();
    for (const struct hw_graph *graph = first; graph; graph = graph->listed_next)
        visit_graph(graph, visit, ctx);
    give();
}
