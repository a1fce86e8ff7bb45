/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_WORK_H
#define HW_WHY_WORK_H

/*
 * A diagnosis while it is made. Its steps, in this order, each false when it failed and err says
 * why:
 *
 *     held.c      candidates that something holds: sites of growth, single objects that grow
 *     unheld.c    candidates that nothing holds: garbage, references that nobody accounts for
 *     rank.c      what matters, what is told with something else, what the user accepts
 *     memory.c    what grows without being Python objects
 *     doubts.c    what the evidence does not settle
 *     unowned.c   descriptors that nobody owns
 */

#include "account/trend.h"
#include "ask/garbage.h"
#include "grow/swell.h"
#include "why/suspect.h"

enum {
    HW_CANDIDATES_MAX = 60, /* sites that are looked at closely, the largest first */
    HW_DOUBTS_MAX = 16,
};

struct hw_diagnosis_result {
    struct hw_diagnosis diagnosis;
    struct hw_arena arena;
};

struct hw_work {
    const struct hw_series *series;
    const struct hw_diagnose_options *options; /* may be NULL */
    struct hw_growth growth;
    struct hw_garbage garbage;
    struct hw_code *code; /* made when first needed */
    struct hw_explained cycle;
    struct hw_swell swells[HW_SWELL_MAX];
    struct hw_candidate candidates[HW_CANDIDATES_MAX + HW_SWELL_MAX + 2];
    size_t count;
    uint64_t new_garbage;
    struct hw_memory_trend memory;
    bool memory_ignored;       /* there is one, and a rule fits it */
    const char *memory_answer; /* of the suspect that memory.c put first; NULL: none */
    struct hw_diagnosis_result *result;
    struct hw_err *err;
};

/* held.c. Replaced ones are dropped before what is no site is added. */
bool hw_work_add_sites(struct hw_work *work);
bool hw_work_drop_replaced(struct hw_work *work);
bool hw_work_add_swells(struct hw_work *work);
/* Objects of a type in the last snapshot, less those in the first. */
int64_t hw_series_type_delta(const struct hw_series *series, const char *name);

/* unheld.c. Garbage first: it explains what would else be unexplained. */
bool hw_work_add_garbage(struct hw_work *work);
bool hw_work_add_unexplained(struct hw_work *work);

/* rank.c: from candidates to the suspects that are told, in their order, with what they hold. */
bool hw_work_rank(struct hw_work *work);

/* doubts.c. May turn steady into inconclusive. doubt: NULL means that memory is out. */
bool hw_work_doubts(struct hw_work *work);
bool hw_work_doubt(struct hw_work *work, const char *doubt);

/* unowned.c. Likewise. */
bool hw_work_doubt_unowned(struct hw_work *work);

#endif
