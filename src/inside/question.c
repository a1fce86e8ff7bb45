/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/question.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 1024, CHAINS = 3, LINKS = 20, OWNERS = 10, LARGEST = 15, BRANCHES = 8 };
static const double LEAST_SHARE = 0.01;

static const struct hw_graph *last_graph(const struct hw_asking *asking)
{
    return asking->graphs[asking->graph_count - 1];
}

static const struct hw_facts *last_facts(const struct hw_asking *asking)
{
    return hw_graph_facts(last_graph(asking));
}

/* ---- results ---- */

static bool results_make(struct hw_asking *asking, size_t count, struct hw_err *err)
{
    asking->results = calloc(count + 1, sizeof(*asking->results));
    asking->result_count = count;
    return asking->results || hw_err_no_memory(err);
}

void hw_asking_deinit(struct hw_asking *asking)
{
    for (size_t i = 0; asking->results && i < asking->result_count; i++)
        asking->question->destroy(asking->results[i]);
    for (size_t i = 0; i < asking->graph_count; i++)
        hw_graph_destroy(asking->graphs[i]);
    free(asking->results);
    free(asking->graphs);
    free(asking->ids);
    free(asking->word);
}

/* The one result of a kind that answers for all graphs or objects together. */
#define ONE(kind) ((struct kind *)asking->results[0])

/* ---- objects ---- */

/* Spread over all that the word fits, so that those told are not all neighbours; as the program does. */
static bool find_some(struct hw_asking *asking, struct hw_err *err)
{
    size_t total = 0, most = asking->most < CANDIDATES ? asking->most : CANDIDATES;
    asking->ids = calloc(CANDIDATES, sizeof(*asking->ids));
    if (!asking->ids)
        return hw_err_no_memory(err);
    if (!hw_object_resolve(last_graph(asking), asking->word, asking->ids, CANDIDATES, &total, err))
        return false;
    size_t found = total < CANDIDATES ? total : CANDIDATES;
    size_t count = found < most ? found : most;
    for (size_t i = 0; i < count; i++)
        asking->ids[i] = asking->ids[i * found / count];
    asking->match = (struct hw_match){asking->word, total, count};
    return true;
}

static bool find_all(struct hw_asking *asking, struct hw_err *err)
{
    size_t count = 0;
    if (!hw_object_resolve(last_graph(asking), asking->word, NULL, 0, &count, err))
        return false;
    asking->ids = calloc(count + 1, sizeof(*asking->ids));
    if (!asking->ids)
        return hw_err_no_memory(err);
    asking->match = (struct hw_match){asking->word, count, count};
    return hw_object_resolve(last_graph(asking), asking->word, asking->ids, count, &count, err);
}

static size_t links_of(const struct hw_asking *asking, size_t standard)
{
    return asking->links ? asking->links : standard;
}

/* ---- each question ---- */

static bool ask_types(struct hw_asking *asking, struct hw_err *err)
{
    return results_make(asking, 1, err) &&
           hw_types_ask(last_graph(asking), (struct hw_types **)asking->results, err);
}

static void tell_types(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_types(out, last_facts(asking), ONE(hw_types), HW_SORT_BYTES, limit);
}

static bool ask_holders(struct hw_asking *asking, struct hw_err *err)
{
    bool ok = find_some(asking, err) && results_make(asking, asking->match.count, err);
    for (size_t i = 0; ok && i < asking->result_count; i++)
        ok = hw_holders_ask(last_graph(asking), asking->ids[i], links_of(asking, CHAINS),
                            (struct hw_holders **)&asking->results[i], err);
    return ok;
}

static void tell_holders(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_holders(out, last_graph(asking), &asking->match,
                    (struct hw_holders *const *)asking->results);
}

static bool ask_show(struct hw_asking *asking, struct hw_err *err)
{
    bool ok = find_some(asking, err) && results_make(asking, asking->match.count, err);
    for (size_t i = 0; ok && i < asking->result_count; i++)
        ok = hw_object_ask(last_graph(asking), asking->ids[i], links_of(asking, LINKS),
                           (struct hw_object **)&asking->results[i], err);
    return ok;
}

static void tell_show(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_objects(out, last_graph(asking), &asking->match,
                    (struct hw_object *const *)asking->results);
}

static bool ask_paths(struct hw_asking *asking, struct hw_err *err)
{
    return find_all(asking, err) && results_make(asking, 1, err) &&
           hw_paths_ask(last_graph(asking), asking->ids, asking->match.count, 0,
                        (struct hw_merged **)asking->results, err);
}

static bool ask_owners(struct hw_asking *asking, struct hw_err *err)
{
    return find_all(asking, err) && results_make(asking, 1, err) &&
           hw_owners_ask(last_graph(asking), asking->ids, asking->match.count, 0,
                         (struct hw_merged **)asking->results, err);
}

