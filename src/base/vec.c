/* SPDX-License-Identifier: Apache-2.0 */
#include "base/vec.h"

#include <stdlib.h>

enum { VEC_LEAST = 16 };

void *hw_vec_grow(void *data, size_t *capacity, size_t need, size_t elem_bytes)
{
    size_t larger = *capacity + *capacity / 2, bytes;
    if (data && need <= *capacity)
        return data;
    if (larger < need)
        larger = need < VEC_LEAST ? VEC_LEAST : need;
    if (__builtin_mul_overflow(larger, elem_bytes, &bytes))
        return NULL;
    void *grown = realloc(data, bytes);
    if (grown)
        *capacity = larger;
    return grown;
}
