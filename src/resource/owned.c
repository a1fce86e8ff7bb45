/* SPDX-License-Identifier: Apache-2.0 */
#include "resource/owned.h"

#include "ask/look.h"
#include "ask/lookup.h"
#include "base/err.h"
#include "base/value.h"

#include <stdlib.h>
#include <string.h>

enum { OBJECT_FDS_MAX = 16, NO_RULE = UINT8_MAX, STANDARD_FDS = 3 };

#define KIND(name) (1u << HW_DESCRIPTOR_##name)
enum { ANY_KIND = ~0u >> 1 };

/* Objects that close a descriptor when they are freed. Of two that claim one, that of the earlier
 * row has it: a file can be made of a number that is another's (closefd=False). */
static const struct {
    const char *type;      /* or a base class */
    const char *attribute; /* an int or a tuple; NULL: the number is in the object's value */
    unsigned kinds;
} rules[] = {
    {"_socket.socket", NULL, KIND(SOCKET)},
    {"select.epoll", NULL, KIND(EPOLL)},
    {"posix.ScandirIterator", NULL, KIND(DIRECTORY)},
    {"sqlite3.Connection", NULL, KIND(FILE)},
    {"mmap.mmap", NULL, KIND(FILE) | KIND(DEVICE) | KIND(MEMFD)},
    {"multiprocessing.connection._ConnectionBase", "_handle", KIND(PIPE) | KIND(SOCKET)},
    {"multiprocessing.popen_fork.Popen", "sentinel", KIND(PIPE)},
    {"multiprocessing.util.Finalize", "_args", KIND(PIPE)}, /* with close_fds() alone */
    {"multiprocessing.resource_tracker.ResourceTracker", "_fd", KIND(PIPE)},
    {"multiprocessing.forkserver.ForkServer", "_forkserver_alive_fd", KIND(PIPE)},
    {"multiprocessing.shared_memory.SharedMemory", "_fd", KIND(FILE)},
    {"ptyprocess.ptyprocess.PtyProcess", "fd", KIND(DEVICE)},
    {"watchdog.observers.inotify_c.Inotify", "_inotify_fd", KIND(INOTIFY)},
    {"_io.FileIO", NULL, ANY_KIND},
};
enum { RULE_COUNT = sizeof(rules) / sizeof(*rules) };

size_t hw_value_fds(const struct hw_graph *graph, hw_id node, int32_t *fds, size_t max)
{
    char text[HW_LOOK_TEXT_MAX], *end;
    size_t count = 0;
    if (!hw_look_value(graph, node, text) || strncmp(text, "fd=", 3) != 0)
        return 0;
    for (const char *at = text + 3; count < max; at = end) {
        long fd = strtol(at, &end, 10);
        if (end == at)
            break;
        if (fd >= 0 && fd <= INT32_MAX)
            fds[count++] = (int32_t)fd;
    }
    return count;
}

/* As it is packed: there may be millions. */
bool hw_int_value(const struct hw_graph *graph, hw_id node, int64_t *ret_value)
{
    char text[HW_VALUE_MAX_BYTES + 1], *end;
    if (node >= graph->object_count || !type_has(graph, node, HW_TYPE_INT))
        return false;
    size_t n = hw_values_get(&((struct hw_graph *)graph)->values, node, text, sizeof(text));
    if (n == HW_VALUE_NUMBER_BYTES && text[0] == HW_VALUE_INT) {
        memcpy(ret_value, text + 1, sizeof(*ret_value));
        return true;
    }
    long long value = n ? strtoll(text, &end, 10) : 0;
    if (!n || end == text || *end)
        return false;
    *ret_value = value;
    return true;
}

bool hw_attr_int(const struct hw_graph *graph, hw_id node, const char *name, int64_t *ret_value)
{
    return hw_int_value(graph, hw_look_attr(graph, node, name), ret_value);
}

size_t hw_fd_find(const struct hw_system *system, int32_t fd)
{
    size_t low = 0, high = system->fd_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (system->fds[middle].fd < fd)
            low = middle + 1;
        else
            high = middle;
    }
    return low < system->fd_count && system->fds[low].fd == fd ? low : SIZE_MAX;
}

static void claim(struct hw_owned *owned, const struct hw_graph *graph, uint8_t *taken, int32_t fd,
                  hw_id node, size_t rule)
{
    size_t row = hw_fd_find(&graph->system, fd);
    if (row == SIZE_MAX || !(rules[rule].kinds >> graph->system.fds[row].kind & 1) ||
        taken[row] <= rule)
        return;
    owned->owner[row] = node;
    taken[row] = (uint8_t)rule;
}

