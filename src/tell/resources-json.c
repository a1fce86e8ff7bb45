/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/parts.h"
#include "tell/resources.h"

static void put_object(struct hw_json *json, const char *key, const struct hw_stand_in *object)
{
    if (object->node == HW_NONE)
        return;
    hw_json_object(json, key);
    hw_json_string(json, "type", object->type);
    hw_json_addr(json, "addr", object->addr);
    hw_json_string(json, "path", object->path);
    hw_json_string(json, "shape", object->shape);
    hw_json_end(json);
}

/* Members that are not there say nothing. */
static void put_text(struct hw_json *json, const char *key, const char *text)
{
    if (text && *text)
        hw_json_string(json, key, text);
}

static void put_descriptor(struct hw_json *json, const struct hw_descriptor *d)
{
    hw_json_object(json, NULL);
    hw_json_i64(json, "fd", d->fd);
    hw_json_string(json, "kind", hw_descriptor_kind_name(d->kind));
    put_text(json, "name", d->name);
    put_text(json, "protocol", d->protocol);
    put_text(json, "state", d->state);
    put_text(json, "local", d->local);
    put_text(json, "peer", d->peer);
    if (d->kind == HW_DESCRIPTOR_SOCKET) {
        hw_json_bool(json, "listens", d->listens);
        hw_json_u64(json, "queue_in", d->queue_in);
        hw_json_u64(json, "queue_out", d->queue_out);
    } else {
        hw_json_bool(json, "deleted", d->deleted);
        hw_json_u64(json, "disk_bytes", d->disk_bytes);
    }
    hw_json_bool(json, "reads", d->reads);
    hw_json_bool(json, "writes", d->writes);
    hw_json_bool(json, "steady", d->steady);
    hw_json_u64(json, "watchers", d->watchers);
    put_object(json, "owner", &d->owner);
    put_text(json, "candidate", d->candidate);
    put_text(json, "problem", d->problem);
    hw_json_end(json);
}

static void put_group(struct hw_json *json, const struct hw_descriptor_group *g)
{
    hw_json_object(json, NULL);
    hw_json_u64(json, "count", g->count);
    hw_json_string(json, "kind", hw_descriptor_kind_name(g->kind));
    hw_json_string(json, "what", g->what);
    hw_json_string(json, "owner", g->owner);
    put_text(json, "owner_type", g->owner_type);
    put_text(json, "candidate", g->candidate);
    put_text(json, "problem", g->problem);
    hw_json_i64(json, "fd", g->fd);
    hw_json_end(json);
}

static void put_state(struct hw_json *json, char state)
{
    char text[2] = {state, 0};
    put_text(json, "state", text);
}

static void put_thread(struct hw_json *json, const struct hw_thread_info *t)
{
    hw_json_object(json, NULL);
    hw_json_i64(json, "tid", t->id);
    hw_json_string(json, "name", t->name);
    hw_json_bool(json, "daemon", t->daemon);
    put_state(json, t->state);
    put_text(json, "call", t->call);
    if (t->fd >= 0)
        hw_json_i64(json, "fd", t->fd);
    put_text(json, "place", t->place);
    put_text(json, "waits", t->waits);
    put_text(json, "waits_for", t->waits_for);
    put_object(json, "object", &t->object);
    hw_json_end(json);
}

static void put_child(struct hw_json *json, const struct hw_child_info *c)
{
    hw_json_object(json, NULL);
    hw_json_i64(json, "pid", c->id);
    hw_json_string(json, "name", c->name);
    put_state(json, c->state);
    put_object(json, "object", &c->object);
    put_text(json, "problem", c->problem);
    hw_json_end(json);
}

static void put_task(struct hw_json *json, const struct hw_task_info *t)
{
    hw_json_object(json, NULL);
    hw_json_string(json, "name", t->name);
    hw_json_string(json, "coroutine", t->coroutine);
    put_text(json, "place", t->place);
    put_text(json, "waits", t->waits);
    put_text(json, "waits_for", t->waits_for);
    hw_json_u64(json, "depth", t->depth);
    put_object(json, "object", &t->object);
    hw_json_end(json);
}

