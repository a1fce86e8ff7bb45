/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_RUNTIME_H
#define HW_CPYTHON_RUNTIME_H

/*
 * Finding CPython in an image and believing it: where _PyRuntime lies, which version it is, which
 * layout row fits; then checks on the process itself before anything else is read with that row.
 */

#include "cpython/py.h"
#include "native/elf.h"

enum { HW_MAX_INTERPRETERS = 64 };

struct hw_runtime {
    hw_addr addr;                 /* of _PyRuntime */
    uint64_t bytes;               /* its st_size */
    uint32_t version;             /* PY_VERSION_HEX */
    const struct hw_layout *layout;
    hw_addr type_type;            /* PyType_Type */
    hw_addr dict_type;            /* PyDict_Type; 0: not exported */
    char path[256];               /* file that holds it */
    hw_addr interpreters[HW_MAX_INTERPRETERS]; /* the main one first */
    size_t interpreter_count;
};

/* Errors: HW_ERR_NOT_PYTHON; HW_ERR_UNSUPPORTED (no row, or a check failed: msg names version, runtime
 * size and the field that disagrees). */
bool hw_runtime_find(struct hw_image *image, struct hw_runtime *ret_runtime, struct hw_err *err);

/* The heads of the collector's lists of one interpreter: generations 0, 1, 2 and the permanent one.
 * False when the collector's state is not where it should be. What is linked to a head may be torn: that
 * is for who follows the links. */
bool hw_runtime_gc_heads(struct hw_image *image, const struct hw_runtime *runtime, hw_addr interpreter,
                         hw_addr ret_heads[4]);

/* State of the main interpreter's collector. */
struct hw_gc_state {
    bool collecting, enabled;
    uint32_t threshold[3], count[3];
    uint32_t debug;
    struct hw_gc_stats stats[3];
    uint64_t long_lived_total, long_lived_pending;
};
bool hw_runtime_gc_state(struct hw_image *image, const struct hw_runtime *runtime,
                         struct hw_gc_state *ret);

/* The words that are not zero while a collector runs. */
struct hw_busy_words hw_runtime_busy_words(const struct hw_runtime *runtime);

/* The words that are not zero while a thread holds a GIL, of each interpreter that has one. */
struct hw_busy_words hw_runtime_working_words(struct hw_image *image,
                                              const struct hw_runtime *runtime);

#endif
