/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/ended.h"
#include "ask/look.h"
#include "ask/lookup.h"
#include "base/err.h"
#include "resource/work.h"

#include <stdlib.h>
#include <string.h>

/* Connections of well-known database libraries. Their descriptor is found by a short way from the
 * object: to a socket, a transport, a file. */
static const char *const types[] = {
    "sqlite3.Connection",
    "psycopg2.extensions.connection",
    "psycopg.BaseConnection",
    "psycopg._connection_base.BaseConnection",
    "psycopg_binary.pq.PGconn",
    "asyncpg.connection.Connection",
    "pymysql.connections.Connection",
    "MySQLdb.connections.Connection",
    "mysql.connector.abstracts.MySQLConnectionAbstract",
    "aiomysql.connection.Connection",
    "redis.connection.AbstractConnection",
    "redis.asyncio.connection.AbstractConnection",
    "pymongo.pool.Connection",
    "pymongo.synchronous.pool.Connection",
    "pymongo.asynchronous.pool.AsyncConnection",
    "cassandra.connection.Connection",
    "pg8000.core.CoreConnection",
    "oracledb.connection.BaseConnection",
    "pyodbc.Connection",
    "pymssql._pymssql.Connection",
};
enum { TYPE_COUNT = sizeof(types) / sizeof(*types), STEPS_MAX = 64, DEPTH_MAX = 4 };

/* The descriptor that node itself owns. */
static int32_t fd_of(const struct hw_resource_work *work, hw_id node)
{
    const struct hw_system *system = &work->graph->system;
    int32_t fds[1];
    size_t row = hw_value_fds(work->graph, node, fds, 1) ? hw_fd_find(system, fds[0]) : SIZE_MAX;
    return row != SIZE_MAX && work->owned.owner[row] == node ? fds[0] : -1;
}

/* What a connection refers to, as far as that is its own: attributes, not types or modules. */
static int32_t find_fd(const struct hw_resource_work *work, hw_id connection)
{
    const struct hw_graph *graph = work->graph;
    hw_id todo[STEPS_MAX] = {connection};
    unsigned count = 1, level_end = 1, depth = 0;
    const uint32_t skipped = HW_TYPE_TYPE | HW_TYPE_MODULE | HW_TYPE_FUNCTION | HW_TYPE_CODE;
    for (unsigned at = 0; at < count; at++) {
        if (at == level_end) {
            level_end = count;
            if (++depth == DEPTH_MAX)
                break;
        }
        int32_t fd = fd_of(work, todo[at]);
        if (fd >= 0)
            return fd;
        for (uint32_t e = graph->edge_start[todo[at]]; e < graph->edge_start[todo[at] + 1]; e++) {
            hw_id to = graph->edge_to[e];
            bool is_way = edge_kind(graph, e) != HW_LABEL_TYPE && to < graph->object_count &&
                          !(graph->flags[to] & HW_NODE_LEAF) && !type_has(graph, to, skipped);
            if (is_way && count < STEPS_MAX)
                todo[count++] = to;
        }
    }
    return -1;
}

static bool fill_database(struct hw_resource_work *work, hw_id id, struct hw_database_info *info)
{
    *info = (struct hw_database_info){.fd = find_fd(work, id), .server = ""};
    size_t row = info->fd < 0 ? SIZE_MAX : hw_fd_find(&work->graph->system, info->fd);
    if (row != SIZE_MAX) {
        const struct hw_descriptor *d = &work->result->resources.descriptors[row];
        info->server = *d->peer ? d->peer : d->name;
    }
    return hw_stand_in_fill(work, id, &info->object);
}

bool hw_work_add_databases(struct hw_resource_work *work)
{
    const struct hw_graph *graph = work->graph;
    struct hw_resources *resources = &work->result->resources;
    uint8_t *of_type =
        hw_lineage_match(&work->lineage, types, TYPE_COUNT, sizeof(*types), work->err);
    size_t most = of_type ? hw_lineage_count(graph, of_type) : 0;
    resources->databases =
        hw_arena_array(&work->result->arena, most + 1, sizeof(*resources->databases));
    bool ok = (of_type && resources->databases) || hw_err_no_memory(work->err);
    for (hw_id id = 0; ok && id < graph->object_count; id++)
        if (of_type[graph->type[id]] != UINT8_MAX && !hw_has_ended(graph, id))
            ok = fill_database(work, id, &resources->databases[resources->database_count++]);
    free(of_type);
    return ok;
}
