/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "heap/build-internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { GC_PREV_FINALIZED = 1, PASS_EVERY = 1 << 12 };

static const char *const synthetic_types[] = {
    [HW_SYN_ROOT] = "<root>",
    [HW_SYN_INTERPRETER] = "<interpreter>",
    [HW_SYN_THREAD] = "<thread>",
    [HW_SYN_FRAME] = "<frame>",
    [HW_SYN_STATIC_TYPES] = "<static types>",
    [HW_SYN_C_GLOBALS] = "<C globals>",
    [HW_SYN_NATIVE_STACK] = "<native stack>",
};
static const char *const child_labels[] = {
    [HW_SYN_ROOT] = "root",          [HW_SYN_INTERPRETER] = "interpreter",
    [HW_SYN_THREAD] = "thread",      [HW_SYN_FRAME] = "frame",
    [HW_SYN_STATIC_TYPES] = "types", [HW_SYN_C_GLOBALS] = "globals",
    [HW_SYN_NATIVE_STACK] = "stack",
};
enum { SYNTHETIC_TYPE_COUNT = sizeof(synthetic_types) / sizeof(*synthetic_types) };

static bool columns_allocate(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    uint64_t nodes = b->marks.marked + b->roots.count + 1;
    /* Every synthetic node is also somebody's child. */
    uint64_t edges = b->edge_bound + b->roots.refs.count + b->roots.count + 1;
    if (edges >= UINT32_MAX)
        return hw_err_set(b->err, HW_ERR_LIMIT, "more than %u references", UINT32_MAX);
    b->edge_room = edges;
    g->object_count = (uint32_t)b->marks.marked;
    g->node_count = (uint32_t)nodes;
    g->where = malloc(nodes * sizeof(*g->where));
    g->type = malloc(nodes * sizeof(*g->type));
    g->size = malloc(nodes * sizeof(*g->size));
    g->refcount = malloc(nodes * sizeof(*g->refcount));
    g->flags = malloc(nodes * sizeof(*g->flags));
    g->age = calloc(nodes, sizeof(*g->age));
    g->edge_start = malloc((nodes + 1) * sizeof(*g->edge_start));
    g->edge_to = malloc(edges * sizeof(*g->edge_to));
    g->edge_label = malloc(edges * sizeof(*g->edge_label));
    if (!g->where || !g->type || !g->size || !g->refcount || !g->flags || !g->age ||
        !g->edge_start || !g->edge_to || !g->edge_label)
        return hw_err_no_memory(b->err);
    return true;
}

/* Private memory is a copy, so both looks at it find the same. What is mapped from a file or shared stays
 * the owner's, also in a copy of the process: an object there may have got references meanwhile. */
static void edge_put(struct hw_builder *b, hw_id to, uint32_t label)
{
    struct hw_graph *g = b->graph;
    if (g->edge_count == b->edge_room) {
        b->py.bad_pointers++;
        return;
    }
    g->edge_to[g->edge_count] = to;
    g->edge_label[g->edge_count++] = label;
}

/* References become edges; those to nothing we know are dropped. A value whose key was dropped
 * loses its key. */
static void edges_put(struct hw_builder *b, const hw_addr *to, const uint32_t *label, size_t count)
{
    bool key_kept = false;
    for (size_t i = 0; i < count; i++) {
        hw_id id = hw_marks_id(&b->marks, to[i]);
        enum hw_label_kind kind = hw_label_kind(label[i]);
        bool orphan = kind == HW_LABEL_VALUE && !key_kept;
        key_kept = kind == HW_LABEL_KEY && id != HW_NONE;
        if (id != HW_NONE)
            edge_put(b, id, orphan ? label_make(HW_LABEL_NAMED, 0) : label[i]);
    }
}

static uint32_t record_refcount(struct hw_builder *b, const unsigned char *p, uint16_t *flags)
{
    uint64_t word = hw_py_refcount(&b->py, p);
    if (b->py.version >= 0x030c0000) {
        word = (uint32_t)word;
        if (word >> 31) {
            *flags |= HW_NODE_IMMORTAL;
            return UINT32_MAX;
        }
    }
    return word > UINT32_MAX ? UINT32_MAX : (uint32_t)word;
}

