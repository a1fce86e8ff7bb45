/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_CONTROL_H
#define HW_AGENT_CONTROL_H

/*
 * What heapwhy attach and heapwhy detach tell the agent in a process, and what it answers: the
 * symbol hw_agent_control of libheapwhy-agent.so. Who asks writes rate_bytes, then wish, and makes
 * a thread call hw_agent_obey(). That does what is wished, sets state and then wish to
 * HW_AGENT_NO_WISH; a second thread that calls it meanwhile does nothing.
 */

#include <stdint.h>

#define HW_AGENT_CONTROL_MAGIC "hwctrl1" /* another agent's words may mean something else */

enum hw_agent_wish { HW_AGENT_NO_WISH, HW_AGENT_BEGIN, HW_AGENT_END };

enum hw_agent_state {
    HW_AGENT_OFF, /* loaded, and nothing more; or ended */
    HW_AGENT_ON,
    HW_AGENT_NO_PYTHON, /* could not begin: no interpreter whose frames it reads is in the global
                           scope */
    HW_AGENT_NO_MEMORY,
};

struct hw_agent_control {
    char magic[8];
    uint64_t rate_bytes; /* of the wish */
    uint32_t wish, state;
    uint32_t ready;  /* 1: the loader has initialized the library */
    uint32_t passes; /* 1: ended, but somebody stands before it: the hooks pass everything on */
    uint64_t began_unix_ns; /* wall clock; what is older than that is not known */
};

#endif
