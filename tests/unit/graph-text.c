/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYNTHETIC_ADDR ((hw_addr)1 << 62)
#define LITERAL_ADDR ((hw_addr)1 << 32)
#define END_ADDR ((hw_addr)1 << 33)
#define UNSET UINT64_MAX

struct text_node {
    hw_addr addr;
    uint32_t type;
    uint64_t size, native, held, rc;
    uint32_t flags;
    bool flags_given;
    uint8_t age;
    bool literal;
    const char *value;
    const char *ref; /* synthetic: its $name */
    struct hw_synthetic synthetic;
    size_t serial;
};
struct text_edge {
    size_t from; /* serial of the node */
    hw_addr to;
    const char *ref; /* of a synthetic target, else NULL */
    uint32_t label;
    size_t serial;
};
struct text {
    struct hw_graph *graph;
    struct text_node *nodes;
    size_t node_count, node_capacity;
    struct text_edge *edges;
    size_t edge_count, edge_capacity;
    hw_addr *type_nodes; /* by type, 0: none */
    int line;
    const char *at;
};

static _Noreturn void fail(const struct text *t, const char *why)
{
    fprintf(stderr, "graph text, line %d: %s near \"%.30s\"\n", t->line, why, t->at ? t->at : "");
    abort();
}

static void *grow(void *array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? *capacity * 2 : 64;
    void *p = realloc(array, *capacity * bytes);
    if (!p)
        abort();
    return p;
}

/* ---- words ---- */

static void skip_blanks(struct text *t)
{
    while (*t->at == ' ' || *t->at == '\t')
        t->at++;
}

static bool eat(struct text *t, const char *word)
{
    skip_blanks(t);
    size_t n = strlen(word);
    if (strncmp(t->at, word, n) != 0)
        return false;
    t->at += n;
    return true;
}

/* Up to a blank, or to one of stop. */
static char *take_word(struct text *t, const char *stop)
{
    skip_blanks(t);
    size_t n = 0;
    while (t->at[n] && !isspace((unsigned char)t->at[n]) && !strchr(stop, t->at[n]))
        n++;
    if (!n)
        fail(t, "a word is missing");
    char *word = hw_arena_strndup(&t->graph->arena, t->at, n);
    t->at += n;
    return word;
}

static char *take_quoted(struct text *t)
{
    if (!eat(t, "\""))
        fail(t, "a quoted name is missing");
    const char *end = strchr(t->at, '"');
    if (!end)
        fail(t, "the quote does not end");
    char *word = hw_arena_strndup(&t->graph->arena, t->at, (size_t)(end - t->at));
    t->at = end + 1;
    return word;
}

static uint64_t take_number(struct text *t)
{
    char *end;
    skip_blanks(t);
    uint64_t n = strtoull(t->at, &end, 0);
    if (end == t->at)
        fail(t, "a number is missing");
    t->at = end;
    return n;
}

/* ---- types and strings ---- */

static const struct {
    const char *name;
    uint32_t flags;
} FLAG_WORDS[] = {
    {"heap", HW_TYPE_HEAP},
    {"gc", HW_TYPE_GC},
    {"builtin", HW_TYPE_BUILTIN},
    {"del", HW_TYPE_HAS_DEL},
    {"python", HW_TYPE_PYTHON},
    {"has_del", HW_TYPE_HAS_DEL},
    {"legacy_del", HW_TYPE_LEGACY_DEL},
    {"synthetic", HW_TYPE_SYNTHETIC},
    {"dict", HW_TYPE_DICT},
    {"list", HW_TYPE_LIST},
    {"tuple", HW_TYPE_TUPLE},
    {"set", HW_TYPE_SET},
    {"str", HW_TYPE_STR},
    {"int", HW_TYPE_INT},
    {"float", HW_TYPE_FLOAT},
    {"bytes", HW_TYPE_BYTES},
    {"type", HW_TYPE_TYPE},
    {"module", HW_TYPE_MODULE},
    {"function", HW_TYPE_FUNCTION},
    {"code", HW_TYPE_CODE},
    {"frame", HW_TYPE_FRAME},
    {"traceback", HW_TYPE_TRACEBACK},
    {"generator", HW_TYPE_GENERATOR},
    {"method", HW_TYPE_METHOD},
    {"cell", HW_TYPE_CELL},
    {"deque", HW_TYPE_DEQUE},
    {"exception", HW_TYPE_EXCEPTION},
    {"weakref", HW_TYPE_WEAKREF},
    {"bool", HW_TYPE_INT},
    {"NoneType", 0},
    {"frozenset", HW_TYPE_SET},
    {"collections.deque", HW_TYPE_DEQUE},
    {"coroutine", HW_TYPE_GENERATOR},
    {"async_generator", HW_TYPE_GENERATOR},
    {"weakref.ReferenceType", HW_TYPE_WEAKREF},
    {"collections.defaultdict", HW_TYPE_DICT},
    {"collections.OrderedDict", HW_TYPE_DICT},
};

