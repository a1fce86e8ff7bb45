/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_GUARD_H
#define HW_IMAGE_GUARD_H

/*
 * The guardian: a small process of our own that does all tracing.
 *
 * A thread that was made to execute a call has foreign registers until they are restored. Were its
 * tracer killed at that moment, the kernel would let it run on with them. So the process that the
 * user started, and may kill at any time, traces nothing. It forks a guardian, which is in a
 * session of its own, blocks every signal, holds no lock and allocates nothing; it stops the
 * target, makes the twin, lets the target go, and keeps the twin. When its socket closes, for
 * whatever reason, it finishes what it has begun, kills the twin and exits.
 *
 *     user's process ── socket ── guardian ── ptrace ── threads of the target (milliseconds)
 *           │                         └────── ptrace ── twin (until the image is closed)
 *           └── pread(/proc/TWIN/mem) ──────────────────┘
 *
 * Should the guardian itself be killed: the target's threads are let go by the kernel, the twin
 * dies (PTRACE_O_EXITKILL). What remains open is the time in which one thread runs an injected
 * call, about 0.1 ms per freeze (and all of the clone when the target reaps orphans itself, see
 * twin.c).
 */

#include "image/arch.h"
#include "image/image.h"

enum { HW_GUARD_THREADS_MAX = 1 << 15 };

enum hw_tracee_state {
    HW_TRACEE_SEIZED, /* traced, and running for all we know */
    HW_TRACEE_STOPPED,
    HW_TRACEE_LATE, /* traced; inside an uninterruptible call, will stop when that ends */
    HW_TRACEE_FREE, /* dead, or let go */
};
struct hw_tracee {
    pid_t tid;
    enum hw_tracee_state state;
    bool has_regs;
    struct hw_regs regs;
};

/* Messages are one byte. */
enum hw_guard_message {
    /* from the guardian */
    HW_GUARD_STOPPED = 1, /* all threads stand still: copy, then send HW_GUARD_COPIED */
    HW_GUARD_RELEASED,    /* the target runs; pause_ns is final */
    HW_GUARD_TWIN,        /* the same, and a descriptor of the twin's memory comes along */
    HW_GUARD_FAILED,      /* the target runs; err says why */
    /* to the guardian */
    HW_GUARD_COPYING, /* sent often enough: silence means that nobody copies any more */
    HW_GUARD_COPIED,
    HW_GUARD_CALL, /* instead of HW_GUARD_COPIED: first make the thread call.thread call */
};

/* Silence for so long makes the guardian let the target go. */
enum { HW_GUARD_PATIENCE_MS = 3000 };

/* A call that a thread of the target is made to make (signal-frame.h). */
enum { HW_GUARD_TEXT_MAX_BYTES = 4096 };
struct hw_guard_call {
    size_t thread; /* of threads[] */
    hw_addr function;
    hw_addr sigreturn; /* hw_arch_sigreturn_find() */
    uint64_t args[2];
    size_t text_bytes; /* 0: none; else its address is the first argument */
    char text[HW_GUARD_TEXT_MAX_BYTES];
};

/* Shared by the two processes. A message passes the right to touch it. */
struct hw_guard_shared {
    /* the task */
    pid_t pid;
    pid_t owner; /* the process that wants the image */
    enum hw_freeze freeze;
    unsigned retries;
    struct hw_busy_words busy, working;
    int64_t deadline_ns; /* of working */
    bool is_reaper; /* orphans of the target become its own children */
    hw_addr syscall_insn;
    struct hw_guard_call call; /* of HW_GUARD_CALL */
    /* the answer */
    struct hw_err err;
    bool calm;
    unsigned tries;
    pid_t twin;
    int64_t pause_ns;    /* the longest time it stood still */
    int64_t taken_at_ns; /* wall clock */
    int64_t stopped_at_ns;
    size_t thread_count;
    struct hw_tracee threads[HW_GUARD_THREADS_MAX];
};

/* The guardian's whole life, in a freshly forked process. Does not return. */
_Noreturn void hw_guard_run(struct hw_guard_shared *shared, int socket);

#endif
