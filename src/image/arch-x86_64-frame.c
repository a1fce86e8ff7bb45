/* SPDX-License-Identifier: Apache-2.0 */
#include "image/signal-frame.h"

#include "base/err.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

/* Linux 6.1: arch/x86/include/uapi/asm/sigcontext.h, ucontext.h; arch/x86/include/asm/sigframe.h.
 */
struct sigcontext_64 {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2;
    uint64_t fpstate; /* address */
    uint64_t reserved[8];
};
struct frame {
    uint64_t return_to;
    uint64_t uc_flags, uc_link;
    struct {
        uint64_t sp;
        int32_t flags;
        uint64_t bytes;
    } uc_stack;
    struct sigcontext_64 context;
    uint64_t signals; /* to be blocked again */
    unsigned char siginfo[128];
};
_Static_assert(offsetof(struct frame, context) == 48 && sizeof(struct sigcontext_64) == 256,
               "a signal frame is laid out by the kernel");

enum {
    UC_FP_XSTATE = 1,
    UC_SIGCONTEXT_SS = 2,
    UC_STRICT_RESTORE_SS = 4,
    /* no mode that there is: the alternate stack stays as it is (kernel/signal.c, do_sigaltstack)
     */
    STACK_FLAGS_NONE = 4,
    RED_ZONE_BYTES = 128,
    XSTATE_MAX_BYTES = 16 << 10,
    XSTATE_HEADER_AT = 512, /* XSTATE_BV, then XCOMP_BV */
    XSTATE_LEAST_BYTES = 576,
    XSTATE_TILES =
        18, /* bit of AMX's data; of who does not use it, the kernel takes no room for it */
    FLAG_TRAP = 1 << 8,
    FLAG_DIRECTION = 1 << 10,
};
/* How the kernel says that a call is to be restarted (include/linux/errno.h). */
enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };

/* struct _fpx_sw_bytes, in bytes 464 to 511 of the state. */
struct xstate_note {
    uint32_t magic, extended_bytes;
    uint64_t features;
    uint32_t bytes;
    uint32_t padding[7];
};
enum { XSTATE_NOTE_AT = 464, XSTATE_MAGIC1 = 0x46505853, XSTATE_MAGIC2 = 0x46505845 };

static struct user_regs_struct user_of(const struct hw_regs *regs)
{
    struct user_regs_struct user;
    memcpy(&user, regs, sizeof(user));
    return user;
}

/* ---- system calls ---- */

long hw_arch_syscall_number(const struct hw_regs *regs)
{
    int64_t number = (int64_t)user_of(regs).orig_rax;
    return number >= 0 ? (long)number : -1;
}

/* Waits until a point in time, so that it may begin anew. */
static bool has_deadline(const struct user_regs_struct *user)
{
    int operation = (int)user->rsi & FUTEX_CMD_MASK;
    return user->orig_rax == SYS_futex &&
           (operation == FUTEX_WAIT_BITSET || operation == FUTEX_LOCK_PI ||
            operation == FUTEX_LOCK_PI2 || operation == FUTEX_WAIT_REQUEUE_PI);
}

enum hw_resumption hw_arch_resumption(const struct hw_regs *regs)
{
    struct user_regs_struct user = user_of(regs);
    bool spans = (int64_t)user.orig_rax >= 0 && (int64_t)user.rax == -ERESTART_RESTARTBLOCK;
    return spans && !has_deadline(&user) ? HW_RESUMES_WITH_EINTR : HW_RESUMES_AS_BEFORE;
}

/* What the kernel would do before it called a handler (arch/x86/kernel/signal.c, handle_signal). */
static void resume_from(struct user_regs_struct *user)
{
    int64_t result = (int64_t)user->rax;
    if ((int64_t)user->orig_rax < 0 || result > -ERESTARTSYS || result < -ERESTART_RESTARTBLOCK)
        return;
    if (result == -ERESTART_RESTARTBLOCK && !has_deadline(user)) {
        user->rax = (unsigned long long)-EINTR;
        return;
    }
    user->rax = user->orig_rax;
    user->rip -= HW_ARCH_SYSCALL_BYTES;
}

