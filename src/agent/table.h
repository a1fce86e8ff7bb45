/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_TABLE_H
#define HW_AGENT_TABLE_H

/*
 * What the agent keeps in the process that it watches, as a reader finds it from outside: the
 * symbol hw_agent_table of libheapwhy-agent.so, and the columns that it points to. Columns have
 * their final place and capacity from the beginning; what is used of them only grows.
 *
 *     live[]   blocks in use that were sampled; a slot whose address is 0 is free
 *     sites[]  places with their callers, a tree: equal stacks have equal numbers; 0 is no place
 *     texts    file and function names, each ended by a NUL, one after the other; offset 0 is ""
 *
 * A reader of a running or frozen process may meet a change half done: it must check every number.
 * A live block is written after its site, a site after its texts.
 */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define HW_AGENT_MAGIC "hwagent"
#define HW_AGENT_LIBRARY "libheapwhy-agent.so"
enum { HW_AGENT_VERSION = 2 };

enum {
    HW_AGENT_LIVE_MAX = 1 << 19,
    HW_AGENT_SITES_MAX = 1 << 18,
    HW_AGENT_TEXT_MAX_BYTES = 1 << 22,
    HW_AGENT_DEPTH_MAX = 64, /* frames of a stack that are kept, the innermost ones */
};

/* One of the blocks that were sampled. It stands for 1 / hw_agent_chance() blocks. When live[] is full, rate_bytes
 * doubles, and a block stays with a probability that makes its chance the new one. */
struct hw_agent_block {
    uint64_t addr, bytes; /* as asked for */
    uint32_t site;
    uint32_t domain; /* enum hw_agent_domain */
};

enum hw_agent_domain {
    HW_AGENT_RAW, /* PyMemAllocatorDomain */
    HW_AGENT_MEM,
    HW_AGENT_OBJECT,
    HW_AGENT_MALLOC, /* C code's own */
    HW_AGENT_MMAP    /* anonymous mappings */
};

/*
 * How blocks are chosen. Each choice has the same chance for every block of its kind, so that counts and bytes which
 * are divided by it are right on average, whatever a program does.
 *
 * - Python's small blocks, by their size in steps of 16 bytes and by thread: of so many in a row of one size as are
 *   rate_bytes together (the period), one, and each of them with the same chance. What happens to have a size alone, or
 *   comes in long rows, is counted nearly exactly.
 * - Others by the bytes that they have: one sample for rate_bytes on average, each byte having the same chance.
 */
enum { HW_AGENT_SMALL_MAX_BYTES = 512, HW_AGENT_STEP_BYTES = 16 };

static inline uint32_t hw_agent_period(uint64_t bytes, uint64_t rate_bytes)
{
    uint64_t steps = bytes ? (bytes + HW_AGENT_STEP_BYTES - 1) / HW_AGENT_STEP_BYTES : 1;
    uint64_t period = rate_bytes / (steps * HW_AGENT_STEP_BYTES);
    return period < 1 ? 1 : period > INT32_MAX ? INT32_MAX : (uint32_t)period;
}

/* Above 0, at most 1, but 0 for an empty block that is not Python's. */
static inline double hw_agent_chance(uint32_t domain, uint64_t bytes, uint64_t rate_bytes)
{
    bool is_small = domain <= HW_AGENT_OBJECT && bytes <= HW_AGENT_SMALL_MAX_BYTES;
    return is_small ? 1.0 / hw_agent_period(bytes, rate_bytes)
                    : -expm1(-(double)bytes / (double)rate_bytes);
}

/* Of a stack the native frames are inside, the Python frames outside. */
enum { HW_AGENT_NATIVE = UINT32_MAX };
struct hw_agent_site {
    uint32_t file;     /* offset into texts; of a native frame the path of its module */
    uint32_t function; /* likewise; HW_AGENT_NATIVE: a native frame */
    uint32_t line;     /* 0: not known; of a native frame the address that the call returns to, from where
                        * the module is loaded (its load bias) */
    uint32_t caller;   /* a site; 0: not known, or none */
};

struct hw_agent_table {
    char magic[8];
    uint32_t version, table_bytes; /* sizeof(struct hw_agent_table) */
    uint64_t rate_bytes;           /* one sample for so many bytes, on average, now */
    uint64_t live_addr, live_slots, sites_addr, site_count, texts_addr, text_bytes;
    uint64_t samples; /* taken so far */
    uint64_t missed;  /* that had no room, or came in the middle of another one */
    int32_t pid;      /* of the process that the numbers are of: after a fork, both have them */
    uint32_t python;  /* PY_VERSION_HEX whose frames are read; 0: no stacks are known */
    uint64_t unrecorded; /* events that are not in the recording: it had to end */
};

#endif