static uint32_t flags_of_word(const char *word)
{
    for (size_t i = 0; i < sizeof(FLAG_WORDS) / sizeof(FLAG_WORDS[0]); i++)
        if (strcmp(FLAG_WORDS[i].name, word) == 0)
            return FLAG_WORDS[i].flags;
    return UINT32_MAX;
}

/* A dotted name that is not known is a class of the program. */
static uint32_t flags_of_name(const char *name)
{
    uint32_t flags = flags_of_word(name);
    size_t n = strlen(name);
    if (flags != UINT32_MAX)
        return flags | HW_TYPE_BUILTIN | HW_TYPE_GC;
    if (n > 5 && strcmp(name + n - 5, "Error") == 0)
        return HW_TYPE_EXCEPTION | HW_TYPE_GC | (strchr(name, '.') ? HW_TYPE_PYTHON : 0);
    if (name[0] == '_' || !strchr(name, '.'))
        return HW_TYPE_BUILTIN | HW_TYPE_GC;
    return HW_TYPE_PYTHON | HW_TYPE_HEAP | HW_TYPE_GC;
}

static uint32_t type_number(struct text *t, const char *name)
{
    struct hw_graph *graph = t->graph;
    for (uint32_t i = 0; i < graph->type_count; i++)
        if (strcmp(graph->types[i].name, name) == 0)
            return i;
    graph->types = realloc(graph->types, (graph->type_count + 1) * sizeof(*graph->types));
    t->type_nodes = realloc(t->type_nodes, (graph->type_count + 1) * sizeof(*t->type_nodes));
    graph->types[graph->type_count] = (struct hw_type){.name = hw_arena_strdup(&graph->arena, name),
                                                       .node = HW_NONE,
                                                       .basicsize = 16,
                                                       .flags = flags_of_name(name)};
    t->type_nodes[graph->type_count] = 0;
    return graph->type_count++;
}

static uint32_t string_number(struct text *t, const char *s)
{
    struct hw_graph *graph = t->graph;
    for (uint32_t i = 0; i < graph->string_count; i++)
        if (strcmp(graph->strings[i], s) == 0)
            return i;
    graph->strings = realloc(graph->strings, (graph->string_count + 1) * sizeof(*graph->strings));
    graph->strings[graph->string_count] = hw_arena_strdup(&graph->arena, s);
    return graph->string_count++;
}

/* ---- nodes ---- */

static struct text_node *add_node(struct text *t, hw_addr addr, const char *type)
{
    t->nodes = grow(t->nodes, t->node_count, &t->node_capacity, sizeof(*t->nodes));
    struct text_node *node = &t->nodes[t->node_count];
    *node = (struct text_node){.addr = addr,
                               .type = type_number(t, type),
                               .size = 64,
                               .rc = UNSET,
                               .serial = t->node_count};
    t->node_count++;
    return node;
}

static hw_addr literal_addr(const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return LITERAL_ADDR + ((hash ^ hash >> 30) & 0xffffff) * 16;
}

