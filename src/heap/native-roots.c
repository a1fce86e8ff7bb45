/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/err.h"
#include "heap/build-internal.h"
#include "image/arch.h"

#include <string.h>

/*
 * Words that may hold objects where nobody says so: the writable data of mapped files and the C stacks
 * of threads. Only words that point at an object we know count, and such edges say that they are
 * inferred.
 */

enum { STACK_MAX_BYTES = 8 << 20, CHUNK_BYTES = 1 << 16 };

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Bytes that the object at addr occupies itself; 0: no object starts there. Its own words are not C
 * globals. */
static uint64_t object_extent(struct hw_builder *b, hw_addr addr)
{
    if (!hw_marks_has(&b->marks, addr))
        return 0;
    const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
    if (!type)
        return 0;
    /* sys.getsizeof() counts words in front of it that a static type does not have. */
    return type->solid->family == HW_FAMILY_TYPE
               ? PY_SIZE(&b->py, PyTypeObject)
               : hw_object_size(&b->py, addr, type) & ~(uint64_t)7;
}

static void scan_chunk(struct hw_builder *b, hw_addr from, hw_addr to, hw_addr base, hw_addr *skip_to)
{
    const unsigned char *p = hw_image_at(b->image, from, to - from);
    for (hw_addr at = from; p && at + 8 <= to; at += 8) {
        if (at < *skip_to)
            continue;
        uint64_t extent = object_extent(b, at);
        hw_addr word = load64(p + (at - from));
        if (extent)
            *skip_to = at + extent;
        else if (word && hw_marks_has(&b->marks, word))
            hw_roots_ref(&b->roots, word, label_make(HW_LABEL_WORD, at - base));
    }
}

static void scan_data(struct hw_builder *b, hw_addr start, hw_addr end, hw_addr base)
{
    const struct hw_runtime *rt = b->runtime;
    hw_addr skip_to = 0;
    for (hw_addr at = start; at < end; at += CHUNK_BYTES) {
        hw_addr to = end - at > CHUNK_BYTES ? at + CHUNK_BYTES : end;
        /* The interpreter's own state is read field by field. */
        if (rt->addr < to && rt->addr + rt->bytes > at && skip_to < rt->addr) {
            scan_chunk(b, at, rt->addr > at ? rt->addr : at, base, &skip_to);
            skip_to = rt->addr + rt->bytes;
        }
        scan_chunk(b, at, to, base, &skip_to);
    }
}

void hw_build_scan_module(struct hw_builder *b, const struct hw_module *module)
{
    hw_addr start, end;
    for (size_t i = 0; hw_module_data_next(b->image, module, &i, &start, &end);)
        scan_data(b, start, end, module->start);
}

static bool add_module_globals(struct hw_builder *b, const struct hw_module *module)
{
    const char *name = hw_arena_strdup(b->py.arena, file_name(module->path));
    const char *path = hw_arena_strdup(b->py.arena, module->path);
    if (!name || !path ||
        hw_roots_add(&b->roots,
                     (struct hw_synthetic){.kind = HW_SYN_C_GLOBALS, .name = name, .file = path},
                     HW_NONE) == HW_NONE)
        return hw_err_no_memory(b->err);
    hw_build_scan_module(b, module);
    return true;
}

static bool add_globals(struct hw_builder *b)
{
    for (size_t i = 0; i < b->module_count; i++)
        if (!hw_build_is_own_file(b, &b->modules[i]) && !hw_build_is_agent(&b->modules[i]) &&
            !add_module_globals(b, &b->modules[i]))
            return false;
    return true;
}

static const char *thread_name(const struct hw_builder *b, int32_t tid, const char *otherwise)
{
    for (size_t i = 0; i < b->roots.count; i++)
        if (b->roots.nodes[i].as.kind == HW_SYN_THREAD && b->roots.nodes[i].as.tid == tid)
            return b->roots.nodes[i].as.name;
    return otherwise;
}

static void add_word(struct hw_builder *b, hw_addr word, uint64_t offset)
{
    if (word && hw_marks_has(&b->marks, word))
        hw_roots_ref(&b->roots, word, label_make(HW_LABEL_WORD, offset));
}

/* What bytecode works with while it waits for a call into C. p: the thread's C stack, of that many
 * words. How much is in use can be told of a thread that stands in a system call; one that computes may be
 * between two steps. */
static void add_operands(struct hw_builder *b, const struct hw_thread *thread,
                         const unsigned char *p, size_t words)
{
    struct hw_regs regs;
    memcpy(regs.r, thread->regs, sizeof(regs.r));
    bool waits = hw_arch_in_syscall(&regs);
    for (size_t i = 0; i < b->roots.count; i++) {
        const struct hw_root_node *node = &b->roots.nodes[i];
        const struct hw_operands operands = node->operands;
        if (node->as.kind != HW_SYN_FRAME || node->as.tid != thread->tid || !operands.count)
            continue;
        hw_addr highest = 0, end = operands.start + (hw_addr)operands.count * 8;
        for (size_t n = 0; p && n < words; n++) {
            hw_addr word = load64(p + n * 8);
            if (word >= operands.start && word <= end && word > highest)
                highest = word;
        }
        uint32_t used =
            waits ? hw_operands_used(&b->py, &operands, highest) : operands.count;
        const unsigned char *slots = hw_image_at(b->image, operands.start, (size_t)used * 8);
        for (uint32_t n = 0; slots && n < used; n++)
            add_word(b, load64(slots + (size_t)n * 8), 0);
    }
}

/* Whether a call instruction ends at addr: E8 and four bytes, or FF /2 with what may follow it (Intel
 * SDM 2A, CALL). */