size_t hw_arch_sigreturn_find(const unsigned char *code, size_t bytes)
{
    /* mov $15, %rax; syscall: as glibc's __restore_rt */
    static const unsigned char insns[] = {0x48, 0xc7, 0xc0, SYS_rt_sigreturn, 0, 0, 0, 0x0f, 0x05};
    const unsigned char *at = memmem(code, bytes, insns, sizeof(insns));
    return at ? (size_t)(at - code) : SIZE_MAX;
}

/* ---- the state of extensions ---- */

struct xstate {
    _Alignas(64) unsigned char data[XSTATE_MAX_BYTES];
    size_t bytes; /* with the magic number behind it */
};

/* Bytes of the standard format with these features (Intel SDM, volume 1, 13.4). */
static size_t xstate_size(uint64_t features)
{
    size_t size = XSTATE_LEAST_BYTES;
    for (unsigned i = 2; i < 63; i++) {
        unsigned bytes, offset, c, d;
        if (!(features >> i & 1))
            continue;
        __cpuid_count(0xd, i, bytes, offset, c, d);
        if (offset + bytes > size)
            size = offset + bytes;
    }
    return size;
}

/* A state that the kernel finds too large it takes for one of SSE alone, and upper halves of
 * registers would be lost: so nothing is in it that the thread has no room for (fpu/signal.c,
 * check_xstate_in_sigframe). */
static bool xstate_get(pid_t tid, struct xstate *ret)
{
    struct xstate_note note = {.magic = XSTATE_MAGIC1};
    uint64_t in_use;
    const uint32_t magic = XSTATE_MAGIC2;
    struct iovec io = {ret->data, sizeof(ret->data)};
    if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_X86_XSTATE, &io) ||
        io.iov_len < XSTATE_LEAST_BYTES)
        return false;
    memcpy(&note.features, ret->data + XSTATE_NOTE_AT, sizeof(note.features));
    memcpy(&in_use, ret->data + XSTATE_HEADER_AT, sizeof(in_use));
    if (!(in_use >> XSTATE_TILES & 1))
        note.features &= ~(UINT64_C(1) << XSTATE_TILES);
    size_t bytes = xstate_size(note.features);
    if (bytes > io.iov_len || bytes + sizeof(magic) > sizeof(ret->data) || in_use & ~note.features)
        return false;
    note.bytes = (uint32_t)bytes;
    note.extended_bytes = (uint32_t)(bytes + sizeof(magic));
    memcpy(ret->data + XSTATE_NOTE_AT, &note, sizeof(note));
    memcpy(ret->data + bytes, &magic, sizeof(magic));
    ret->bytes = note.extended_bytes;
    return true;
}

/* ---- the frame ---- */

static struct sigcontext_64 context_of(const struct user_regs_struct *u, hw_addr fpstate)
{
    return (struct sigcontext_64){.r8 = u->r8,
                                  .r9 = u->r9,
                                  .r10 = u->r10,
                                  .r11 = u->r11,
                                  .r12 = u->r12,
                                  .r13 = u->r13,
                                  .r14 = u->r14,
                                  .r15 = u->r15,
                                  .di = u->rdi,
                                  .si = u->rsi,
                                  .bp = u->rbp,
                                  .bx = u->rbx,
                                  .dx = u->rdx,
                                  .ax = u->rax,
                                  .cx = u->rcx,
                                  .sp = u->rsp,
                                  .ip = u->rip,
                                  .flags = u->eflags,
                                  .cs = (uint16_t)u->cs,
                                  .ss = (uint16_t)u->ss,
                                  .fpstate = fpstate};
}

