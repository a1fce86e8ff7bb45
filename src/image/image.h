/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_IMAGE_IMAGE_H
#define HW_IMAGE_IMAGE_H

/*
 * An image: the bytes of a process at one moment, and where they lie. It knows nothing of Python.
 *
 * Five sources stand behind one seam: a running process that is not stopped (live), its frozen
 * twin, the process itself held stopped, ourselves (self.h), and a table in memory (unit tests,
 * fuzzers).
 *
 * Every segment of the target has a mirror here: an equally long range of our own address space, in
 * which pages appear when they are first asked for. So a pointer into the mirror stays valid and
 * contiguous whatever is loaded next; only hw_image_trim() takes pages away again, and its callers
 * choose the moment.
 *
 *     target segment  7f10_0000 .................... 7f50_0000
 *     mirror          5500_0000 ##..##..........#... 5540_0000     # = chunks loaded so far
 */

#include "heapwhy.h"

enum hw_prot {
    HW_PROT_READ = 1 << 0,
    HW_PROT_WRITE = 1 << 1,
    HW_PROT_EXEC = 1 << 2,
    HW_PROT_SHARED = 1 << 3,
};

struct hw_segment {
    hw_addr start, end;
    uint32_t prot;        /* enum hw_prot */
    uint64_t file_offset; /* of start in the file */
    const char *path;     /* "" for anonymous memory; [heap], [stack]; else as the target sees it */
    uint64_t device, inode; /* of the file; 0: anonymous */
    bool deleted;           /* the file is gone or replaced on disk */
    /* The rest belongs to image.c. */
    unsigned char *mirror; /* NULL until first use */
    uint8_t *chunk_state;  /* one byte for each chunk: enum in image.c */
};

/* Registers as the kernel gives them, in the order of struct user_regs_struct (x86-64). */
enum { HW_REG_COUNT = 27 };
struct hw_thread {
    pid_t tid;
    char name[16]; /* comm */
    bool has_regs;
    hw_addr sp, ip;
    hw_addr tls; /* thread pointer: glibc puts the thread's descriptor above its stack */
    uint64_t regs[HW_REG_COUNT];
};

struct hw_image;

struct hw_image_ops {
    /* Copies up to bytes from addr. Returns how many could be read, from the start; 0: none. */
    size_t (*read)(struct hw_image *image, hw_addr addr, void *to, size_t bytes);
    /* Lists the segments anew; NULL: they do not change. Leaves them alone where it fails. */
    void (*renew)(struct hw_image *image);
    /* Ends what the source holds (kills the twin, lets the process go on). Called once. */
    void (*close)(struct hw_image *image);
};

struct hw_image {
    const struct hw_image_ops *ops;
    void *source;                /* of the ops */
    struct hw_segment *segments; /* by address, readable ones only */
    size_t segment_count;
    struct hw_thread *threads; /* with registers only when frozen */
    size_t thread_count;
    pid_t pid;                         /* the target, not the twin; 0: none */
    pid_t memory_pid;                  /* whose memory is read: the twin, or the target */
    int64_t taken_at_ns;               /* wall clock at the freeze */
    int64_t pause_ns;                  /* 0 while it still lasts, or when nothing was stopped */
    uint64_t loaded_bytes, read_bytes; /* now in the mirrors; read in all */
    uint64_t budget_bytes;           /* hw_image_trim() keeps loaded_bytes below it; 0: no limit */
    size_t last_segment;             /* where the last look-up ended */
    size_t trim_segment, trim_chunk; /* hand of the clock */
    size_t passed_segment, passed_chunk; /* see hw_image_pass() */
    void *strings;                   /* owns the paths */
    bool lost; /* the source died while it was read (a twin killed for want of memory, a process
                * that exited): what was not loaded before is missing */
    bool starved; /* there was no address space of ours for a part of it: that part is missing */
};

