/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/plot-functions.h"

#include "tell/text.h"

enum { FUNCTIONS_MAX = 256 };

static size_t sample_from(const struct hw_memory_series *series, int64_t at_ns)
{
    size_t low = 0, high = series->sample_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (series->samples[middle].at_ns < at_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* *seen_ns: up to where samples were looked at for this function, so that nested calls do not look
 * again. */
static void call_add(struct hw_plot_function *function, int64_t *seen_ns,
                     const struct hw_memory_mark *mark, const struct hw_memory_series *series)
{
    uint64_t most = mark->bytes > mark->until_bytes ? mark->bytes : mark->until_bytes;
    int64_t from_ns = mark->at_ns > *seen_ns ? mark->at_ns : *seen_ns;
    for (size_t i = sample_from(series, from_ns);
         i < series->sample_count && series->samples[i].at_ns <= mark->until_ns; i++)
        most = series->samples[i].rss_bytes > most ? series->samples[i].rss_bytes : most;
    *seen_ns = mark->until_ns > *seen_ns ? mark->until_ns : *seen_ns;
    function->calls++;
    function->seconds += (double)(mark->until_ns - mark->at_ns) / 1e9;
    function->peak_bytes = most > function->peak_bytes ? most : function->peak_bytes;
}

size_t hw_plot_functions(const struct hw_memory_history *history,
                         struct hw_plot_function *functions, size_t max, size_t *ret_total)
{
    struct hw_plot_function all[FUNCTIONS_MAX];
    int64_t seen_ns[FUNCTIONS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < history->mark_count; i++) {
        const struct hw_memory_mark *mark = &history->marks[i];
        size_t at = 0;
        if (!mark->until_ns)
            continue;
        while (at < count && strcmp(all[at].name, mark->text) != 0)
            at++;
        if (at == FUNCTIONS_MAX)
            continue;
        if (at == count) {
            all[count] = (struct hw_plot_function){.name = mark->text};
            seen_ns[count++] = INT64_MIN;
        }
        call_add(&all[at], &seen_ns[at], mark, &history->series[mark->series]);
    }
    *ret_total = count;
    size_t shown = count < max ? count : max;
    memcpy(functions, all, shown * sizeof(*functions));
    return shown;
}

void hw_plot_function_text(struct hw_buf *buf, const struct hw_plot_function *function)
{
    hw_buf_printf(buf, "%s: %zu call%s, %.*f s, peak ", function->name, function->calls,
                  function->calls == 1 ? "" : "s", function->seconds < 10 ? 2 : 0,
                  function->seconds);
    hw_text_bytes(buf, (double)function->peak_bytes);
}
