/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/unwind-table.h"

#include <string.h>

/* ---- reading ---- */

/* Where it ends, and behind that, all is 0. */
struct reader {
    const uint8_t *at, *end;
    bool ended;
};

static uint64_t number(struct reader *r, size_t bytes)
{
    uint64_t value = 0;
    if ((size_t)(r->end - r->at) < bytes) {
        r->ended = true;
        r->at = r->end;
        return 0;
    }
    memcpy(&value, r->at, bytes);
    r->at += bytes;
    return value;
}

static uint64_t uleb(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = (uint8_t)number(r, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    r->ended = true;
    return 0;
}

static int64_t sleb(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64;) {
        uint8_t byte = (uint8_t)number(r, 1);
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (!(byte & 0x80))
            return (int64_t)(byte & 0x40 && shift < 64 ? value | ~UINT64_C(0) << shift : value);
    }
    r->ended = true;
    return 0;
}

static void skip(struct reader *r, uint64_t bytes)
{
    if (bytes > (uint64_t)(r->end - r->at)) {
        r->ended = true;
        r->at = r->end;
    } else {
        r->at += bytes;
    }
}

/* DW_EH_PE_...: a form in the lower four bits, what it counts from in the others. */
enum { ABSOLUTE_8 = 0, UNSIGNED_2 = 2, UNSIGNED_4, UNSIGNED_8, SIGNED_2 = 10, SIGNED_4, SIGNED_8 };
enum { FROM_HERE = 0x10, FROM_HEADER = 0x30, OF_POINTERS = 0x70 };

static size_t form_bytes(unsigned form)
{
    switch (form) {
    case UNSIGNED_2:
    case SIGNED_2:
        return 2;
    case UNSIGNED_4:
    case SIGNED_4:
        return 4;
    case ABSOLUTE_8:
    case UNSIGNED_8:
    case SIGNED_8:
        return 8;
    default:
        return 0;
    }
}

static uint64_t pointer(struct reader *r, unsigned encoding)
{
    uint64_t here = (uintptr_t)r->at;
    size_t bytes = form_bytes(encoding & 15);
    uint64_t value = number(r, bytes);
    if (!bytes || (encoding & OF_POINTERS && (encoding & OF_POINTERS) != FROM_HERE)) {
        r->ended = true;
        return 0;
    }
    if (encoding & 8 && bytes < 8 && value >> (bytes * 8 - 1))
        value |= ~UINT64_C(0) << bytes * 8;
    return (encoding & OF_POINTERS) == FROM_HERE ? value + here : value;
}

/* ---- the entry of a function ---- */

/* Frame description entry, with what is common to several. */
struct entry {
    uintptr_t start, end; /* of the function */
    uint64_t code_align;
    int64_t data_align;
    bool is_signal;
    struct reader common, own; /* instructions */
};

/* The length and the end of a record. */
static struct reader record(const uint8_t *at, const struct hw_code *code)
{
    struct reader r = {at, (const uint8_t *)code->end, false};
    if (!hw_code_has(code, (uintptr_t)at)) {
        r.at = r.end;
        r.ended = true;
    }
    uint64_t bytes = number(&r, 4);
    if (!bytes ||
        bytes > (uint64_t)(r.end - r.at)) /* 0xffffffff: the 64-bit form, which nobody writes */
        r.ended = true;
    else
        r.end = r.at + bytes;
    return r;
}

/* The letters of the augmentation say what stands in it. */
static void augmentation(struct reader *r, const char *letters, struct entry *entry,
                         unsigned *ret_encoding)
{
    for (; *letters && !r->ended; letters++)
        switch (*letters) {
        case 'R':
            *ret_encoding = (unsigned)number(r, 1);
            break;
        case 'L':
            number(r, 1);
            break;
        case 'P':
            skip(r, form_bytes(number(r, 1) & 15));
            break;
        case 'S':
            entry->is_signal = true;
            break;
        default:
            r->ended = true;
        }
}

enum { REGISTER_BP = 6, REGISTER_SP = 7, REGISTER_RETURN = 16 };

static bool common_read(const uint8_t *at, const struct hw_code *code, struct entry *entry,
                        unsigned *ret_encoding)
{
    struct reader r = record(at, code);
    uint64_t id = number(&r, 4), version = number(&r, 1);
    const char *letters = (const char *)r.at;
    while (number(&r, 1))
        ;
    entry->code_align = uleb(&r);
    entry->data_align = sleb(&r);
    uint64_t return_register = version == 1 ? number(&r, 1) : uleb(&r);
    *ret_encoding = ABSOLUTE_8;
    if (r.ended || id || return_register != REGISTER_RETURN)
        return false;
    if (*letters == 'z') {
        uint64_t bytes = uleb(&r);
        struct reader parts = r;
        skip(&r, bytes);
        parts.end = r.at;
        augmentation(&parts, letters + 1, entry, ret_encoding);
        r.ended |= parts.ended;
    } else if (*letters) {
        return false;
    }
    entry->common = r;
    return !r.ended;
}

