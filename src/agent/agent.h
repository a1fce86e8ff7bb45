/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_AGENT_H
#define HW_AGENT_AGENT_H

/*
 * The agent: a library that is loaded into a Python program, before it starts or while it runs, and writes
 * down where sampled blocks are allocated. Its rules, which hold for every function below this folder:
 *
 * - It allocates nothing while the program runs: all its memory is reserved when it starts
 *   (table.h, below 16 MB), and only what is used of it becomes resident.
 * - It calls nothing that may run the program's code, take locks of Python or of malloc, or raise.
 * - One lock, held for some hundred instructions, and for a pass over live[] when that is full. Under it
 *   nothing is called that could wait: of Python only PyCode_Addr2Line(), which reads.
 * - What it cannot do it leaves undone and counts (hw_agent_table.missed).
 */

#include "agent/control.h"
#include "agent/table.h"

#include <stdbool.h>
#include <stddef.h>

extern struct hw_agent_table hw_agent_table;
extern struct hw_agent_control hw_agent_control;

/* Reserves the columns, or empties those of an earlier time. false: there is no memory, and nothing may be
 * called. */
bool hw_store_init(uint64_t rate_bytes);
/* Empties the columns and gives their memory back; the addresses stay ours, and samples that are still on
 * their way find room. */
void hw_store_clear(void);

/* Not again on one thread before the unlock; a signal handler that allocates meanwhile finds out by
 * hw_thread.inside. */
void hw_store_lock(void);
void hw_store_unlock(void);

/* ---- under the lock ---- */

/* The offset of a text, kept once; 0 when there is no room. */
uint32_t hw_text_intern(const char *text, size_t bytes);

/* The number of a site, kept once; caller is another. 0 when there is no room. */
uint32_t hw_site_intern(const struct hw_agent_site *site);

/* Forgets what leads to rows that are no more. */
void hw_live_clear(void);
void hw_frames_clear(void);

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
/* The site of the Python code that this thread runs; 0: it runs none. Takes the lock. */
uint32_t hw_frames_site(void);

/* Puts the agent before Python's allocators. false: there are none. */
bool hw_python_hook(void);
/* Takes it away. false: somebody else stands before it, so that it stays and passes everything on. */
bool hw_python_unhook(void);

/* Begins to sample. hw_agent_control.state says what came of it. */
void hw_agent_begin(uint64_t rate_bytes);

/* Whether samples are taken. Threads that are amid one finish it. */
extern bool hw_agent_is_on;

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
