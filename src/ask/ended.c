/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/ended.h"

#include "ask/lookup.h"
#include "ask/rules.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64, VALUE_MAX = 256, DEPTH_MAX = 5 };

/* The attribute that tells, and when it says that all is over. An inner object's end is its own. */
enum test {
    IS_INNER,    /* the attribute has ended */
    IS_SET,      /* it is something else than None */
    IS_NONE,     /* it is None */
    IS_TRUE,     /* it is True */
    IS_FINISHED, /* it is a str that says so */
};
static const struct {
    const char *type; /* may end in '*' */
    const char *attribute;
    enum test test;
} rules[] = {
    {"_io.TextIOWrapper", "buffer", IS_INNER},
    {"_io.Buffered*", "raw", IS_INNER},
    {"tempfile.*", "file", IS_INNER},
    {"tempfile.SpooledTemporaryFile", "_file", IS_INNER},
    {"gzip.GzipFile", "fileobj", IS_NONE},
    {"zipfile.ZipFile", "fp", IS_NONE},
    {"http.client.HTTP*Connection", "sock", IS_NONE},
    {"asyncio.selector_events.*Transport", "_sock", IS_NONE},
    {"subprocess.Popen", "returncode", IS_SET},
    {"multiprocessing.context.*Process", "_popen", IS_INNER},
    {"multiprocessing.popen_*", "returncode", IS_SET},
    {"multiprocessing.connection.Connection", "_handle", IS_NONE},
    {"asyncio.futures.Future", "_state", IS_FINISHED},
    {"asyncio.tasks.Task", "_state", IS_FINISHED},
    {"concurrent.futures._base.Future", "_state", IS_FINISHED},
    {"asyncio.events.TimerHandle", "_cancelled", IS_TRUE},
    {"concurrent.futures.thread.ThreadPoolExecutor", "_shutdown", IS_TRUE},
    {"concurrent.futures.process.ProcessPoolExecutor", "_shutdown_thread", IS_TRUE},
};

static bool says(const struct hw_graph *graph, hw_id node, const char *const *words)
{
    char text[TEXT_MAX];
    if (!hw_graph_value(graph, node, text, sizeof(text)))
        return false;
    for (; *words; words++)
        if (strncmp(text, *words, strlen(*words)) == 0)
            return true;
    return false;
}

static bool attribute_says(const struct hw_graph *graph, hw_id node, enum test test)
{
    static const char *const truths[] = {"True", NULL};
    static const char *const ends[] = {"'FINISHED'", "'CANCELLED", NULL};
    bool none = strcmp(type_of(graph, node)->name, "NoneType") == 0;
    switch (test) {
    case IS_SET:
        return !none;
    case IS_NONE:
        return none;
    case IS_TRUE:
        return says(graph, node, truths);
    case IS_FINISHED:
        return says(graph, node, ends);
    case IS_INNER:
        break;
    }
    return false;
}

/* Threads are matched by the kernel's id, which Thread keeps since 3.8. */
int32_t hw_thread_tid(const struct hw_graph *graph, hw_id thread)
{
    char text[TEXT_MAX];
    uint32_t edge = hw_attr_find(graph, thread, "_native_id");
    return edge != HW_NO_EDGE && hw_graph_value(graph, graph->edge_to[edge], text, sizeof(text))
               ? (int32_t)strtol(text, NULL, 10)
               : 0;
}

bool hw_thread_is_alive(const struct hw_graph *graph, hw_id thread)
{
    int32_t tid = hw_thread_tid(graph, thread);
    for (hw_id id = graph->object_count; tid && id < graph->node_count; id++) {
        const struct hw_synthetic *s = &graph->synthetic[id - graph->object_count];
        if (s->kind == HW_SYN_THREAD && s->tid == tid)
            return true;
    }
    return false;
}

static bool is_thread(const struct hw_graph *graph, hw_id node)
{
    return type_has(graph, node, HW_TYPE_PYTHON) &&
           hw_attr_find(graph, node, "_native_id") != HW_NO_EDGE &&
           hw_attr_find(graph, node, "_started") != HW_NO_EDGE;
}

/* What C code knows is in the value: a descriptor, the state of a future, how far a suspended
 * function has come. */
static bool value_has_ended(const struct hw_graph *graph, hw_id node)
{
    static const char *const ends[] = {"fd=-", "finished", "cancelled", NULL};
    static const char finished[] = "; finished";
    char text[VALUE_MAX];
    if (type_has(graph, node, HW_TYPE_GENERATOR)) {
        size_t n = hw_graph_value(graph, node, text, sizeof(text));
        return n >= sizeof(finished) && strcmp(text + n + 1 - sizeof(finished), finished) == 0;
    }
    return !hw_is_literal(graph, node) && says(graph, node, ends);
}

bool hw_has_ended(const struct hw_graph *graph, hw_id node)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        const char *type = type_of(graph, node)->name;
        if (value_has_ended(graph, node))
            return true;
        if (is_thread(graph, node))
            return hw_thread_tid(graph, node) && !hw_thread_is_alive(graph, node);
        size_t i = 0, count = sizeof(rules) / sizeof(rules[0]);
        while (i < count && !hw_name_matches(rules[i].type, type))
            i++;
        uint32_t edge = i < count ? hw_attr_find(graph, node, rules[i].attribute) : HW_NO_EDGE;
        if (edge == HW_NO_EDGE)
            return false;
        if (rules[i].test != IS_INNER)
            return attribute_says(graph, graph->edge_to[edge], rules[i].test);
        node = graph->edge_to[edge];
    }
    return false;
}
