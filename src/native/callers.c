/* SPDX-License-Identifier: Apache-2.0 */
#include "native/callers.h"

#include "base/bytes.h"
#include "native/elf-memory.h"

enum {
    DEPTH_MAX = 1 << 15,
    RECORD_MAX_BYTES = 1 << 16,
    STATES_MAX = 8, /* remembered ones */
    SP = 7,
};

/* How pointers are written (LSB 5.0, 10.5.1). */
enum {
    PE_ABSOLUTE = 0x00,
    PE_UDATA4 = 0x03,
    PE_UDATA8 = 0x04,
    PE_SDATA4 = 0x0b,
    PE_SDATA8 = 0x0c,
    PE_PC_RELATIVE = 0x10,
    PE_DATA_RELATIVE = 0x30,
    PE_FORM = 0x0f,
    PE_BASE = 0x70,
};

enum rule_kind { RULE_SAME, RULE_SAVED, RULE_UNDEFINED, RULE_UNKNOWN };
struct rule {
    enum rule_kind kind;
    int64_t offset; /* from the canonical frame address */
};

struct row {
    struct rule rules[HW_CALLERS_REGS];
    unsigned cfa_reg;
    int64_t cfa_offset;
    bool cfa_known;
};

struct description {
    hw_addr begin, end;              /* of the code */
    struct hw_bytes common, program; /* instructions of the CIE, of the FDE */
    uint64_t code_align;
    int64_t data_align;
    unsigned char encoding; /* of pointers in the FDE */
    bool has_size;          /* augmentation data is preceded by its length */
};

/* ---- numbers ---- */

static uint8_t byte_of(struct hw_bytes *in)
{
    const unsigned char *p = hw_bytes_take(in, 1);
    return p ? *p : 0;
}

static int64_t signed_of(struct hw_bytes *in)
{
    uint64_t value = 0;
    uint8_t byte = 0x80;
    unsigned shift = 0;
    for (; byte & 0x80 && shift < 64 && !in->failed; shift += 7) {
        byte = byte_of(in);
        value |= (uint64_t)(byte & 0x7f) << shift;
    }
    if (shift < 64 && byte & 0x40)
        value |= ~UINT64_C(0) << shift;
    return (int64_t)value;
}

/* A pointer that is read at address `at`. */
static hw_addr pointer_of(struct hw_bytes *in, unsigned char encoding, hw_addr at)
{
    hw_addr value = 0;
    switch (encoding & PE_FORM) {
    case PE_ABSOLUTE:
    case PE_UDATA8:
    case PE_SDATA8:
        value = hw_bytes_u64(in);
        break;
    case PE_UDATA4:
        value = hw_bytes_u32(in);
        break;
    case PE_SDATA4:
        value = (hw_addr)(int64_t)(int32_t)hw_bytes_u32(in);
        break;
    default:
        hw_bytes_refuse(in);
    }
    if ((encoding & ~PE_FORM) == PE_PC_RELATIVE)
        return value + at;
    if (encoding & ~PE_FORM)
        hw_bytes_refuse(in);
    return value;
}

/* ---- records of .eh_frame ---- */

/* The record at addr without its length. *ret_at: the address of its first byte. */
static bool record_at(struct hw_image *image, hw_addr addr, struct hw_bytes *ret_record,
                      hw_addr *ret_at)
{
    uint32_t bytes;
    if (!hw_image_read(image, addr, &bytes, sizeof(bytes)) || bytes < 8 || bytes > RECORD_MAX_BYTES)
        return false;
    const void *p = hw_image_at(image, addr + sizeof(bytes), bytes);
    if (!p)
        return false;
    *ret_record = hw_bytes_of(p, bytes);
    *ret_at = addr + sizeof(bytes);
    return true;
}

