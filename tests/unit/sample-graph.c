/* SPDX-License-Identifier: Apache-2.0 */
#include "sample-graph.h"

#include "base/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- building blocks ---- */

static bool allocate(struct hw_graph *graph, uint32_t objects, uint32_t synthetic, uint64_t edges)
{
    uint32_t nodes = objects + synthetic;
    graph->object_count = objects;
    graph->node_count = nodes;
    graph->edge_count = edges;
    graph->where = calloc(nodes, sizeof(*graph->where));
    graph->type = calloc(nodes, sizeof(*graph->type));
    graph->size = calloc(nodes, sizeof(*graph->size));
    graph->refcount = calloc(nodes, sizeof(*graph->refcount));
    graph->flags = calloc(nodes, sizeof(*graph->flags));
    graph->age = calloc(nodes, sizeof(*graph->age));
    graph->edge_start = calloc((size_t)nodes + 1, sizeof(*graph->edge_start));
    graph->edge_to = calloc(edges + 1, sizeof(*graph->edge_to));
    graph->edge_label = calloc(edges + 1, sizeof(*graph->edge_label));
    graph->synthetic = calloc(synthetic, sizeof(*graph->synthetic));
    return graph->where && graph->type && graph->size && graph->refcount && graph->flags &&
           graph->age && graph->edge_start && graph->edge_to && graph->edge_label &&
           graph->synthetic;
}

static bool set_strings(struct hw_graph *graph, const char *const *strings, uint32_t count)
{
    graph->strings = calloc(count, sizeof(*graph->strings));
    if (!graph->strings)
        return false;
    graph->string_count = count;
    for (uint32_t i = 0; i < count; i++)
        if (!(graph->strings[i] = hw_arena_strdup(&graph->arena, strings[i])))
            return false;
    return true;
}

static bool set_types(struct hw_graph *graph, const struct hw_type *types, uint32_t count)
{
    graph->types = calloc(count, sizeof(*graph->types));
    if (!graph->types)
        return false;
    graph->type_count = count;
    for (uint32_t i = 0; i < count; i++) {
        graph->types[i] = types[i];
        if (!(graph->types[i].name = hw_arena_strdup(&graph->arena, types[i].name)))
            return false;
    }
    return true;
}

static bool set_spans(struct hw_graph *graph, const struct hw_span *spans, size_t count)
{
    graph->spans = calloc(count ? count : 1, sizeof(*graph->spans));
    if (!graph->spans)
        return false;
    uint32_t position = 0;
    graph->span_count = count;
    for (size_t i = 0; i < count; i++) {
        graph->spans[i] = spans[i];
        graph->spans[i].first = position;
        position += (uint32_t)((spans[i].end - spans[i].start) >> spans[i].shift);
    }
    return true;
}

static uint32_t label_of(enum hw_label_kind kind, uint32_t payload)
{
    return (uint32_t)kind << HW_LABEL_SHIFT | (payload & HW_LABEL_PAYLOAD);
}

/* Adds the next edge of node; nodes must come in order. */
static void add_edge(struct hw_graph *graph, uint32_t node, hw_id to, uint32_t label)
{
    uint32_t edge = graph->edge_start[node + 1]++;
    graph->edge_to[edge] = to;
    graph->edge_label[edge] = label;
}

static void begin_node(struct hw_graph *graph, uint32_t node)
{
    graph->edge_start[node + 1] = graph->edge_start[node];
}

static struct hw_graph *done(struct hw_graph *graph, bool ok)
{
    if (ok)
        return graph;
    hw_graph_destroy(graph);
    return NULL;
}

/* ---- only a root ---- */

struct hw_graph *sample_graph_root(void)
{
    static const struct hw_type type = {"<root>", HW_NONE, 0, HW_TYPE_SYNTHETIC};
    static const char *const strings[] = {""};
    struct hw_graph *graph = hw_graph_create();
    if (!graph)
        return NULL;
    bool ok = allocate(graph, 0, 1, 0) && set_strings(graph, strings, 1) &&
              set_types(graph, &type, 1) && set_spans(graph, NULL, 0);
    if (ok) {
        graph->flags[0] = HW_NODE_SYNTHETIC;
        graph->synthetic[0] = (struct hw_synthetic){HW_SYN_ROOT, "root", "", 0, 0, 0};
    }
    return done(graph, ok);
}