static hw_addr add_literal(struct text *t, const char *text)
{
    const char *type = text[0] == '\'' || text[0] == '"' ? "str"
                       : strcmp(text, "None") == 0       ? "NoneType"
                       : isalpha((unsigned char)text[0]) ? "bool"
                       : strchr(text, '.')               ? "float"
                                                         : "int";
    struct text_node *node = add_node(t, literal_addr(text), type);
    node->literal = true;
    node->flags = HW_NODE_LEAF;
    node->flags_given = true;
    node->value = text;
    return node->addr;
}

static uint32_t take_flags(struct text *t)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } words[] = {{"tracked", HW_NODE_TRACKED},
                 {"frozen", HW_NODE_FROZEN},
                 {"gen1", HW_NODE_GEN1},
                 {"gen2", HW_NODE_GEN2},
                 {"static", HW_NODE_STATIC},
                 {"immortal", HW_NODE_IMMORTAL},
                 {"inferred", HW_NODE_INFERRED},
                 {"damaged", HW_NODE_DAMAGED},
                 {"finalized", HW_NODE_FINALIZED},
                 {"lost", HW_NODE_LOST},
                 {"type", HW_NODE_TYPE},
                 {"leaf", HW_NODE_LEAF},
                 {"newest", HW_NODE_NEWEST},
                 {"deletes", HW_NODE_DELETES},
                 {"stores", HW_NODE_STORES},
                 {"none", 0}};
    uint32_t flags = 0;
    do {
        const char *word = take_word(t, ",");
        size_t i = 0;
        while (i < sizeof(words) / sizeof(words[0]) && strcmp(words[i].name, word) != 0)
            i++;
        if (i == sizeof(words) / sizeof(words[0]))
            fail(t, "no such flag");
        flags |= words[i].flag;
    } while (*t->at == ',' && t->at++);
    return flags;
}

static void read_object(struct text *t)
{
    hw_addr addr = take_number(t);
    struct text_node *node = add_node(t, addr, take_word(t, ""));
    for (skip_blanks(t); *t->at && *t->at != '\n'; skip_blanks(t)) {
        if (eat(t, "size=")) {
            node->size = take_number(t);
        } else if (eat(t, "native=")) {
            node->native = take_number(t);
        } else if (eat(t, "held=")) {
            node->held = take_number(t);
        } else if (eat(t, "rc=")) {
            node->rc = take_number(t);
        } else if (eat(t, "age=")) {
            node->age = (uint8_t)take_number(t);
        } else if (eat(t, "flags=")) {
            node->flags = take_flags(t);
            node->flags_given = true;
        } else if (eat(t, "value=")) {
            size_t n = strcspn(t->at, "\n");
            node->value = hw_arena_strndup(&t->graph->arena, t->at, n);
            t->at += n;
        } else {
            fail(t, "not known of an object");
        }
    }
}

static void read_synthetic(struct text *t)
{
    static const char *const kinds[] = {"root",   "interpreter", "thread", "frame",
                                        "static", "c_globals",   "stack"};
    const char *ref = take_word(t, "");
    const char *kind = take_word(t, "");
    struct text_node *node = add_node(t, SYNTHETIC_ADDR, "<synthetic>");
    node->ref = ref;
    node->size = 0;
    node->flags = HW_NODE_SYNTHETIC;
    node->flags_given = true;
    struct hw_synthetic *s = &node->synthetic;
    *s = (struct hw_synthetic){.name = "", .file = ""};
    while (strcmp(kinds[s->kind], kind) != 0)
        if (++s->kind > HW_SYN_NATIVE_STACK)
            fail(t, "no such kind");
    skip_blanks(t);
    if (*t->at == '"')
        s->name = take_quoted(t);
    skip_blanks(t);
    if (*t->at == '"')
        s->file = take_quoted(t);
    skip_blanks(t);
    if (isdigit((unsigned char)*t->at))
        s->line = (uint32_t)take_number(t);
    if (eat(t, "tid="))
        s->tid = (int32_t)take_number(t);
    if (eat(t, "depth="))
        s->depth = (uint32_t)take_number(t);
}

