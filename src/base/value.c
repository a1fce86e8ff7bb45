/* SPDX-License-Identifier: Apache-2.0 */
#include "base/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t pack(char *to, char tag, const void *eight_bytes)
{
    to[0] = tag;
    memcpy(to + 1, eight_bytes, 8);
    return HW_VALUE_NUMBER_BYTES;
}

size_t hw_value_pack_int(char *to, int64_t value)
{
    return pack(to, HW_VALUE_INT, &value);
}

size_t hw_value_pack_float(char *to, double value)
{
    return pack(to, HW_VALUE_FLOAT, &value);
}

/* The shortest decimal that reads back as the same number, as repr() gives it. */
static int float_text(double value, char *to, size_t max)
{
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(to, max, "%.*g", digits, value);
        if (n < 0 || (size_t)n >= max || strtod(to, NULL) == value)
            break;
    }
    if (n > 0 && (size_t)n + 2 < max && !strpbrk(to, ".en"))
        n += snprintf(to + n, max - (size_t)n, ".0");
    return n;
}

size_t hw_value_text(const void *packed, size_t bytes, char *to, size_t max)
{
    const char *from = packed;
    if (!max)
        return 0;
    to[0] = 0;
    if (!bytes)
        return 0;
    int n = 0;
    if ((unsigned char)from[0] >= 0x20) {
        n = snprintf(to, max, "%.*s", (int)bytes, from);
    } else if (bytes == HW_VALUE_NUMBER_BYTES && from[0] == HW_VALUE_INT) {
        int64_t value;
        memcpy(&value, from + 1, sizeof(value));
        n = snprintf(to, max, "%" PRId64, value);
    } else if (bytes == HW_VALUE_NUMBER_BYTES && from[0] == HW_VALUE_FLOAT) {
        double value;
        memcpy(&value, from + 1, sizeof(value));
        n = float_text(value, to, max);
    }
    if (n < 0)
        return 0;
    return (size_t)n < max ? (size_t)n : max - 1;
}
