/* SPDX-License-Identifier: Apache-2.0 */
#include "attach/safe-point.h"

#include "agent/table.h"
#include "attach/libc-calls.h"
#include "base/err.h"
#include "base/vec.h"
#include "image/signal-frame.h"
#include "image/tracee.h"
#include "native/callers.h"
#include "native/elf-memory.h"

#include <stdlib.h>

enum { STACK_LEAST_BYTES = 96 << 10 };

/* What a module is for us. */
enum role { ROLE_OTHER, ROLE_LOADER, ROLE_LIBC, ROLE_ALLOCATOR, ROLE_AGENT, ROLE_PYTHON };

struct addresses {
    hw_addr *items;
    size_t count, capacity;
    bool failed; /* memory ran out */
};

struct hw_safe_points {
    struct hw_image *image;
    struct hw_module *modules;
    size_t module_count;
    enum role *roles;
    struct addresses waiting;   /* functions of the C library that may be waited in */
    struct addresses forbidden; /* functions of the interpreter that may not be interrupted so */
    hw_addr dlopen, sigreturn;
    hw_addr rseq_offset; /* the variable; 0: none */
};

/* ---- what is known of the process ---- */

static void address_add(struct addresses *set, hw_addr addr)
{
    hw_addr *grown = hw_vec_grow(set->items, &set->capacity, set->count + 1, sizeof(*grown));
    set->failed |= !grown;
    if (!grown)
        return;
    set->items = grown;
    set->items[set->count++] = addr;
}

static bool address_has(const struct addresses *set, hw_addr addr)
{
    for (size_t i = 0; addr && i < set->count; i++)
        if (set->items[i] == addr)
            return true;
    return false;
}

static bool defines(struct hw_safe_points *points, const struct hw_module *module, const char *name)
{
    struct hw_symbol symbol;
    return hw_elf_memory_symbol(points->image, module, name, &symbol);
}

/* Before glibc 2.34 threads and dlopen() have libraries of their own. */
static enum role role_of(struct hw_safe_points *points, const struct hw_module *module,
                         const char *python)
{
    if (strstr(module->path, HW_AGENT_LIBRARY))
        return ROLE_AGENT;
    if (defines(points, module, "_rtld_global"))
        return ROLE_LOADER;
    if (defines(points, module, "gnu_get_libc_version"))
        return ROLE_LIBC;
    if (defines(points, module, "malloc") || defines(points, module, "free"))
        return ROLE_ALLOCATOR;
    if (strcmp(module->path, python) == 0)
        return ROLE_PYTHON;
    return defines(points, module, "pthread_create") || defines(points, module, "dlopen")
               ? ROLE_LIBC
               : ROLE_OTHER;
}

static void waiting_take(void *set, const char *name, const struct hw_symbol *symbol)
{
    if (hw_libc_call_waits(name))
        address_add(set, symbol->addr);
}

/* In these the allocators are being exchanged, or the interpreter is half there. */
static void forbidden_find(struct hw_safe_points *points, const struct hw_module *python)
{
    static const char *const names[] = {"PyMem_SetAllocator",    "PyMem_GetAllocator",
                                        "PyMem_SetupDebugHooks", "Py_InitializeEx",
                                        "Py_FinalizeEx",         "Py_InitializeFromConfig",
                                        "PyOS_AfterFork_Child",  "PyOS_BeforeFork"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct hw_symbol symbol;
        if (hw_elf_memory_symbol(points->image, python, names[i], &symbol))
            address_add(&points->forbidden, symbol.addr);
    }
}

/* In a module's code. 0: it is not there. */
static hw_addr sigreturn_find(struct hw_image *image, const struct hw_module *module)
{
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct hw_segment *segment = &image->segments[i];
        if (!(segment->prot & HW_PROT_EXEC) || segment->start < module->start ||
            segment->end > module->end)
            continue;
        const void *code = hw_image_at(image, segment->start, segment->end - segment->start);
        size_t at = code ? hw_arch_sigreturn_find(code, segment->end - segment->start) : SIZE_MAX;
        if (at != SIZE_MAX)
            return segment->start + at;
    }
    return 0;
}

