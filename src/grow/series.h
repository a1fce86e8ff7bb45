/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_GROW_SERIES_H
#define HW_GROW_SERIES_H

/*
 * Snapshots of one process in order of time. CPython does not move objects, so an object of two
 * graphs is the same when address and kind are: kind is the name of its type, and for leaves what
 * they say. An address that was freed and taken again by an object of the same kind is told from
 * one that stayed by what it is made of and who holds it (births.c), where that is possible; what
 * remains makes turnover look smaller than it is, among births and deaths alike.
 */

#include "grow/native-sites.h"
#include "grow/slots.h"
#include "heap/graph.h"

enum { HW_SERIES_MAX = 250 }; /* births are bytes */

/* Who refers to an object in one snapshot: the hash of its only holder's address, or a bit for each
 * of several. */
#define HW_HOLDERS_MANY (UINT32_C(1) << 31)
enum { HW_HOLDERS_BITS = 31 };

/* The set of the object at addr alone. */
uint32_t hw_holders_one(hw_addr addr);

/* Whether two such sets may have a holder in common: where false, they have none. Of single holders
 * it is as good as sure; of many, ever less. */
bool hw_holders_meet(uint32_t a, uint32_t b);

/* What is kept of each graph: 20 bytes an object. The columns and spans of the first are made when
 * a second graph comes: nothing compares one alone. */
struct hw_series_shot {
    struct hw_facts facts;
    hw_addr modules_addr; /* of sys.modules; 0: not known */
    uint32_t count;
    uint64_t bytes, native_bytes;
    uint64_t unowned; /* descriptors that no object owns; only with facts.system_recorded */
    uint32_t *where; /* as in hw_graph */
    uint32_t *kind;
    uint32_t *size;              /* saturates */
    struct hw_big_size *outside; /* by row: what belongs to an object beyond its size here */
    size_t outside_count;
    struct hw_slots slots; /* places of large objects without members */
    uint32_t *members;     /* entries, elements: edges that stand for what a container contains */
    uint32_t *holders;     /* who refers to it, for hw_holders_meet(); 0: no object does */
    struct hw_span *spans;
    size_t span_count;
    struct hw_type_row *types; /* as hw_types_ask, names owned by the series */
    size_t type_count;
    struct hw_ledger ledger;
    struct hw_native_sites native_sites; /* rows owned by the series */
    int32_t *tids; /* of its threads, rising, owned by the series; some stand there twice */
    size_t tid_count;
};

struct hw_series {
    struct hw_series_shot *shots;
    size_t count;
    struct hw_graph *last;
    struct hw_arena arena;
};

/* Addresses of a shot in rising order, without a search for each: set row and ask. */
struct hw_series_cursor {
    const struct hw_series_shot *shot;
    uint32_t row;
    size_t span;
};
static inline hw_addr cursor_addr(struct hw_series_cursor *cursor)
{
    const struct hw_series_shot *shot = cursor->shot;
    uint32_t position = shot->where[cursor->row];
    while (cursor->span + 1 < shot->span_count && shot->spans[cursor->span + 1].first <= position)
        cursor->span++;
    const struct hw_span *span = &shot->spans[cursor->span];
    return span->start + ((hw_addr)(position - span->first) << span->shift);
}

/* For each object of the last graph, the first snapshot from which on it was always there. 0: it is
 * older than the observation. The caller frees. */
bool hw_series_births(const struct hw_series *series, uint8_t **ret_births, struct hw_err *err);

/* Members of object id of the last graph in snapshot n; 0 when it was not there. */
uint32_t hw_series_members(const struct hw_series *series, size_t n, hw_id id);

/* Its size in bytes with what belongs to it (hw_graph_weight), likewise. */
uint64_t hw_series_size(const struct hw_series *series, size_t n, hw_id id);

/* Who held it, likewise. */
uint32_t hw_series_holders(const struct hw_series *series, size_t n, hw_id id);

/* Whether the thread ran when snapshot n was taken. */
bool hw_series_has_thread(const struct hw_series *series, size_t n, int32_t tid);

/* Seconds from snapshot a to snapshot b, never less than a millisecond. */
double hw_series_seconds(const struct hw_series *series, size_t a, size_t b);

/* Whether an edge of this kind stands for something that a container contains. */
bool hw_edge_is_member(const struct hw_graph *graph, uint32_t edge);

#endif
