/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_AGENT_H
#define HW_AGENT_AGENT_H

/*
 * The agent: a library that is loaded into a Python program before it starts and writes down where
 * sampled blocks are allocated. Its rules, which hold for every function below this folder:
 *
 * - It allocates nothing while the program runs: all its memory is reserved when it starts
 *   (table.h, below 16 MB), and only what is used of it becomes resident.
 * - It calls nothing that may run the program's code, take locks of Python or of malloc, or raise.
 * - One lock, held for some hundred instructions, and for a pass over live[] when that is full. Under it
 *   nothing is called that could wait: of Python only PyCode_Addr2Line(), which reads.
 * - What it cannot do it leaves undone and counts (hw_agent_table.missed).
 */

#include "agent/module.h"
#include "agent/table.h"

#include <stdbool.h>
#include <stddef.h>

extern struct hw_agent_table hw_agent_table;

/* Reserves the columns. false: there is no memory, and nothing may be called. */
bool hw_store_init(uint64_t rate_bytes);

/* Not again on one thread before the unlock; a signal handler that allocates meanwhile finds out by
 * hw_thread.inside. */
void hw_store_lock(void);
void hw_store_unlock(void);

/* ---- under the lock ---- */

/* The offset of a text, kept once; 0 when there is no room. */
uint32_t hw_text_intern(const char *text, size_t bytes);

/* The number of a site, kept once; caller is another. 0 when there is no room. */
uint32_t hw_site_intern(const struct hw_agent_site *site);

/* ---- live blocks ---- */

/* Takes the lock. Where there is no room, every second block is forgotten, and from then on half as
 * many are sampled: table.h says how what is left is counted. An older entry of the same address is
 * replaced: its end was not seen. */
void hw_live_add(const struct hw_agent_block *block);
/* Takes the lock. false: it is not there. Ask hw_live_may_have() first. */
bool hw_live_take(const void *block, struct hw_agent_block *ret_block);

/* ---- this thread ---- */

struct hw_thread {
    int64_t left;    /* bytes until the next sample */
    uint64_t random; /* state; 0: not yet begun */
    bool inside;     /* the agent itself is at work */
};
extern __thread struct hw_thread hw_thread __attribute__((tls_model("initial-exec")));

/* A number above 0, at most 1. */
double hw_sample_random(struct hw_thread *thread);

/* The distance to the next sample: exponential with mean rate_bytes, so that every byte has the
 * same chance. */
void hw_sample_next(struct hw_thread *thread);

/* Called when left has run out: writes the block down with this thread's stack. */
void hw_sample_take(void *block, size_t bytes, enum hw_agent_domain domain);

/* ---- Python ---- */

/* Finds the interpreter and the layout of its frames. false: none that we know. */
bool hw_frames_init(void);
/* An address in it, once it is found. */
const void *hw_python_address(void);
/* The site of the Python code that this thread runs, or that has called the C code which it runs; 0: there is
 * none. is_python: it is the interpreter that asks, so that what runs is what the interpreter says. Takes the
 * lock. */
uint32_t hw_frames_site(bool is_python);

/* Puts the agent before Python's allocators. false: there are none. */
bool hw_python_hook(void);

/* ---- C code: malloc.c and mappings.c define what the program calls ---- */

/* Counts a block that C code has got, and takes it into the sample when it is its turn. NULL is none. */
void hw_native_count(void *block, size_t bytes, enum hw_agent_domain domain);

/* The C code that this thread runs, from what allocates out to the interpreter. */
enum { HW_NATIVE_DEPTH_MAX = 32 };
struct hw_native_stack {
    size_t depth;
    struct hw_native_frame {
        uintptr_t pc; /* of the call */
        struct hw_code code;
    } frames[HW_NATIVE_DEPTH_MAX];
};
/* Not under the lock. */
void hw_native_find(struct hw_native_stack *stack);
/* The site of such a stack, which caller, a site of Python code, has called. Under the lock. */
uint32_t hw_native_intern(const struct hw_native_stack *stack, uint32_t caller);

/* What they look up once; before there is a second thread. in_python: any address in the interpreter. */
void hw_native_begin(const void *in_python);
void hw_malloc_begin(void);
void hw_mappings_begin(void);

/* ---- the filter before hw_live_take() ---- */

/* A bit for each granule of 16 MB of addresses; all other addresses fold onto these. */
enum { HW_FILTER_BITS = 1 << 20 };
extern uint64_t hw_filter[HW_FILTER_BITS / 64];

static inline uint32_t hw_filter_bit(uint64_t addr)
{
    return (uint32_t)(addr >> 4 ^ addr >> 25) % HW_FILTER_BITS;
}

static inline bool hw_live_may_have(const void *block)
{
    uint32_t bit = hw_filter_bit((uintptr_t)block);
    return hw_filter[bit / 64] >> bit % 64 & 1;
}

#endif
