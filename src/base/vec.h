/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_BASE_VEC_H
#define HW_BASE_VEC_H

/*
 * Growing arrays: pointer, count and capacity are the caller's; only growing is shared.
 *
 *     struct row *rows = hw_vec_grow(list->rows, &list->capacity, list->count + 1, sizeof(*rows));
 *     if (!rows)
 *         return false;
 *     list->rows = rows;
 *     list->rows[list->count++] = row;
 */

#include <stddef.h>

/* Room for need elements: the array itself while it is large enough, else a copy at least half as
 * large again, with *capacity raised. NULL when memory runs out; the array is then as before. */
void *hw_vec_grow(void *data, size_t *capacity, size_t need, size_t elem_bytes);

#endif
