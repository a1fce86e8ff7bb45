/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_MEMORY_H
#define HW_WHY_MEMORY_H

/* Suspects that are no Python objects: blocks of malloc() that nobody frees, memory that allocators
 * cannot give back. */

#include "account/trend.h"
#include "why/work.h"

/* Looks at the ledgers of the series. When they say why the process grows, and no Python object
 * does, puts a suspect before the others and sets verdict and *ret_answer; else leaves all as it
 * is. *ret_trend says what was found in either case. */
bool hw_work_add_memory(struct hw_work *work, struct hw_memory_trend *ret_trend,
                        const char **ret_answer);

#endif
