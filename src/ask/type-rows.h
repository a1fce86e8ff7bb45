/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ASK_TYPE_ROWS_H
#define HW_ASK_TYPE_ROWS_H

#include "heapwhy.h"

/* Rows of types as they are told: without empty ones, most bytes first. Two classes may carry one name:
 * they share a row, which keeps the number of one of them. Returns how many rows are left. */
size_t hw_type_rows_settle(struct hw_type_row *rows, size_t count);

#endif
