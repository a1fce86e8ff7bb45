/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CLI_OUTPUT_H
#define HW_CLI_OUTPUT_H

/* Files that commands write: -o FILE. */

#include "cli/run.h"

typedef void hw_run_writer(struct hw_out *out, const void *ctx);

/* The file takes its name when it is complete; after a failure, one of that name is as it was. What
 * is no regular file (/dev/stdout, a pipe) is written to as it is. *ret_bytes: how much was
 * written; may be NULL. */
bool hw_run_write(const struct hw_run *run, const char *path, hw_run_writer *write, const void *ctx,
                  uint64_t *ret_bytes, struct hw_err *err);

#endif