static uint16_t record_gc_flags(struct hw_builder *b, hw_addr addr, const struct hw_pytype *type)
{
    const unsigned char *head = hw_build_gc_head(b, addr, type);
    uint16_t flags = 0;
    if (!head)
        return 0;
    if (load64(head + 8) & GC_PREV_FINALIZED)
        flags |= HW_NODE_FINALIZED;
    if (!load64(head))
        return flags;
    flags |= HW_NODE_TRACKED;
    switch (hw_marks_age(&b->marks, addr)) {
    case HW_AGE_OLDEST:
        return flags | HW_NODE_GEN2;
    case HW_AGE_MIDDLE:
        return flags | HW_NODE_GEN1;
    case HW_AGE_PERMANENT:
        return flags | HW_NODE_FROZEN;
    case HW_AGE_YOUNGEST:
        break;
    }
    return flags;
}

static uint16_t record_type_flags(const struct hw_pytype *type)
{
    uint16_t flags = 0;
    if (type->solid->family == HW_FAMILY_UNKNOWN)
        flags |= HW_NODE_INFERRED;
    if (type->solid->family == HW_FAMILY_TYPE)
        flags |= HW_NODE_TYPE;
    if (type->solid->family >= HW_FAMILY_LEAF && type->solid->family <= HW_FAMILY_BYTES)
        flags |= HW_NODE_LEAF;
    return flags;
}

static bool record_size(struct hw_builder *b, hw_id id, uint64_t bytes)
{
    struct hw_graph *g = b->graph;
    if (bytes < HW_BIG_SIZE) {
        g->size[id] = (uint32_t)bytes;
        return true;
    }
    struct hw_big_size *big = realloc(g->big, (g->big_count + 1) * sizeof(*big));
    if (!big)
        return hw_err_no_memory(b->err);
    g->big = big;
    g->big[g->big_count++] = (struct hw_big_size){id, bytes};
    g->size[id] = HW_BIG_SIZE;
    return true;
}

static int by_address(const void *a, const void *b)
{
    hw_addr x = *(const hw_addr *)a, y = *(const hw_addr *)b;
    return (x > y) - (x < y);
}

/* Names of modules are not always interned. */
static bool module_names_find(struct hw_builder *b)
{
    hw_addr modules = hw_module_table(&b->py, b->runtime);
    const struct hw_pytype *type = modules ? hw_pytype_of(&b->py, modules) : NULL;
    if (!b->opts->no_values || !type)
        return true;
    hw_decode(&b->py, modules, type);
    b->module_names = malloc((b->py.refs.count + 1) * sizeof(*b->module_names));
    if (!b->module_names)
        return hw_err_no_memory(b->err);
    for (size_t i = 0; i < b->py.refs.count; i++)
        if (hw_label_kind(b->py.refs.label[i]) == HW_LABEL_KEY)
            b->module_names[b->module_name_count++] = b->py.refs.to[i];
    qsort(b->module_names, b->module_name_count, sizeof(*b->module_names), by_address);
    return true;
}

/* Without values, names stay: strings that the interpreter interned, modules', and descriptions. */
static bool value_is_wanted(struct hw_builder *b, hw_addr addr, const struct hw_pytype *type)
{
    if (!b->opts->no_values)
        return true;
    switch (type->solid->family) {
    case HW_FAMILY_INT:
    case HW_FAMILY_FLOAT:
    case HW_FAMILY_BYTES:
        return false;
    case HW_FAMILY_STR: {
        const unsigned char *p = hw_image_at(b->image, addr, PY_SIZE(&b->py, PyASCIIObject));
        bool interned = p && load32(p + PY_OFF(&b->py, PyASCIIObject_state)) & 3;
        return interned || bsearch(&addr, b->module_names, b->module_name_count,
                                   sizeof(*b->module_names), by_address);
    }
    default:
        return true;
    }
}