static void libc_find(struct hw_safe_points *points, const struct hw_module *module)
{
    struct hw_symbol symbol;
    hw_elf_memory_symbols(points->image, module, waiting_take, &points->waiting);
    if (hw_elf_memory_symbol(points->image, module, "dlopen", &symbol) ||
        (!points->dlopen &&
         hw_elf_memory_symbol(points->image, module, "__libc_dlopen_mode", &symbol)))
        points->dlopen = symbol.addr;
    if (!points->sigreturn)
        points->sigreturn = sigreturn_find(points->image, module);
}

static void module_take(struct hw_safe_points *points, size_t index, const char *python)
{
    const struct hw_module *module = &points->modules[index];
    struct hw_symbol symbol;
    points->roles[index] = role_of(points, module, python);
    if (points->roles[index] == ROLE_LIBC)
        libc_find(points, module);
    if (strcmp(module->path, python) == 0)
        forbidden_find(points, module);
    if (points->roles[index] == ROLE_LOADER &&
        hw_elf_memory_symbol(points->image, module, "__rseq_offset", &symbol))
        points->rseq_offset = symbol.addr;
}

static bool points_fill(struct hw_safe_points *points, const char *python, struct hw_err *err)
{
    if (!hw_modules_list(points->image, &points->modules, &points->module_count, err))
        return false;
    points->roles = calloc(points->module_count + 1, sizeof(*points->roles));
    if (!points->roles)
        return hw_err_no_memory(err);
    for (size_t i = 0; i < points->module_count; i++)
        module_take(points, i, python);
    if (points->waiting.failed || points->forbidden.failed)
        return hw_err_no_memory(err);
    if (!points->dlopen || !points->sigreturn || !points->waiting.count)
        return hw_err_set(
            err, HW_ERR_UNSUPPORTED,
            "process %d has no glibc that could load a library (it is linked statically, or "
            "has another C library)",
            (int)points->image->pid);
    return true;
}

bool hw_safe_points_create(struct hw_image *image, const struct hw_runtime *runtime,
                           struct hw_safe_points **ret_points, struct hw_err *err)
{
    struct hw_safe_points *points = calloc(1, sizeof(*points));
    if (!points)
        return hw_err_no_memory(err);
    points->image = image;
    if (!points_fill(points, runtime->path, err)) {
        hw_safe_points_destroy(points);
        return false;
    }
    *ret_points = points;
    return true;
}

void hw_safe_points_destroy(struct hw_safe_points *points)
{
    if (!points)
        return;
    free(points->modules);
    free(points->roles);
    free(points->waiting.items);
    free(points->forbidden.items);
    free(points);
}

hw_addr hw_safe_points_dlopen(const struct hw_safe_points *points)
{
    return points->dlopen;
}

hw_addr hw_safe_points_sigreturn(const struct hw_safe_points *points)
{
    return points->sigreturn;
}

/* ---- who was called ---- */

/* What the pointer that an instruction names by its distance points at. */
static hw_addr through_pointer(struct hw_image *image, hw_addr after,
                               const unsigned char distance[4])
{
    return hw_image_word(image, after + (hw_addr)(int64_t)(int32_t)load32(distance));
}

/* A stub of a PLT jumps through a pointer: [endbr64] [bnd] jmp *distance(%rip). Else it is the
 * function. */
static hw_addr through_stub(struct hw_image *image, hw_addr stub)
{
    static const unsigned char endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
    unsigned char code[16];
    size_t at = 0;
    if (!hw_image_read(image, stub, code, sizeof(code)))
        return 0;
    at += memcmp(code, endbr, sizeof(endbr)) == 0 ? sizeof(endbr) : 0;
    at += code[at] == 0xf2;
    if (code[at] != 0xff || code[at + 1] != 0x25)
        return stub;
    return through_pointer(image, stub + at + 6, code + at + 2);
}

