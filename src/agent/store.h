/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_STORE_H
#define HW_AGENT_STORE_H

/* The columns of table.h, with what finds a row in them: chains of rows with one hash. */

#include "agent/agent.h"

enum {
    HW_STORE_BUCKETS = 1 << 16,
    HW_STORE_TEXT_HEAD = 8 /* bytes before each text: the next one of its chain, its number */
};

struct hw_store {
    struct hw_agent_block *live;
    uint32_t *live_links; /* the next of its chain; of a free slot, the next free one; 0: none */
    struct hw_agent_site *sites;
    uint32_t *site_links;
    char *texts;
};
extern struct hw_store hw_store;

#endif