/* What the letters of the augmentation say. False: of a signal handler's frame, or unknown. */
static bool augmentation_read(struct hw_bytes *in, const char *letters, struct description *d)
{
    if (*letters != 'z')
        return !*letters;
    d->has_size = true;
    hw_bytes_varint64(in);
    for (letters++; *letters && !in->failed; letters++) {
        if (*letters == 'R')
            d->encoding = byte_of(in);
        else if (*letters == 'L')
            byte_of(in);
        else if (*letters == 'P')
            pointer_of(in, byte_of(in) & PE_FORM, 0);
        else
            return false;
    }
    return !in->failed;
}

static bool common_read(struct hw_image *image, hw_addr addr, struct description *d)
{
    struct hw_bytes in;
    hw_addr at;
    if (!record_at(image, addr, &in, &at) || hw_bytes_u32(&in) != 0)
        return false;
    uint8_t version = byte_of(&in);
    const char *letters = (const char *)in.at;
    const unsigned char *end = memchr(in.at, 0, hw_bytes_left(&in));
    if (!end || (version != 1 && version != 3))
        return false;
    in.at = end + 1;
    d->code_align = hw_bytes_varint64(&in);
    d->data_align = signed_of(&in);
    uint64_t return_reg = version == 1 ? byte_of(&in) : hw_bytes_varint64(&in);
    if (return_reg != HW_CALLERS_RETURN)
        return false;
    const unsigned char *augmentation = in.at;
    if (!augmentation_read(&in, letters, d))
        return false;
    if (d->has_size) { /* the instructions begin where its length says */
        in.at = augmentation;
        hw_bytes_take(&in, hw_bytes_varint64(&in));
    }
    d->common = in;
    return !in.failed;
}

static bool description_read(struct hw_image *image, hw_addr addr, struct description *ret)
{
    struct description d = {0};
    struct hw_bytes in;
    hw_addr at;
    if (!record_at(image, addr, &in, &at))
        return false;
    const unsigned char *first = in.at;
    uint32_t back = hw_bytes_u32(&in);
    if (!back || !common_read(image, at - back, &d))
        return false;
    d.begin = pointer_of(&in, d.encoding, at + (hw_addr)(in.at - first));
    d.end = d.begin + pointer_of(&in, d.encoding & PE_FORM, 0);
    if (d.has_size)
        hw_bytes_take(&in, hw_bytes_varint64(&in));
    d.program = in;
    *ret = d;
    return !in.failed && d.end > d.begin;
}

/* ---- finding the record of an address ---- */

struct table {
    hw_addr rows; /* pairs of 32-bit distances from base: code, record */
    hw_addr base;
    uint32_t count;
};

static bool table_find(struct hw_image *image, const struct hw_module *module, struct table *ret)
{
    Elf64_Ehdr header;
    Elf64_Phdr programs[HW_ELF_PROGRAMS_MAX];
    if (!hw_elf_memory_headers(image, module->start, &header, programs))
        return false;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        hw_addr base = module->bias + programs[i].p_vaddr;
        /* version 1; .eh_frame as sdata4 from here; count as udata4; table as sdata4 from its begin
         */
        static const unsigned char kind[4] = {1, PE_PC_RELATIVE | PE_SDATA4, PE_UDATA4,
                                              PE_DATA_RELATIVE | PE_SDATA4};
        struct {
            unsigned char kind[4];
            uint32_t frames, count;
        } head;
        if (programs[i].p_type != PT_GNU_EH_FRAME ||
            !hw_image_read(image, base, &head, sizeof(head)) ||
            memcmp(head.kind, kind, sizeof(kind)) != 0)
            continue;
        *ret = (struct table){base + sizeof(head), base, head.count};
        return true;
    }
    return false;
}

static hw_addr row_word(struct hw_image *image, const struct table *table, uint32_t row,
                        unsigned word)
{
    uint32_t distance = hw_image_word32(image, table->rows + (hw_addr)row * 8 + word * 4);
    return table->base + (hw_addr)(int64_t)(int32_t)distance;
}

