/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_RECORDING_H
#define HW_AGENT_RECORDING_H

/*
 * The file that the agent writes when it is asked to: what was allocated and given back, in order, all of
 * it or a sample. All numbers are little-endian.
 *
 *     head    struct hw_recording_head, then head_bytes - sizeof(head) bytes: the command line, words
 *             ended by NUL
 *     chunk   struct hw_recording_chunk, then its events; and so on to the end of the file
 *
 * A chunk is written as a whole. A file may end anywhere: what follows the last complete chunk is not there, as
 * when the program was killed. Texts, sites and rates hold for the rest of the file; slots and the last
 * address begin anew in each chunk (all 0).
 *
 * An event is a byte, kind in its upper two bits, p in its lower six, and numbers after it: v is an unsigned
 * LEB128 of at most 64 bits. Addresses are told in units of 8 bytes as the signed distance to another one, z =
 * zigzag(distance) (0, -1, 1, -2, ...).
 *
 *     FILL   p: slot    v back, v bytes * 8 + domain   the slot now stands for these: the site is that many
 *                                                      before the next one to be told; its address is the last
 *                                                      address of the chunk
 *     ALLOC  p: slot    v z, from the slot's address   a block of the slot's site, bytes and domain; its
 *                                                      address is now the slot's, and the last address
 *     FREE   p: low five bits of z, bit 5: more of them follow in v (z >> 5); from the last address
 *                                                      that block is given back; it is the last address
 *     OTHER  p: enum hw_recording_other
 *
 * A block that is moved or changes its size is a FREE and an ALLOC. An ALLOC of an address that is in
 * use says that the end of the older block was missed. A FREE of an unknown address is of a block from before
 * the recording, or one that is not in the sample, and says nothing.
 */

#include <stdint.h>

#define HW_RECORDING_MAGIC "hwrecord"
enum { HW_RECORDING_VERSION = 1, HW_RECORDING_SLOTS = 64, HW_RECORDING_CHUNK_MAX_BYTES = 1 << 18 };

struct hw_recording_head {
    char magic[8];
    uint32_t version, head_bytes;
    uint64_t rate_bytes;    /* at the beginning; 0: every block is recorded */
    uint64_t began_unix_ns; /* wall clock */
    int32_t pid, parent_pid; /* parent_pid: this one was forked from it while it was recorded; else 0 */
    uint32_t python;        /* PY_VERSION_HEX; 0: no stacks are known */
    uint32_t reserved;
};
struct hw_recording_chunk {
    uint32_t bytes, events; /* after this header */
    uint64_t began_ns;      /* on a monotonic clock, since the recording began */
};

enum hw_recording_kind {
    HW_RECORDING_FILL,
    HW_RECORDING_ALLOC,
    HW_RECORDING_FREE,
    HW_RECORDING_OTHER
};
enum hw_recording_other {
    /* v bytes, and so many bytes of UTF-8. Texts are numbered from 1; 0 is "". */
    HW_RECORDING_TEXT,
    /* v file, v function, v line, v back: as in struct hw_agent_site, files and functions being numbers of
     * texts; the caller is the site that many before this one. Sites are numbered from 1; 0 is "nothing known". */
    HW_RECORDING_SITE,
    /* v id, v text: from here on it is this thread (its kernel id) that does what is told; its name. */
    HW_RECORDING_THREAD,
    /* v nanoseconds: so much later than the last time that was told in this chunk (first: began_ns). */
    HW_RECORDING_TIME,
    /* v rate: from here on, at least twice the one before. Blocks in use that remain have the chance of the new rate. */
    HW_RECORDING_RATE,
    /* v z, from the last address: a block that leaves the sample without being given back. It does not become
     * the last address. */
    HW_RECORDING_FORGET,
    /* v count: so many blocks could not be recorded here. */
    HW_RECORDING_MISSED,
    /* The program ended in order; nothing follows. What the interpreter then takes apart is not told: it is in
     * use when the program ends. */
    HW_RECORDING_END
};

#endif