/* The function whose call returns to pc. A function that ends in a call of another leaves no frame;
 * what was called still says which one it was. 0: it cannot be told. */
static hw_addr called_before(struct hw_image *image, hw_addr pc)
{
    unsigned char code[6];
    if (!hw_image_read(image, pc - sizeof(code), code, sizeof(code)))
        return 0;
    if (code[0] == 0xff && code[1] == 0x15) /* call *distance(%rip) */
        return through_pointer(image, pc, code + 2);
    if (code[1] == 0xe8) /* call distance */
        return through_stub(image, pc + (hw_addr)(int64_t)(int32_t)load32(code + 2));
    return 0;
}

/* ---- looking at one thread ---- */

/* Frames of the C library that stand next to each other. */
struct run {
    unsigned first, length; /* depth of the innermost; 0: none */
    hw_addr function;       /* of the outermost */
};

struct walk {
    struct hw_safe_points *points;
    const struct hw_regs *regs;
    int64_t deadline_ns;
    struct run run;
    bool may_be_base; /* all is well if the frame at hand is the thread's first */
    bool is_python;   /* the interpreter, or one of its own modules, called what is waited in */
};

static enum role role_at(const struct hw_safe_points *points, const struct hw_module *module)
{
    return module ? points->roles[module - points->modules] : ROLE_OTHER;
}

/* Below a thread's own code there are its starters: start_thread and clone, or
 * __libc_start_call_main and __libc_start_main. One more, and it is about to end. */
static bool is_starters(const struct run *run)
{
    return run->first > 0 && run->length <= 2;
}

/* These begin to wait anew when they are interrupted (PEP 475). */
static bool is_own_module(const struct hw_callers *callers, enum role role)
{
    const char *path = callers->module->path, *name = strrchr(path, '/');
    return role == ROLE_PYTHON || strstr(path, "/lib-dynload/") ||
           (name && (strncmp(name, "/select.cpython-", 16) == 0 ||
                     strncmp(name, "/time.cpython-", 14) == 0));
}

/* The frame at hand has called what the run consists of. */
static enum hw_unsafe run_end(struct walk *walk, const struct hw_callers *callers, enum role role)
{
    const struct hw_safe_points *points = walk->points;
    const struct run run = walk->run;
    walk->run.length = 0;
    bool waits = address_has(&points->waiting, run.function) ||
                 address_has(&points->waiting, called_before(points->image, callers->pc));
    if (waits && run.first == 0) {
        walk->is_python = is_own_module(callers, role);
        return HW_SAFE;
    }
    walk->may_be_base = is_starters(&run);
    return walk->may_be_base ? HW_SAFE : HW_UNSAFE_C_LIBRARY;
}

static void run_grow(struct walk *walk, const struct hw_callers *callers)
{
    if (!walk->run.length)
        walk->run.first = callers->depth;
    walk->run.length++;
    walk->run.function = callers->function;
}

static enum hw_unsafe frame_look(struct walk *walk, const struct hw_callers *callers)
{
    enum role role = role_at(walk->points, callers->module);
    if (!callers->function || (walk->may_be_base && !callers->complete))
        return walk->may_be_base ? HW_UNSAFE_C_LIBRARY : HW_UNSAFE_CALLERS;
    switch (role) {
    case ROLE_LOADER:
        return HW_UNSAFE_LOADER;
    case ROLE_ALLOCATOR:
        return HW_UNSAFE_ALLOCATOR;
    case ROLE_AGENT:
        return HW_UNSAFE_AGENT;
    case ROLE_LIBC:
        run_grow(walk, callers);
        return HW_SAFE;
    default:
        break;
    }
    if (address_has(&walk->points->forbidden, callers->function))
        return HW_UNSAFE_PYTHON;
    return walk->run.length ? run_end(walk, callers, role) : HW_SAFE;
}

