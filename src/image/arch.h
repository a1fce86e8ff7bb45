/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_ARCH_H
#define HW_IMAGE_ARCH_H

/*
 * What differs between processors when a stopped thread is made to execute a system call. One file
 * arch-<machine>.c implements it.
 */

#include "image/image.h"

struct hw_regs {
    uint64_t r[HW_REG_COUNT];
};

/* Numbers of the calls that are injected. */
enum hw_arch_call {
    HW_CALL_CLONE,
    HW_CALL_WAIT4,
    HW_CALL_EXIT,
    HW_CALL_CLOSE_RANGE,
    HW_CALL_MMAP,
    HW_CALL_MUNMAP,
    HW_CALL_PRCTL,
};

/* Bytes of the instruction, and the offset of the first one in code, SIZE_MAX: none. */
enum { HW_ARCH_SYSCALL_BYTES = 2, HW_ARCH_PAGE_BYTES = 4096 };
size_t hw_arch_syscall_find(const unsigned char *code, size_t bytes);

/* Registers of a stopped thread that we trace. False: it died, or runs in another mode (32 bits).
 */
bool hw_arch_regs_get(pid_t tid, struct hw_regs *ret_regs);
bool hw_arch_regs_set(pid_t tid, const struct hw_regs *regs);

hw_addr hw_arch_sp(const struct hw_regs *regs);
hw_addr hw_arch_ip(const struct hw_regs *regs);
hw_addr hw_arch_tls(const struct hw_regs *regs); /* the thread pointer */

/* By the numbers of DWARF; the last is the address of the next instruction. */
enum { HW_ARCH_DWARF_REGS = 17 };
void hw_arch_regs_dwarf(const struct hw_regs *regs, uint64_t ret_values[HW_ARCH_DWARF_REGS]);

/* Our own, as they are in whoever calls; those that calls preserve and the stack's. */
void hw_arch_regs_own(struct hw_regs *ret_regs);
/* Of a thread that waits in the kernel, as far as /proc/PID/task/TID/syscall tells: call -1 when not in a
 * system call. */
void hw_arch_regs_waiting(struct hw_regs *ret_regs, long call, const uint64_t args[6], hw_addr sp,
                          hw_addr ip);

/* The thread stands inside a system call, or was interrupted in one. */
bool hw_arch_in_syscall(const struct hw_regs *regs);

/* Turns regs into those of a thread about to execute the call at insn, such that the kernel does
 * not take it for one that has to be restarted. */
void hw_arch_call_prepare(struct hw_regs *regs, hw_addr insn, enum hw_arch_call call,
                          const uint64_t args[6]);

/* What the call returned: -4095 to -1 is a negative errno. */
int64_t hw_arch_call_result(const struct hw_regs *regs);

#endif
