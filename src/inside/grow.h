/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_GROW_H
#define HW_INSIDE_GROW_H

/* base/vec.h, with an exception when memory runs out. */

#include "base/vec.h"
#include "inside/inside.h"

/* As hw_vec_grow(). NULL with MemoryError; the array is then as before. */
static inline void *hw_grow(void *items, size_t *capacity, size_t need, size_t item_bytes)
{
    void *grown = hw_vec_grow(items, capacity, need, item_bytes);
    if (!grown)
        PyErr_NoMemory();
    return grown;
}

#endif
