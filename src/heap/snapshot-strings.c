/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/snapshot-strings.h"

#include "heap/snapshot-format.h"

size_t hw_snap_string_bound(const char *s)
{
    return HW_VARINT32_BYTES + strnlen(s, HW_SNAP_STRING_MAX_BYTES);
}

unsigned char *hw_snap_string_put(unsigned char *out, const char *s)
{
    size_t bytes = strnlen(s, HW_SNAP_STRING_MAX_BYTES);
    out = hw_put_varint(out, bytes);
    memcpy(out, s, bytes);
    return out + bytes;
}

const char *hw_snap_string_get(struct hw_bytes *in, struct hw_arena *arena)
{
    uint32_t bytes = hw_bytes_varint32(in);
    const unsigned char *text = hw_bytes_take(in, bytes);
    if (!text)
        return NULL;
    if (bytes > HW_SNAP_STRING_MAX_BYTES || memchr(text, 0, bytes)) {
        hw_bytes_refuse(in);
        return NULL;
    }
    return hw_arena_strndup(arena, (const char *)text, bytes);
}
