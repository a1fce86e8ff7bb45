/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_NATIVE_CALLERS_H
#define HW_NATIVE_CALLERS_H

/*
 * The native callers of a stopped thread, by the call frame information that lies in its process's
 * memory: .eh_frame_hdr and .eh_frame (Linux Standard Base 5.0, 10.6; DWARF 5, 6.4), which x86-64
 * has for all code that a compiler made. No files, no guessing: where a rule is missing, is an
 * expression (the stubs of a PLT, realigned stacks, signal handlers), or leads nowhere, the walk
 * fails.
 *
 *     struct hw_callers callers;
 *     hw_callers_begin(&callers, image, modules, count, &regs);
 *     do
 *         ... callers.pc, callers.function ...
 *     while (hw_callers_next(&callers));
 *     if (!callers.complete)
 *         ...
 */

#include "image/arch.h"
#include "native/elf.h"

enum { HW_CALLERS_REGS = HW_ARCH_DWARF_REGS, HW_CALLERS_RETURN = HW_CALLERS_REGS - 1 };

struct hw_callers {
    struct hw_image *image;
    const struct hw_module *modules;
    size_t module_count;
    uint64_t regs[HW_CALLERS_REGS]; /* in the frame at hand */
    uint32_t known;                 /* bits: these of them are known */
    unsigned depth;                 /* 0: the innermost frame */
    hw_addr pc; /* where it stands; but of the innermost, the address that a call returns to */
    hw_addr function; /* where the code begins that pc is in; 0: nothing is known of it */
    const struct hw_module *module; /* NULL: none */
    bool complete;                  /* it is the thread's first frame: nobody called it */
};

/* The innermost frame. modules must list all that may be on the stack; all live as long as the
 * walk. */
void hw_callers_begin(struct hw_callers *callers, struct hw_image *image,
                      const struct hw_module *modules, size_t count, const struct hw_regs *regs);

/* The caller. False: there is none (complete), or it cannot be found. */
bool hw_callers_next(struct hw_callers *callers);

#endif
