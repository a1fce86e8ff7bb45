/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_CAUSE_H
#define HW_WHY_CAUSE_H

/*
 * The cause of a suspect: which known mistake it is. One row is one mistake: its name, the families
 * of patterns in which it occurs, a sentence, the cure, and a function that looks for its evidence.
 * The rows stand in tables by subject (cause-*.c), the tables in a list in cause.c, from special to
 * general; the first row that fits a suspect is its cause, and the last table fits every suspect.
 *
 * A cause says why something grows, never whether: verdicts are made before (grow/judge.h).
 *
 * To add a mistake: a row and its function in the table of its subject, a program that makes it in
 * tests/leaks, and one that only looks like it, in tests/leaks with another cause or in
 * tests/healthy.
 */

#include "why/suspect.h"

struct hw_sample;

enum { HW_CASE_WORDS_MAX = 16, HW_CASE_EVIDENCE_MAX = 3 };

/* What a row's function sees and fills. */
struct hw_case {
    const struct hw_growth *growth;
    const struct hw_graph *graph;         /* the last */
    const struct hw_code *code;           /* the program's code */
    const struct hw_candidate *candidate; /* site is NULL where nothing holds what grows */
    const char *path;                     /* of the holder; "" without one */
    const char *holder;                   /* type of the holder; "" without one */
    struct hw_arena *arena;               /* for texts */
    const struct hw_sample *sample;       /* hw_look_members(), once they were asked for */

    /* Filled by hw_case_say() and hw_case_word(). */
    const char *evidence[HW_CASE_EVIDENCE_MAX];
    size_t evidence_count;
    const char *words[HW_CASE_WORDS_MAX][2];
    size_t word_count;
    bool no_memory;
    struct hw_code_report *report; /* of the container, once somebody asked for it */
};

/* Adds a sentence of evidence, allocated in the case's arena or static. NULL: memory is out. More
 * than fit are dropped. */
void hw_case_say(struct hw_case *c, const char *sentence);

/* The same for a sentence that counts hw_look_members(): "148 timers ..." becomes "of the new ones,
 * 148 timers ...", or "of 1000 new ones, ..." where not all were looked at. */
void hw_case_say_new(struct hw_case *c, const char *sentence);

/* What a {word} in the row's sentence and cure stands for; word is written with its braces. */
void hw_case_word(struct hw_case *c, const char *word, const char *text);

#define HW_FAMILY(name) (1u << HW_PATTERN_##name)

struct hw_cause {
    const char *name;                /* stable, kebab-case: lru-cache-on-method */
    uint32_t families;               /* HW_FAMILY bits; 0: any, where something holds it */
    const char *holder;              /* type of the holder, may hold one '*'; NULL: any */
    const char *type;                /* of the members, likewise */
    bool (*fits)(struct hw_case *c); /* NULL: the columns before suffice */
    const char *about;               /* a sentence */
    const char *fix;                 /* sentences */
};
/* Words that every sentence and cure may use: {holder} the path, {type} what leaks, {member} what
 * the holder has directly, {cycle} the place that closes a cycle, {noun} and {cure} of a resource,
 * {bound} how a container may be limited,
 * {near} the extension module nearest to what C code forgot, {off} and {enable} why the collector
 * does not run, and what would make it. */

struct hw_cause_table {
    const struct hw_cause *rows;
    size_t count;
};
#define HW_CAUSE_TABLE(rows)                   \
    {                                          \
        rows, sizeof(rows) / sizeof((rows)[0]) \
    }
/* By what limits it: a cause that speaks of no bound must not stand beside one. */
extern const struct hw_cause_table hw_causes_bound;
/* By what is held. */
extern const struct hw_cause_table hw_causes_native; /* views and proxies */
extern const struct hw_cause_table hw_causes_async;  /* tasks, futures, timers, contexts */
extern const struct hw_cause_table hw_causes_thread;
extern const struct hw_cause_table hw_causes_callback; /* whatever is called */
extern const struct hw_cause_table hw_causes_made;     /* classes, functions, chains */
extern const struct hw_cause_table hw_causes_frame;    /* exceptions, suspended functions */
extern const struct hw_cause_table hw_causes_resource; /* what has to be ended */
/* By what holds. */
extern const struct hw_cause_table hw_causes_library; /* places in libraries */
extern const struct hw_cause_table hw_causes_cycle;   /* cycles, gc.garbage, resurrection */
extern const struct hw_cause_table hw_causes_removal; /* what is taken out, and what not */
extern const struct hw_cause_table hw_causes_cache;
extern const struct hw_cause_table hw_causes_place;  /* locals, defaults, threads, contexts */
extern const struct hw_cause_table hw_causes_holder; /* what holds for ever */
extern const struct hw_cause_table hw_causes_memory; /* no objects: why/memory.c tells them */
extern const struct hw_cause_table hw_causes_general;

/* All tables, in the order in which they are asked; NULL at the end. */
extern const struct hw_cause_table *const hw_cause_tables[];

/* Sets cause, about and fix of a suspect whose chain is known, and puts what the row found before
 * its evidence. cycle: as {cycle}. */
bool hw_cause_fill(const struct hw_code *code, const struct hw_candidate *candidate,
                   const char *cycle, struct hw_arena *arena, struct hw_suspect *suspect,
                   struct hw_err *err);

#endif
