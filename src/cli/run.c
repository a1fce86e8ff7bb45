/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"

#include "base/err.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool hw_run_is_pid(const char *word)
{
    return *word && word[strspn(word, "0123456789")] == 0;
}

bool hw_run_pid(const char *word, pid_t *ret_pid, struct hw_err *err)
{
    if (!hw_run_is_pid(word))
        return hw_err_set(err, HW_ERR_USAGE, "'%s' is no process id", word);
    unsigned long long pid = strtoull(word, NULL, 10);
    if (pid < 1 || pid > INT_MAX)
        return hw_err_set(err, HW_ERR_NOT_FOUND, "there is no process %s", word);
    *ret_pid = (pid_t)pid;
    return true;
}

bool hw_run_open(struct hw_run *run, const char *word, struct hw_graph **ret_graph,
                 struct hw_err *err)
{
    pid_t pid = 0;
    if (!hw_run_is_pid(word)) {
        hw_progress_stage(&run->progress, word);
        return hw_snapshot_load(word, ret_graph, err);
    }
    return hw_run_pid(word, &pid, err) && hw_capture(pid, &run->capture, ret_graph, err);
}

size_t hw_run_limit(const struct hw_run *run, size_t standard)
{
    if (run->args->all)
        return 0;
    if (run->args->limit != HW_LIMIT_DEFAULT)
        return (size_t)run->args->limit;
    return run->out.json ? 0 : standard;
}

/* More than are shown, so that those shown are not all neighbours. */
enum { CANDIDATES = 1024 };

bool hw_run_objects(struct hw_run *run, const struct hw_graph *graph, hw_id **ret_ids,
                    size_t *ret_count, uint64_t *ret_total, struct hw_err *err)
{
    size_t total = 0, want = (size_t)run->args->objects;
    hw_id *ids = calloc(CANDIDATES, sizeof(*ids));
    if (!ids)
        return hw_err_no_memory(err);
    if (!hw_object_resolve(graph, run->args->words[1], ids, CANDIDATES, &total, err)) {
        free(ids);
        return false;
    }
    size_t found = total < CANDIDATES ? total : CANDIDATES;
    size_t count = found < want ? found : want;
    for (size_t i = 0; i < count; i++)
        ids[i] = ids[i * found / count];
    *ret_ids = ids;
    *ret_count = count;
    *ret_total = total;
    return true;
}

bool hw_run_matches(struct hw_run *run, const struct hw_graph *graph, hw_id **ret_ids,
                    size_t *ret_count, struct hw_err *err)
{
    const char *what = run->args->words[1];
    size_t count = 0;
    if (!hw_object_resolve(graph, what, NULL, 0, &count, err))
        return false;
    hw_id *ids = calloc(count + 1, sizeof(*ids));
    if (!ids)
        return hw_err_no_memory(err);
    if (!hw_object_resolve(graph, what, ids, count, ret_count, err)) {
        free(ids);
        return false;
    }
    *ret_ids = ids;
    return true;
}

/* Our own locale is always UTF-8; the terminal's is what the user's variables say. */
bool hw_run_wants_ascii(const struct hw_run *run)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL, *term = getenv("TERM");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !(locale && *locale); i++)
        locale = getenv(names[i]);
    bool is_utf8 = locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
    return run->args->ascii || !is_utf8 || (term && strcmp(term, "dumb") == 0);
}
