/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_GROW_NATIVE_SITES_H
#define HW_GROW_NATIVE_SITES_H

/*
 * What C code had in use in one snapshot, by the stacks that allocated it: of processes that
 * heapwhy's agent is in. Stacks of several snapshots are the same where files, functions and lines
 * are.
 */

#include "heap/graph.h"

struct hw_native_site {
    uint64_t stack;  /* its hash, with the domain */
    uint32_t site;   /* of the graph, as long as that is there */
    uint32_t domain; /* HW_DOMAIN_MALLOC, HW_DOMAIN_MMAP */
    uint64_t count, bytes;
};
struct hw_native_sites {
    struct hw_native_site *rows; /* by stack, each once */
    size_t count;
};

/* Rows live in arena; none where nobody wrote sites down. False: no memory. */
bool hw_native_sites_read(const struct hw_graph *graph, struct hw_arena *arena,
                          struct hw_native_sites *ret_sites);

/* NULL: that stack has nothing in use. */
const struct hw_native_site *hw_native_site_find(const struct hw_native_sites *sites,
                                                 uint64_t stack);

/* Bytes in use of a domain. */
uint64_t hw_native_sites_bytes(const struct hw_native_sites *sites, enum hw_domain domain);

#endif
