/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_AGENT_H
#define HW_AGENT_AGENT_H

/*
 * The agent: a library that is loaded into a Python program, before it starts or while it runs, and writes
 * down where sampled blocks are allocated. Its rules, which hold for every function below this folder:
 *
 * - It allocates nothing while the program runs: all its memory is reserved when it starts
 *   (table.h, below 32 MiB), and only what is used of it becomes resident.
 * - It calls nothing that may run the program's code, take locks of Python or of malloc, or raise.
 * - One lock, held for some hundred instructions, and for a pass over live[] when that is full.
 * Under it nothing is called that could wait: of Python only PyCode_Addr2Line(), which reads.
 * - What it cannot do it leaves undone and counts (hw_agent_table.missed).
 */

#include "agent/control.h"
#include "agent/table.h"

#include <stdbool.h>
#include <stddef.h>

extern struct hw_agent_table hw_agent_table;
extern struct hw_agent_control hw_agent_control;

/* Reserves the columns, unless they are there from an earlier time. false: there is no memory, and nothing may be
 * called. */
bool hw_store_init(uint64_t rate_bytes);

/* Not again on one thread before the unlock; a signal handler that allocates meanwhile finds out by
 * hw_thread.inside. While the process has one thread there is nothing to lock. */
void hw_store_lock(void);
void hw_store_unlock(void);

/* ---- under the lock ---- */

/* The offset of a text, kept once; 0 when there is no room. */
uint32_t hw_text_intern(const char *text, size_t bytes);

/* The number of a site, kept once; caller is another. 0 when there is no room. */
uint32_t hw_site_intern(const struct hw_agent_site *site);

/* The number of a text among all texts, which begin with 1, by its offset. */
uint32_t hw_text_number(uint32_t text);

/* Each forgets what it knows, as the rows are no more: hw_store_clear() the rows, whose memory is given back. Their
 * addresses stay ours, so that samples that are still on their way find room. */
void hw_store_clear(void);
void hw_live_clear(void);
void hw_frames_clear(void);
void hw_native_clear(void);
/* All of them. Takes the lock. */
void hw_agent_clear(void);

/* ---- live blocks ---- */

/* Takes the lock. Where there is no room, every second block is forgotten, and from then on half as
 * many are sampled: table.h says how what is left is counted. An older entry of the same address is
 * replaced: its end was not seen. */
void hw_live_add(const struct hw_agent_block *block);
/* Takes the lock. false: it is not there. Ask hw_live_may_have() first. */
bool hw_live_take(const void *block, struct hw_agent_block *ret_block);

/* The same for who has the lock. */
void hw_live_put(const struct hw_agent_block *block);
bool hw_live_remove(const void *block, struct hw_agent_block *ret_block);

/* ---- this thread ---- */

/* Of small blocks of one size: how many come before the next sample, and how many after it in its
 * period. */
struct hw_stretch {
    int32_t left, rest;
};

enum { HW_SMALL_SIZES = HW_AGENT_SMALL_MAX_BYTES / HW_AGENT_STEP_BYTES + 1 };

struct hw_thread {
    int64_t left;    /* bytes until the next sample, for all but Python's small blocks */
    uint64_t random; /* state; 0: not yet begun */
    uint64_t self;   /* pthread_self(); 0: not yet known */
    int32_t tid;     /* the kernel's; 0: not yet known */
    bool inside;     /* the agent itself is at work */
    bool has_left;   /* left has begun */
    uint64_t rate;   /* that the stretches were made with; 0: there are none yet */
    struct hw_stretch small[HW_SMALL_SIZES]; /* by size in steps, rounded up */
};
extern __thread struct hw_thread hw_thread __attribute__((tls_model("initial-exec")));

static inline struct hw_stretch *hw_thread_stretch(struct hw_thread *thread, size_t bytes)
{
    return &thread->small[(bytes + HW_AGENT_STEP_BYTES - 1) / HW_AGENT_STEP_BYTES];
}

/* A number above 0, at most 1. */
double hw_sample_random(struct hw_thread *thread);

/* The distance to the next sample: exponential with mean rate_bytes, so that every byte has the
 * same chance. */
void hw_sample_next(struct hw_thread *thread);

/* Called when left has run out: whether this block is one of the sample. Begins the distance to
 * the next one. */