/* ---- one of everything ---- */

static void fill_small_facts(struct hw_facts *facts)
{
    *facts = (struct hw_facts){
        .pid = 41233,
        .start_time = 123456789012,
        .taken_at_ns = 1700000000123456789,
        .uptime_ns = 86400000000000,
        .busy_ns = 7000000123,
        .pause_ns = 14500000,
        .capture_ns = 1900000000,
        .rss_bytes = 805306368,
        .python_version = 0x030b02f0,
        .freeze = HW_FREEZE_STOP,
        .collector_running = 1,
        .gc_enabled = 1,
        .gc_threshold = {700, 10, 11},
        .gc_count = {332, 4, 5},
        .gc_recorded = 1,
        .gc_debug = 34,
        .gc_objects = {332, 2100, 81000, 7},
        .gc_stats = {{1201, 5020, 1}, {109, 430, 2}, {9, 88, 3}},
        .gc_long_lived_total = 71000,
        .gc_long_lived_pending = 10000,
        .retries = 3,
        .bad_pointers = 7,
        .damaged_objects = 1,
        .target_bytes_read = 432013312,
        .executable = "/usr/bin/python3.11",
        .main_script = "app.py",
    };
}

static void fill_small_edges(struct hw_graph *graph)
{
    static const struct {
        uint32_t node;
        hw_id to;
        enum hw_label_kind kind;
        uint32_t payload;
    } edges[] = {
        {0, 1, HW_LABEL_KEY, 0},
        {0, 2, HW_LABEL_VALUE, 0},
        {0, 1, HW_LABEL_KEY, 5},
        {0, 3, HW_LABEL_VALUE, 5},
        {2, 4, HW_LABEL_ATTR, 1},
        {2, 0, HW_LABEL_INTERNAL, 2},
        {2, 7, HW_LABEL_TYPE, 0},
        {3, 4, HW_LABEL_INDEX, 0},
        {3, 5, HW_LABEL_INDEX, 1},
        {3, 5, HW_LABEL_INDEX, 2},
        {3, 6, HW_LABEL_INDEX, 700},
        {5, 6, HW_LABEL_MEMBER, 77},
        {6, 0, HW_LABEL_WORD, 65536},
        {7, 1, HW_LABEL_NAMED, 3},
        {8, 0, HW_LABEL_LOCAL, 4},
        {8, 2, HW_LABEL_STACK, 1},
        {9, 8, HW_LABEL_ROOT, 5},
        {9, 7, HW_LABEL_ROOT, 0},
        {9, 3, HW_LABEL_INDEX, HW_LABEL_PAYLOAD},
    };
    size_t next = 0;
    for (uint32_t node = 0; node < graph->node_count; node++) {
        begin_node(graph, node);
        for (; next < sizeof(edges) / sizeof(edges[0]) && edges[next].node == node; next++)
            add_edge(graph, node, edges[next].to, label_of(edges[next].kind, edges[next].payload));
    }
}

static bool fill_small_values(struct hw_values *values)
{
    return hw_values_add(values, 1, "'abc'", 5, NULL) && hw_values_add(values, 4, "", 0, NULL) &&
           hw_values_add(values, 5, "3.25", 4, NULL) &&
           hw_values_add(values, 6, "b'\\x00'", 7, NULL) && hw_values_finish(values, NULL);
}

static bool fill_small_ledger(struct hw_ledger *ledger, struct hw_arena *arena)
{
    static struct hw_ledger_part parts[] = {
        {HW_MEMORY_OBJECTS, "str", 5000, 6000, 40},
        {HW_MEMORY_LIBRARIES, "/lib/libc.so.6", 90000, 1 << 20, 2},
        {HW_MEMORY_SWAP, "", 0, (uint64_t)3 << 33, 0},
    };
    static struct hw_ledger_class classes[] = {{16, 2, 1500, 542}, {512, 1, 3, 28}};
    static struct hw_ledger_arena arenas[] = {
        {0x7f0000100000, 24000, 9000, 900000, 40960, 3},
        {0x7f0000200000, 512, 15872, 1015808, 4096, 1},
    };
    static struct hw_ledger_native natives[] = {
        {48, 7, 336, "", ""},
        {9008, 100, 900800, "'scanline'", "/lib/libjpeg.so"},
    };
    const struct hw_ledger small = {true, parts, 3, 3, classes, 2, arenas, 2, natives, 2};
    return hw_ledger_copy(&small, arena, ledger);
}

