/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/type-rows.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct hw_type_row *)a)->name, ((const struct hw_type_row *)b)->name);
}

static int by_bytes(const void *a, const void *b)
{
    const struct hw_type_row *x = a, *y = b;
    uint64_t x_bytes = x->bytes + x->native_bytes, y_bytes = y->bytes + y->native_bytes;
    if (x_bytes != y_bytes)
        return x_bytes > y_bytes ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

size_t hw_type_rows_settle(struct hw_type_row *rows, size_t count)
{
    size_t n = 0;
    qsort(rows, count, sizeof(*rows), by_name);
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].count)
            continue;
        if (n && strcmp(rows[n - 1].name, rows[i].name) == 0) {
            rows[n - 1].count += rows[i].count;
            rows[n - 1].bytes += rows[i].bytes;
            rows[n - 1].native_bytes += rows[i].native_bytes;
        } else {
            rows[n++] = rows[i];
        }
    }
    qsort(rows, n, sizeof(*rows), by_bytes);
    return n;
}