bool hw_sample_due(struct hw_thread *thread, size_t bytes);
/* Called when the stretch of a small block has run out: the same. */
bool hw_sample_small_due(struct hw_thread *thread, size_t bytes);

/* Counts one of Python's blocks. Whether it is one of the sample. */
static inline bool hw_sample_counts(struct hw_thread *thread, size_t bytes)
{
    if (__builtin_expect(bytes <= HW_AGENT_SMALL_MAX_BYTES, 1))
        return __builtin_expect(--hw_thread_stretch(thread, bytes)->left < 0, 0) &&
               hw_sample_small_due(thread, bytes);
    return (thread->left -= (int64_t)bytes) < 0 && hw_sample_due(thread, bytes);
}

/* Writes the block down with this thread's stack. */
void hw_sample_add(void *block, size_t bytes, enum hw_agent_domain domain);

/* Called when left has run out: writes the block down with this thread's stack. */
void hw_sample_take(void *block, size_t bytes, enum hw_agent_domain domain);

/* ---- Python ---- */

/* Finds the interpreter and the layout of its frames. false: none that we know. */
bool hw_frames_init(void);
/* An address in it, once it is found. */
const void *hw_python_address(void);
/* The program has ended, and the interpreter takes all apart that it has left. */
bool hw_python_is_over(void);
/* The site of the Python code that this thread runs, or that has called the C code which it runs; 0: there is
 * none. is_python: it is the interpreter that asks, so that what runs is what the interpreter says. Under the
 * lock. */
uint32_t hw_frames_find(bool is_python);
/* A block is given back: if it was a code object that is known, what is known of it holds no
 * longer. Under the lock. */
void hw_frames_forget(uint64_t addr);
/* Whether a known code object has this bit of the filter below. Under the lock. */
bool hw_frames_have_bit(uint32_t bit);

/* Puts the agent before Python's allocators, to write down every event or a sample. is_first: the agent was
 * loaded before all others, so that it also gets what these allocators ask C's for. false: there are none. */
bool hw_python_hook(bool every, bool is_first);
/* Takes it away. false: somebody else stands before it, so that it stays and passes everything on. */
bool hw_python_unhook(void);

/* Begins, or says in hw_agent_control.state why not. before_hooks, unless NULL: called when there are columns;
 * returns whether every event is to be written down. */
void hw_agent_begin(uint64_t rate_bytes, bool (*before_hooks)(void));

/* Whether samples are taken. Threads that are amid one finish it. */
extern bool hw_agent_is_on;

/* ---- C code: malloc.c and mappings.c define what the program calls ---- */

/* Whether every event is recorded, so that none may pass by. */
extern bool hw_native_every;

/* Counts a block that C code has got, and writes it down when it is its turn, with the stack of that code. NULL
 * is none. errno stays. */
void hw_native_count(void *block, size_t bytes, enum hw_agent_domain domain);

/* A block that is about to be given back. Whether it was in the sample; then *ret_block is what was known of
 * it. Ask hw_native_may_have() first. */
bool hw_native_take(const void *block, struct hw_agent_block *ret_block);
/* It is still there. */
void hw_native_put(const struct hw_agent_block *block);

/* What is looked up once; before there is a second thread. in_python: any address in the interpreter. */
void hw_native_begin(const void *in_python, bool every);
void hw_mappings_begin(void);

/* ---- the filter before hw_live_take() ---- */

/* A bit for each 16 bytes of 128 MB of addresses; all other addresses fold onto these. */
enum { HW_FILTER_BITS = 1 << 23 };
extern uint64_t hw_filter[HW_FILTER_BITS / 64];

static inline uint32_t hw_filter_bit(uint64_t addr)
{
    return (uint32_t)(addr >> 4 ^ addr >> 27) % HW_FILTER_BITS;
}

/* Under the lock: this address is to be looked at when it is given back. */
void hw_filter_set(uint64_t addr);

static inline bool hw_live_may_have(const void *block)
{
    uint32_t bit = hw_filter_bit((uintptr_t)block);
    return hw_filter[bit / 64] >> bit % 64 & 1;
}

static inline bool hw_native_may_have(const void *block)
{
    return hw_live_may_have(block) || hw_native_every;
}

#endif