/* ---- edges ---- */

static void add_edge(struct text *t, hw_addr to, const char *ref, enum hw_label_kind kind,
                     uint32_t payload)
{
    t->edges = grow(t->edges, t->edge_count, &t->edge_capacity, sizeof(*t->edges));
    t->edges[t->edge_count] =
        (struct text_edge){.to = to,
                           .ref = ref,
                           .serial = t->edge_count,
                           .label = (uint32_t)kind << HW_LABEL_SHIFT | payload};
    t->edge_count++;
}

static char *take_literal(struct text *t, const char *stop)
{
    skip_blanks(t);
    if (*t->at != '\'' && *t->at != '"')
        return take_word(t, stop);
    const char *end = t->at + 1;
    while (*end && *end != *t->at)
        end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end)
        fail(t, "the quote does not end");
    char *text = hw_arena_strndup(&t->graph->arena, t->at, (size_t)(end + 1 - t->at));
    t->at = end + 1;
    return text;
}

static hw_addr take_target(struct text *t, const char **ref)
{
    if (!eat(t, "->"))
        fail(t, "-> is missing");
    *ref = NULL;
    if (eat(t, "$")) {
        *ref = take_word(t, "");
        return 0;
    }
    if (eat(t, "0x")) {
        t->at -= 2;
        return take_number(t);
    }
    return add_literal(t, take_literal(t, ""));
}

static void read_bracket(struct text *t, const struct text_node *from)
{
    bool entry = *t->at == '\'' || *t->at == '"' || strncmp(t->at, "0x", 2) == 0 ||
                 t->graph->types[from->type].flags & HW_TYPE_DICT;
    const char *ref;
    if (!entry) {
        uint32_t index = (uint32_t)take_number(t);
        eat(t, "]");
        hw_addr to = take_target(t, &ref);
        add_edge(t, to, ref, HW_LABEL_INDEX, index);
        return;
    }
    hw_addr key =
        strncmp(t->at, "0x", 2) == 0 ? take_number(t) : add_literal(t, take_literal(t, "]"));
    eat(t, "]");
    hw_addr to = take_target(t, &ref);
    uint32_t number = (uint32_t)t->edge_count & HW_LABEL_PAYLOAD;
    add_edge(t, key, NULL, HW_LABEL_KEY, number);
    add_edge(t, to, ref, HW_LABEL_VALUE, number);
}

static void read_named(struct text *t)
{
    char *literal = take_literal(t, "]");
    literal[strlen(literal) - 1] = 0;
    eat(t, "]");
    const char *ref;
    hw_addr to = take_target(t, &ref);
    add_edge(t, to, ref, HW_LABEL_NAMED, string_number(t, literal + 1));
}

static void read_worded(struct text *t)
{
    static const struct {
        const char *word;
        enum hw_label_kind kind;
        enum { NOTHING, NUMBER, STRING } payload;
    } words[] = {{".", HW_LABEL_ATTR, STRING},         {"{", HW_LABEL_MEMBER, NUMBER},
                 {"local ", HW_LABEL_LOCAL, STRING},   {"stack ", HW_LABEL_STACK, NUMBER},
                 {"type ", HW_LABEL_TYPE, NOTHING},    {"internal ", HW_LABEL_INTERNAL, STRING},
                 {"hidden ", HW_LABEL_HIDDEN, STRING}, {"word ", HW_LABEL_WORD, NUMBER},
                 {"root ", HW_LABEL_ROOT, STRING}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!eat(t, words[i].word))
            continue;
        uint32_t payload = 0;
        if (words[i].payload == NUMBER)
            payload = (uint32_t)take_number(t);
        else if (words[i].payload == STRING)
            payload = string_number(t, *t->at == '"' ? take_quoted(t) : take_word(t, ""));
        eat(t, "}");
        const char *ref;
        hw_addr to = take_target(t, &ref);
        add_edge(t, to, ref, words[i].kind, payload);
        return;
    }
    fail(t, "not understood");
}