struct hw_graph *sample_graph_small(void)
{
    static const struct hw_type types[] = {
        {"dict", HW_NONE, 64, HW_TYPE_GC | HW_TYPE_BUILTIN | HW_TYPE_DICT},
        {"app.Caf\xc3\xa9", 7, 48, HW_TYPE_HEAP | HW_TYPE_GC | HW_TYPE_PYTHON},
        {"str", HW_NONE, 49, HW_TYPE_STR | HW_TYPE_BUILTIN},
        {"<frame>", HW_NONE, 0, HW_TYPE_SYNTHETIC},
    };
    static const char *const strings[] = {"", "name", "__dict__", "shared", "local", "interpreter"};
    static const struct hw_span spans[] = {
        {0x555555554000, 0x555555558000, 0, 3},
        {0x7f0000000000, 0x7f0040000000, 0, 4},
    };
    static const uint32_t where[8] = {0, 9, 2047, 2048, 2050, 70000, 70001, 5000000};
    struct hw_graph *graph = hw_graph_create();
    if (!graph)
        return NULL;
    bool ok = allocate(graph, 8, 2, 19) && set_strings(graph, strings, 6) &&
              set_types(graph, types, 4) && set_spans(graph, spans, 2) &&
              fill_small_values(&graph->values) && (graph->big = calloc(2, sizeof(*graph->big))) &&
              (graph->native = calloc(2, sizeof(*graph->native)));
    if (!ok)
        return done(graph, false);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        graph->type[i] = i < 8 ? i % 3 : 3;
        graph->size[i] = i < 8 ? 40 + 100 * i : 0;
        graph->refcount[i] = i == 3 ? UINT32_MAX : i;
        graph->flags[i] = i < 8 ? (uint16_t)(1u << i) : HW_NODE_SYNTHETIC;
        graph->age[i] = i < 8 ? (uint8_t)(i * 36) : 0;
    }
    memcpy(graph->where, where, sizeof(where));
    graph->size[3] = graph->size[6] = HW_BIG_SIZE;
    graph->big[0] = (struct hw_big_size){3, (uint64_t)1 << 40};
    graph->big[1] = (struct hw_big_size){6, UINT32_MAX};
    graph->big_count = 2;
    graph->native[0] = (struct hw_big_size){1, 4096};
    graph->native[1] = (struct hw_big_size){6, (uint64_t)5 << 32};
    graph->native_count = 2;
    graph->native_bytes = graph->native[0].bytes + graph->native[1].bytes;
    graph->synthetic[0] = (struct hw_synthetic){HW_SYN_FRAME, "serve", "/srv/app.py", 12, -7, 3};
    graph->synthetic[1] = (struct hw_synthetic){HW_SYN_ROOT, "root", "", 0, 0, 0};
    fill_small_edges(graph);
    fill_small_facts(&graph->facts);
    return done(graph, fill_small_ledger(&graph->ledger, &graph->arena));
}

bool sample_graph_trace(struct hw_graph *graph)
{
    static const struct hw_alloc_frame frames[] = {
        {HW_NONE, 3, 0, 90}, {0, 4, 0, 7}, {0, 3, 1, 41}, {1, 3, 0, UINT32_MAX}};
    static const struct hw_alloc_site sites[] = {{3, 3, 0, 2, 112},
                                                 {2, 70000, 0, 1, 560},
                                                 {2, 2, 389047, 5, (uint64_t)1 << 40},
                                                 {HW_NONE, 0, 0, 1, 16}};
    static const uint32_t of[8] = {0, HW_NONE, 1, 0, HW_NONE, HW_NONE, 3, HW_NONE};
    struct hw_alloc_sites *allocs = &graph->allocs;
    allocs->frames = malloc(sizeof(frames));
    allocs->sites = malloc(sizeof(sites));
    allocs->of = malloc(sizeof(of));
    if (!allocs->frames || !allocs->sites || !allocs->of || graph->object_count != 8)
        return false;
    memcpy(allocs->frames, frames, sizeof(frames));
    memcpy(allocs->sites, sites, sizeof(sites));
    memcpy(allocs->of, of, sizeof(of));
    allocs->frame_count = allocs->site_count = 4;
    graph->facts.alloc_source = HW_ALLOC_TRACEMALLOC;
    graph->facts.alloc_frames = 25;
    graph->facts.alloc_missed = 3;
    return true;
}