static bool description_find(struct hw_image *image, const struct hw_module *module, hw_addr pc,
                             struct description *ret)
{
    struct table table;
    if (!table_find(image, module, &table) || !table.count)
        return false;
    uint32_t low = 0, high = table.count; /* the last row that begins at or below pc is in here */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (row_word(image, &table, middle, 0) <= pc)
            low = middle;
        else
            high = middle;
    }
    return description_read(image, row_word(image, &table, low, 1), ret) && pc >= ret->begin &&
           pc < ret->end;
}

/* ---- the rules at an address ---- */

struct machine {
    struct row row, initial, saved[STATES_MAX];
    unsigned saved_count;
    const struct description *d;
    hw_addr at; /* the row holds from here on */
};

static void rule_set(struct machine *m, uint64_t reg, enum rule_kind kind, int64_t offset)
{
    if (reg < HW_CALLERS_REGS)
        m->row.rules[reg] = (struct rule){kind, offset};
}

static void cfa_set(struct machine *m, uint64_t reg, int64_t offset)
{
    m->row.cfa_known = reg < HW_CALLERS_REGS;
    m->row.cfa_reg = reg < HW_CALLERS_REGS ? (unsigned)reg : 0;
    m->row.cfa_offset = offset;
}

/* Registers above those that we follow keep no rule. */
static void rule_restore(struct machine *m, uint64_t reg)
{
    if (reg < HW_CALLERS_REGS)
        m->row.rules[reg] = m->initial.rules[reg];
}

static void remember(struct machine *m, struct hw_bytes *in)
{
    if (m->saved_count == STATES_MAX)
        hw_bytes_refuse(in);
    else
        m->saved[m->saved_count++] = m->row;
}

static void recall(struct machine *m, struct hw_bytes *in)
{
    if (m->saved_count)
        m->row = m->saved[--m->saved_count];
    else
        hw_bytes_refuse(in);
}

static void expression(struct machine *m, struct hw_bytes *in, bool is_cfa)
{
    uint64_t reg = is_cfa ? 0 : hw_bytes_varint64(in);
    hw_bytes_take(in, hw_bytes_varint64(in));
    if (is_cfa)
        m->row.cfa_known = false;
    else
        rule_set(m, reg, RULE_UNKNOWN, 0);
}

/* DWARF 5, 6.4.2. */
enum {
    CFA_ADVANCE = 0x40,
    CFA_OFFSET = 0x80,
    CFA_RESTORE = 0xc0,
    CFA_NOP = 0x00,
    CFA_ADVANCE1 = 0x02,
    CFA_ADVANCE2 = 0x03,
    CFA_ADVANCE4 = 0x04,
    CFA_OFFSET_EXTENDED = 0x05,
    CFA_RESTORE_EXTENDED = 0x06,
    CFA_UNDEFINED = 0x07,
    CFA_SAME_VALUE = 0x08,
    CFA_REGISTER = 0x09,
    CFA_REMEMBER = 0x0a,
    CFA_RECALL = 0x0b,
    CFA_DEF = 0x0c,
    CFA_DEF_REGISTER = 0x0d,
    CFA_DEF_OFFSET = 0x0e,
    CFA_DEF_EXPRESSION = 0x0f,
    CFA_EXPRESSION = 0x10,
    CFA_OFFSET_SIGNED = 0x11,
    CFA_DEF_SIGNED = 0x12,
    CFA_DEF_OFFSET_SIGNED = 0x13,
    CFA_VALUE_EXPRESSION = 0x16,
    CFA_GNU_ARGS_SIZE = 0x2e,
};

static uint64_t little_of(struct hw_bytes *in, size_t bytes)
{
    uint64_t value = 0;
    const unsigned char *p = hw_bytes_take(in, bytes);
    if (p)
        memcpy(&value, p, bytes);
    return value;
}

