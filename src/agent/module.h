/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_MODULE_H
#define HW_AGENT_MODULE_H

/* What the loader says of loaded code. It takes no lock for that (glibc from 2.35 on); with an
 * older one nothing is found. */

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* A loaded module. */
struct hw_code {
    uintptr_t start, end;
    const struct link_map *map;
    const uint8_t *unwind; /* its .eh_frame_hdr; NULL: it has none */
};

/* Before the others; before there is a second thread. */
void hw_code_begin(void);

/* False: no module's. */
bool hw_code_find(uintptr_t pc, struct hw_code *ret_code);

static inline bool hw_code_has(const struct hw_code *code, uintptr_t pc)
{
    return pc - code->start < code->end - code->start;
}

#endif