static enum hw_unsafe callers_look(struct walk *walk)
{
    struct hw_safe_points *points = walk->points;
    struct hw_callers callers;
    bool waits = hw_arch_syscall_number(walk->regs) >= 0 &&
                 !hw_syscall_is_of_memory(hw_arch_syscall_number(walk->regs));
    hw_callers_begin(&callers, points->image, points->modules, points->module_count, walk->regs);
    if (role_at(points, callers.module) == ROLE_LIBC && !waits)
        return HW_UNSAFE_C_LIBRARY;
    do {
        enum hw_unsafe unsafe = frame_look(walk, &callers);
        if (unsafe)
            return unsafe;
        if (hw_clock_ns() >= walk->deadline_ns)
            return HW_UNSAFE_CALLERS;
    } while (hw_callers_next(&callers));
    if (!callers.complete)
        return HW_UNSAFE_CALLERS;
    return walk->run.length && !is_starters(&walk->run) ? HW_UNSAFE_C_LIBRARY : HW_SAFE;
}

static bool word_now(struct hw_image *image, hw_addr addr, uint64_t *ret)
{
    return image->ops->read(image, addr, ret, sizeof(*ret)) == sizeof(*ret);
}

/* A restartable sequence would be taken up in its middle (include/uapi/linux/rseq.h, struct rseq
 * and rseq_cs). */
static bool is_in_sequence(const struct hw_safe_points *points, const struct hw_regs *regs)
{
    uint64_t offset, sequence, begin, length;
    if (!points->rseq_offset || !word_now(points->image, points->rseq_offset, &offset) ||
        !word_now(points->image, hw_arch_tls(regs) + offset + 8, &sequence) || !sequence)
        return false;
    if (!word_now(points->image, sequence + 8, &begin) ||
        !word_now(points->image, sequence + 16, &length))
        return true;
    return hw_arch_ip(regs) - begin < length;
}

/* The stack of the first thread grows. */
static bool has_room(struct hw_image *image, const struct hw_regs *regs)
{
    hw_addr sp = hw_arch_sp(regs);
    const struct hw_segment *segment = hw_image_segment(image, sp);
    return segment && segment->prot & HW_PROT_WRITE &&
           (strcmp(segment->path, "[stack]") == 0 || sp - segment->start >= STACK_LEAST_BYTES);
}

enum hw_unsafe hw_safe_point_look(struct hw_safe_points *points, const struct hw_tracee *tracee,
                                  int64_t deadline_ns)
{
    struct walk walk = {.points = points, .regs = &tracee->regs, .deadline_ns = deadline_ns};
    if (tracee->state != HW_TRACEE_STOPPED || !tracee->has_regs)
        return HW_UNSAFE_STOPPED;
    if (!has_room(points->image, &tracee->regs))
        return HW_UNSAFE_STACK;
    if (is_in_sequence(points, &tracee->regs))
        return HW_UNSAFE_ATOMIC;
    enum hw_unsafe unsafe = callers_look(&walk);
    if (!unsafe && hw_arch_resumption(&tracee->regs) == HW_RESUMES_WITH_EINTR && !walk.is_python)
        return HW_UNSAFE_WAIT;
    return unsafe;
}

const char *hw_unsafe_text(enum hw_unsafe unsafe)
{
    static const char *const texts[] = {
        [HW_SAFE] = "it is safe",
        [HW_UNSAFE_STOPPED] = "it is in a call that nothing interrupts",
        [HW_UNSAFE_CALLERS] = "where its code was called from cannot be told",
        [HW_UNSAFE_LOADER] = "it is loading a library",
        [HW_UNSAFE_ALLOCATOR] = "it is allocating memory",
        [HW_UNSAFE_C_LIBRARY] = "it is in the C library, which may hold its locks",
        [HW_UNSAFE_PYTHON] = "it is starting or ending the interpreter, or changing its allocators",
        [HW_UNSAFE_AGENT] = "it is in heapwhy's agent",
        [HW_UNSAFE_ATOMIC] = "it is in a sequence that must not be interrupted",
        [HW_UNSAFE_WAIT] = "it waits for a span of time, and may not expect to be interrupted",
        [HW_UNSAFE_STACK] = "its stack has no room",
    };
    return texts[unsafe];
}
