/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_CREATED_NATIVE_H
#define HW_WHY_CREATED_NATIVE_H

/* Which stacks of C code the growth of native memory came from: those that grew, not those that
 * have most. */

#include "account/trend.h"

/* Fills created_... of a suspect that is native memory, most growth first: blocks and bytes in use
 * more than in the first snapshot, estimated from samples. None where heapwhy's agent is not in the
 * process, or no stack grew with the trend. Texts are arena's. False: no memory. */
bool hw_created_native_fill(const struct hw_series *series, const struct hw_memory_trend *trend,
                            struct hw_arena *arena, struct hw_suspect *suspect);

#endif