/* ---- a service ---- */

enum {
    POOL_BYTES = 16384,
    PER_INSTANCE = 7,
    KEYS = 6,
    SERVICE_EDGES = 2 + 2 * KEYS + 2,
};
enum part { PART_INSTANCE, PART_DICT, PART_STR, PART_FLOAT, PART_LIST, PART_INT1, PART_INT2 };
enum { CLASS_COUNT = 5 };
/* Size classes and who lives in them: str and instance share one, as do float, int and int. */
static const uint32_t class_bytes[CLASS_COUNT] = {64, 80, 32, 96, 80};
static const int class_of[PER_INSTANCE] = {0, 3, 1, 2, 4, 2, 2};
static const uint32_t part_bytes[PER_INSTANCE] = {48, 64, 60, 24, 72, 28, 28};

static uint64_t rng_state;
static uint32_t rng(void)
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng_state >> 33);
}

/* Objects that exist before the first instance: types, keys, a list of all instances. */
enum { FIXED_TYPES = 0, FIXED_KEYS = 8, FIXED_LIST = FIXED_KEYS + KEYS, FIXED_COUNT };

struct place {
    uint32_t position, instance, part;
};

static int place_compare(const void *a, const void *b)
{
    uint32_t x = ((const struct place *)a)->position, y = ((const struct place *)b)->position;
    return x < y ? -1 : x > y;
}

/* Gives every part of every instance an address, as pymalloc would: pools of one class each, taken
 * from the arena as they are needed. */
static uint32_t place_all(struct place *places, uint32_t instances, bool disorder)
{
    uint32_t pool_at[CLASS_COUNT], pool_end[CLASS_COUNT] = {0}, next_pool = POOL_BYTES;
    for (uint32_t i = 0; i < instances; i++) {
        for (uint32_t part = 0; part < PER_INSTANCE; part++) {
            int class = class_of[part];
            if (!pool_end[class] || pool_at[class] + class_bytes[class] / 16 > pool_end[class]) {
                pool_at[class] = (next_pool + 48) / 16;
                next_pool += 1;
                pool_at[class] = (next_pool - POOL_BYTES) * (POOL_BYTES / 16) + 3;
                pool_end[class] = pool_at[class] - 3 + POOL_BYTES / 16;
            }
            places[(size_t)i * PER_INSTANCE + part] =
                (struct place){pool_at[class] + POOL_BYTES / 16, i, part};
            pool_at[class] += class_bytes[class] / 16;
        }
    }
    /* In a heap that has been used for long, free blocks are handed out in any order. */
    for (uint32_t i = instances; disorder && i > 1; i--) {
        uint32_t part = rng() % PER_INSTANCE, other = rng() % i;
        struct place *a = &places[(size_t)(i - 1) * PER_INSTANCE + part];
        struct place *b = &places[(size_t)other * PER_INSTANCE + part];
        uint32_t position = a->position;
        a->position = b->position;
        b->position = position;
    }
    return (next_pool - POOL_BYTES + 2) * (POOL_BYTES / 16);
}

static void service_edges(struct hw_graph *graph, const struct place *place, uint32_t node,
                          const uint32_t *ids)
{
    const uint32_t *own = ids + (size_t)place->instance * PER_INSTANCE;
    static const enum part held[KEYS] = {PART_STR, PART_FLOAT, PART_LIST,
                                         PART_STR, PART_FLOAT, PART_LIST};
    switch ((enum part)place->part) {
    case PART_INSTANCE:
        add_edge(graph, node, own[PART_DICT], label_of(HW_LABEL_ATTR, 1));
        add_edge(graph, node, FIXED_TYPES + PART_INSTANCE, label_of(HW_LABEL_TYPE, 0));
        break;
    case PART_DICT:
        for (uint32_t k = 0; k < KEYS; k++) {
            add_edge(graph, node, FIXED_KEYS + k, label_of(HW_LABEL_KEY, k));
            add_edge(graph, node, k < 3 ? own[held[k]] : FIXED_KEYS + k,
                     label_of(HW_LABEL_VALUE, k));
        }
        break;
    case PART_LIST:
        add_edge(graph, node, own[PART_INT1], label_of(HW_LABEL_INDEX, 0));
        add_edge(graph, node, own[PART_INT2], label_of(HW_LABEL_INDEX, 1));
        break;
    default:
        break;
    }
}

