/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_ROOTS_H
#define HW_CPYTHON_ROOTS_H

/*
 * What holds objects without being an object: interpreters, threads, running frames. Each becomes a
 * synthetic node of the graph. C globals and native stacks are added by the graph's builder, which
 * knows what an object is.
 */

#include "cpython/decode.h"
#include "cpython/runtime.h"

struct hw_root_node {
    struct hw_synthetic as;
    uint32_t at_line; /* frames: the line they have come to, 0: not known */
    uint32_t parent;  /* index of the node that holds it; HW_NONE: the root itself */
    size_t first_ref; /* its references, in refs */
    size_t ref_count;
    struct hw_operands operands; /* frames */
};

struct hw_roots {
    struct hw_root_node *nodes;
    size_t count, capacity;
    struct hw_refs refs;
};

bool hw_roots_collect(struct hw_py *py, const struct hw_runtime *runtime,
                      struct hw_roots *ret_roots, struct hw_err *err);
void hw_roots_deinit(struct hw_roots *roots);

/* Appends a node whose references come next; its index, or HW_NONE when memory runs out. */
uint32_t hw_roots_add(struct hw_roots *roots, struct hw_synthetic as, uint32_t parent);
/* Appends a reference to the node added last. */
void hw_roots_ref(struct hw_roots *roots, hw_addr to, uint32_t label);

/* The value of an attribute of an instance, 0: none. Clobbers py->refs. */
hw_addr hw_attribute_find(struct hw_py *py, hw_addr object, const char *name);

/* sys.modules of the first interpreter, as the interpreter itself keeps it. */
hw_addr hw_module_table(struct hw_py *py, const struct hw_runtime *runtime);

/* sys.modules[name].__dict__, 0: not imported. */
hw_addr hw_module_dict(struct hw_py *py, const struct hw_runtime *runtime, const char *name);

/* Learns what tells a class from a C type (py->class_dealloc), and which dicts are the tables of interned
 * strings, which frames run. Call before any other type is read. */
void hw_py_learn_classes(struct hw_py *py, const struct hw_runtime *runtime);

#endif
