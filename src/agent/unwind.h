/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_AGENT_UNWIND_H
#define HW_AGENT_UNWIND_H

/*
 * The callers of C code, by the tables that compilers write for exceptions: .eh_frame_hdr and
 * .eh_frame (Linux Standard Base 5.0, chapter 10; DWARF 5, 6.4) of x86-64.
 *
 * Of the registers only those are followed that say where frames lie: rsp, rbp and the return
 * address. What needs more ends the stack: expressions, frames of signals, code of no module.
 * Libraries that switch stacks leave garbage behind, and not all code has true tables, so a word is
 * only read where there is memory. It allocates nothing, takes no lock, and may run in a handler of
 * a signal.
 */

#include "agent/module.h"

struct hw_unwind {
    uintptr_t pc; /* of the call; the address that it returns to, less 1 */
    uintptr_t sp, bp;
    uintptr_t readable, readable_end; /* a page of the stack, or more */
};

/* Before the others; before there is a second thread. */
void hw_unwind_begin(void);

/* The frame that asks; a macro, since a function has a frame of its own. No result may come into
 * rbp before that is read. */
#define HW_UNWIND_HERE(unwind)                                               \
    __asm__ volatile("leaq 0(%%rip), %0\n\tmovq %%rsp, %1\n\tmovq %%rbp, %2" \
                     : "=a"((unwind).pc), "=c"((unwind).sp), "=d"((unwind).bp))

/* Goes on to the caller of the frame at unwind->pc, which is code's. False: none is known. */
bool hw_unwind_up(struct hw_unwind *unwind, const struct hw_code *code);

#endif