/* ---- facts and types ---- */

static void read_fact(struct text *t)
{
    struct hw_facts *f = &t->graph->facts;
#define FACT(name)                           \
    {                                        \
#name "=", &f->name, sizeof(f->name) \
    }
    const struct {
        const char *word;
        void *at;
        size_t bytes;
    } facts[] = {FACT(pid),
                 FACT(start_time),
                 FACT(taken_at_ns),
                 FACT(uptime_ns),
                 FACT(busy_ns),
                 FACT(pause_ns),
                 FACT(capture_ns),
                 FACT(rss_bytes),
                 FACT(retries),
                 FACT(gc_enabled),
                 FACT(python_version),
                 FACT(collector_running),
                 FACT(freeze),
                 FACT(gc_threshold[0])};
#undef FACT
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        if (!eat(t, facts[i].word))
            continue;
        uint64_t n = take_number(t);
        memcpy(facts[i].at, &n, facts[i].bytes);
        return;
    }
    char *text = eat(t, "executable=")    ? f->executable
                 : eat(t, "main_script=") ? f->main_script
                                          : NULL;
    if (!text)
        fail(t, "no such fact");
    snprintf(text, sizeof(f->executable), "%s", take_word(t, ""));
}

static void read_type(struct text *t)
{
    uint32_t type = type_number(t, take_word(t, ""));
    t->graph->types[type].flags = 0;
    for (skip_blanks(t); *t->at && *t->at != '\n'; skip_blanks(t)) {
        if (eat(t, "node=")) {
            t->type_nodes[type] = take_number(t);
            continue;
        }
        uint32_t flags = flags_of_word(take_word(t, ""));
        if (flags == UINT32_MAX)
            fail(t, "no such flag");
        t->graph->types[type].flags |= flags;
    }
}

static void read_line(struct text *t, size_t *node)
{
    skip_blanks(t);
    if (!*t->at || *t->at == '\n' || *t->at == '#')
        return;
    if (eat(t, "fact ")) {
        read_fact(t);
    } else if (eat(t, "type ") && (skip_blanks(t), strncmp(t->at, "->", 2) != 0)) {
        read_type(t);
    } else if (eat(t, "@")) {
        *node = t->node_count;
        read_object(t);
    } else if (eat(t, "$")) {
        *node = t->node_count;
        read_synthetic(t);
    } else if (*node == SIZE_MAX) {
        fail(t, "an edge of no node");
    } else {
        size_t first = t->edge_count;
        if (strncmp(t->at, "->", 2) == 0) {
            const char *ref;
            hw_addr to = take_target(t, &ref);
            add_edge(t, to, ref, HW_LABEL_TYPE, 0);
        } else if (eat(t, "~[")) {
            read_named(t);
        } else if (eat(t, "[")) {
            read_bracket(t, &t->nodes[*node]);
        } else {
            read_worded(t);
        }
        for (size_t i = first; i < t->edge_count; i++)
            t->edges[i].from = *node;
    }
    skip_blanks(t);
    if (*t->at && *t->at != '\n')
        fail(t, "too much on the line");
}

/* ---- columns ---- */

static int by_addr(const void *a, const void *b)
{
    const struct text_node *x = a, *y = b;
    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

/* Several uses of one literal are one node; root last. */
static void settle_nodes(struct text *t)
{
    qsort(t->nodes, t->node_count, sizeof(*t->nodes), by_addr);
    size_t n = 0;
    for (size_t i = 0; i < t->node_count; i++) {
        const struct text_node *before = n ? &t->nodes[n - 1] : NULL;
        if (before && before->addr == t->nodes[i].addr && before->addr != SYNTHETIC_ADDR) {
            if (before->literal && t->nodes[i].literal &&
                strcmp(before->value, t->nodes[i].value) == 0)
                continue;
            t->at = before->value;
            fail(t, "two nodes at one address");
        }
        t->nodes[n++] = t->nodes[i];
    }
    t->node_count = n;
}

static hw_id find_addr(const struct text *t, hw_addr addr)
{
    size_t low = 0, high = t->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->nodes[middle].addr == addr)
            return (hw_id)middle;
        if (t->nodes[middle].addr < addr)
            low = middle + 1;
        else
            high = middle;
    }
    fprintf(stderr, "graph text: nothing at 0x%llx\n", (unsigned long long)addr);
    abort();
}

