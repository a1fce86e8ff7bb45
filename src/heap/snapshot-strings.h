/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_SNAPSHOT_STRINGS_H
#define HW_HEAP_SNAPSHOT_STRINGS_H

/* Strings in the records of a snapshot: a length and the bytes. */

#include "base/arena.h"
#include "base/bytes.h"

size_t hw_snap_string_bound(const char *s);
/* Cut at the limit: a name of 64 KiB says enough. */
unsigned char *hw_snap_string_put(unsigned char *out, const char *s);
/* NULL when malformed, then in->failed; or when memory runs out. */
const char *hw_snap_string_get(struct hw_bytes *in, struct hw_arena *arena);

#endif