/* How much code an instruction passes over; none of those that do: 0. */
static uint64_t advance_of(struct hw_bytes *in, uint8_t op)
{
    if ((op & 0xc0) == CFA_ADVANCE)
        return op & 0x3f;
    return op >= CFA_ADVANCE1 && op <= CFA_ADVANCE4
               ? little_of(in, (size_t)1 << (op - CFA_ADVANCE1))
               : 0;
}

static void rule_apply(struct machine *m, struct hw_bytes *in, uint8_t op)
{
    uint64_t reg = hw_bytes_varint64(in);
    switch (op) {
    case CFA_OFFSET_EXTENDED:
        rule_set(m, reg, RULE_SAVED, (int64_t)hw_bytes_varint64(in) * m->d->data_align);
        break;
    case CFA_OFFSET_SIGNED:
        rule_set(m, reg, RULE_SAVED, signed_of(in) * m->d->data_align);
        break;
    case CFA_RESTORE_EXTENDED:
        rule_restore(m, reg);
        break;
    case CFA_UNDEFINED:
        rule_set(m, reg, RULE_UNDEFINED, 0);
        break;
    case CFA_SAME_VALUE:
        rule_set(m, reg, RULE_SAME, 0);
        break;
    default: /* CFA_REGISTER */
        hw_bytes_varint64(in);
        rule_set(m, reg, RULE_UNKNOWN, 0);
    }
}

static void cfa_apply(struct machine *m, struct hw_bytes *in, uint8_t op)
{
    uint64_t reg = m->row.cfa_reg;
    if (op == CFA_DEF || op == CFA_DEF_SIGNED || op == CFA_DEF_REGISTER)
        reg = hw_bytes_varint64(in);
    int64_t offset = m->row.cfa_offset;
    if (op == CFA_DEF || op == CFA_DEF_OFFSET)
        offset = (int64_t)hw_bytes_varint64(in);
    else if (op == CFA_DEF_SIGNED || op == CFA_DEF_OFFSET_SIGNED)
        offset = signed_of(in) * m->d->data_align;
    cfa_set(m, reg, offset);
}

static void instruction_apply(struct machine *m, struct hw_bytes *in, uint8_t op)
{
    if ((op & 0xc0) == CFA_OFFSET)
        rule_set(m, op & 0x3f, RULE_SAVED, (int64_t)hw_bytes_varint64(in) * m->d->data_align);
    else if ((op & 0xc0) == CFA_RESTORE)
        rule_restore(m, op & 0x3f);
    else if ((op >= CFA_OFFSET_EXTENDED && op <= CFA_REGISTER) || op == CFA_OFFSET_SIGNED)
        rule_apply(m, in, op);
    else if ((op >= CFA_DEF && op <= CFA_DEF_OFFSET) || op == CFA_DEF_SIGNED ||
             op == CFA_DEF_OFFSET_SIGNED)
        cfa_apply(m, in, op);
    else if (op == CFA_REMEMBER)
        remember(m, in);
    else if (op == CFA_RECALL)
        recall(m, in);
    else if (op == CFA_DEF_EXPRESSION || op == CFA_EXPRESSION || op == CFA_VALUE_EXPRESSION)
        expression(m, in, op == CFA_DEF_EXPRESSION);
    else if (op == CFA_GNU_ARGS_SIZE)
        hw_bytes_varint64(in);
    else if (op != CFA_NOP)
        hw_bytes_refuse(in);
}

/* Runs a program up to the row of pc. */
static bool program_run(struct machine *m, struct hw_bytes in, hw_addr pc)
{
    while (!in.failed && hw_bytes_left(&in)) {
        uint8_t op = byte_of(&in);
        bool advances = (op & 0xc0) == CFA_ADVANCE || (op >= CFA_ADVANCE1 && op <= CFA_ADVANCE4);
        if (advances)
            m->at += advance_of(&in, op) * m->d->code_align;
        else
            instruction_apply(m, &in, op);
        if (m->at > pc)
            break;
    }
    return !in.failed;
}

/* Those that calls preserve are as they were where nothing else is said; others are lost (System V
 * ABI, 3.2.1). */