static bool is_return_address(struct hw_builder *b, hw_addr addr)
{
    const struct hw_segment *segment = hw_image_segment(b->image, addr);
    if (!segment || !(segment->prot & HW_PROT_EXEC) || addr - segment->start < 8)
        return false;
    const unsigned char *p = hw_image_at(b->image, addr - 8, 8);
    if (!p)
        return false;
    if (p[3] == 0xe8)
        return true;
    for (unsigned length = 2; length <= 7; length++)
        if (p[8 - length] == 0xff && (p[9 - length] >> 3 & 7) == 2)
            return true;
    return false;
}

/* Whether what returns to addr was called as the evaluation loop, by name: E8 and a distance. */
static bool is_return_from_eval(struct hw_builder *b, hw_addr addr)
{
    enum { CALL_BYTES = 5 };
    if (!is_return_address(b, addr))
        return false;
    const unsigned char *p = hw_image_at(b->image, addr - CALL_BYTES, CALL_BYTES);
    return p && *p == 0xe8 && addr + (hw_addr)(int64_t)(int32_t)load32(p + 1) == b->eval.addr;
}

/* Where in the loop's C frame, which begins at p, its own return address is: as many bytes behind p. In
 * front of it lie return addresses of earlier calls, too. 0: not found, as where a debugger or a compiler
 * runs frames in its own way. */
static hw_addr eval_frame_bytes(struct hw_builder *b, const unsigned char *p, hw_addr most)
{
    enum { FRAME_MAX_BYTES = 768 };
    for (hw_addr at = 0; at + 8 <= most && at < FRAME_MAX_BYTES; at += 8)
        if (is_return_from_eval(b, load64(p + at)))
            return at;
    return 0;
}

/* The evaluation loop holds objects by the operand stack of its frame; what lies in its own C frame is
 * copies, most of them of what it had to do with before. That C frame lies between the address to which
 * what it called returns and its own return address; the words next to the latter are its caller's
 * registers (System V ABI for x86-64, 3.2.1: six are preserved). */
static void add_stack_words(struct hw_builder *b, hw_addr start, hw_addr end)
{
    enum { SAVED_BYTES = 6 * 8 };
    const unsigned char *p = end > start ? hw_image_at(b->image, start, end - start) : NULL;
    hw_addr eval = 0; /* where such a frame began; 0: in none */
    hw_addr eval_end = 0; /* where its return address is, if known */
    for (hw_addr at = start; p && at + 8 <= end; at += 8, p += 8) {
        hw_addr word = load64(p);
        if (at < eval_end)
            continue;
        if (!is_return_address(b, word)) {
            if (!eval)
                add_word(b, word, at - start);
            continue;
        }
        for (hw_addr back = SAVED_BYTES; eval && back; back -= 8)
            if (at - back >= eval)
                add_word(b, load64(p - back), at - back - start);
        eval = word - b->eval.addr < b->eval.bytes ? at + 8 : 0;
        if (eval)
            eval_end = eval + eval_frame_bytes(b, p + 8, end - eval);
    }
}

static void find_eval(struct hw_builder *b)
{
    for (size_t i = 0; i < b->module_count; i++)
        if (b->runtime->addr - b->modules[i].start < b->modules[i].end - b->modules[i].start)
            hw_module_symbol(b->image, &b->modules[i], "_PyEval_EvalFrameDefault", &b->eval);
}

static bool add_stack(struct hw_builder *b, const struct hw_thread *thread)
{
    struct hw_segment *segment = hw_image_segment(b->image, thread->sp);
    char *name = hw_arena_strdup(b->py.arena, thread_name(b, thread->tid, thread->name));
    if (!name || hw_roots_add(&b->roots,
                              (struct hw_synthetic){.kind = HW_SYN_NATIVE_STACK,
                                                    .name = name,
                                                    .file = "",
                                                    .tid = thread->tid},
                              HW_NONE) == HW_NONE)
        return hw_err_no_memory(b->err);
    for (unsigned i = 0; i < HW_REG_COUNT; i++)
        add_word(b, thread->regs[i], 0);
    hw_addr start = thread->sp & ~(hw_addr)7;
    hw_addr end = segment ? segment->end : start;
    /* Mappings that touch look like one: a thread's own memory ends where its descriptor is. */
    if (thread->tls > start && thread->tls < end)
        end = thread->tls;
    if (end - start > STACK_MAX_BYTES)
        end = start + STACK_MAX_BYTES;
    add_stack_words(b, start, end);
    add_operands(b, thread, end > start ? hw_image_at(b->image, start, end - start) : NULL,
                 (end - start) / 8);
    return true;
}

static bool add_static_types(struct hw_builder *b)
{
    if (hw_roots_add(&b->roots,
                     (struct hw_synthetic){
                         .kind = HW_SYN_STATIC_TYPES, .name = "static types", .file = ""},
                     HW_NONE) == HW_NONE)
        return hw_err_no_memory(b->err);
    uint32_t label = hw_label_named(&b->py, HW_LABEL_ROOT, "type");
    for (uint32_t i = 0; i < b->py.type_count; i++)
        if (!b->py.types[i]->is_heap && hw_marks_has(&b->marks, b->py.types[i]->addr))
            hw_roots_ref(&b->roots, b->py.types[i]->addr, label);
    return true;
}

bool hw_build_native_roots(struct hw_builder *b)
{
    if (!add_static_types(b) || !add_globals(b))
        return false;
    find_eval(b);
    for (size_t i = 0; i < b->image->thread_count; i++)
        if (b->image->threads[i].has_regs && !add_stack(b, &b->image->threads[i]))
            return false;
    return !b->roots.refs.failed || hw_err_no_memory(b->err);
}