static hw_id find_ref(const struct text *t, const char *ref)
{
    for (size_t i = t->node_count; i-- > 0 && t->nodes[i].addr == SYNTHETIC_ADDR;)
        if (strcmp(t->nodes[i].ref, ref) == 0)
            return (hw_id)i;
    fprintf(stderr, "graph text: no node $%s\n", ref);
    abort();
}

static void *need(size_t count, size_t bytes)
{
    void *p = calloc(count ? count : 1, bytes);
    if (!p)
        abort();
    return p;
}

/* The root holds the synthetic nodes that nobody holds. */
static void add_root(struct text *t)
{
    size_t root = t->node_count - 1, first = 0;
    while (t->nodes[first].addr != SYNTHETIC_ADDR)
        first++;
    bool *held = need(t->node_count, 1);
    for (size_t i = 0; i < t->edge_count; i++)
        if (t->edges[i].ref)
            held[find_ref(t, t->edges[i].ref)] = true;
    for (size_t i = first; i < root; i++) {
        if (held[i])
            continue;
        add_edge(t, 0, t->nodes[i].ref, HW_LABEL_ROOT,
                 string_number(t, t->nodes[i].synthetic.name));
        t->edges[t->edge_count - 1].from = t->nodes[root].serial;
    }
    free(held);
}

static void fill_edges(struct text *t)
{
    struct hw_graph *graph = t->graph;
    uint32_t n = graph->node_count;
    size_t last = 0;
    for (uint32_t i = 0; i < n; i++)
        last = t->nodes[i].serial > last ? t->nodes[i].serial : last;
    hw_id *from = need(last + 1, sizeof(*from)), *row = need(n, sizeof(*row));
    for (uint32_t i = 0; i < n; i++)
        from[t->nodes[i].serial] = i;
    graph->edge_start = need(n + 1, sizeof(uint32_t));
    graph->edge_to = need(t->edge_count, sizeof(uint32_t));
    graph->edge_label = need(t->edge_count, sizeof(uint32_t));
    graph->edge_count = t->edge_count;
    for (size_t e = 0; e < t->edge_count; e++)
        graph->edge_start[from[t->edges[e].from] + 1]++;
    for (uint32_t i = 0; i < n; i++)
        graph->edge_start[i + 1] += graph->edge_start[i];
    for (size_t e = 0; e < t->edge_count; e++) {
        hw_id node = from[t->edges[e].from];
        uint32_t at = graph->edge_start[node] + row[node]++;
        hw_id to = t->edges[e].ref ? find_ref(t, t->edges[e].ref) : find_addr(t, t->edges[e].to);
        graph->edge_to[at] = to;
        graph->edge_label[at] = t->edges[e].label;
        if (t->nodes[to].rc == UNSET)
            graph->refcount[to]++;
    }
    free(from);
    free(row);
}