static bool service_value(struct hw_graph *graph, const struct place *place, uint32_t node)
{
    char text[64];
    size_t n = 0;
    switch ((enum part)place->part) {
    case PART_STR:
        n = (size_t)snprintf(text, sizeof(text), "'user-%06u'", place->instance);
        break;
    case PART_FLOAT:
        n = hw_value_pack_float(text, (rng() + rng() / 2147483648.0) / 2147483648.0);
        break;
    case PART_INT1:
    case PART_INT2:
        n = hw_value_pack_int(text, place->instance + 300 * place->part);
        break;
    default:
        return true;
    }
    return hw_values_add(&graph->values, node, text, n, NULL);
}

static bool fill_service(struct hw_graph *graph, struct place *places, uint32_t *ids,
                         uint32_t instances)
{
    size_t count = (size_t)instances * PER_INSTANCE;
    qsort(places, count, sizeof(*places), place_compare);
    for (size_t i = 0; i < count; i++)
        ids[(size_t)places[i].instance * PER_INSTANCE + places[i].part] = FIXED_COUNT + (uint32_t)i;
    for (uint32_t node = 0; node < graph->node_count; node++) {
        begin_node(graph, node);
        if (node < FIXED_COUNT) {
            graph->where[node] = node * 8;
            graph->size[node] = 100;
            graph->refcount[node] = instances;
            graph->type[node] = node < FIXED_KEYS ? PER_INSTANCE : node < FIXED_LIST ? 2 : 4;
            for (uint32_t i = 0; node == FIXED_LIST && i < instances; i++)
                add_edge(graph, node, ids[(size_t)i * PER_INSTANCE], label_of(HW_LABEL_INDEX, i));
        } else if (node < graph->object_count) {
            const struct place *place = &places[node - FIXED_COUNT];
            graph->where[node] = place->position;
            graph->size[node] = part_bytes[place->part];
            graph->type[node] = place->part;
            graph->refcount[node] = place->part == PART_STR ? 2 : 1;
            bool gc = place->part <= PART_DICT || place->part == PART_LIST;
            graph->flags[node] = gc ? HW_NODE_TRACKED | HW_NODE_GEN2 : HW_NODE_LEAF;
            graph->age[node] = gc ? (uint8_t)(1 + (uint64_t)place->instance * 255 / instances) : 0;
            service_edges(graph, place, node, ids);
            if (!service_value(graph, place, node))
                return false;
        } else {
            graph->flags[node] = HW_NODE_SYNTHETIC;
            graph->type[node] = PER_INSTANCE;
            add_edge(graph, node, FIXED_LIST, label_of(HW_LABEL_ROOT, 2));
        }
    }
    return hw_values_finish(&graph->values, NULL);
}

struct hw_graph *sample_graph_service(uint32_t instances, bool disorder)
{
    static const struct hw_type types[PER_INSTANCE + 1] = {
        {"app.Session", 0, 48, HW_TYPE_HEAP | HW_TYPE_PYTHON},
        {"dict", 1, 64, HW_TYPE_DICT},
        {"str", 2, 49, HW_TYPE_STR},
        {"float", 3, 24, HW_TYPE_FLOAT},
        {"list", 4, 56, HW_TYPE_LIST},
        {"int", 5, 24, HW_TYPE_INT},
        {"int", 5, 24, HW_TYPE_INT},
        {"type", 6, 900, HW_TYPE_TYPE},
    };
    static const char *const strings[] = {"", "__dict__", "sessions"};
    size_t count = (size_t)instances * PER_INSTANCE;
    struct hw_graph *graph = hw_graph_create();
    struct place *places = calloc(count + 1, sizeof(*places));
    uint32_t *ids = calloc(count + 1, sizeof(*ids));
    rng_state = 42;
    bool ok = graph && places && ids &&
              allocate(graph, FIXED_COUNT + (uint32_t)count, 1,
                       (uint64_t)instances * (SERVICE_EDGES + 1) + 1);
    if (ok) {
        uint64_t granules = place_all(places, instances, disorder);
        struct hw_span span = {0x7f1200000000, 0x7f1200000000 + granules * 16, 0, 4};
        graph->synthetic[0] = (struct hw_synthetic){HW_SYN_ROOT, "root", "", 0, 0, 0};
        ok = set_strings(graph, strings, 3) && set_types(graph, types, PER_INSTANCE + 1) &&
             set_spans(graph, &span, 1) && fill_service(graph, places, ids, instances);
    }
    free(places);
    free(ids);
    if (!graph)
        return NULL;
    return done(graph, ok);
}

