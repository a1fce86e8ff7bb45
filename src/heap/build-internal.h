/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_BUILD_INTERNAL_H
#define HW_HEAP_BUILD_INTERNAL_H

/* What the passes of the graph's builder share. */

#include "cpython/pymalloc.h"
#include "cpython/tracemalloc.h"
#include "heap/age.h"
#include "heap/build.h"
#include "heap/marks.h"

/* What a block that an object uses holds. */
enum hw_buffer_kind {
    HW_BUFFER_TABLE, /* of a dict or a set, the values of an instance */
    HW_BUFFER_ARRAY, /* of a list or a deque */
    HW_BUFFER_DATA,  /* anything else */
    HW_BUFFER_KINDS,
};

/* What pools of pymalloc say of their blocks, read while recording goes over the memory anyway. */
struct hw_pools {
    struct hw_pymalloc pymalloc;
    struct hw_pymalloc_pool *pools; /* all that have a header, by address */
    size_t count;                   /* read so far */
    size_t arena;                   /* where reading has come */
    hw_addr next;                   /* in that arena; 0: its first */
};

/* An address in a large block that an object uses. */
enum { HW_BIG_BUFFER_BYTES = 64 << 10 };
struct hw_big_buffer {
    hw_addr addr;
    uint32_t type; /* number of the object's type */
};

struct hw_builder {
    struct hw_image *image;
    const struct hw_runtime *runtime;
    const struct hw_build_options *opts;
    struct hw_py py;
    struct hw_module *modules; /* mapped ELF files, by address */
    size_t module_count;
    struct hw_symbol eval; /* the evaluation loop; 0 bytes: not found */
    struct hw_marks marks;
    struct hw_marks buffers[HW_BUFFER_KINDS]; /* in blocks that objects use; for the ledger */
    struct hw_marks outside; /* blocks that belong to objects: some address in each */
    struct hw_marks lost;    /* objects that nothing leads to */
    uint64_t unscanned_bytes; /* of C code's memory that was too much to look at */
    hw_addr *held;           /* where words in C code's memory point; sorted once all are there */
    size_t held_count, held_capacity;
    struct hw_order order; /* of the objects on the collector's lists */
    struct hw_big_buffer *big_buffers; /* of objects that are large with what they use; bounded */
    size_t big_buffer_count, big_buffer_capacity;
    hw_addr *own; /* objects of opts->own_package that are known as such; see own.c */
    size_t own_count, own_capacity;
    bool marks_big; /* while the blocks of one of them are marked */
    struct hw_pools pools; /* for the ledger */
    struct hw_tracemalloc tracemalloc;
    struct hw_roots roots;
    struct hw_graph *graph;
    hw_addr *stack; /* objects to decode that nothing else will lead to */
    size_t stack_count, stack_capacity;
    hw_addr *module_names; /* keys of sys.modules, by address; only without values */
    size_t module_name_count;
    uint64_t tracked;        /* objects marked that say that they are on a collector's list */
    uint64_t listed;         /* objects met on the lists */
    uint64_t list_counts[4]; /* of them, on each of the main interpreter's */
    uint64_t decoded;        /* objects decoded while discovering */
    hw_addr cursor;      /* where discovering in order of address has come, downwards; 0: lists */
    uint64_t recorded;   /* rows written so far */
    uint64_t edge_bound; /* references seen while discovering */
    uint64_t edge_room;  /* edges that the graph was made for */
    size_t native_capacity;
    uint64_t lists_broken; /* collector's lists that ended in the middle */
    struct hw_err *err;
};

/* Fill marks; count edge_bound. */
bool hw_build_discover(struct hw_builder *b);
/* Whether what is decoded from now on says in outside what belongs to it. */
void hw_build_note_outside(struct hw_builder *b, bool on);
/* Marks objects that are alive in allocators' memory and that nothing of the graph leads to; in lost
 * those that no word of C code leads to either. Fills held. After discovering. */
bool hw_build_find_lost(struct hw_builder *b);
/* Takes the objects of opts->own_package out of what is marked. Before the objects are numbered. Whether
 * a class was made in the package; adds an object that is one of its own. */
bool hw_build_hide_own(struct hw_builder *b);
/* Graphs in this process are its data: no C code's memory, and nothing to search for references. Before
 * discovering. */
void hw_build_note_graphs(struct hw_builder *b);
bool hw_build_is_own(const struct hw_builder *b, const struct hw_pytype *type);
bool hw_build_add_own(struct hw_builder *b, hw_addr addr);
/* Adds the roots that need to know what an object is: C globals, native stacks, static types. */
bool hw_build_native_roots(struct hw_builder *b);
/* Words in the writable data of a mapped file, as references of the root added last. */
void hw_build_scan_module(struct hw_builder *b, const struct hw_module *module);
/* Whether the file is the one that this code is part of, and left out with opts->own_package. */
bool hw_build_is_own_file(const struct hw_builder *b, const struct hw_module *module);
/* Fill the graph's columns. */
bool hw_build_record(struct hw_builder *b);

/* Memory outside of objects: what the object at addr owns; and, when all objects were read, what
 * views showed of exporters that cannot be sized. */
bool hw_build_record_native(struct hw_builder *b, hw_id id, hw_addr addr,
                            const struct hw_pytype *type);
bool hw_build_record_claims(struct hw_builder *b);

/* Where blocks and objects were allocated, when the target has it written down. After the objects were recorded. */
bool hw_build_record_allocs(struct hw_builder *b);
/* The same, when heapwhy's agent has written it down. */
bool hw_build_record_agent(struct hw_builder *b);
/* Whether the file is its library: it remembers addresses, and holds nothing. */
bool hw_build_is_agent(const struct hw_module *module);
/* No object's site is known yet. */
bool hw_build_allocs_begin(struct hw_builder *b);
/* The object that a block was made for: it begins where what its type has in front of it ends. */
hw_id hw_build_object_in(struct hw_builder *b, hw_addr block, uint64_t bytes);

/* Marks the blocks that the object at addr uses: what it points to that could be one. p: its header,
 * readable here; bytes: its size with them. */
void hw_build_mark_buffers(struct hw_builder *b, hw_addr addr, const unsigned char *p,
                           const struct hw_pytype *type, uint64_t bytes);
/* Finds the arenas; reads all pools below addr that were not read yet. */
bool hw_build_pools_init(struct hw_builder *b);
void hw_build_pools_read(struct hw_builder *b, hw_addr addr);
void hw_build_pools_deinit(struct hw_builder *b);
/* Fills the graph's ledger from what was marked. */
bool hw_build_ledger(struct hw_builder *b);
/* What held says, by node. After the objects were numbered. */
bool hw_build_record_held(struct hw_builder *b);

/* The two words of the collector in front of the object at addr; NULL: it has none. */
enum { HW_GC_HEAD_BYTES = 16 };
const unsigned char *hw_build_gc_head(struct hw_builder *b, hw_addr addr,
                                      const struct hw_pytype *type);

/* Keeps the mirrors below their limit. No pointer into them may be in use. Costs nothing below it.
 */
void hw_build_trim(struct hw_builder *b);

/* Reports progress now and then; false when the caller wants to stop. */
bool hw_build_tick(struct hw_builder *b, const char *stage, uint64_t done, uint64_t total);

#endif
