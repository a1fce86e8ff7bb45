/* SPDX-License-Identifier: Apache-2.0 */
#include "why/ignore.h"

#include "ask/spell.h"
#include "base/err.h"
#include "grow/site.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whether what names a place, not a type: no type's name begins so. */
static bool is_path(const char *what)
{
    return what[0] == '<' || strncmp(what, "sys.modules", strlen("sys.modules")) == 0;
}

/* sys.modules['app'].hub begins ...hub, ...hub.x and ...hub[3], not ...hubs. Python takes either
 * quotes, and so do users; paths have single ones where they can. */
static bool path_begins(const char *path, const char *what)
{
    for (; *what; what++, path++)
        if (*path != *what && !(*what == '"' && *path == '\''))
            return false;
    return !*path || strchr(".[(+<", *path);
}

static bool rule_fits(const struct hw_ignore *rule, const struct hw_candidate *candidate,
                      const char *type, const char *path)
{
    if (is_path(rule->what))
        return *path &&
               (path_begins(path, rule->what) || path_begins(candidate->shape, rule->what));
    return strcasecmp(rule->what, candidate->fingerprint) == 0 || hw_name_matches(rule->what, type);
}

/* "" where nothing holds what grows; NULL: memory is out. */
static const char *spell_path(const struct hw_growth *growth, const struct hw_candidate *candidate,
                              struct hw_arena *arena)
{
    struct hw_buf text = {0};
    if (candidate->site)
        hw_site_spell(growth, candidate->site, &text);
    const char *path = hw_buf_ok(&text) ? hw_arena_strdup(arena, hw_buf_str(&text)) : NULL;
    hw_buf_deinit(&text);
    return path;
}

static bool apply(const struct hw_growth *growth, const struct hw_diagnose_options *options,
                  struct hw_candidate *candidate, bool *used, struct hw_arena *arena)
{
    const char *type = growth->graph->types[candidate->kind.type].name;
    const char *path = spell_path(growth, candidate, arena);
    for (size_t i = 0; path && i < options->ignore_count; i++) {
        if (!rule_fits(&options->ignores[i], candidate, type, path))
            continue;
        used[i] = true;
        if (!candidate->ignore)
            candidate->ignore = &options->ignores[i];
    }
    return path != NULL;
}

static bool list_unused(const struct hw_diagnose_options *options, const bool *used,
                        struct hw_arena *arena, struct hw_diagnosis *diagnosis)
{
    diagnosis->unused_rules =
        hw_arena_array(arena, options->ignore_count, sizeof(*diagnosis->unused_rules));
    diagnosis->unused_sources =
        hw_arena_array(arena, options->ignore_count, sizeof(*diagnosis->unused_sources));
    if (!diagnosis->unused_rules || !diagnosis->unused_sources)
        return false;
    for (size_t i = 0; i < options->ignore_count; i++) {
        if (used[i])
            continue;
        const struct hw_ignore *ignore = &options->ignores[i];
        const char *rule = hw_arena_strdup(arena, ignore->what);
        const char *source = hw_arena_strdup(arena, ignore->source ? ignore->source : "");
        if (!rule || !source)
            return false;
        diagnosis->unused_sources[diagnosis->unused_rule_count] = source;
        diagnosis->unused_rules[diagnosis->unused_rule_count++] = rule;
    }
    return true;
}

bool hw_ignores_apply(const struct hw_growth *growth, const struct hw_diagnose_options *options,
                      struct hw_candidate *candidates, size_t count, struct hw_arena *arena,
                      struct hw_diagnosis *diagnosis, struct hw_err *err)
{
    if (!options || !options->ignore_count)
        return true;
    bool *used = calloc(options->ignore_count, sizeof(*used));
    bool ok = used != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = apply(growth, options, &candidates[i], used, arena);
    ok = ok && list_unused(options, used, arena, diagnosis);
    free(used);
    return ok || hw_err_no_memory(err);
}

bool hw_ignored_fill(const struct hw_growth *growth, const struct hw_candidate *candidate,
                     struct hw_arena *arena, struct hw_ignored *ignored, struct hw_err *err)
{
    const struct hw_ignore *rule = candidate->ignore;
    double seconds = hw_series_seconds(growth->series, 0, growth->series->count - 1);
    *ignored = (struct hw_ignored){
        .rule = hw_arena_strdup(arena, rule->what),
        .reason = hw_arena_strdup(arena, rule->reason ? rule->reason : ""),
        .source = hw_arena_strdup(arena, rule->source ? rule->source : ""),
        .type = hw_arena_strdup(arena, growth->graph->types[candidate->kind.type].name),
        .path = spell_path(growth, candidate, arena),
        .shape = candidate->shape,
        .fingerprint = candidate->fingerprint,
        .verdict = candidate->judgement.verdict,
        .objects_per_second = (double)candidate->born_total / seconds,
        .bytes_per_second = (double)candidate->born_bytes / seconds,
    };
    return (ignored->rule && ignored->reason && ignored->source && ignored->type &&
            ignored->path) ||
           hw_err_no_memory(err);
}