static bool write_at(pid_t pid, hw_addr addr, const void *from, size_t bytes)
{
    struct iovec here = {(void *)(uintptr_t)from, bytes}, there = {(void *)(uintptr_t)addr, bytes};
    return process_vm_writev(pid, &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

/* Where what lies. */
struct place {
    hw_addr text, xstate, frame;
};

/* At a function's beginning the stack pointer is 8 bytes off a multiple of 16. */
static struct place place_below(hw_addr sp, size_t text_bytes, size_t xstate_bytes)
{
    struct place place;
    place.text = (sp - RED_ZONE_BYTES - text_bytes) & ~(hw_addr)15;
    place.xstate = (place.text - xstate_bytes) & ~(hw_addr)63;
    place.frame = ((place.xstate - sizeof(struct frame)) & ~(hw_addr)15) - 8;
    return place;
}

static bool frame_write(pid_t pid, const struct place *place, const struct frame *frame,
                        const struct xstate *xstate, const struct hw_guard_call *call)
{
    return write_at(pid, place->xstate, xstate->data, xstate->bytes) &&
           (!call->text_bytes || write_at(pid, place->text, call->text, call->text_bytes)) &&
           write_at(pid, place->frame, frame, sizeof(*frame));
}

static struct hw_regs call_regs(const struct hw_regs *regs, const struct place *place,
                                const struct hw_guard_call *call)
{
    struct user_regs_struct user = user_of(regs);
    struct hw_regs to;
    user.rip = call->function;
    user.rsp = place->frame;
    user.rdi = call->text_bytes ? place->text : call->args[0];
    user.rsi = call->args[1];
    user.rax = 0;
    user.orig_rax = (unsigned long long)-1; /* no call that the kernel would restart */
    user.eflags &= ~(unsigned long long)(FLAG_DIRECTION | FLAG_TRAP);
    memcpy(&to, &user, sizeof(user));
    return to;
}

/* All but those that tell a thread of what it does itself. */
static uint64_t signals_blocked(void)
{
    static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    uint64_t mask = ~UINT64_C(0);
    for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++)
        mask &= ~(UINT64_C(1) << (open[i] - 1));
    return mask;
}

bool hw_signal_frame_push(pid_t pid, struct hw_tracee *tracee, const struct hw_guard_call *call,
                          struct hw_err *err)
{
    static struct xstate
        xstate; /* of the guardian, which has one thread and a stack of unknown size */
    struct frame frame = {.return_to = call->sigreturn,
                          .uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
                          .uc_stack.flags = STACK_FLAGS_NONE};
    struct hw_regs regs;
    uint64_t signals;
    pid_t tid = tracee->tid;
    if (tracee->state != HW_TRACEE_STOPPED || !hw_arch_regs_get(tid, &regs) ||
        !xstate_get(tid, &xstate) ||
        ptrace(PTRACE_GETSIGMASK, tid, sizeof(frame.signals), &frame.signals))
        return hw_err_set(err, HW_ERR_UNSUPPORTED, "the registers of thread %d cannot be had", tid);
    struct user_regs_struct user = user_of(&regs);
    struct place place = place_below(user.rsp, call->text_bytes, xstate.bytes);
    resume_from(&user);
    frame.context = context_of(&user, place.xstate);
    if (!frame_write(pid, &place, &frame, &xstate, call))
        return hw_err_set(err, HW_ERR_UNSUPPORTED, "the stack of thread %d cannot be written to",
                          tid);
    regs = call_regs(&regs, &place, call);
    if (!hw_arch_regs_set(tid, &regs))
        return hw_err_set(err, HW_ERR_IO, "thread %d ended", tid);
    /* Last: should we die here, the call is made with signals open, and all the rest holds. The
     * other way round they would be blocked for good. */
    signals = signals_blocked();
    ptrace(PTRACE_SETSIGMASK, tid, sizeof(signals), &signals);
    return true;
}