/* ---- comparing ---- */

static bool arrays_equal(const void *a, const void *b, uint64_t count, size_t elem_bytes)
{
    return !count || memcmp(a, b, count * elem_bytes) == 0;
}

static const char *types_difference(const struct hw_graph *a, const struct hw_graph *b)
{
    for (uint32_t i = 0; i < a->type_count; i++) {
        const struct hw_type *x = &a->types[i], *y = &b->types[i];
        if (strcmp(x->name, y->name) != 0 || x->node != y->node || x->basicsize != y->basicsize ||
            x->flags != y->flags)
            return "types";
    }
    for (uint32_t i = 0; i < a->string_count; i++)
        if (strcmp(a->strings[i], b->strings[i]) != 0)
            return "strings";
    for (uint32_t i = 0; i < a->node_count - a->object_count; i++) {
        const struct hw_synthetic *x = &a->synthetic[i], *y = &b->synthetic[i];
        if (x->kind != y->kind || strcmp(x->name, y->name) != 0 || strcmp(x->file, y->file) != 0 ||
            x->line != y->line || x->tid != y->tid || x->depth != y->depth)
            return "synthetic nodes";
    }
    return NULL;
}

static const char *facts_difference(const struct hw_facts *a, const struct hw_facts *b)
{
    bool equal = a->pid == b->pid && a->start_time == b->start_time &&
                 a->taken_at_ns == b->taken_at_ns && a->uptime_ns == b->uptime_ns &&
                 a->busy_ns == b->busy_ns &&
                 a->pause_ns == b->pause_ns && a->capture_ns == b->capture_ns &&
                 a->rss_bytes == b->rss_bytes && a->python_version == b->python_version &&
                 a->freeze == b->freeze && a->collector_running == b->collector_running &&
                 a->gc_enabled == b->gc_enabled && a->retries == b->retries &&
                 memcmp(a->gc_threshold, b->gc_threshold, sizeof(a->gc_threshold)) == 0 &&
                 memcmp(a->gc_count, b->gc_count, sizeof(a->gc_count)) == 0 &&
                 a->gc_recorded == b->gc_recorded && a->gc_debug == b->gc_debug &&
                 memcmp(a->gc_objects, b->gc_objects, sizeof(a->gc_objects)) == 0 &&
                 memcmp(a->gc_stats, b->gc_stats, sizeof(a->gc_stats)) == 0 &&
                 a->gc_long_lived_total == b->gc_long_lived_total &&
                 a->gc_long_lived_pending == b->gc_long_lived_pending &&
                 a->bad_pointers == b->bad_pointers && a->damaged_objects == b->damaged_objects &&
                 a->target_bytes_read == b->target_bytes_read &&
                 a->alloc_source == b->alloc_source && a->alloc_frames == b->alloc_frames &&
                 a->alloc_missed == b->alloc_missed &&
                 strcmp(a->executable, b->executable) == 0 &&
                 strcmp(a->main_script, b->main_script) == 0;
    return equal ? NULL : "facts";
}

static bool texts_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static const char *ledger_difference(const struct hw_ledger *a, const struct hw_ledger *b)
{
    if (a->recorded != b->recorded || a->part_count != b->part_count ||
        a->class_count != b->class_count || a->arena_count != b->arena_count ||
        a->native_count != b->native_count)
        return "ledgers";
    for (size_t i = 0; i < a->part_count; i++)
        if (a->parts[i].kind != b->parts[i].kind ||
            !texts_equal(a->parts[i].name, b->parts[i].name) ||
            a->parts[i].rss_bytes != b->parts[i].rss_bytes ||
            a->parts[i].bytes != b->parts[i].bytes || a->parts[i].count != b->parts[i].count)
            return "parts of memory";
    for (size_t i = 0; i < a->class_count; i++)
        if (a->classes[i].block_bytes != b->classes[i].block_bytes ||
            a->classes[i].pools != b->classes[i].pools ||
            a->classes[i].used != b->classes[i].used || a->classes[i].free != b->classes[i].free)
            return "sizes of blocks";
    if (!arrays_equal(a->arenas, b->arenas, a->arena_count, sizeof(*a->arenas)))
        return "arenas";
    for (size_t i = 0; i < a->native_count; i++)
        if (a->natives[i].block_bytes != b->natives[i].block_bytes ||
            a->natives[i].count != b->natives[i].count ||
            a->natives[i].bytes != b->natives[i].bytes ||
            !texts_equal(a->natives[i].sample, b->natives[i].sample) ||
            !texts_equal(a->natives[i].library, b->natives[i].library))
            return "blocks of malloc";
    return NULL;
}

