/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_GRAPH_H
#define HW_HEAP_GRAPH_H

/*
 * The heap graph from inside: columns, one row a node, in the order that heapwhy.h describes.
 *
 *     node       0        1        2    ...   object_count      ...   node_count-1
 *                |------ objects, by address ------|--- synthetic ---| root
 *     where[]    position of the object (spans turn it into an address); 0 for synthetic nodes
 *     type[]     index into types[]
 *     size[]     bytes as sys.getsizeof; HW_BIG_SIZE: look it up in big[]
 *     refcount[] saturates
 *     flags[]    enum hw_node_flag
 *     age[]      255ths of the collector's order, 1 oldest; 0: not known
 *     edge_start[node] .. edge_start[node+1]  ->  edge_to[], edge_label[]
 *
 * A position is a count of granules: span after span, each cut into pieces of 1 << shift bytes. It
 * keeps four bytes where an address needs eight.
 */

#include "base/arena.h"
#include "heap/alloc-sites.h"
#include "heap/ledger.h"
#include "heap/values.h"
#include "heapwhy.h"
#include "system/system.h"

struct hw_span {
    hw_addr start, end;
    uint32_t first; /* position of start */
    uint32_t shift; /* log2 of the granule: 4 for anonymous memory, 3 for mapped files */
};

enum { HW_BIG_SIZE = UINT32_MAX };
struct hw_big_size {
    hw_id id;
    uint64_t bytes;
};

/* Of all objects together; more than an address space has. */
#define HW_NATIVE_MAX_BYTES ((uint64_t)1 << 57)

struct hw_graph {
    uint32_t node_count, object_count;
    uint64_t edge_count; /* at most UINT32_MAX */
    uint32_t *where;
    uint32_t *type;
    uint32_t *size;
    uint32_t *refcount;
    uint16_t *flags;
    uint8_t *age;         /* NULL: of no object, as in files of format 1.0 */
    uint32_t *edge_start; /* node_count + 1 */
    uint32_t *edge_to;
    uint32_t *edge_label;
    struct hw_span *spans;
    size_t span_count;
    struct hw_big_size *big; /* by id */
    size_t big_count;
    struct hw_big_size *native; /* by id: objects that own memory outside; see hw_graph_native() */
    size_t native_count;
    uint64_t native_bytes; /* of all */
    struct hw_big_size *held; /* by id: how many words of C code's own memory point at the object */
    size_t held_count;        /* 0: not recorded, as in files before 1.3 */
    struct hw_type *types;
    uint32_t type_count;
    const char **strings; /* what label payloads name; [0] is "" */
    uint32_t string_count;
    struct hw_synthetic *synthetic; /* node_count - object_count */
    struct hw_values values;
    struct hw_ledger ledger;
    struct hw_alloc_sites allocs; /* empty unless facts.alloc_source says who wrote them down */
    struct hw_facts facts;
    struct hw_system system; /* empty without facts.system_recorded */
    struct hw_graph *listed_next, **listed_at; /* see hw_graph_enlist() */
    unsigned sharers; /* owners besides the first; changed atomically */
    struct hw_arena arena; /* owns strings, names of types and synthetic nodes, the ledger's texts */
};
/* All arrays but the arena's are malloc'ed and owned by the graph. */

struct hw_graph *hw_graph_create(void); /* empty; NULL: no memory */

/* The graphs that are whole, in this process: whoever looks at its own process must not take their memory
 * for the program's. A listed graph leaves the list when it is destroyed. */
void hw_graph_enlist(struct hw_graph *graph);
void hw_graph_delist(struct hw_graph *graph);
/* Calls visit with each block of malloc() that a listed graph has; some are NULL. */
typedef void (*hw_block_fn)(void *ctx, const void *block);
void hw_graphs_visit_blocks(hw_block_fn visit, void *ctx);

/* Checks every cross reference: spans sorted, positions rising, types, labels' strings, edge
 * targets in range, edge_start rising, last node the root. True for every graph we make; a file's
 * must pass it before anybody uses it. */
bool hw_graph_validate(const struct hw_graph *graph, struct hw_err *err);

/* An object with what belongs to it: hw_graph_size() and hw_graph_native(). */
uint64_t hw_graph_weight(const struct hw_graph *graph, hw_id id);

/* The bytes of id in a table that is sorted by id; 0: it has none there. */
uint64_t hw_sizes_find(const struct hw_big_size *table, size_t count, hw_id id);

/* The same as the public accessors, for loops. */
static inline uint32_t graph_degree(const struct hw_graph *graph, hw_id id)
{
    return graph->edge_start[id + 1] - graph->edge_start[id];
}

/* Synthetic nodes of words: they may be long dead, or borrowed, and speak only for what nothing else
 * reaches. So does a package that was left out of its own snapshot: it holds what it was asked about. */
static inline bool graph_is_guess(const struct hw_graph *graph, hw_id id)
{
    if (id < graph->object_count)
        return false;
    enum hw_synthetic_kind kind = graph->synthetic[id - graph->object_count].kind;
    return kind == HW_SYN_C_GLOBALS || kind == HW_SYN_NATIVE_STACK;
}

/* That package: see hw_self_options.own_package. A library has a path. */
static inline bool synthetic_is_own(const struct hw_synthetic *s)
{
    return s->kind == HW_SYN_C_GLOBALS && s->file[0] && s->file[0] != '/';
}
static inline bool graph_is_own(const struct hw_graph *graph, hw_id id)
{
    return id >= graph->object_count && synthetic_is_own(&graph->synthetic[id - graph->object_count]);
}

/* Edges turned round: who refers to node. Made when first needed, by counting. */
struct hw_referrers {
    uint32_t *start; /* node_count + 1 */
    uint32_t *from;  /* referring node */
    uint32_t *edge;  /* index into edge_to/edge_label of that edge */
};
bool hw_referrers_init(struct hw_referrers *referrers, const struct hw_graph *graph,
                       struct hw_err *err);
void hw_referrers_deinit(struct hw_referrers *referrers);

#endif