static struct row row_first(void)
{
    struct row row = {0};
    static const unsigned preserved[] = {3, 6, 12, 13, 14, 15};
    for (unsigned i = 0; i < HW_CALLERS_REGS; i++)
        row.rules[i].kind = RULE_UNKNOWN;
    for (size_t i = 0; i < sizeof(preserved) / sizeof(*preserved); i++)
        row.rules[preserved[i]].kind = RULE_SAME;
    return row;
}

static bool row_find(const struct description *d, hw_addr pc, struct row *ret)
{
    struct machine m = {.row = row_first(), .d = d, .at = d->begin};
    if (!program_run(&m, d->common, pc))
        return false;
    m.initial = m.row;
    if (!program_run(&m, d->program, pc))
        return false;
    *ret = m.row;
    return true;
}

/* ---- one step ---- */

/* Not through the mirrors, which would show the stack as it was when another thread was looked at.
 */
static bool stack_word(struct hw_image *image, hw_addr addr, uint64_t *ret)
{
    return image->ops->read(image, addr, ret, sizeof(*ret)) == sizeof(*ret);
}

static bool is_known(const struct hw_callers *callers, unsigned reg)
{
    return callers->known >> reg & 1;
}

/* The caller's registers. */
static bool row_apply(struct hw_callers *callers, const struct row *row)
{
    uint64_t regs[HW_CALLERS_REGS] = {0};
    uint32_t known = 0;
    if (!row->cfa_known || !is_known(callers, row->cfa_reg))
        return false;
    uint64_t cfa = callers->regs[row->cfa_reg] + (uint64_t)row->cfa_offset;
    if (cfa <= callers->regs[SP] || cfa % 8)
        return false;
    for (unsigned i = 0; i < HW_CALLERS_REGS; i++) {
        const struct rule *rule = &row->rules[i];
        bool ok = rule->kind == RULE_SAME && is_known(callers, i);
        regs[i] = callers->regs[i];
        if (rule->kind == RULE_SAVED)
            ok = stack_word(callers->image, cfa + (uint64_t)rule->offset, &regs[i]);
        known |= (uint32_t)ok << i;
    }
    regs[SP] = cfa;
    known |= 1u << SP;
    memcpy(callers->regs, regs, sizeof(regs));
    callers->known = known;
    return known >> HW_CALLERS_RETURN & 1;
}

/* What pc says. A call may be its function's last instruction: it is looked up, not what stands
 * behind. */
static bool look(struct hw_callers *callers, struct row *ret_row)
{
    struct description d;
    hw_addr pc = callers->pc - (callers->depth > 0);
    callers->module = hw_module_at(callers->modules, callers->module_count, pc);
    callers->function = 0;
    callers->complete = false;
    if (!callers->module || !description_find(callers->image, callers->module, pc, &d))
        return false;
    callers->function = d.begin;
    if (!row_find(&d, pc, ret_row))
        return false;
    callers->complete = ret_row->rules[HW_CALLERS_RETURN].kind == RULE_UNDEFINED;
    return true;
}

void hw_callers_begin(struct hw_callers *callers, struct hw_image *image,
                      const struct hw_module *modules, size_t count, const struct hw_regs *regs)
{
    struct row row;
    *callers = (struct hw_callers){.image = image, .modules = modules, .module_count = count};
    hw_arch_regs_dwarf(regs, callers->regs);
    callers->known = (1u << HW_CALLERS_REGS) - 1;
    callers->pc = callers->regs[HW_CALLERS_RETURN];
    look(callers, &row);
}

bool hw_callers_next(struct hw_callers *callers)
{
    struct row row;
    if (callers->complete || callers->depth == DEPTH_MAX || !look(callers, &row) ||
        !row_apply(callers, &row))
        return false;
    callers->depth++;
    callers->pc = callers->regs[HW_CALLERS_RETURN];
    look(callers, &row);
    return true;
}
