/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_NATIVE_H
#define HW_CPYTHON_NATIVE_H

/*
 * C structures that no layout row of CPython describes, and memory outside of objects.
 *
 * An extension type is known by a row of a table: its tp_name, its tp_basicsize (a type of that
 * name and another size is not the one we know), and functions for what cannot be read off fixed
 * fields. native-<family>.c holds the rows of one library, each with the source of its facts.
 *
 * Three kinds of memory must not be mixed up:
 *
 *     an object's own size            sys.getsizeof(): hw_object_size(); it already contains the
 *                                     buffers that the type's __sizeof__ counts (bytearray, array,
 *                                     a numpy array that owns its data)
 *     memory that an object owns      hw_object_native(): what its __sizeof__ leaves out (mmap,
 *                                     ctypes, a libxml2 document)
 *     memory that an object shows     a view's: nobody counts it there
 *
 * The memory of an exporter whose layout nobody knows (a capsule, a tensor) is known through its
 * views only: each claims what it shows for its exporter, and the union of all claims is the
 * exporter's. That is an estimate, from below.
 */

#include "cpython/pytype.h"

struct hw_native {
    const char *tp_name;
    uint32_t basicsize;
    /* References; NULL: those of the layout row, or none. */
    void (*decode)(struct hw_py *py, hw_addr addr, const unsigned char *p,
                   const struct hw_pytype *solid);
    /* How much more than its structure __sizeof__ counts. May be NULL. */
    uint64_t (*extra)(struct hw_py *py, const unsigned char *p);
    /* Memory it owns besides; may add claims. May be NULL. */
    uint64_t (*bytes)(struct hw_py *py, hw_addr addr, const unsigned char *p);
    /* A short description; returns its length. May be NULL. */
    size_t (*text)(struct hw_py *py, const unsigned char *p, char *to, size_t max);
};

/* A part of memory that a view shows of its exporter. */
struct hw_claim {
    hw_addr owner, low, high;
};

/* The row of a C type, or NULL. */
const struct hw_native *hw_native_find(const char *tp_name, uint32_t basicsize);

/* Bytes outside the object that belong to it and that hw_object_size() does not contain. Overwrites
 * py->refs. May take long for one object (a document of millions of nodes). */
uint64_t hw_object_native(struct hw_py *py, hw_addr addr, const struct hw_pytype *type);

/* Sorts the claims made so far by owner, and makes one of those that overlap. */
void hw_claims_settle(struct hw_py *py);

/* For the decoders. Whether all of addr + [0, bytes) is mapped. */
bool hw_native_mapped(struct hw_py *py, hw_addr addr, uint64_t bytes);

/* Says that [low, high) is shown as a buffer of exporter. Only an exporter that nobody can size
 * otherwise gets it charged. */
void hw_native_claim(struct hw_py *py, hw_addr exporter, hw_addr low, hw_addr high);

/* Each one of these ends with a row without a name. */
extern const struct hw_native hw_native_buffers[], hw_native_descriptors[], hw_native_numpy[],
    hw_native_lxml[];

/* A row's function that belongs to two families: mappings own memory and a descriptor. */
size_t hw_native_mmap_text(struct hw_py *py, const unsigned char *p, char *to, size_t max);

#endif