/* The library would leave rows out when asked; here all were asked for. */
static void tell_merged(struct hw_out *out, const struct hw_asking *asking,
                        enum hw_merged_kind kind, size_t limit)
{
    struct hw_merged shown = *ONE(hw_merged);
    for (size_t i = limit; limit && i < shown.row_count; i++) {
        shown.rest_count += shown.rows[i].count;
        shown.rest_bytes += shown.rows[i].bytes;
    }
    if (limit && limit < shown.row_count)
        shown.row_count = limit;
    hw_tell_merged(out, last_facts(asking), asking->word, kind, &shown);
}

static void tell_paths(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    tell_merged(out, asking, HW_MERGED_PATHS, limit);
}

static void tell_owners(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    tell_merged(out, asking, HW_MERGED_OWNERS, limit);
}

static bool ask_retained(struct hw_asking *asking, struct hw_err *err)
{
    return results_make(asking, 1, err) &&
           hw_retained_ask(last_graph(asking), links_of(asking, LARGEST),
                           (struct hw_retained **)asking->results, err);
}

static void tell_retained(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_retained(out, last_facts(asking), ONE(hw_retained), limit);
}

static bool ask_weighing(struct hw_asking *asking, struct hw_err *err)
{
    return find_some(asking, err) && results_make(asking, 1, err) &&
           hw_weighing_ask(last_graph(asking), asking->ids, asking->match.count,
                           links_of(asking, OWNERS), (struct hw_weighing **)asking->results, err);
}

static void tell_weighing(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_weighing(out, last_graph(asking), &asking->match, ONE(hw_weighing), limit);
}

static bool ask_tree(struct hw_asking *asking, struct hw_err *err)
{
    struct hw_branch_options options = {.depth = asking->depth,
                                        .limit = links_of(asking, BRANCHES),
                                        .least_share = asking->links ? 0 : LEAST_SHARE};
    asking->most = 1;
    if (asking->word && !find_some(asking, err))
        return false;
    return results_make(asking, 1, err) &&
           hw_branch_ask(last_graph(asking), asking->word ? asking->ids[0] : HW_NONE, &options,
                         (struct hw_branch **)asking->results, err);
}

static void tell_tree(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_tree(out, last_facts(asking), ONE(hw_branch));
}

static bool ask_cycles(struct hw_asking *asking, struct hw_err *err)
{
    return results_make(asking, 1, err) &&
           hw_cycles_ask(last_graph(asking), 0, (struct hw_cycles **)asking->results, err);
}

static void tell_cycles(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    struct hw_cycles shown = *ONE(hw_cycles);
    if (limit && limit < shown.group_count)
        shown.group_count = limit;
    hw_tell_cycles(out, last_graph(asking), &shown);
}

static bool ask_gc(struct hw_asking *asking, struct hw_err *err)
{
    return results_make(asking, 1, err) &&
           hw_gc_ask(last_graph(asking), (struct hw_gc **)asking->results, err);
}

static void tell_gc(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_gc(out, last_facts(asking), ONE(hw_gc), NULL, limit);
}

/* Each look is compared with the one before; the last says all. */
static bool ask_audit(struct hw_asking *asking, struct hw_err *err)
{
    struct hw_audit *before = NULL, *audit = NULL;
    bool ok = results_make(asking, 1, err);
    for (size_t i = 0; ok && i < asking->graph_count; i++) {
        ok = hw_audit_ask(asking->graphs[i], before, &audit, err);
        hw_audit_destroy(before);
        before = ok ? audit : NULL;
    }
    if (ok)
        asking->results[0] = before;
    return ok;
}

static void tell_audit(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_audit(out, last_facts(asking), ONE(hw_audit), limit);
}

/* The word is what rows are by. */
static bool find_sites_by(const char *word, enum hw_sites_by *ret_by, struct hw_err *err)
{
    for (int by = HW_SITES_BY_LINE; by <= HW_SITES_BY_TRACEBACK; by++) {
        *ret_by = (enum hw_sites_by)by;
        if (word && strcmp(word, hw_sites_by_name(*ret_by)) == 0)
            return true;
    }
    return hw_err_set(err, HW_ERR_USAGE, "sites are by line, filename or traceback");
}

static bool ask_sites(struct hw_asking *asking, struct hw_err *err)
{
    struct hw_sites *before = NULL, *sites = NULL;
    enum hw_sites_by by;
    bool ok = results_make(asking, 1, err) && find_sites_by(asking->word, &by, err);
    for (size_t i = 0; ok && i < asking->graph_count; i++) {
        ok = hw_sites_ask(asking->graphs[i], by, before, &sites, err);
        hw_sites_destroy(before);
        before = ok ? sites : NULL;
    }
    if (ok)
        asking->results[0] = before;
    return ok;
}

