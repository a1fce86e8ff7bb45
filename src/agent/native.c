/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "agent/unwind.h"

#include <string.h>
#include <unistd.h>

/* The C code that this thread runs, from the one that allocates out to Python's interpreter. */

enum { PATH_BYTES = 4096 };

static struct hw_code own, interpreter;
static char program[PATH_BYTES]; /* the path that the loader does not say of its first module */

void hw_native_begin(const void *in_python)
{
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

static uint32_t module_text(const struct hw_code *code)
{
    static struct known known[KNOWN_MAX];
    struct known *at = &known[(code->start >> 12) * 0x9e3779b97f4a7c15u >> 56];
    if (at->start != code->start || at->map != code->map || at->name != code->map->l_name) {
        const char *path = *code->map->l_name ? code->map->l_name : program;
        *at = (struct known){code->start, code->map, code->map->l_name,
                             hw_text_intern(path, strnlen(path, PATH_BYTES))};
    }
    return at->text;
}

/* ---- the stack ---- */

/* The interpreter's own frames say nothing that its Python frames don't: of them only one that
 * itself allocates is kept. Behind it there may be what other greenlets have left. */
void hw_native_find(struct hw_native_stack *stack)
{
    struct hw_unwind unwind = {0};
    struct hw_code code;
    HW_UNWIND_HERE(unwind);
    stack->depth = 0;
    while (stack->depth < HW_NATIVE_DEPTH_MAX && hw_code_find(unwind.pc, &code)) {
        bool is_python = code.start == interpreter.start;
        if (is_python && stack->depth)
            break;
        if (code.start != own.start)
            stack->frames[stack->depth++] = (struct hw_native_frame){unwind.pc, code};
        if (is_python || !hw_unwind_up(&unwind, &code))
            break;
    }
}

uint32_t hw_native_intern(const struct hw_native_stack *stack, uint32_t caller)
{
    uint32_t site = caller;
    for (size_t i = stack->depth; i-- > 0;) {
        const struct hw_native_frame *frame = &stack->frames[i];
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
