/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "resource/work.h"

#include <stdlib.h>
#include <string.h>

/* Rows that differ only in their number, their peer or their place in a container become one. */

/* ---- what a descriptor is, without what differs ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Addresses on which the process listens, sorted. */
struct listening {
    const char **locals;
    size_t count;
};

static bool list_listening(const struct hw_resources *r, struct listening *listening)
{
    listening->locals = calloc(r->descriptor_count + 1, sizeof(*listening->locals));
    for (size_t i = 0; listening->locals && i < r->descriptor_count; i++)
        if (r->descriptors[i].listens)
            listening->locals[listening->count++] = r->descriptors[i].local;
    if (listening->count)
        qsort(listening->locals, listening->count, sizeof(*listening->locals), by_text);
    return listening->locals != NULL;
}

static bool listens_on(const struct listening *listening, const char *address)
{
    return listening->count && bsearch(&address, listening->locals, listening->count,
                                       sizeof(*listening->locals), by_text);
}

/* Where a connection was accepted: its own address, or that port of any; NULL: it was not. */
static const char *accepted_on(const struct listening *listening, const char *local,
                               struct hw_arena *arena)
{
    static const char *const any[] = {"0.0.0.0", "[::]"};
    const char *port = strrchr(local, ':');
    if (listens_on(listening, local))
        return local;
    for (size_t i = 0; port && *local != '/' && i < sizeof(any) / sizeof(*any); i++) {
        const char *address = hw_arena_printf(arena, "%s%s", any[i], port);
        if (address && listens_on(listening, address))
            return address;
    }
    return NULL;
}

static const char *spell_socket(const struct hw_descriptor *d, const struct listening *listening,
                                struct hw_arena *arena)
{
    const char *protocol = *d->protocol ? d->protocol : "socket";
    bool plain = !*d->state || strcmp(d->state, "ESTABLISHED") == 0 || d->listens;
    const char *comma = plain ? "" : ", ", *state = plain ? "" : d->state;
    const char *accepted = d->listens ? NULL : accepted_on(listening, d->local, arena);
    if (d->listens)
        return hw_arena_printf(arena, "%s on %s, listens", protocol, d->local);
    if (accepted)
        return hw_arena_printf(arena, "%s accepted on %s%s%s", protocol, accepted, comma, state);
    if (*d->peer)
        return hw_arena_printf(arena, "%s to %s%s%s", protocol, d->peer, comma, state);
    if (*d->local)
        return hw_arena_printf(arena, "%s on %s%s%s", protocol, d->local, comma, state);
    bool connects = strncmp(protocol, "tcp", 3) == 0;
    return hw_arena_printf(arena, "%s%s", protocol, connects ? ", not connected" : "");
}

static const char *spell_name(const struct hw_descriptor *d, struct hw_arena *arena)
{
    return hw_arena_printf(arena, "%s%s", d->name, d->deleted ? " (deleted)" : "");
}

/* Many files of a folder are one kind of thing. */
static const char *spell_folder(const struct hw_descriptor *d, struct hw_arena *arena)
{
    const char *slash = strrchr(d->name, '/');
    size_t length = slash ? (size_t)(slash - d->name) : 0;
    return hw_arena_printf(arena, "%sfiles in %.*s", d->deleted ? "deleted " : "",
                           (int)(length ? length : 1), d->name);
}

static const char *spell_kind(const struct hw_descriptor *d, const struct listening *listening,
                              struct hw_arena *arena)
{
    switch (d->kind) {
    case HW_DESCRIPTOR_SOCKET:
        return spell_socket(d, listening, arena);
    case HW_DESCRIPTOR_FILE:
        return spell_folder(d, arena);
    case HW_DESCRIPTOR_PIPE:
        return !d->reads   ? "pipes, to write"
               : d->writes ? "pipes"
                           : "pipes, to read";
    case HW_DESCRIPTOR_DIRECTORY:
    case HW_DESCRIPTOR_DEVICE:
    case HW_DESCRIPTOR_OTHER:
        return d->name;
    default:
        return hw_descriptor_kind_name(d->kind);
    }
}

/* ---- groups ---- */

/* The owner's part of a key: its shape, or its type where no root reaches it. */
static const char *owner_text(const struct hw_descriptor *d)
{
    if (d->owner.node == HW_NONE)
        return d->fd < 3 ? "the process" : d->steady ? "nobody" : "not known";
    return *d->owner.shape ? d->owner.shape : d->owner.type;
}

