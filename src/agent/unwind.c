/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/unwind.h"
#include "agent/unwind-table.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

enum { PAGE = 4096, WORD = 8 };
/* Below the main stack the kernel leaves more than that free, so who is so near to its end is on it
 * (Linux 6.1 arch/x86/mm/mmap.c, mmap_base()). */
enum { MAIN_STACK_BYTES = 64 << 20 };

static uintptr_t main_stack_end;

void hw_unwind_begin(void)
{
    uintptr_t *end = dlsym(RTLD_DEFAULT, "__libc_stack_end");
    main_stack_end = end ? *end : 0;
}

/* ---- rules that were found before ----
 *
 * One word for each, so that nobody can see half of one: the upper bits of its pc, whose lower ones
 * say where it stands, and the rule. Where a module is unloaded and another one comes to its place,
 * its rules may be used for a while: a stack is then wrong or ends early, but what is read is
 * memory all the same. */

enum { PC_LOW_BITS = 12, PC_HIGH_BITS = 47 - PC_LOW_BITS, CFA_BITS = 16, BP_BITS = 9 };
_Static_assert(PC_HIGH_BITS + CFA_BITS + BP_BITS + 2 <= 64, "a rule is a word");

static _Atomic uint64_t known[1 << PC_LOW_BITS];

static uint64_t rule_pack(uintptr_t pc, struct hw_unwind_rule rule)
{
    uint64_t word = pc >> PC_LOW_BITS;
    word = word << CFA_BITS | (rule.is_known ? rule.cfa_words : 0);
    word = word << BP_BITS | rule.bp_words;
    return word << 2 | (uint64_t)rule.from_bp << 1 | 1;
}

/* An unknown one has no words. */
static struct hw_unwind_rule rule_unpack(uint64_t word)
{
    uint32_t cfa_words = (uint32_t)(word >> (2 + BP_BITS)) & ((1u << CFA_BITS) - 1);
    uint32_t bp_words = (uint32_t)(word >> 2) & ((1u << BP_BITS) - 1);
    return (struct hw_unwind_rule){cfa_words != 0, word >> 1 & 1, cfa_words, bp_words};
}

static struct hw_unwind_rule rule_of(uintptr_t pc, const struct hw_code *code)
{
    _Atomic uint64_t *place = &known[pc & ((1 << PC_LOW_BITS) - 1)];
    uint64_t word = atomic_load_explicit(place, memory_order_relaxed);
    if (word >> (2 + BP_BITS + CFA_BITS) == pc >> PC_LOW_BITS && word & 1)
        return rule_unpack(word);
    struct hw_unwind_rule rule = hw_unwind_rule_find(pc, code);
    atomic_store_explicit(place, rule_pack(pc, rule), memory_order_relaxed);
    return rule;
}

/* ---- the stack ---- */

/* The kernel reads the new mask before it refuses what is to be done with it (kernel/signal.c,
 * rt_sigprocmask()). errno stays. */
static bool is_readable(uintptr_t page)
{
    long status;
    register unsigned long bytes __asm__("r10") = 8;
    __asm__ volatile("syscall"
                     : "=a"(status)
                     : "0"(SYS_rt_sigprocmask), "D"(-1L), "S"(page), "d"(0L), "r"(bytes)
                     : "rcx", "r11", "memory");
    return status == -22; /* EINVAL; else EFAULT */
}

static void readable_begin(struct hw_unwind *unwind)
{
    bool is_main = unwind->sp < main_stack_end && main_stack_end - unwind->sp < MAIN_STACK_BYTES;
    unwind->readable = unwind->sp & -(uintptr_t)PAGE;
    unwind->readable_end = is_main ? main_stack_end : unwind->readable + PAGE;
}

static bool stack_read(struct hw_unwind *unwind, uintptr_t at, uintptr_t *ret_word)
{
    if (!unwind->readable)
        readable_begin(unwind);
    if (at % WORD || at < unwind->sp)
        return false;
    if (at < unwind->readable || at >= unwind->readable_end) {
        uintptr_t page = at & -(uintptr_t)PAGE;
        if (!is_readable(page))
            return false;
        unwind->readable = page;
        unwind->readable_end = page + PAGE;
    }
    memcpy(ret_word, (const void *)at, sizeof(*ret_word));
    return true;
}

bool hw_unwind_up(struct hw_unwind *unwind, const struct hw_code *code)
{
    struct hw_unwind_rule rule = rule_of(unwind->pc, code);
    uintptr_t base = rule.from_bp ? unwind->bp : unwind->sp, cfa, back, bp = unwind->bp;
    if (!rule.is_known || __builtin_add_overflow(base, rule.cfa_words * (uintptr_t)WORD, &cfa) ||
        cfa <= unwind->sp || !stack_read(unwind, cfa - WORD, &back) ||
        (rule.bp_words && !stack_read(unwind, cfa - rule.bp_words * (uintptr_t)WORD, &bp)))
        return false;
    unwind->pc = back - 1;
    unwind->sp = cfa;
    unwind->bp = bp;
    return back != 0;
}
