/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/record.h"
#include "agent/unwind.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What C code allocates, with its stack, from the one that allocates out to Python's interpreter. */

enum {
    PATH_BYTES = 4096,
    DEPTH_MAX = 32,
    LOOK_BYTES = 1 << 20 /* after so many a thread looks again whether the agent has been switched on */
};

bool hw_native_every;

static struct hw_code own, interpreter;
static char program[PATH_BYTES]; /* the path that the loader does not say of its first module */

void hw_native_begin(const void *in_python, bool every)
{
    hw_native_every = every;
    hw_thread.left = 0;
    hw_code_find((uintptr_t)&hw_agent_table, &own);
    hw_code_find((uintptr_t)in_python, &interpreter);
    ssize_t bytes = readlink("/proc/self/exe", program, sizeof(program) - 1);
    program[bytes > 0 ? bytes : 0] = 0;
}

/* ---- the path of a module, under the lock ---- */

struct known {
    uintptr_t start;
    const struct link_map *map;
    const char *name;
    uint32_t text;
};
enum { KNOWN_MAX = 256 };

static struct known known[KNOWN_MAX];

void hw_native_clear(void)
{
    memset(known, 0, sizeof(known));
}

static uint32_t module_text(const struct hw_code *code)
{
    struct known *at = &known[(code->start >> 12) * 0x9e3779b97f4a7c15u >> 56];
    if (at->start != code->start || at->map != code->map || at->name != code->map->l_name) {
        const char *path = *code->map->l_name ? code->map->l_name : program;
        *at = (struct known){code->start, code->map, code->map->l_name,
                             hw_text_intern(path, strnlen(path, PATH_BYTES))};
    }
    return at->text;
}

/* ---- the stack ---- */

struct stack {
    size_t depth;
    struct native_frame {
        uintptr_t pc; /* of the call */
        struct hw_code code;
    } frames[DEPTH_MAX];
};

/* The interpreter's own frames say nothing that its Python frames don't: of them only one that
 * itself allocates is kept. Behind it there may be what other greenlets have left. */
static void stack_find(struct stack *stack)
{
    struct hw_unwind unwind = {0};
    struct hw_code code;
    HW_UNWIND_HERE(unwind);
    stack->depth = 0;
    while (stack->depth < DEPTH_MAX && hw_code_find(unwind.pc, &code)) {
        bool is_python = code.start == interpreter.start;
        if (is_python && stack->depth)
            break;
        if (code.start != own.start)
            stack->frames[stack->depth++] = (struct native_frame){unwind.pc, code};
        if (is_python || !hw_unwind_up(&unwind, &code))
            break;
    }
}

/* Under the lock. */
static uint32_t stack_intern(const struct stack *stack, uint32_t caller)
{
    uint32_t site = caller;
    for (size_t i = stack->depth; i-- > 0;) {
        const struct native_frame *frame = &stack->frames[i];
        const struct hw_agent_site next = {
            .file = module_text(&frame->code),
            .function = HW_AGENT_NATIVE,
            .line = (uint32_t)(frame->pc + 1 - frame->code.map->l_addr),
            .caller = site,
        };
        site = hw_site_intern(&next);
    }
    return site;
}

/* ---- blocks ---- */

static void write_down(void *block, size_t bytes, enum hw_agent_domain domain, bool is_sample)
{
    struct stack stack;
    hw_thread.inside = true;
    stack_find(&stack);
    hw_store_lock();
    uint32_t site = stack_intern(&stack, hw_frames_find(false));
    if (hw_native_every)
        hw_record_alloc(block, bytes, domain, site);
    if (is_sample)
        hw_live_put(&(struct hw_agent_block){(uintptr_t)block, bytes, site, domain});
    hw_store_unlock();
    hw_thread.inside = false;
}

void hw_native_count(void *block, size_t bytes, enum hw_agent_domain domain)
{
    struct hw_thread *thread = &hw_thread;
    if (thread->inside)
        return;
    if (!hw_agent_is_on) {
        thread->left = LOOK_BYTES;
        return;
    }
    if (!block)
        return;
    int error = errno;
    bool is_sample = (thread->left -= (int64_t)bytes) < 0 && hw_sample_due(thread, bytes);
    if (is_sample || hw_native_every)
        write_down(block, bytes, domain, is_sample);
    errno = error;
}

bool hw_native_take(const void *block, struct hw_agent_block *ret_block)
{
    if (hw_thread.inside || !block)
        return false;
    int error = errno; /* which free() leaves alone */
    hw_thread.inside = true;
    hw_store_lock();
    if (hw_native_every)
        hw_record_free(block);
    bool was_live = hw_live_remove(block, ret_block);
    hw_store_unlock();
    hw_thread.inside = false;
    errno = error;
    return was_live;
}

void hw_native_put(const struct hw_agent_block *block)
{
    if (hw_thread.inside)
        return;
    hw_thread.inside = true;
    hw_store_lock();
    if (hw_native_every)
        hw_record_alloc((const void *)block->addr, block->bytes, (enum hw_agent_domain)block->domain,
                        block->site);
    hw_live_put(block);
    hw_store_unlock();
    hw_thread.inside = false;
}