static bool record_value(struct hw_builder *b, hw_id id, hw_addr addr, const struct hw_pytype *type)
{
    char text[HW_VALUE_MAX_BYTES + 1];
    if (!value_is_wanted(b, addr, type))
        return true;
    size_t n = hw_object_value(&b->py, addr, type, text, sizeof(text));
    return !n || hw_values_add(&b->graph->values, id, text, n, b->err);
}

static bool record_object(struct hw_builder *b, hw_id id, hw_addr addr)
{
    struct hw_graph *g = b->graph;
    const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
    const unsigned char *p = hw_image_at(b->image, addr, PY_SIZE(&b->py, PyObject));
    if (!type || !p)
        return hw_err_set(b->err, HW_ERR_IO, "an object that was there is gone: the image changed");
    uint16_t flags = record_type_flags(type) | record_gc_flags(b, addr, type);
    if (hw_marks_segment(&b->marks, addr)->shift == 3)
        flags |= HW_NODE_STATIC;
    if (hw_marks_has(&b->lost, addr))
        flags |= HW_NODE_LOST;
    if (type->solid->family == HW_FAMILY_CODE)
        flags |= hw_code_flags(&b->py, addr);
    g->type[id] = type->index;
    g->refcount[id] = record_refcount(b, p, &flags);
    g->edge_start[id] = (uint32_t)g->edge_count;
    hw_decode(&b->py, addr, type);
    edges_put(b, b->py.refs.to, b->py.refs.label, b->py.refs.count);
    uint64_t bytes = hw_object_size(&b->py, addr, type);
    if (!record_size(b, id, bytes))
        return false;
    if (!hw_build_record_native(b, id, addr, type))
        return false;
    if (b->opts->residence)
        hw_build_mark_buffers(b, addr, p, type, bytes);
    if (b->py.object_damaged) {
        flags |= HW_NODE_DAMAGED;
        g->facts.damaged_objects++;
    }
    g->flags[id] = flags;
    return record_value(b, id, addr, type);
}

static bool record_objects(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    const struct hw_span *span = g->spans;
    hw_id id = 0;
    hw_image_pass(b->image, 0);
    for (hw_addr addr = hw_marks_next(&b->marks, 0); addr;
         addr = hw_marks_next(&b->marks, addr + 8), id++) {
        while (addr >= span->end)
            span++;
        g->where[id] = span->first + (uint32_t)((addr - span->start) >> span->shift);
        b->recorded = id;
        if (id % PASS_EVERY == 0) {
            hw_build_pools_read(b, addr);
            hw_image_pass(b->image, addr);
        }
        if (!record_object(b, id, addr) ||
            !hw_build_tick(b, "reading objects", id, g->object_count))
            return false;
    }
    return true;
}

/* Children of each synthetic node, by counting. */
static bool record_synthetic_edges(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    size_t n = b->roots.count;
    uint32_t *start = calloc(n + 3, sizeof(*start));
    uint32_t *child = malloc((n + 1) * sizeof(*child));
    if (!start || !child) {
        free(start);
        free(child);
        return hw_err_no_memory(b->err);
    }
#define PARENT(i) (b->roots.nodes[i].parent == HW_NONE ? n : b->roots.nodes[i].parent)
    for (size_t i = 0; i < n; i++)
        start[PARENT(i) + 2]++;
    for (size_t i = 2; i < n + 3; i++)
        start[i] += start[i - 1];
    for (size_t i = 0; i < n; i++)
        child[start[PARENT(i) + 1]++] = (uint32_t)i;
#undef PARENT
    for (size_t i = 0; i <= n; i++) {
        g->edge_start[g->object_count + i] = (uint32_t)g->edge_count;
        if (i < n)
            edges_put(b, b->roots.refs.to + b->roots.nodes[i].first_ref,
                      b->roots.refs.label + b->roots.nodes[i].first_ref,
                      b->roots.nodes[i].ref_count);
        for (uint32_t c = start[i]; c < start[i + 1]; c++)
            edge_put(b, g->object_count + child[c],
                     hw_label_named(&b->py, HW_LABEL_ROOT,
                                    child_labels[b->roots.nodes[child[c]].as.kind]));
    }
    g->edge_start[g->node_count] = (uint32_t)g->edge_count;
    free(start);
    free(child);
    return true;
}