/* Files that are open several times go by their names. */
struct repeated {
    const char **names; /* of all files, sorted */
    size_t count;
};

static bool list_names(const struct hw_resources *r, struct repeated *repeated)
{
    repeated->names = calloc(r->descriptor_count + 1, sizeof(*repeated->names));
    for (size_t i = 0; repeated->names && i < r->descriptor_count; i++)
        if (r->descriptors[i].kind == HW_DESCRIPTOR_FILE)
            repeated->names[repeated->count++] = r->descriptors[i].name;
    if (repeated->count)
        qsort(repeated->names, repeated->count, sizeof(*repeated->names), by_text);
    return repeated->names != NULL;
}

static bool is_repeated(const struct repeated *repeated, const char *name)
{
    const char **found = repeated->count ? bsearch(&name, repeated->names, repeated->count,
                                                   sizeof(*repeated->names), by_text)
                                         : NULL;
    return found && ((found > repeated->names && strcmp(found[-1], name) == 0) ||
                     (found + 1 < repeated->names + repeated->count && strcmp(found[1], name) == 0));
}

static bool list_keys(struct hw_resource_work *work, const char **whats, const char **keys)
{
    struct hw_resources *r = &work->result->resources;
    struct hw_arena *arena = &work->result->arena;
    struct listening listening = {0};
    struct repeated repeated = {0};
    bool ok = list_listening(r, &listening) && list_names(r, &repeated);
    for (size_t i = 0; ok && i < r->descriptor_count; i++) {
        const struct hw_descriptor *d = &r->descriptors[i];
        bool by_name = d->kind == HW_DESCRIPTOR_FILE && is_repeated(&repeated, d->name);
        whats[i] = by_name ? spell_name(d, arena) : spell_kind(d, &listening, arena);
        keys[i] = !whats[i] ? NULL
                            : hw_arena_printf(arena, "%s\n%s\n%s\n%s\n%s", whats[i],
                                              owner_text(d), d->owner.type, d->candidate,
                                              d->problem ? d->problem : "");
        ok = keys[i] != NULL;
    }
    free(listening.locals);
    free(repeated.names);
    return ok || hw_err_no_memory(work->err);
}

static bool tell_groups(struct hw_resource_work *work, const char *const *whats,
                        const struct hw_key_row *rows, size_t count)
{
    struct hw_resources *r = &work->result->resources;
    struct hw_arena *arena = &work->result->arena;
    r->groups = hw_arena_array(arena, count + 1, sizeof(*r->groups));
    if (!r->groups)
        return hw_err_no_memory(work->err);
    for (size_t g = 0; g < count; g++) {
        const struct hw_descriptor *d = &r->descriptors[rows[g].first];
        bool alone = rows[g].count == 1 && d->kind == HW_DESCRIPTOR_FILE;
        const char *name = alone ? spell_name(d, arena) : whats[rows[g].first];
        if (!name)
            return hw_err_no_memory(work->err);
        r->groups[g] = (struct hw_descriptor_group){.kind = d->kind,
                                                    .what = name,
                                                    .owner = owner_text(d),
                                                    .owner_type = d->owner.type,
                                                    .candidate = d->candidate,
                                                    .problem = d->problem,
                                                    .count = rows[g].count,
                                                    .fd = d->fd};
    }
    r->group_count = count;
    return true;
}

static bool group_descriptors(struct hw_resource_work *work)
{
    size_t n = work->result->resources.descriptor_count, count = 0;
    const char **whats = calloc(n + 1, sizeof(*whats)), **keys = calloc(n + 1, sizeof(*keys));
    struct hw_key_row *rows = NULL;
    bool ok = (whats && keys) || hw_err_no_memory(work->err);
    ok = ok && list_keys(work, whats, keys) && hw_keys_count(keys, n, &rows, &count, work->err) &&
         tell_groups(work, whats, rows, count);
    free(whats);
    free(keys);
    free(rows);
    return ok;
}

/* ---- who waits ---- */