static void tell_sites(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_sites(out, ONE(hw_sites), limit);
}

static bool ask_resources(struct hw_asking *asking, struct hw_err *err)
{
    bool ok = results_make(asking, asking->graph_count, err);
    for (size_t i = 0; ok && i < asking->graph_count; i++)
        ok = hw_resources_ask(asking->graphs[i], (struct hw_resources **)&asking->results[i], err);
    return ok;
}

static void tell_resources(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    struct hw_resources_growth *growth = NULL;
    struct hw_resources *const *moments = (struct hw_resources *const *)asking->results;
    if (asking->result_count == 1) {
        hw_tell_resources(out, moments[0], limit);
        return;
    }
    if (hw_resources_compare(moments, asking->result_count, &growth, NULL))
        hw_tell_resources_growth(out, moments, growth, limit);
    else
        hw_out_no_memory(out);
    hw_resources_growth_destroy(growth);
}

/* ---- questions about time ---- */

static bool series_make(const struct hw_asking *asking, struct hw_series **ret_series,
                        struct hw_err *err)
{
    struct hw_series *series = NULL;
    bool ok = hw_series_create(&series, err);
    for (size_t i = 0; ok && i < asking->graph_count; i++)
        ok = hw_series_add(series, hw_graph_share(asking->graphs[i]), err);
    if (ok)
        *ret_series = series;
    else
        hw_series_destroy(series);
    return ok;
}

static bool ask_diff(struct hw_asking *asking, struct hw_err *err)
{
    struct hw_series *series = NULL;
    bool ok = results_make(asking, 1, err) && series_make(asking, &series, err) &&
              hw_diff_ask(series, (struct hw_diff **)asking->results, err);
    hw_series_destroy(series);
    return ok;
}

static void tell_diff(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_diff(out, ONE(hw_diff), limit);
}

static bool ask_memory(struct hw_asking *asking, struct hw_err *err)
{
    struct hw_series *series = NULL;
    bool ok = results_make(asking, 1, err) && series_make(asking, &series, err) &&
              hw_memory_ask(series, (struct hw_memory **)asking->results, err);
    hw_series_destroy(series);
    return ok;
}

static void tell_memory(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_memory(out, last_facts(asking), ONE(hw_memory), limit);
}

static bool ask_diagnosis(struct hw_asking *asking, struct hw_err *err)
{
    struct hw_series *series = NULL;
    bool ok = results_make(asking, 1, err) && series_make(asking, &series, err) &&
              hw_diagnose_ask(series, NULL, (struct hw_diagnosis **)asking->results, err);
    hw_series_destroy(series);
    return ok;
}

static void tell_diagnosis(struct hw_out *out, const struct hw_asking *asking, size_t limit)
{
    hw_tell_diagnosis(out, last_facts(asking), ONE(hw_diagnosis));
}

/* ---- the table ---- */

#define DESTROYER(name)                                                                            \
    static void name##_end(void *result)                                                           \
    {                                                                                              \
        hw_##name##_destroy(result);                                                               \
    }
DESTROYER(types)
DESTROYER(holders)
DESTROYER(object)
DESTROYER(merged)
DESTROYER(retained)
DESTROYER(weighing)
DESTROYER(branch)
DESTROYER(cycles)
DESTROYER(gc)
DESTROYER(audit)
DESTROYER(resources)
DESTROYER(sites)
DESTROYER(diff)
DESTROYER(memory)
DESTROYER(diagnosis)

/* Rows as the program shows. */
static const struct hw_question questions[] = {
    {"types", 20, ask_types, tell_types, types_end},
    {"holders", 0, ask_holders, tell_holders, holders_end},
    {"show", 0, ask_show, tell_show, object_end},
    {"paths", 10, ask_paths, tell_paths, merged_end},
    {"owners", 10, ask_owners, tell_owners, merged_end},
    {"retained", 15, ask_retained, tell_retained, retained_end},
    {"weighing", 15, ask_weighing, tell_weighing, weighing_end},
    {"tree", 0, ask_tree, tell_tree, branch_end},
    {"cycles", 5, ask_cycles, tell_cycles, cycles_end},
    {"gc", 10, ask_gc, tell_gc, gc_end},
    {"audit", 20, ask_audit, tell_audit, audit_end},
    {"resources", 12, ask_resources, tell_resources, resources_end},
    {"sites", 20, ask_sites, tell_sites, sites_end},
    {"diff", 12, ask_diff, tell_diff, diff_end},
    {"memory", 8, ask_memory, tell_memory, memory_end},
    {"diagnose", 0, ask_diagnosis, tell_diagnosis, diagnosis_end},
};

const struct hw_question *hw_question_find(const char *name)
{
    for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
        if (strcmp(questions[i].name, name) == 0)
            return &questions[i];
    return NULL;
}