static void fill_nodes(struct text *t)
{
    struct hw_graph *graph = t->graph;
    uint32_t n = (uint32_t)t->node_count, objects = 0;
    graph->node_count = n;
    graph->where = need(n, sizeof(uint32_t));
    graph->type = need(n, sizeof(uint32_t));
    graph->size = need(n, sizeof(uint32_t));
    graph->refcount = need(n, sizeof(uint32_t));
    graph->age = need(n, 1);
    graph->flags = need(n, sizeof(uint16_t));
    while (t->nodes[objects].addr != SYNTHETIC_ADDR)
        objects++;
    graph->object_count = objects;
    graph->synthetic = need(n - objects, sizeof(*graph->synthetic));
    graph->big = need(n, sizeof(*graph->big));
    graph->native = need(n, sizeof(*graph->native));
    graph->held = need(n, sizeof(*graph->held));
    for (uint32_t i = 0; i < n; i++) {
        const struct text_node *node = &t->nodes[i];
        graph->type[i] = node->type;
        if (node->size >= HW_BIG_SIZE)
            graph->big[graph->big_count++] = (struct hw_big_size){i, node->size};
        if (node->native)
            graph->native[graph->native_count++] = (struct hw_big_size){i, node->native};
        graph->native_bytes += node->native;
        if (node->held)
            graph->held[graph->held_count++] = (struct hw_big_size){i, node->held};
        graph->size[i] = node->size >= HW_BIG_SIZE ? HW_BIG_SIZE : (uint32_t)node->size;
        graph->age[i] = node->age;
        graph->refcount[i] = node->rc == UNSET ? 0 : (uint32_t)node->rc;
        bool leaf = graph->types[node->type].flags &
                    (HW_TYPE_STR | HW_TYPE_INT | HW_TYPE_FLOAT | HW_TYPE_BYTES);
        graph->flags[i] = (uint16_t)(node->flags_given ? node->flags
                                     : leaf            ? HW_NODE_LEAF
                                                       : HW_NODE_TRACKED);
        if (i >= objects)
            graph->synthetic[i - objects] = node->synthetic;
        else
            graph->where[i] = (uint32_t)(node->addr >> 3);
        if (node->value &&
            !hw_values_add(&graph->values, i, node->value, strlen(node->value), NULL))
            abort();
    }
    if (!hw_values_finish(&graph->values, NULL))
        abort();
}

struct hw_graph *graph_from_text(const char *text)
{
    struct text t = {.graph = hw_graph_create(), .at = text, .line = 1};
    if (!t.graph)
        abort();
    t.graph->facts.pid = 1;
    t.graph->facts.gc_enabled = 1;
    t.graph->facts.gc_threshold[0] = 700;
    string_number(&t, "");
    size_t node = SIZE_MAX;
    for (; t.at; t.line++) {
        read_line(&t, &node);
        t.at = strchr(t.at, '\n');
        t.at = t.at ? t.at + 1 : NULL;
    }
    uint32_t synthetic = type_number(&t, "<synthetic>");
    t.graph->types[synthetic].flags = HW_TYPE_SYNTHETIC;
    struct text_node *root = add_node(&t, SYNTHETIC_ADDR, "<synthetic>");
    root->size = 0;
    root->flags = HW_NODE_SYNTHETIC;
    root->flags_given = true;
    root->ref = "";
    root->synthetic = (struct hw_synthetic){.kind = HW_SYN_ROOT, .name = "root", .file = ""};
    settle_nodes(&t);
    add_root(&t);
    fill_nodes(&t);
    fill_edges(&t);
    for (uint32_t i = 0; i < t.graph->type_count; i++)
        if (t.type_nodes[i])
            t.graph->types[i].node = find_addr(&t, t.type_nodes[i]);
    t.graph->spans = need(1, sizeof(struct hw_span));
    t.graph->spans[0] = (struct hw_span){.start = 0, .end = END_ADDR, .first = 0, .shift = 3};
    t.graph->span_count = 1;
    free(t.nodes);
    free(t.edges);
    free(t.type_nodes);
    struct hw_err err = HW_ERR_INIT;
    if (!hw_graph_validate(t.graph, &err)) {
        fprintf(stderr, "graph text: %s\n", err.msg);
        abort();
    }
    return t.graph;
}

hw_id node_at(const struct hw_graph *graph, hw_addr addr)
{
    hw_id id = hw_graph_find(graph, addr);
    if (id == HW_NONE) {
        fprintf(stderr, "nothing at 0x%llx\n", (unsigned long long)addr);
        abort();
    }
    return id;
}
