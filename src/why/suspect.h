/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_SUSPECT_H
#define HW_WHY_SUSPECT_H

/* A suspect while it is being put together, and the words for it. */

#include "collect/explain.h"
#include "grow/judge.h"
#include "why/bound.h"
#include "why/kind.h"
#include "why/rules.h"

enum { HW_ALSO_MAX = 4, HW_EVIDENCE_MAX = 8 };

/* New objects of one type that have a reference too many. */
enum { HW_HEADS_MAX = 3 };
struct hw_head {
    uint32_t type;
    uint64_t objects, bytes;
};

struct hw_candidate {
    const struct hw_site *site; /* NULL: nothing that we see holds what grows */
    struct hw_judgement judgement;
    struct hw_kind kind;
    struct hw_bound bound;
    const struct hw_session_rule *session; /* whose records these are; NULL: of no session */
    const struct hw_explained *cycle; /* of what only cycles hold; else NULL */
    hw_id also[HW_ALSO_MAX];
    size_t also_count;
    uint32_t sampled, freed; /* new members looked at; those that nobody else keeps alive */
    /* Of references that C code forgot, else NULL. objects: all that nothing else holds; first_objects,
     * references, lost: of the new ones; samples and libraries. */
    const struct hw_audit_row *native;
    struct hw_head heads[HW_HEADS_MAX]; /* of these and of what C code may hold: most objects first */
    size_t head_count;
    const uint64_t *sizes;   /* of the one object that grows, by snapshot; else NULL */
    const uint64_t *born;    /* by snapshot */
    uint64_t born_total, born_bytes;
    uint64_t objects, bytes;         /* held now */
    uint64_t native_bytes;           /* of bytes, those outside of objects */
    const char *fingerprint, *shape; /* why/fingerprint.h */
    const struct hw_ignore *ignore;  /* the rule by which it is none; NULL */
    bool is_dropped;
};

/* Fills the public suspect: chain, evidence, cause, cure. Strings live in arena. */
bool hw_suspect_fill(const struct hw_code *code, const struct hw_candidate *candidate,
                     struct hw_arena *arena, struct hw_suspect *suspect, struct hw_err *err);

/* What would settle the case, as one sentence; NULL when it is settled or memory is out. */
const char *hw_suspect_doubt(const struct hw_code *code, const struct hw_candidate *candidate,
                             const struct hw_suspect *suspect, struct hw_arena *arena);

/* 1.5 MiB */
const char *hw_bytes_text(struct hw_arena *arena, double bytes);

#endif
