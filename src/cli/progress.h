/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CLI_PROGRESS_H
#define HW_CLI_PROGRESS_H

/* One line on standard error that says what goes on; only on a terminal, and wiped out before
 * anything else is printed. */

#include <stdbool.h>
#include <stdint.h>

struct hw_progress {
    bool on;
    bool visible;
    char prefix[40];  /* "snapshot 2 of 3: " */
    int64_t shown_ns; /* when the line was last written; it changes ten times a second at most */
};

void hw_progress_init(struct hw_progress *progress);
void hw_progress_prefix(struct hw_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void hw_progress_stage(struct hw_progress *progress, const char *stage);
void hw_progress_clear(struct hw_progress *progress);

/* For hw_capture_options; ctx is a struct hw_progress. */
void hw_progress_report(void *ctx, const char *stage, uint64_t done, uint64_t total);

#endif
