/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_CLOCK_H
#define HW_TELL_CLOCK_H

#include "base/buf.h"

/* Local time, as the reader's clock and logs show it; JSON has UTC. */
enum hw_clock_form {
    HW_CLOCK_SECONDS, /* 15:04:05 */
    HW_CLOCK_MINUTES, /* 15:04 */
    HW_CLOCK_DAY,     /* Nov 20 */
    HW_CLOCK_FULL,    /* 2025-11-20 15:04:05 CET */
};
void hw_text_time(struct hw_buf *buf, enum hw_clock_form form, int64_t ns_since_1970);

#endif
