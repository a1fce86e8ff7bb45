/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CLI_HELP_H
#define HW_CLI_HELP_H

#include "cli/options.h"
#include "tell/out.h"

/* HW_COMMAND_NONE: of the program. */
void hw_help_usage(struct hw_out *out, enum hw_command_id command); /* one line */
void hw_help_tell(struct hw_out *out, enum hw_command_id command);  /* everything */

#endif
