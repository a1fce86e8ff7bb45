/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_HEAP_CODEC_H
#define HW_HEAP_CODEC_H

/*
 * How columns of numbers become bytes: docs/snapshot-format.md says what each encoding means. All
 * state is local to one call, so that pieces of a column stand alone.
 *
 * put functions write count numbers, at most HW_VARINT32_BYTES each, and return the end. get
 * functions read exactly count numbers; they return false when the bytes end early, hold a number
 * that is too large, or go on after the last one. What they fill in may be any number: range checks
 * are the caller's.
 */

#include "base/bytes.h"

unsigned char *hw_codec_put_plain(unsigned char *out, const uint32_t *v, size_t count);
bool hw_codec_get_plain(struct hw_bytes *in, uint32_t *v, size_t count);

unsigned char *hw_codec_put_short(unsigned char *out, const uint16_t *v, size_t count);
bool hw_codec_get_short(struct hw_bytes *in, uint16_t *v, size_t count);

/* Rising numbers as differences. */
unsigned char *hw_codec_put_rising(unsigned char *out, const uint32_t *v, size_t count);
bool hw_codec_get_rising(struct hw_bytes *in, uint32_t *v, size_t count);

/* v[i + 1] - v[i] for count values of i. get leaves the differences themselves in v[0..count). */
unsigned char *hw_codec_put_steps(unsigned char *out, const uint32_t *v, size_t count);

unsigned char *hw_codec_put_labels(unsigned char *out, const uint32_t *label, size_t count);
bool hw_codec_get_labels(struct hw_bytes *in, uint32_t *label, size_t count);

/* Edge targets, guessed from the labels. */
unsigned char *hw_codec_put_targets(unsigned char *out, const uint32_t *to, const uint32_t *label,
                                    size_t count);
bool hw_codec_get_targets(struct hw_bytes *in, uint32_t *to, const uint32_t *label, size_t count);

static inline uint32_t hw_zigzag(int32_t v)
{
    return ((uint32_t)v << 1) ^ (v < 0 ? UINT32_MAX : 0);
}

static inline int32_t hw_unzigzag(uint32_t v)
{
    return (int32_t)((v >> 1) ^ (0 - (v & 1)));
}

#endif