static bool record_synthetic(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    size_t n = b->roots.count;
    g->synthetic = calloc(n + 1, sizeof(*g->synthetic));
    if (!g->synthetic)
        return hw_err_no_memory(b->err);
    for (size_t i = 0; i < n; i++)
        g->synthetic[i] = b->roots.nodes[i].as;
    g->synthetic[n] = (struct hw_synthetic){.kind = HW_SYN_ROOT, .name = "root", .file = ""};
    for (size_t i = 0; i <= n; i++) {
        hw_id id = g->object_count + (hw_id)i;
        g->where[id] = 0;
        g->type[id] = b->py.type_count + g->synthetic[i].kind;
        g->size[id] = 0;
        g->refcount[id] = 0;
        g->flags[id] = HW_NODE_SYNTHETIC;
    }
    return record_synthetic_edges(b);
}

static bool record_types(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    uint32_t n = b->py.type_count;
    g->types = calloc(n + SYNTHETIC_TYPE_COUNT, sizeof(*g->types));
    if (!g->types)
        return hw_err_no_memory(b->err);
    g->type_count = n + SYNTHETIC_TYPE_COUNT;
    for (uint32_t i = 0; i < n; i++) {
        const struct hw_pytype *type = b->py.types[i];
        g->types[i] = (struct hw_type){.name = type->name,
                                       .node = hw_marks_id(&b->marks, type->addr),
                                       .basicsize = type->basicsize,
                                       .flags = type->flags};
    }
    for (uint32_t i = 0; i < SYNTHETIC_TYPE_COUNT; i++)
        g->types[n + i] = (struct hw_type){
            .name = synthetic_types[i], .node = HW_NONE, .flags = HW_TYPE_SYNTHETIC};
    return true;
}

static bool record_ages(struct hw_builder *b)
{
    bool ok = hw_order_ages(&b->order, &b->marks, b->graph->age, b->err);
    hw_order_deinit(&b->order);
    return ok;
}

static void mark_newest(struct hw_builder *b)
{
    for (size_t i = 0; i < b->order.newest_count; i++)
        b->graph->flags[b->order.newest[i]] |= HW_NODE_NEWEST;
}

static void *shrink(void *data, size_t bytes)
{
    void *smaller = realloc(data, bytes ? bytes : 1);
    return smaller ? smaller : data;
}

/* Running frames lie behind the objects, in the order of the roots. */
static bool record_lines(struct hw_builder *b)
{
    char text[HW_VALUE_MAX_BYTES + 1];
    for (size_t i = 0; i < b->roots.count; i++) {
        if (!b->roots.nodes[i].at_line)
            continue;
        int n = snprintf(text, sizeof(text), "at line %u", b->roots.nodes[i].at_line);
        if (!hw_values_add(&b->graph->values, b->graph->object_count + (hw_id)i, text, (size_t)n,
                           b->err))
            return false;
    }
    return true;
}

bool hw_build_record(struct hw_builder *b)
{
    struct hw_graph *g = b->graph;
    if (!hw_marks_spans(&b->marks, &g->spans, &g->span_count, b->err) || !columns_allocate(b) ||
        !record_ages(b) || !module_names_find(b) || !record_objects(b) || !record_lines(b) ||
        !hw_build_record_claims(b) || !hw_build_record_held(b) || !hw_values_finish(&g->values, b->err) ||
        !record_synthetic(b) || !record_types(b) || !hw_build_record_allocs(b))
        return false;
    mark_newest(b);
    if (b->py.names.failed)
        return hw_err_no_memory(b->err);
    g->edge_to = shrink(g->edge_to, g->edge_count * sizeof(*g->edge_to));
    g->edge_label = shrink(g->edge_label, g->edge_count * sizeof(*g->edge_label));
    /* The texts are the arena's; only the list of them changes hands. */
    g->strings = b->py.names.text;
    g->string_count = b->py.names.count;
    b->py.names.text = NULL;
    return true;
}