/* Other finalizers have numbers that are none of descriptors. */
static bool closes_others(const struct hw_graph *graph, hw_id node)
{
    static const char name[] = "close_fds ";
    char text[HW_LOOK_TEXT_MAX];
    return hw_look_value(graph, hw_look_attr(graph, node, "_callback"), text) &&
           strncmp(text, name, sizeof(name) - 1) == 0;
}

static void claim_number(struct hw_owned *owned, const struct hw_graph *graph, uint8_t *taken,
                         hw_id value, hw_id node, size_t rule)
{
    int64_t number;
    if (hw_int_value(graph, value, &number) && number >= 0 && number <= INT32_MAX)
        claim(owned, graph, taken, (int32_t)number, node, rule);
    else if (value != HW_NONE && type_has(graph, value, HW_TYPE_INT))
        owned->numbers_hidden |= !hw_int_value(graph, value, &number);
}

static void claim_object(struct hw_owned *owned, const struct hw_graph *graph, uint8_t *taken,
                         hw_id node, size_t rule)
{
    int32_t fds[OBJECT_FDS_MAX];
    if (!rules[rule].attribute) {
        size_t count = hw_value_fds(graph, node, fds, OBJECT_FDS_MAX);
        for (size_t i = 0; i < count; i++)
            claim(owned, graph, taken, fds[i], node, rule);
        return;
    }
    hw_id value = hw_look_attr(graph, node, rules[rule].attribute);
    if (value == HW_NONE || !type_has(graph, value, HW_TYPE_TUPLE)) {
        claim_number(owned, graph, taken, value, node, rule);
        return;
    }
    for (uint32_t e = graph->edge_start[value]; e < graph->edge_start[value + 1]; e++)
        if (edge_kind(graph, e) == HW_LABEL_INDEX && closes_others(graph, node))
            claim_number(owned, graph, taken, graph->edge_to[e], node, rule);
}

/* SQLite opens its log and the log's index beside the database, and never says so. */
static void claim_beside_databases(struct hw_owned *owned, const struct hw_graph *graph)
{
    static const char *const tails[] = {"-wal", "-shm", "-journal"};
    const struct hw_system *system = &graph->system;
    for (size_t i = 0; i < system->fd_count; i++) {
        const char *name = system->fds[i].name;
        size_t length = strlen(name);
        for (size_t t = 0; owned->owner[i] == HW_NONE && t < sizeof(tails) / sizeof(*tails); t++) {
            size_t tail = strlen(tails[t]);
            if (length <= tail || strcmp(name + length - tail, tails[t]) != 0)
                continue;
            for (size_t k = 0; k < system->fd_count; k++)
                if (owned->owner[k] != HW_NONE && strlen(system->fds[k].name) == length - tail &&
                    memcmp(system->fds[k].name, name, length - tail) == 0 &&
                    strncmp(graph->types[graph->type[owned->owner[k]]].name, "sqlite3.", 8) == 0)
                    owned->owner[i] = owned->owner[k];
        }
    }
}

bool hw_owned_init(struct hw_owned *owned, const struct hw_graph *graph,
                   const struct hw_lineage *lineage, struct hw_err *err)
{
    size_t n = graph->system.fd_count;
    uint8_t *taken = malloc(n + 1);
    uint8_t *of_type = hw_lineage_match(lineage, rules, RULE_COUNT, sizeof(*rules), err);
    *owned = (struct hw_owned){.owner = malloc((n + 1) * sizeof(*owned->owner))};
    bool ok = taken && of_type && owned->owner;
    for (size_t i = 0; ok && i < n; i++) {
        owned->owner[i] = HW_NONE;
        taken[i] = NO_RULE;
    }
    for (hw_id id = 0; ok && n && id < graph->object_count; id++) {
        size_t rule = of_type[graph->type[id]];
        for (size_t r = rule; r < RULE_COUNT && strcmp(rules[r].type, rules[rule].type) == 0; r++)
            claim_object(owned, graph, taken, id, r);
    }
    if (ok)
        claim_beside_databases(owned, graph);
    else
        hw_owned_deinit(owned);
    free(taken);
    free(of_type);
    return ok || hw_err_no_memory(err);
}

void hw_owned_deinit(struct hw_owned *owned)
{
    free(owned->owner);
    owned->owner = NULL;
}

bool hw_owned_is_none(const struct hw_owned *owned, const struct hw_graph *graph, size_t row)
{
    const struct hw_system_fd *fd = &graph->system.fds[row];
    return owned->owner[row] == HW_NONE && fd->flags & HW_FD_STEADY && fd->fd >= STANDARD_FDS;
}

uint64_t hw_owned_count_none(const struct hw_owned *owned, const struct hw_graph *graph)
{
    uint64_t count = 0;
    for (size_t i = 0; i < graph->system.fd_count; i++)
        count += hw_owned_is_none(owned, graph, i);
    return count;
}
