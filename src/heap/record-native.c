/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/vec.h"
#include "cpython/native.h"
#include "heap/build-internal.h"

#include <stdlib.h>

static bool native_add(struct hw_builder *b, hw_id id, uint64_t bytes)
{
    struct hw_graph *g = b->graph;
    if (!bytes || g->native_bytes + bytes > HW_NATIVE_MAX_BYTES)
        return true;
    struct hw_big_size *native =
        hw_vec_grow(g->native, &b->native_capacity, g->native_count + 1, sizeof(*native));
    if (!native)
        return hw_err_no_memory(b->err);
    g->native = native;
    g->native[g->native_count++] = (struct hw_big_size){id, bytes};
    g->native_bytes += bytes;
    return true;
}

bool hw_build_record_native(struct hw_builder *b, hw_id id, hw_addr addr,
                            const struct hw_pytype *type)
{
    return native_add(b, id, hw_object_native(&b->py, addr, type));
}

static int by_id(const void *a, const void *b)
{
    const struct hw_big_size *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Rows of one object become one. */
static void native_merge(struct hw_graph *g)
{
    size_t n = 0;
    qsort(g->native, g->native_count, sizeof(*g->native), by_id);
    for (size_t i = 0; i < g->native_count; i++) {
        if (n && g->native[n - 1].id == g->native[i].id)
            g->native[n - 1].bytes += g->native[i].bytes;
        else
            g->native[n++] = g->native[i];
    }
    g->native_count = n;
}

bool hw_build_record_claims(struct hw_builder *b)
{
    hw_claims_settle(&b->py);
    for (size_t i = 0; i < b->py.claim_count; i++) {
        const struct hw_claim *claim = &b->py.claims[i];
        hw_id id = hw_marks_id(&b->marks, claim->owner);
        if (id != HW_NONE && !native_add(b, id, claim->high - claim->low))
            return false;
    }
    if (b->py.claim_count)
        native_merge(b->graph);
    return true;
}