static const char *allocs_difference(const struct hw_graph *a, const struct hw_graph *b)
{
    const struct hw_alloc_sites *x = &a->allocs, *y = &b->allocs;
    if (x->frame_count != y->frame_count || x->site_count != y->site_count ||
        (x->of != NULL) != (y->of != NULL))
        return "counts of allocation sites";
    if (!arrays_equal(x->frames, y->frames, x->frame_count, sizeof(*x->frames)))
        return "frames of allocations";
    if (x->of && !arrays_equal(x->of, y->of, a->object_count, sizeof(*x->of)))
        return "objects' allocation sites";
    for (size_t i = 0; i < x->site_count; i++)
        if (x->sites[i].frame != y->sites[i].frame || x->sites[i].depth != y->sites[i].depth ||
            x->sites[i].domain != y->sites[i].domain || x->sites[i].count != y->sites[i].count ||
            x->sites[i].bytes != y->sites[i].bytes)
            return "allocation sites";
    return NULL;
}

const char *sample_graph_difference(struct hw_graph *a, struct hw_graph *b)
{
    if (a->node_count != b->node_count || a->object_count != b->object_count ||
        a->edge_count != b->edge_count || a->span_count != b->span_count ||
        a->big_count != b->big_count || a->native_count != b->native_count ||
        a->held_count != b->held_count ||
        a->type_count != b->type_count || a->string_count != b->string_count)
        return "counts";
    uint32_t nodes = a->node_count;
    if (!arrays_equal(a->where, b->where, nodes, sizeof(*a->where)))
        return "positions";
    if (!arrays_equal(a->type, b->type, nodes, sizeof(*a->type)))
        return "type numbers";
    if (!arrays_equal(a->size, b->size, nodes, sizeof(*a->size)))
        return "sizes";
    if (!arrays_equal(a->refcount, b->refcount, nodes, sizeof(*a->refcount)))
        return "reference counts";
    if (!arrays_equal(a->flags, b->flags, nodes, sizeof(*a->flags)))
        return "flags";
    for (uint32_t i = 0; i < nodes; i++)
        if (hw_graph_age(a, i) != hw_graph_age(b, i))
            return "ages";
    if (!arrays_equal(a->edge_start, b->edge_start, (uint64_t)nodes + 1, sizeof(*a->edge_start)) ||
        !arrays_equal(a->edge_to, b->edge_to, a->edge_count, sizeof(*a->edge_to)) ||
        !arrays_equal(a->edge_label, b->edge_label, a->edge_count, sizeof(*a->edge_label)))
        return "edges";
    if (!arrays_equal(a->spans, b->spans, a->span_count, sizeof(*a->spans)))
        return "spans";
    for (size_t i = 0; i < a->big_count; i++)
        if (a->big[i].id != b->big[i].id || a->big[i].bytes != b->big[i].bytes)
            return "big sizes";
    for (size_t i = 0; i < a->native_count; i++)
        if (a->native[i].id != b->native[i].id || a->native[i].bytes != b->native[i].bytes)
            return "native sizes";
    for (size_t i = 0; i < a->held_count; i++)
        if (a->held[i].id != b->held[i].id || a->held[i].bytes != b->held[i].bytes)
            return "words that hold";
    char x[256], y[256];
    for (uint32_t i = 0; i < nodes; i++) {
        size_t n = hw_graph_value(a, i, x, sizeof(x));
        if (hw_graph_value(b, i, y, sizeof(y)) != n || memcmp(x, y, n) != 0)
            return "values";
    }
    const char *difference = types_difference(a, b);
    if (!difference)
        difference = ledger_difference(&a->ledger, &b->ledger);
    if (!difference)
        difference = allocs_difference(a, b);
    return difference ? difference : facts_difference(&a->facts, &b->facts);
}