static bool entry_read(const uint8_t *at, const struct hw_code *code, struct entry *entry)
{
    struct reader r = record(at, code);
    const uint8_t *here = r.at;
    uint64_t back = number(&r, 4);
    unsigned encoding;
    if (r.ended || !back || back > (uintptr_t)here - code->start ||
        !common_read(here - back, code, entry, &encoding))
        return false;
    entry->start = pointer(&r, encoding);
    entry->end = entry->start + pointer(&r, encoding & 15);
    if (r.ended)
        return false;
    const uint8_t *common = here - back + 9; /* its length, id and version */
    if (*common == 'z')
        skip(&r, uleb(&r));
    entry->own = r;
    return !r.ended;
}

/* .eh_frame_hdr has a table by address: start of a function, its entry, from where the header lies.
 */
static const uint8_t *entry_find(uintptr_t pc, const struct hw_code *code)
{
    const uint8_t *header = code->unwind;
    struct reader r = {header, (const uint8_t *)code->end, false};
    struct {
        uint8_t version, frames_encoding, count_encoding, table_encoding;
    } head = {0};
    if (!header || !hw_code_has(code, (uintptr_t)header))
        return NULL;
    head.version = (uint8_t)number(&r, 1);
    head.frames_encoding = (uint8_t)number(&r, 1);
    head.count_encoding = (uint8_t)number(&r, 1);
    head.table_encoding = (uint8_t)number(&r, 1);
    if (head.version != 1 || head.count_encoding != UNSIGNED_4 ||
        head.table_encoding != (FROM_HEADER | SIGNED_4))
        return NULL;
    pointer(&r, head.frames_encoding);
    uint64_t low = 0, high = number(&r, 4);
    if (r.ended || high > (uint64_t)(r.end - r.at) / 8)
        return NULL;
    int32_t row[2];
    while (low < high) { /* to the last that begins at pc or before it */
        uint64_t middle = low + (high - low) / 2;
        memcpy(row, r.at + middle * sizeof(row), sizeof(row));
        if ((uintptr_t)(header + row[0]) <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    memcpy(row, r.at + (low - 1) * sizeof(row), sizeof(row));
    return header + row[1];
}

/* ---- its instructions ---- */

enum { SAVED_STATES = 8, NO_REGISTER = 255 };
/* What is known at one address of the function. */
struct state {
    uint8_t cfa_register; /* NO_REGISTER: it takes more to say */
    int64_t cfa_offset;
    int64_t bp, ret;        /* where they are saved, from the CFA; 0: in their register */
    bool bp_lost, ret_lost; /* it takes more to say */
};
struct run {
    struct state now, first, saved[SAVED_STATES];
    size_t saved_count;
    const struct entry *entry;
    uintptr_t at, until;
};

static void save(struct run *run, uint64_t reg, int64_t offset, bool is_lost)
{
    struct state *now = &run->now;
    if (reg == REGISTER_BP) {
        now->bp = offset;
        now->bp_lost = is_lost;
    } else if (reg == REGISTER_RETURN) {
        now->ret = offset;
        now->ret_lost = is_lost;
    }
}

static void restore(struct run *run, uint64_t reg)
{
    const struct state *first = &run->first;
    if (reg == REGISTER_BP)
        save(run, reg, first->bp, first->bp_lost);
    else if (reg == REGISTER_RETURN)
        save(run, reg, first->ret, first->ret_lost);
}

static void cfa_set(struct run *run, uint64_t reg, int64_t offset)
{
    run->now.cfa_register = reg == REGISTER_BP || reg == REGISTER_SP ? (uint8_t)reg : NO_REGISTER;
    run->now.cfa_offset = offset;
}

/* What is damaged may be any number: it is multiplied as one without a sign, which may wrap. */
static int64_t scaled(uint64_t factor, const struct run *run)
{
    return (int64_t)(factor * (uint64_t)run->entry->data_align);
}

/* DW_CFA_..., DWARF 5, 6.4.2 and 7.24. */
enum {
    NOP,
    SET_LOC,
    ADVANCE_1,
    ADVANCE_2,
    ADVANCE_4,
    OFFSET_EXTENDED,
    RESTORE_EXTENDED,
    UNDEFINED,
    SAME_VALUE,
    REGISTER,
    REMEMBER_STATE,
    RESTORE_STATE,
    DEF_CFA,
    DEF_CFA_REGISTER,
    DEF_CFA_OFFSET,
    DEF_CFA_EXPRESSION,
    EXPRESSION,
    OFFSET_EXTENDED_SF,
    DEF_CFA_SF,
    DEF_CFA_OFFSET_SF,
    VAL_OFFSET,
    VAL_OFFSET_SF,
    VAL_EXPRESSION,
    GNU_ARGS_SIZE = 0x2e,
    ADVANCE = 1, /* these three in the upper two bits */
    OFFSET,
    RESTORE
};

static void advance(struct run *run, uint64_t steps)
{
    run->at += steps * run->entry->code_align;
}

static void state_remember(struct run *run, struct reader *r)
{
    if (run->saved_count == SAVED_STATES)
        r->ended = true;
    else
        run->saved[run->saved_count++] = run->now;
}

static void state_restore(struct run *run, struct reader *r)
{
    if (!run->saved_count)
        r->ended = true;
    else
        run->now = run->saved[--run->saved_count];
}

/* About the CFA. False: it is about something else. */
static bool run_cfa(struct run *run, struct reader *r, unsigned code)
{
    uint64_t reg = run->now.cfa_register;
    switch (code) {
    case DEF_CFA:
        reg = uleb(r);
        cfa_set(run, reg, (int64_t)uleb(r));
        return true;
    case DEF_CFA_SF:
        reg = uleb(r);
        cfa_set(run, reg, scaled((uint64_t)sleb(r), run));
        return true;
    case DEF_CFA_REGISTER:
        cfa_set(run, uleb(r), run->now.cfa_offset);
        return true;
    case DEF_CFA_OFFSET:
        cfa_set(run, reg, (int64_t)uleb(r));
        return true;
    case DEF_CFA_OFFSET_SF:
        cfa_set(run, reg, scaled((uint64_t)sleb(r), run));
        return true;
    case DEF_CFA_EXPRESSION:
        skip(r, uleb(r));
        cfa_set(run, NO_REGISTER, 0);
        return true;
    default:
        return false;
    }
}

/* About a register. False: it is about something else. */
static bool run_register(struct run *run, struct reader *r, unsigned code)
{
    uint64_t reg;
    switch (code) {
    case OFFSET_EXTENDED:
        reg = uleb(r);
        save(run, reg, scaled(uleb(r), run), false);
        return true;
    case OFFSET_EXTENDED_SF:
        reg = uleb(r);
        save(run, reg, scaled((uint64_t)sleb(r), run), false);
        return true;
    case RESTORE_EXTENDED:
        restore(run, uleb(r));
        return true;
    case SAME_VALUE:
        save(run, uleb(r), 0, false);
        return true;
    case UNDEFINED:
        save(run, uleb(r), 0, true);
        return true;
    case REGISTER:
    case VAL_OFFSET:
    case VAL_OFFSET_SF:
        save(run, uleb(r), 0, true);
        uleb(r);
        return true;
    case EXPRESSION:
    case VAL_EXPRESSION:
        save(run, uleb(r), 0, true);
        skip(r, uleb(r));
        return true;
    default:
        return false;
    }
}

static void run_other(struct run *run, struct reader *r, unsigned code)
{
    switch (code) {
    case NOP:
        break;
    case ADVANCE_1:
        advance(run, number(r, 1));
        break;
    case ADVANCE_2:
        advance(run, number(r, 2));
        break;
    case ADVANCE_4:
        advance(run, number(r, 4));
        break;
    case REMEMBER_STATE:
        state_remember(run, r);
        break;
    case RESTORE_STATE:
        state_restore(run, r);
        break;
    case GNU_ARGS_SIZE:
        uleb(r);
        break;
    default:
        r->ended = true;
    }
}

/* Up to the first that holds behind until. */
static bool run_all(struct run *run, struct reader r)
{
    while (r.at < r.end && !r.ended) {
        unsigned code = (unsigned)number(&r, 1), low = code & 63;
        switch (code >> 6) {
        case ADVANCE:
            advance(run, low);
            break;
        case OFFSET:
            save(run, low, scaled(uleb(&r), run), false);
            break;
        case RESTORE:
            restore(run, low);
            break;
        default:
            if (!run_cfa(run, &r, code) && !run_register(run, &r, code))
                run_other(run, &r, code);
        }
        if (run->at > run->until)
            break;
    }
    return !r.ended;
}

/* ---- */

enum { WORD = 8, WORDS_MAX = 1 << 16, BP_WORDS_MAX = 1 << 9 };

static struct hw_unwind_rule rule_of(const struct state *state)
{
    bool is_known = state->cfa_register != NO_REGISTER && !state->ret_lost && state->ret == -WORD &&
                    !state->bp_lost && state->bp <= 0 && state->bp > -BP_WORDS_MAX * WORD &&
                    state->bp % WORD == 0 && state->cfa_offset > 0 &&
                    state->cfa_offset < WORDS_MAX * (int64_t)WORD && state->cfa_offset % WORD == 0;
    if (!is_known)
        return (struct hw_unwind_rule){0};
    return (struct hw_unwind_rule){true, state->cfa_register == REGISTER_BP,
                                   (uint32_t)(state->cfa_offset / WORD),
                                   (uint32_t)(-state->bp / WORD)};
}

struct hw_unwind_rule hw_unwind_rule_find(uintptr_t pc, const struct hw_code *code)
{
    struct entry entry = {0};
    const uint8_t *at = entry_find(pc, code);
    if (!at || !entry_read(at, code, &entry) || pc < entry.start || pc >= entry.end ||
        entry.is_signal)
        return (struct hw_unwind_rule){0};
    struct run run = {.now.cfa_register = NO_REGISTER, .entry = &entry, .until = UINTPTR_MAX};
    if (!run_all(&run, entry.common))
        return (struct hw_unwind_rule){0};
    run.first = run.now;
    run.at = entry.start;
    run.until = pc;
    return run_all(&run, entry.own) ? rule_of(&run.now) : (struct hw_unwind_rule){0};
}
