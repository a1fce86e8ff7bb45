/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_BASE_BYTES_H
#define HW_BASE_BYTES_H

/*
 * A bounded cursor over bytes that nobody vouches for. Numbers are little endian and may lie at any
 * alignment. A read past the end yields 0 or NULL and sets failed, which sticks; so a parser may
 * check once, after a group of reads, but before it believes what it read.
 *
 *     struct hw_bytes in = hw_bytes_of(data, len);
 *     uint32_t count = hw_bytes_u32(&in);
 *     if (in.failed)
 *         ...
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hw_bytes {
    const unsigned char *at, *end;
    bool failed;
};

static inline struct hw_bytes hw_bytes_of(const void *data, size_t bytes)
{
    const unsigned char *at = data;
    return (struct hw_bytes){at, bytes ? at + bytes : at, false};
}

static inline size_t hw_bytes_left(const struct hw_bytes *in)
{
    return (size_t)(in->end - in->at);
}

/* What was read makes no sense: fails the cursor. Returns false. */
static inline bool hw_bytes_refuse(struct hw_bytes *in)
{
    in->failed = true;
    return false;
}

/* For a parser that should have used up everything: false, and failed, when it has not. */
static inline bool hw_bytes_done(struct hw_bytes *in)
{
    return !in->failed && (in->at == in->end || hw_bytes_refuse(in));
}

/* The next count bytes, or NULL. */
const unsigned char *hw_bytes_take(struct hw_bytes *in, size_t count);
uint32_t hw_bytes_u32(struct hw_bytes *in);
uint64_t hw_bytes_u64(struct hw_bytes *in);

/* Seven bits a byte, lowest first. Fails when the number needs more than 32 or 64 bits. */
uint32_t hw_bytes_varint32_long(struct hw_bytes *in);
static inline uint32_t hw_bytes_varint32(struct hw_bytes *in)
{
    bool is_short = !in->failed && in->at < in->end && *in->at < 0x80;
    return is_short ? *in->at++ : hw_bytes_varint32_long(in);
}
uint64_t hw_bytes_varint64(struct hw_bytes *in);

/* The other direction. The caller has made sure that there is room; the end is returned. */
enum { HW_VARINT32_BYTES = 5, HW_VARINT64_BYTES = 10 };

static inline unsigned char *hw_put_u32(unsigned char *out, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        *out++ = (unsigned char)(v >> (8 * i));
    return out;
}

static inline unsigned char *hw_put_u64(unsigned char *out, uint64_t v)
{
    return hw_put_u32(hw_put_u32(out, (uint32_t)v), (uint32_t)(v >> 32));
}

static inline unsigned char *hw_put_varint(unsigned char *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *out++ = (unsigned char)(v | 0x80);
    *out++ = (unsigned char)v;
    return out;
}

#endif