/* Opens a running process for reading without stopping it. What is read may change under our
 * hands. Errors: HW_ERR_NOT_FOUND, HW_ERR_PERMISSION (msg names what is missing: uid, ptrace_scope,
 * capability, and the command that helps), HW_ERR_GONE. */
bool hw_image_open_live(pid_t pid, struct hw_image **ret_image, struct hw_err *err);

/* Words (of four bytes) in the target that are all zero when the moment is good. They are looked at
 * when all threads stand still, before anything is copied. */
enum { HW_BUSY_WORDS_MAX = 64 };
struct hw_busy_words {
    hw_addr addr[HW_BUSY_WORDS_MAX];
    size_t count;
};

struct hw_freeze_options {
    enum hw_freeze freeze;
    unsigned retries; /* at most so often; the last try freezes in any case */
    struct hw_busy_words busy;
    /* Zero while the target does nothing, which is worth less than a good moment: waited for until
     * deadline_ns (CLOCK_MONOTONIC), while the target runs. 0: not waited for. */
    struct hw_busy_words working;
    int64_t deadline_ns;
    const volatile int *cancel; /* may be NULL */
};

struct hw_freeze_result {
    unsigned retries; /* how often the target was let go again */
    bool calm;        /* the words of busy were zero at last */
};

/* Freezes the process that live reads. With HW_FREEZE_TWIN the target runs again when this returns,
 * and the image reads the twin until it is closed. With HW_FREEZE_STOP all private writable memory
 * is copied into the mirrors, then the target goes on; the rest is read from it later, when asked
 * for. In either case ret_image->pause_ns is final. live stays open and is the caller's.
 *
 * The target is left as it was, whatever happens: registers, signals, children, descriptors; also
 * when this process is killed at any point. */
bool hw_image_freeze(struct hw_image *live, const struct hw_freeze_options *opts,
                     struct hw_image **ret_image, struct hw_freeze_result *ret_result,
                     struct hw_err *err);

/* An image of bytes that we hold: for unit tests and fuzzers. The data is copied. */
struct hw_memory_segment {
    hw_addr start;
    const void *data;
    size_t bytes;
    uint32_t prot;
};
bool hw_image_open_memory(const struct hw_memory_segment *segments, size_t count,
                          struct hw_image **ret_image, struct hw_err *err);

/* Closes the source and frees everything. Pointers from hw_image_at() die. */
void hw_image_close(struct hw_image *image);

/* The segment that holds addr, or NULL. */
struct hw_segment *hw_image_segment(struct hw_image *image, hw_addr addr);

/* bytes at addr, readable here; NULL when any of them is not readable in the target. No alignment
 * is promised beyond the target's own. bytes may be 0. Valid until hw_image_trim() or close. */
const void *hw_image_at(struct hw_image *image, hw_addr addr, size_t bytes);

/* Copies; false when any byte is not readable. */
bool hw_image_read(struct hw_image *image, hw_addr addr, void *to, size_t bytes);

/* One word in the target's order of bytes, which is ours; 0 when it is not readable. */
uint64_t hw_image_word(struct hw_image *image, hw_addr addr);
uint32_t hw_image_word32(struct hw_image *image, hw_addr addr);
/* Copies as hw_image_read() does, without keeping what was not loaded yet: for a few bytes here and there
 * in memory that nobody else will ask for. */
bool hw_image_peek(struct hw_image *image, hw_addr addr, void *to, size_t bytes);

/* A terminated string of at most max bytes with its end; false when unreadable or longer. */
bool hw_image_read_string(struct hw_image *image, hw_addr addr, char *to, size_t max);

/* For whoever goes over all memory once, upwards: what lies below addr is the first to be given back
 * from now on, unless it is asked for again. Begin with addr 0. */
void hw_image_pass(struct hw_image *image, hw_addr addr);

/* Gives pages back, least recently used first, until loaded_bytes <= budget_bytes. */
void hw_image_trim(struct hw_image *image);

#endif
