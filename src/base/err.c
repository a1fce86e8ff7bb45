/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void err_fill(struct hw_err *err, enum hw_err_code code, int errno_value, const char *format,
                     va_list args)
{
    err->code = code;
    err->sys_errno = errno_value;
    err->addr = 0;
    int n = vsnprintf(err->msg, sizeof(err->msg), format, args);
    if (errno_value && n >= 0 && (size_t)n < sizeof(err->msg))
        snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", strerror(errno_value));
}

bool hw_err_set(struct hw_err *err, enum hw_err_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err_fill(err, code, 0, format, args);
        va_end(args);
    }
    return false;
}

bool hw_err_sys(struct hw_err *err, enum hw_err_code code, int errno_value, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err_fill(err, code, errno_value, format, args);
        va_end(args);
    }
    return false;
}

bool hw_err_no_memory(struct hw_err *err)
{
    return hw_err_set(err, HW_ERR_NO_MEMORY, "out of memory");
}
