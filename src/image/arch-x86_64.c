/* SPDX-License-Identifier: Apache-2.0 */
#include "image/arch.h"

#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <ucontext.h>

_Static_assert(sizeof(struct hw_regs) == sizeof(struct user_regs_struct), "registers differ");

enum { USER_CODE_SEGMENT_64 = 0x33 };

static const long call_numbers[] = {
    [HW_CALL_CLONE] = SYS_clone, [HW_CALL_WAIT4] = SYS_wait4,
    [HW_CALL_EXIT] = SYS_exit,   [HW_CALL_CLOSE_RANGE] = SYS_close_range,
    [HW_CALL_MMAP] = SYS_mmap,   [HW_CALL_MUNMAP] = SYS_munmap,
    [HW_CALL_PRCTL] = SYS_prctl,
};

static struct user_regs_struct user_of(const struct hw_regs *regs)
{
    struct user_regs_struct user;
    memcpy(&user, regs, sizeof(user));
    return user;
}

size_t hw_arch_syscall_find(const unsigned char *code, size_t bytes)
{
    static const unsigned char insn[HW_ARCH_SYSCALL_BYTES] = {0x0f, 0x05};
    const unsigned char *at = memmem(code, bytes, insn, sizeof(insn));
    return at ? (size_t)(at - code) : SIZE_MAX;
}

bool hw_arch_regs_get(pid_t tid, struct hw_regs *ret_regs)
{
    struct hw_regs regs;
    struct iovec io = {&regs, sizeof(regs)};
    if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &io) || io.iov_len != sizeof(regs) ||
        user_of(&regs).cs != USER_CODE_SEGMENT_64)
        return false;
    *ret_regs = regs;
    return true;
}

bool hw_arch_regs_set(pid_t tid, const struct hw_regs *regs)
{
    struct hw_regs copy = *regs;
    struct iovec io = {&copy, sizeof(copy)};
    return !ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &io);
}

hw_addr hw_arch_sp(const struct hw_regs *regs)
{
    return user_of(regs).rsp;
}

hw_addr hw_arch_tls(const struct hw_regs *regs)
{
    return user_of(regs).fs_base;
}

hw_addr hw_arch_ip(const struct hw_regs *regs)
{
    return user_of(regs).rip;
}

bool hw_arch_in_syscall(const struct hw_regs *regs)
{
    return (int64_t)user_of(regs).orig_rax >= 0;
}

void hw_arch_regs_dwarf(const struct hw_regs *regs, uint64_t ret_values[HW_ARCH_DWARF_REGS])
{
    struct user_regs_struct user = user_of(regs);
    const uint64_t values[HW_ARCH_DWARF_REGS] = {
        user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi, user.rbp, user.rsp, user.r8,
        user.r9,  user.r10, user.r11, user.r12, user.r13, user.r14, user.r15, user.rip};
    memcpy(ret_values, values, sizeof(values));
}

void hw_arch_regs_own(struct hw_regs *ret_regs)
{
    ucontext_t context;
    struct user_regs_struct user = {.orig_rax = SYS_clone, .cs = USER_CODE_SEGMENT_64};
    getcontext(&context);
    const greg_t *from = context.uc_mcontext.gregs;
    user.rbx = (unsigned long long)from[REG_RBX];
    user.rbp = (unsigned long long)from[REG_RBP];
    user.r12 = (unsigned long long)from[REG_R12];
    user.r13 = (unsigned long long)from[REG_R13];
    user.r14 = (unsigned long long)from[REG_R14];
    user.r15 = (unsigned long long)from[REG_R15];
    user.rsp = (unsigned long long)from[REG_RSP];
    user.rip = (unsigned long long)from[REG_RIP];
    user.fs_base = (unsigned long long)__builtin_thread_pointer();
    memcpy(ret_regs, &user, sizeof(user));
}

void hw_arch_regs_waiting(struct hw_regs *ret_regs, long call, const uint64_t args[6], hw_addr sp,
                          hw_addr ip)
{
    struct user_regs_struct user = {.orig_rax = (unsigned long long)call,
                                    .cs = USER_CODE_SEGMENT_64,
                                    .rdi = args[0],
                                    .rsi = args[1],
                                    .rdx = args[2],
                                    .r10 = args[3],
                                    .r8 = args[4],
                                    .r9 = args[5],
                                    .rsp = sp,
                                    .rip = ip};
    memcpy(ret_regs, &user, sizeof(user));
}

void hw_arch_call_prepare(struct hw_regs *regs, hw_addr insn, enum hw_arch_call call,
                          const uint64_t args[6])
{
    struct user_regs_struct user = user_of(regs);
    user.rip = insn;
    user.orig_rax = (unsigned long long)-1;
    user.rax = (unsigned long long)call_numbers[call];
    user.rdi = args[0];
    user.rsi = args[1];
    user.rdx = args[2];
    user.r10 = args[3];
    user.r8 = args[4];
    user.r9 = args[5];
    memcpy(regs, &user, sizeof(user));
}

int64_t hw_arch_call_result(const struct hw_regs *regs)
{
    return (int64_t)user_of(regs).rax;
}
