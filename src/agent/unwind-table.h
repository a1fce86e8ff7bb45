/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_UNWIND_TABLE_H
#define HW_AGENT_UNWIND_TABLE_H

#include "agent/module.h"

/* How to get from a frame to its caller's. CFA, "canonical frame address", is the caller's stack
 * pointer after the return; the return address lies below it. */
struct hw_unwind_rule {
    bool is_known;
    bool from_bp; /* the CFA is rbp + cfa_words words, else rsp + cfa_words */
    uint32_t cfa_words;
    uint32_t bp_words; /* the caller's rbp lies so many words below the CFA; 0: it is still there */
};

/* What the tables of code, a module, say of pc. */
struct hw_unwind_rule hw_unwind_rule_find(uintptr_t pc, const struct hw_code *code);

#endif
