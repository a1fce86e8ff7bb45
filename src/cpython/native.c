/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/native.h"

#include "base/vec.h"
#include "cpython/decode.h"

#include <stdlib.h>

enum {
    EXPORTER_STEPS = 8, /* views of views; numpy and memoryview shorten their chains themselves */
    CLAIMS_MAX = 1 << 24,
    MEMORYVIEW_MBUF = 24, /* Include/internal or cpython/memoryobject.h, 3.8 to 3.15 */
    MANAGED_OBJ = 40,
};

static const struct hw_native *const tables[] = {
    hw_native_buffers,
    hw_native_descriptors,
    hw_native_numpy,
    hw_native_lxml,
};

const struct hw_native *hw_native_find(const char *tp_name, uint32_t basicsize)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
        for (const struct hw_native *n = tables[i]; n->tp_name; n++)
            if (n->basicsize == basicsize && !strcmp(n->tp_name, tp_name))
                return n;
    return NULL;
}

bool hw_native_mapped(struct hw_py *py, hw_addr addr, uint64_t bytes)
{
    hw_addr end = addr + bytes;
    if (end < addr)
        return false;
    while (addr < end) {
        const struct hw_segment *segment = hw_image_segment(py->image, addr);
        if (!segment)
            return false;
        addr = segment->end;
    }
    return true;
}

/* Whether the memory that object shows is some other object's, which is counted by itself. */
static bool shows_others(struct hw_py *py, hw_addr object, const struct hw_pytype *type)
{
    bool damaged = py->object_damaged;
    hw_decode(py, object, type);
    py->object_damaged = damaged;
    for (size_t i = 0; i < py->refs.count; i++) {
        const struct hw_pytype *held = hw_pytype_of(py, py->refs.to[i]);
        if (!held)
            continue;
        enum hw_family family = held->solid->family;
        const char *name = held->solid->tp_name;
        if (family == HW_FAMILY_BYTES || family == HW_FAMILY_BYTEARRAY || held->solid->native ||
            !strcmp(name, "array.array") || !strcmp(name, "memoryview"))
            return true;
    }
    return false;
}

/* From a view to what it is a view of. */
static hw_addr exporter_of(struct hw_py *py, hw_addr object)
{
    for (unsigned i = 0; i < EXPORTER_STEPS; i++) {
        const struct hw_pytype *type = hw_pytype_of(py, object);
        if (type && !strcmp(type->solid->tp_name, "memoryview"))
            object = hw_py_word(py, object + MEMORYVIEW_MBUF);
        else if (type && !strcmp(type->solid->tp_name, "managedbuffer"))
            object = hw_py_word(py, object + MANAGED_OBJ);
        else
            return type ? object : 0;
    }
    return 0;
}

static bool is_unsized(struct hw_py *py, hw_addr exporter)
{
    const struct hw_pytype *type = exporter ? hw_pytype_of(py, exporter) : NULL;
    if (!type || type->solid->native)
        return false;
    if (!strcmp(type->solid->tp_name, "PyCapsule"))
        return true;
    return type->solid->family == HW_FAMILY_UNKNOWN && !shows_others(py, exporter, type);
}

void hw_native_claim(struct hw_py *py, hw_addr exporter, hw_addr low, hw_addr high)
{
    exporter = exporter_of(py, exporter);
    if (low >= high || py->claim_count >= CLAIMS_MAX || !is_unsized(py, exporter) ||
        !hw_native_mapped(py, low, high - low))
        return;
    struct hw_claim *claims =
        hw_vec_grow(py->claims, &py->claim_capacity, py->claim_count + 1, sizeof(*claims));
    if (!claims)
        return;
    py->claims = claims;
    py->claims[py->claim_count++] = (struct hw_claim){exporter, low, high};
}

static int by_owner(const void *a, const void *b)
{
    const struct hw_claim *x = a, *y = b;
    if (x->owner != y->owner)
        return x->owner < y->owner ? -1 : 1;
    return (x->low > y->low) - (x->low < y->low);
}

void hw_claims_settle(struct hw_py *py)
{
    size_t n = 0;
    if (py->claim_count)
        qsort(py->claims, py->claim_count, sizeof(*py->claims), by_owner);
    for (size_t i = 0; i < py->claim_count; i++) {
        struct hw_claim *claim = &py->claims[i], *last = n ? &py->claims[n - 1] : NULL;
        if (!last || last->owner != claim->owner || claim->low > last->high)
            py->claims[n++] = *claim;
        else if (claim->high > last->high)
            last->high = claim->high;
    }
    py->claim_count = n;
}

uint64_t hw_object_native(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    const struct hw_native *native = type->solid->native;
    if (!native || !native->bytes)
        return 0;
    const unsigned char *p = hw_py_at(py, addr, native->basicsize);
    return p ? native->bytes(py, addr, p) : 0;
}
