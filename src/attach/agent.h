/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_ATTACH_AGENT_H
#define HW_ATTACH_AGENT_H

/* The agent in another process, by what it exports: agent/control.h. */

#include "agent/control.h"
#include "image/image.h"

struct hw_agent {
    hw_addr control, obey; /* the symbols; 0: it is not loaded */
    const char *path;      /* as in the segments; lives as long as the image */
};

/* Looks in all that is mapped now. False: an agent is loaded that is none of this version's. */
bool hw_agent_find(struct hw_image *image, struct hw_agent *ret_agent, struct hw_err *err);

/* What it says now. False: the process is gone. */
bool hw_agent_read(struct hw_image *image, const struct hw_agent *agent,
                   struct hw_agent_control *ret_control);

/* Writes a wish down; HW_AGENT_NO_WISH takes it back. */
bool hw_agent_wish(pid_t pid, const struct hw_agent *agent, enum hw_agent_wish wish,
                   uint64_t rate_bytes);

#endif
