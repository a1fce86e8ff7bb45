/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_BASE_ERR_H
#define HW_BASE_ERR_H

/*
 * Filling a struct hw_err. Both functions return false, so that a failing function can end in
 * `return hw_err_set(err, ...)`. err may be NULL.
 */

#include "heapwhy.h"

bool hw_err_set(struct hw_err *err, enum hw_err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends ": " and the text of errno_value to the message. */
bool hw_err_sys(struct hw_err *err, enum hw_err_code code, int errno_value, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

bool hw_err_no_memory(struct hw_err *err);

#endif