static void put_database(struct hw_json *json, const struct hw_database_info *d)
{
    hw_json_object(json, NULL);
    put_object(json, "object", &d->object);
    if (d->fd >= 0)
        hw_json_i64(json, "fd", d->fd);
    put_text(json, "server", d->server);
    hw_json_end(json);
}

static void put_waits(struct hw_json *json, const char *key, const struct hw_wait_group *groups,
                      size_t count, size_t limit)
{
    hw_json_array(json, key);
    for (size_t i = 0; i < hw_parts_limit(count, limit); i++) {
        hw_json_object(json, NULL);
        hw_json_u64(json, "count", groups[i].count);
        hw_json_string(json, "what", groups[i].what);
        put_text(json, "where", groups[i].where);
        hw_json_end(json);
    }
    hw_json_end(json);
}

static void put_problem(struct hw_json *json, const struct hw_problem *p)
{
    hw_json_object(json, NULL);
    hw_json_u64(json, "count", p->count);
    hw_json_string(json, "what", p->what);
    put_text(json, "where", p->where);
    if (p->fd >= 0)
        hw_json_i64(json, "fd", p->fd);
    hw_json_end(json);
}

static void put_totals(struct hw_json *json, const struct hw_resources *r)
{
    hw_json_u64(json, "descriptor_total", r->facts.descriptor_total);
    hw_json_u64(json, "descriptor_limit", r->facts.descriptor_limit);
    hw_json_u64(json, "unowned", r->unowned);
    hw_json_u64(json, "deleted", r->deleted);
    hw_json_u64(json, "deleted_bytes", r->deleted_bytes);
    hw_json_bool(json, "numbers_hidden", r->numbers_hidden);
}

#define LIST(json, key, put, items, count, limit)                \
    do {                                                         \
        hw_json_array(json, key);                                \
        for (size_t i = 0; i < hw_parts_limit(count, limit); i++) \
            put(json, &(items)[i]);                              \
        hw_json_end(json);                                       \
    } while (0)

void hw_resources_json(struct hw_out *out, const struct hw_resources *r, size_t limit)
{
    struct hw_json json;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_parts_facts_json(&json, "snapshot", &r->facts);
    put_totals(&json, r);
    LIST(&json, "descriptors", put_descriptor, r->descriptors, r->descriptor_count, limit);
    LIST(&json, "groups", put_group, r->groups, r->group_count, limit);
    LIST(&json, "problems", put_problem, r->problems, r->problem_count, limit);
    LIST(&json, "threads", put_thread, r->threads, r->thread_count, limit);
    put_waits(&json, "thread_groups", r->thread_groups, r->thread_group_count, limit);
    LIST(&json, "children", put_child, r->children, r->child_count, limit);
    LIST(&json, "tasks", put_task, r->tasks, r->task_count, limit);
    put_waits(&json, "task_groups", r->task_groups, r->task_group_count, limit);
    LIST(&json, "databases", put_database, r->databases, r->database_count, limit);
    hw_json_end(&json);
}

void hw_resources_growth_json(struct hw_out *out, struct hw_resources *const *resources,
                              const struct hw_resources_growth *growth, size_t limit)
{
    struct hw_json json;
    size_t groups = 0;
    hw_json_init(&json, out, false);
    hw_json_object(&json, NULL);
    hw_json_array(&json, "snapshots");
    for (size_t m = 0; m < growth->moment_count; m++)
        hw_parts_facts_json(&json, NULL, &resources[m]->facts);
    hw_json_end(&json);
    hw_json_array(&json, "growth");
    for (size_t i = 0; i < growth->row_count; i++) {
        const struct hw_resource_growth *row = &growth->rows[i];
        if (row->is_group && limit && groups++ >= limit)
            continue;
        hw_json_object(&json, NULL);
        hw_json_string(&json, "what", row->label);
        put_text(&json, "where", row->where);
        hw_json_i64(&json, "delta", row->delta);
        hw_json_array(&json, "counts");
        for (size_t m = 0; m < growth->moment_count; m++)
            hw_json_u64(&json, NULL, row->counts[m]);
        hw_json_end(&json);
        hw_json_end(&json);
    }
    hw_json_end(&json);
    hw_json_end(&json);
}
