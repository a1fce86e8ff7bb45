/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_BASE_VALUE_H
#define HW_BASE_VALUE_H

/*
 * How the content of an object is kept: as text, or, for numbers, as a tag and eight bytes, since
 * making decimals of millions of numbers that nobody looks at takes longer than reading them.
 *
 *     'abc'              text, UTF-8; its first byte is never below 0x20
 *     01 + int64         an int, little endian
 *     02 + double        a float, IEEE 754, little endian
 */

#include <stddef.h>
#include <stdint.h>

enum { HW_VALUE_INT = 1, HW_VALUE_FLOAT = 2, HW_VALUE_NUMBER_BYTES = 9 };

/* Both need room for HW_VALUE_NUMBER_BYTES and return that. */
size_t hw_value_pack_int(char *to, int64_t value);
size_t hw_value_pack_float(char *to, double value);

/* Writes a packed value as text, terminated, cut to fit; returns its length. Damaged ones give 0. */
size_t hw_value_text(const void *packed, size_t bytes, char *to, size_t max);

#endif