/* Behind the closing bracket of the one at `at`; quotes may hold brackets. */
static const char *skip_brackets(const char *at)
{
    char quote = 0;
    for (unsigned depth = 0; *at; at++) {
        if (quote) {
            at += *at == '\\' && at[1];
            quote = *at == quote ? 0 : quote;
        } else if (*at == '\'' || *at == '"') {
            quote = *at;
        } else if (*at == '[') {
            depth++;
        } else if (*at == ']' && --depth == 0) {
            return at + 1;
        }
    }
    return at;
}

/* "sys.modules['app'].events['a'].lock" becomes "sys.modules['app'].events[*].lock". */
static void put_without_keys(const char *path, struct hw_buf *out)
{
    static const char modules[] = "sys.modules";
    size_t kept = sizeof(modules) - 1;
    if (strncmp(path, modules, kept) == 0 && path[kept] == '[') {
        const char *end = skip_brackets(path + kept);
        hw_buf_put(out, path, (size_t)(end - path));
        path = end;
    }
    while (*path) {
        size_t plain = strcspn(path, "[");
        hw_buf_put(out, path, plain);
        path += plain;
        if (*path) {
            hw_buf_puts(out, "[*]");
            path = skip_brackets(path);
        }
    }
}

/* "what\nwhere"; NULL: memory is out. */
static const char *key_of_wait(struct hw_arena *arena, const char *what, const char *waits_for)
{
    struct hw_buf text = {0};
    hw_buf_printf(&text, "%s\n", what ? what : "");
    put_without_keys(waits_for, &text);
    const char *key =
        what && hw_buf_ok(&text) ? hw_arena_strdup(arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return key;
}

static bool tell_waits(struct hw_resource_work *work, const char *const *keys, size_t n,
                       struct hw_wait_group **ret_groups, size_t *ret_count)
{
    struct hw_arena *arena = &work->result->arena;
    struct hw_key_row *rows = NULL;
    size_t count = 0;
    if (!hw_keys_count(keys, n, &rows, &count, work->err))
        return false;
    struct hw_wait_group *groups = hw_arena_array(arena, count + 1, sizeof(*groups));
    for (size_t i = 0; groups && i < count; i++) {
        const char *end = strchr(rows[i].key, '\n');
        groups[i] = (struct hw_wait_group){
            .what = hw_arena_strndup(arena, rows[i].key, (size_t)(end - rows[i].key)),
            .where = end + 1,
            .count = rows[i].count};
        if (!groups[i].what)
            groups = NULL;
    }
    free(rows);
    *ret_groups = groups;
    *ret_count = count;
    return groups || hw_err_no_memory(work->err);
}

/* "watch() at app.py:18 for Event.wait()" */
static const char *spell_wait(struct hw_arena *arena, const char *place, const char *waits,
                              const char *otherwise)
{
    if (!*place)
        return otherwise;
    return *waits ? hw_arena_printf(arena, "%s for %s", place, waits) : place;
}

static const char *spell_thread(struct hw_arena *arena, const struct hw_thread_info *t)
{
    const char *call = *t->waits ? t->waits : t->call;
    const char *none = *t->call ? hw_arena_printf(arena, "no Python code, in %s", t->call)
                                : "no Python code";
    return none ? spell_wait(arena, t->place, call, none) : NULL;
}

static bool group_waits(struct hw_resource_work *work)
{
    struct hw_resources *r = &work->result->resources;
    struct hw_arena *arena = &work->result->arena;
    size_t most = r->thread_count > r->task_count ? r->thread_count : r->task_count;
    const char **keys = calloc(most + 1, sizeof(*keys));
    bool ok = keys != NULL;
    for (size_t i = 0; ok && i < r->thread_count; i++)
        ok = (keys[i] = key_of_wait(arena, spell_thread(arena, &r->threads[i]),
                                    r->threads[i].waits_for)) != NULL;
    ok = ok &&
         tell_waits(work, keys, r->thread_count, &r->thread_groups, &r->thread_group_count);
    for (size_t i = 0; ok && i < r->task_count; i++)
        ok = (keys[i] = key_of_wait(arena,
                                    spell_wait(arena, r->tasks[i].place, r->tasks[i].waits,
                                               "not started"),
                                    r->tasks[i].waits_for)) != NULL;
    ok = ok && tell_waits(work, keys, r->task_count, &r->task_groups, &r->task_group_count);
    free(keys);
    return ok || hw_err_no_memory(work->err);
}

bool hw_work_add_groups(struct hw_resource_work *work)
{
    return group_descriptors(work) && group_waits(work);
}
