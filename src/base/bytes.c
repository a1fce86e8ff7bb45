/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

const unsigned char *hw_bytes_take(struct hw_bytes *in, size_t count)
{
    if (in->failed || count > hw_bytes_left(in)) {
        in->failed = true;
        return NULL;
    }
    const unsigned char *p = in->at;
    in->at += count;
    return p;
}

static uint64_t take_number(struct hw_bytes *in, unsigned bytes)
{
    const unsigned char *p = hw_bytes_take(in, bytes);
    uint64_t v = 0;
    for (unsigned i = 0; p && i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

uint32_t hw_bytes_u32(struct hw_bytes *in)
{
    return (uint32_t)take_number(in, 4);
}

uint64_t hw_bytes_u64(struct hw_bytes *in)
{
    return take_number(in, 8);
}

static uint64_t take_varint(struct hw_bytes *in, unsigned bits)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        const unsigned char *p = hw_bytes_take(in, 1);
        if (!p)
            return 0;
        uint64_t part = *p & 0x7f;
        if (bits - shift < 7 && part >> (bits - shift))
            break;
        v |= part << shift;
        if (!(*p & 0x80))
            return v;
    }
    in->failed = true;
    return 0;
}

uint32_t hw_bytes_varint32_long(struct hw_bytes *in)
{
    return (uint32_t)take_varint(in, 32);
}

uint64_t hw_bytes_varint64(struct hw_bytes *in)
{
    return take_varint(in, 64);
}
