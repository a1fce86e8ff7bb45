/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What code compares lengths with: len(self.entries) > self.limit. The instructions are followed
 * with a stack of what they push; one that is not known empties it, and what is missing below is
 * nothing. Each instruction's inline caches are skipped by their number, so that the walk keeps in
 * step also where the interpreter has specialised it.
 */

enum { UNITS_MAX = 1 << 14, STACK_MAX = 16, TEXT_MAX = 64, CONSTS_MAX = 1 << 14 };
enum { OPERATOR_SUBSCRIPT = 26 }; /* NB_SUBSCR of Include/opcode.h, 3.14 */

enum kind {
    NOTHING, /* does not change the stack, or only with NULL */
    UNKNOWN,
    EXTENDED,
    LOCAL,
    CELL, /* of two tuples, one after the other */
    TWO_LOCALS,
    GLOBAL,
    NAME,
    CONSTANT,
    SMALL_INT,
    ATTRIBUTE,
    METHOD,
    CALL,
    COMPARE,
    ITEM,
    OPERATOR,
    SLICE,
    DELETE
};

/* By minor version: opcodes from first to last, specialised ones too, and how many units of inline
 * cache follow. Lib/opcode.py of 3.9 to 3.12; Include/opcode_ids.h and
 * Include/internal/pycore_opcode_metadata.h of 3.13 and 3.14. Others are UNKNOWN, without a cache. */
static const struct range {
    uint8_t minor, first, last, kind, caches;
} ranges[] = {
    {9, 9, 9, NOTHING, 0},        {9, 25, 25, ITEM, 0},         {9, 61, 61, DELETE, 0},
    {9, 100, 100, CONSTANT, 0},   {9, 101, 101, NAME, 0},       {9, 106, 106, ATTRIBUTE, 0},
    {9, 107, 107, COMPARE, 0},    {9, 116, 116, GLOBAL, 0},     {9, 124, 124, LOCAL, 0},
    {9, 131, 131, CALL, 0},       {9, 133, 133, SLICE, 0},      {9, 136, 136, CELL, 0},
    {9, 144, 144, EXTENDED, 0},   {9, 148, 148, CELL, 0},       {9, 160, 160, METHOD, 0},
    {9, 161, 161, CALL, 0},
    {10, 9, 9, NOTHING, 0},       {10, 25, 25, ITEM, 0},        {10, 61, 61, DELETE, 0},
    {10, 100, 100, CONSTANT, 0},  {10, 101, 101, NAME, 0},      {10, 106, 106, ATTRIBUTE, 0},
    {10, 107, 107, COMPARE, 0},   {10, 116, 116, GLOBAL, 0},    {10, 124, 124, LOCAL, 0},
    {10, 131, 131, CALL, 0},      {10, 133, 133, SLICE, 0},     {10, 136, 136, CELL, 0},
    {10, 144, 144, EXTENDED, 0},  {10, 148, 148, CELL, 0},      {10, 160, 160, METHOD, 0},
    {10, 161, 161, CALL, 0},
    {11, 0, 0, NOTHING, 0},       {11, 2, 2, NOTHING, 0},      {11, 3, 8, UNKNOWN, 1},
    {11, 9, 9, NOTHING, 0},       {11, 13, 14, UNKNOWN, 1},    {11, 16, 16, UNKNOWN, 1},
    {11, 17, 21, ITEM, 4},        {11, 22, 24, CALL, 4},       {11, 25, 25, ITEM, 4},
    {11, 26, 29, COMPARE, 2},     {11, 34, 34, EXTENDED, 0},   {11, 39, 43, ATTRIBUTE, 4},
    {11, 44, 44, CONSTANT, 0},    {11, 45, 46, LOCAL, 0},      {11, 47, 48, GLOBAL, 5},
    {11, 55, 55, GLOBAL, 5},      {11, 56, 59, METHOD, 10},    {11, 60, 60, UNKNOWN, 1},
    {11, 61, 61, DELETE, 0},      {11, 62, 63, METHOD, 10},    {11, 64, 67, NOTHING, 1},
    {11, 72, 73, NOTHING, 1},     {11, 76, 81, NOTHING, 1},    {11, 92, 92, UNKNOWN, 1},
    {11, 95, 95, UNKNOWN, 4},     {11, 100, 100, CONSTANT, 0}, {11, 101, 101, NAME, 0},
    {11, 106, 106, ATTRIBUTE, 4}, {11, 107, 107, COMPARE, 2},  {11, 113, 113, NOTHING, 1},
    {11, 116, 116, GLOBAL, 5},    {11, 121, 121, NOTHING, 1},  {11, 122, 122, UNKNOWN, 1},
    {11, 124, 124, LOCAL, 0},     {11, 127, 127, NOTHING, 1},  {11, 133, 133, SLICE, 0},
    {11, 137, 137, LOCAL, 0},     {11, 141, 141, NOTHING, 1},  {11, 143, 143, NOTHING, 1},
    {11, 144, 144, EXTENDED, 0},  {11, 150, 151, NOTHING, 0},  {11, 153, 154, UNKNOWN, 4},
    {11, 158, 159, UNKNOWN, 4},   {11, 160, 160, METHOD, 10},  {11, 166, 166, NOTHING, 1},
    {11, 168, 170, UNKNOWN, 1},   {11, 171, 171, CALL, 4},     {11, 177, 180, UNKNOWN, 1},
    {12, 0, 0, NOTHING, 0},       {12, 2, 2, NOTHING, 0},       {12, 6, 8, UNKNOWN, 1},
    {12, 9, 9, NOTHING, 0},       {12, 10, 10, UNKNOWN, 1},     {12, 13, 14, UNKNOWN, 1},
    {12, 16, 16, UNKNOWN, 1},     {12, 18, 18, UNKNOWN, 1},     {12, 19, 22, ITEM, 1},
    {12, 23, 24, CALL, 3},        {12, 25, 25, ITEM, 1},        {12, 28, 29, CALL, 3},
    {12, 34, 34, CALL, 3},        {12, 38, 48, CALL, 3},        {12, 56, 56, CALL, 3},
    {12, 57, 59, COMPARE, 1},     {12, 60, 60, UNKNOWN, 1},     {12, 61, 61, DELETE, 0},
    {12, 62, 67, UNKNOWN, 1},     {12, 70, 70, ATTRIBUTE, 9},   {12, 72, 73, ATTRIBUTE, 9},
    {12, 76, 82, ATTRIBUTE, 9},   {12, 84, 84, CONSTANT, 0},    {12, 86, 86, LOCAL, 0},
    {12, 88, 88, LOCAL, 0},       {12, 92, 93, UNKNOWN, 1},     {12, 95, 95, UNKNOWN, 4},
    {12, 100, 100, CONSTANT, 0},  {12, 101, 101, NAME, 0},      {12, 106, 106, ATTRIBUTE, 9},
    {12, 107, 107, COMPARE, 1},   {12, 111, 112, GLOBAL, 4},    {12, 113, 113, UNKNOWN, 4},
    {12, 116, 116, GLOBAL, 4},    {12, 122, 123, UNKNOWN, 1},   {12, 124, 124, LOCAL, 0},
    {12, 127, 127, LOCAL, 0},     {12, 133, 133, SLICE, 0},     {12, 137, 137, LOCAL, 0},
    {12, 141, 141, UNKNOWN, 1},   {12, 144, 144, EXTENDED, 0},  {12, 148, 148, UNKNOWN, 4},
    {12, 151, 151, NOTHING, 0},   {12, 153, 153, UNKNOWN, 4},   {12, 159, 161, UNKNOWN, 1},
    {12, 166, 168, UNKNOWN, 1},   {12, 171, 171, CALL, 3},
    {13, 0, 0, NOTHING, 0},       {13, 3, 3, UNKNOWN, 1},      {13, 5, 5, ITEM, 1},
    {13, 9, 9, DELETE, 0},        {13, 30, 30, NOTHING, 0},    {13, 34, 34, NOTHING, 0},
    {13, 39, 39, UNKNOWN, 1},     {13, 40, 40, UNKNOWN, 3},    {13, 45, 45, UNKNOWN, 1},
    {13, 50, 50, SLICE, 0},       {13, 53, 53, CALL, 3},       {13, 58, 58, COMPARE, 1},
    {13, 59, 59, UNKNOWN, 1},     {13, 71, 71, EXTENDED, 0},   {13, 72, 72, UNKNOWN, 1},
    {13, 77, 77, UNKNOWN, 1},     {13, 82, 82, ATTRIBUTE, 9},  {13, 83, 83, CONSTANT, 0},
    {13, 84, 84, LOCAL, 0},       {13, 85, 85, LOCAL, 0},      {13, 87, 87, LOCAL, 0},
    {13, 88, 88, TWO_LOCALS, 0},  {13, 91, 91, GLOBAL, 4},     {13, 92, 92, NAME, 0},
    {13, 93, 93, UNKNOWN, 1},     {13, 97, 100, UNKNOWN, 1},   {13, 104, 104, UNKNOWN, 1},
    {13, 108, 108, UNKNOWN, 4},   {13, 117, 117, UNKNOWN, 1},  {13, 149, 149, NOTHING, 0},
    {13, 150, 156, UNKNOWN, 1},   {13, 157, 161, ITEM, 1},     {13, 162, 181, CALL, 3},
    {13, 182, 184, COMPARE, 1},   {13, 185, 190, UNKNOWN, 1},  {13, 191, 202, ATTRIBUTE, 9},
    {13, 203, 204, GLOBAL, 4},    {13, 205, 206, UNKNOWN, 1},  {13, 207, 207, NOTHING, 0},
    {13, 208, 208, UNKNOWN, 1},   {13, 209, 211, UNKNOWN, 4},  {13, 212, 213, UNKNOWN, 1},
    {13, 214, 219, UNKNOWN, 3},   {13, 220, 222, UNKNOWN, 1},
    {14, 0, 0, NOTHING, 0},       {14, 3, 3, UNKNOWN, 5},       {14, 8, 8, DELETE, 0},
    {14, 27, 28, NOTHING, 0},     {14, 33, 33, NOTHING, 0},     {14, 38, 38, UNKNOWN, 1},
    {14, 39, 39, UNKNOWN, 3},     {14, 44, 44, OPERATOR, 5},    {14, 49, 49, SLICE, 0},
    {14, 52, 52, CALL, 3},        {14, 55, 55, UNKNOWN, 3},     {14, 56, 56, COMPARE, 1},
    {14, 57, 57, UNKNOWN, 1},     {14, 69, 69, EXTENDED, 0},    {14, 70, 70, UNKNOWN, 1},
    {14, 75, 75, UNKNOWN, 1},     {14, 80, 80, ATTRIBUTE, 9},   {14, 82, 82, CONSTANT, 0},
    {14, 83, 84, LOCAL, 0},       {14, 86, 86, LOCAL, 0},       {14, 87, 87, TWO_LOCALS, 0},
    {14, 88, 88, LOCAL, 0},       {14, 89, 89, TWO_LOCALS, 0},  {14, 92, 92, GLOBAL, 4},
    {14, 93, 93, NAME, 0},        {14, 94, 94, SMALL_INT, 0},   {14, 96, 96, UNKNOWN, 1},
    {14, 100, 103, UNKNOWN, 1},   {14, 106, 106, UNKNOWN, 1},   {14, 110, 110, UNKNOWN, 4},
    {14, 119, 119, UNKNOWN, 1},   {14, 128, 128, NOTHING, 0},   {14, 129, 134, UNKNOWN, 5},
    {14, 135, 140, ITEM, 5},      {14, 141, 142, UNKNOWN, 5},   {14, 143, 150, CALL, 3},
    {14, 151, 153, UNKNOWN, 3},   {14, 154, 165, CALL, 3},      {14, 166, 168, COMPARE, 1},
    {14, 169, 176, UNKNOWN, 1},   {14, 177, 189, ATTRIBUTE, 9}, {14, 190, 191, CONSTANT, 0},
    {14, 192, 193, GLOBAL, 4},    {14, 194, 195, UNKNOWN, 1},   {14, 196, 196, NOTHING, 0},
    {14, 197, 197, UNKNOWN, 1},   {14, 198, 200, UNKNOWN, 4},   {14, 201, 202, UNKNOWN, 1},
    {14, 203, 208, UNKNOWN, 3},   {14, 209, 211, UNKNOWN, 1}
};

/* What lies on the stack. */
enum thing { ANYTHING, PATH, NUMBER, NONE, KEY, LENGTH, CUT };
struct entry {
    enum thing thing;
    int64_t number;      /* of NUMBER; of CUT: how many items it leaves */
    char text[TEXT_MAX]; /* of PATH, KEY and LENGTH */
};

struct walk {
    struct hw_py *py;
    unsigned minor;
    hw_addr names, consts, locals;
    hw_addr cells, free; /* up to 3.10; later they are locals */
    struct entry stack[STACK_MAX];
    unsigned depth;
    char *to;
    size_t used, max;
};

static void push(struct walk *walk, const struct entry *entry)
{
    if (walk->depth == STACK_MAX)
        walk->depth = 0;
    walk->stack[walk->depth++] = *entry;
}

static struct entry pop(struct walk *walk)
{
    return walk->depth ? walk->stack[--walk->depth] : (struct entry){.thing = ANYTHING};
}

static void push_text(struct walk *walk, enum thing thing, const char *text)
{
    struct entry entry = {.thing = thing};
    int n = text ? snprintf(entry.text, TEXT_MAX, "%s", text) : 0;
    if (n <= 0 || n >= TEXT_MAX)
        entry.thing = ANYTHING;
    push(walk, &entry);
}

static uint64_t length_of(const struct walk *walk, hw_addr tuple)
{
    return tuple ? hw_py_word(walk->py, tuple + PY_OFF(walk->py, PyVarObject_ob_size)) : 0;
}

static hw_addr item_of(const struct walk *walk, hw_addr tuple, uint32_t index)
{
    struct hw_py *py = walk->py;
    const unsigned char *p = tuple ? hw_py_at(py, tuple, PY_SIZE(py, PyVarObject)) : NULL;
    if (!p || index >= CONSTS_MAX || index >= PY_WORD(py, p, PyVarObject_ob_size))
        return 0;
    return hw_py_word(py, tuple + PY_OFF(py, PyTupleObject_ob_item) + (uint64_t)index * 8);
}

/* The name with that number, "" when it is none or too long. */
static const char *name_of(const struct walk *walk, hw_addr tuple, uint32_t index,
                           char text[TEXT_MAX])
{
    bool cut = false;
    hw_addr str = item_of(walk, tuple, index);
    if (!str || hw_py_text(walk->py, str, text, TEXT_MAX, &cut) == SIZE_MAX || cut)
        text[0] = 0;
    return text;
}

static void push_local(struct walk *walk, uint32_t index)
{
    char name[TEXT_MAX];
    push_text(walk, PATH, name_of(walk, walk->locals, index, name));
}

static void push_cell(struct walk *walk, uint32_t index)
{
    char name[TEXT_MAX];
    uint64_t cells = length_of(walk, walk->cells);
    hw_addr tuple = index < cells ? walk->cells : walk->free;
    push_text(walk, PATH,
              name_of(walk, tuple, index < cells ? index : index - (uint32_t)cells, name));
}

static void push_constant(struct walk *walk, uint32_t index)
{
    struct entry entry = {.thing = ANYTHING};
    hw_addr addr = item_of(walk, walk->consts, index);
    const struct hw_pytype *type = addr ? hw_pytype_of(walk->py, addr) : NULL;
    bool cut = false;
    if (type && type->family == HW_FAMILY_STR &&
        hw_py_text(walk->py, addr, entry.text, TEXT_MAX, &cut) != SIZE_MAX && !cut)
        entry.thing = KEY;
    else if (type && strcmp(type->tp_name, "int") == 0 && hw_py_int(walk->py, addr, &entry.number))
        entry.thing = NUMBER;
    else if (type && strcmp(type->tp_name, "NoneType") == 0)
        entry.thing = NONE;
    push(walk, &entry);
}

static void push_attribute(struct walk *walk, uint32_t index)
{
    char name[TEXT_MAX], text[2 * TEXT_MAX];
    struct entry owner = pop(walk);
    snprintf(text, sizeof(text), "%s.%s", owner.text, name_of(walk, walk->names, index, name));
    push_text(walk, PATH, owner.thing == PATH && name[0] ? text : NULL);
}

static void push_item(struct walk *walk)
{
    char text[2 * TEXT_MAX + 8];
    struct entry key = pop(walk), owner = pop(walk);
    snprintf(text, sizeof(text), "%s['%s']", owner.text, key.text);
    push_text(walk, PATH, owner.thing == PATH && key.thing == KEY ? text : NULL);
}

static void call(struct walk *walk, uint32_t count)
{
    struct entry argument = {.thing = ANYTHING};
    for (uint32_t i = 0; i < count && walk->depth; i++)
        argument = pop(walk);
    struct entry called = pop(walk);
    bool is_len = count == 1 && called.thing == PATH && strcmp(called.text, "len") == 0 &&
                  argument.thing == PATH;
    push_text(walk, LENGTH, is_len ? argument.text : NULL);
}

static void push_slice(struct walk *walk, uint32_t count)
{
    struct entry entry = {.thing = ANYTHING};
    if (count == 3)
        pop(walk);
    struct entry stop = pop(walk), start = pop(walk);
    if (count == 2 && start.thing == NONE && stop.thing == NUMBER && stop.number < 0 &&
        stop.number > INT64_MIN)
        entry = (struct entry){.thing = CUT, .number = -stop.number};
    push(walk, &entry);
}

/* ---- what is found ---- */

/* Whole, or not at all. */
static void note(struct walk *walk, const char *container, const char *sign, const char *limit)
{
    char text[3 * TEXT_MAX];
    int n = snprintf(text, sizeof(text), "; len(%s) %s %s", container, sign, limit);
    if (n <= 0 || (size_t)n >= sizeof(text) || walk->used + (size_t)n >= walk->max ||
        strstr(walk->to, text))
        return;
    memcpy(walk->to + walk->used, text, (size_t)n + 1);
    walk->used += (size_t)n;
}

static void note_limit(struct walk *walk, const char *container, const char *sign,
                       const struct entry *limit)
{
    char text[TEXT_MAX];
    if (limit->thing == NUMBER)
        snprintf(text, sizeof(text), "%" PRId64, limit->number);
    else
        snprintf(text, sizeof(text), "%s", limit->thing == PATH ? limit->text : "?");
    if (limit->thing != NUMBER || limit->number > 1)
        note(walk, container, sign, text);
}

static void compare(struct walk *walk, uint32_t operator)
{
    static const char *const signs[] = {"<", "<=", "==", "!=", ">", ">="};
    static const char *const turned[] = {">", ">=", "==", "!=", "<", "<="};
    struct entry right = pop(walk), left = pop(walk);
    if (operator<6 && operator!= 3 && left.thing == LENGTH)
        note_limit(walk, left.text, signs[operator], &right);
    else if (operator<6 && operator!= 3 && right.thing == LENGTH)
        note_limit(walk, right.text, turned[operator], &left);
    push_text(walk, ANYTHING, NULL);
}

static void delete_item(struct walk *walk)
{
    struct entry key = pop(walk), owner = pop(walk);
    if (key.thing != CUT || owner.thing != PATH)
        return;
    key.thing = NUMBER;
    note_limit(walk, owner.text, ">", &key);
}

/* ---- the walk ---- */

static const struct range *range_of(unsigned minor, unsigned char opcode)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (ranges[i].minor == minor && opcode >= ranges[i].first && opcode <= ranges[i].last)
            return &ranges[i];
    return NULL;
}

/* Where an instruction that compares has its operator; below it lie flags. */
static unsigned operator_shift(unsigned minor)
{
    return minor < 12 ? 0 : minor < 13 ? 4 : 5;
}

static void step(struct walk *walk, enum kind kind, uint32_t argument)
{
    char name[TEXT_MAX];
    switch (kind) {
    case NOTHING:
    case EXTENDED:
        break;
    case LOCAL:
        push_local(walk, argument);
        break;
    case CELL:
        push_cell(walk, argument);
        break;
    case TWO_LOCALS:
        push_local(walk, argument >> 4);
        push_local(walk, argument & 15);
        break;
    case GLOBAL:
        push_text(walk, PATH,
                  name_of(walk, walk->names, walk->minor < 11 ? argument : argument >> 1, name));
        break;
    case NAME:
        push_text(walk, PATH, name_of(walk, walk->names, argument, name));
        break;
    case CONSTANT:
        push_constant(walk, argument);
        break;
    case SMALL_INT:
        push(walk, &(struct entry){.thing = NUMBER, .number = argument});
        break;
    case ATTRIBUTE:
        push_attribute(walk, walk->minor < 12 ? argument : argument >> 1);
        break;
    case METHOD:
        push_attribute(walk, argument);
        break;
    case CALL:
        call(walk, argument);
        break;
    case COMPARE:
        compare(walk, argument >> operator_shift(walk->minor));
        break;
    case ITEM:
        push_item(walk);
        break;
    case OPERATOR:
        if (argument == OPERATOR_SUBSCRIPT)
            push_item(walk);
        else
            walk->depth = 0;
        break;
    case SLICE:
        push_slice(walk, argument);
        break;
    case DELETE:
        delete_item(walk);
        break;
    case UNKNOWN:
        walk->depth = 0;
        break;
    }
}

static void follow(struct walk *walk, const unsigned char *code, uint64_t units)
{
    uint32_t extended = 0;
    for (uint64_t i = 0; i < units; i++) {
        const struct range *range = range_of(walk->minor, code[i * 2]);
        uint32_t argument = extended << 8 | code[i * 2 + 1];
        step(walk, range ? (enum kind)range->kind : UNKNOWN, argument);
        extended = range && range->kind == EXTENDED ? argument : 0;
        i += range ? range->caches : 0;
    }
}

/* Where the instructions of the code object at addr lie: in it, up to 3.10 in a bytes object. */
static hw_addr code_find(struct hw_py *py, hw_addr addr, uint64_t *ret_units)
{
    bool is_apart = PY_HAS(py, PyCodeObject_co_code);
    hw_addr bytes = is_apart ? hw_py_word(py, addr + PY_OFF(py, PyCodeObject_co_code)) : 0;
    if (!is_apart && !PY_HAS(py, PyCodeObject_co_code_adaptive))
        return 0;
    uint64_t size = hw_py_word(py, (is_apart ? bytes : addr) + PY_OFF(py, PyVarObject_ob_size));
    *ret_units = is_apart ? size / 2 : size;
    return is_apart ? bytes + PY_OFF(py, PyBytesObject_ob_sval)
                    : addr + PY_OFF(py, PyCodeObject_co_code_adaptive);
}

static hw_addr tuple_of(struct hw_py *py, hw_addr addr, enum hw_field_id field)
{
    struct hw_field at = py->layout->f[field];
    return at.width ? hw_py_word(py, addr + at.offset) : 0;
}

size_t hw_code_checks(struct hw_py *py, hw_addr addr, char *to, size_t used, size_t max)
{
    struct walk walk = {.py = py,
                        .minor = py->version >> 16 & 255,
                        .names = tuple_of(py, addr, HW_F_PyCodeObject_co_names),
                        .consts = tuple_of(py, addr, HW_F_PyCodeObject_co_consts),
                        .locals = tuple_of(py, addr,
                                           PY_HAS(py, PyCodeObject_co_varnames)
                                               ? HW_F_PyCodeObject_co_varnames
                                               : HW_F_PyCodeObject_co_localsplusnames),
                        .cells = tuple_of(py, addr, HW_F_PyCodeObject_co_cellvars),
                        .free = tuple_of(py, addr, HW_F_PyCodeObject_co_freevars),
                        .to = to,
                        .used = used,
                        .max = max};
    uint64_t units = 0;
    hw_addr at = py->version >> 24 == 3 ? code_find(py, addr, &units) : 0;
    if (!at || !units || units > UNITS_MAX)
        return used;
    const unsigned char *code = hw_py_at(py, at, (size_t)units * 2);
    unsigned char *copy = code ? malloc((size_t)units * 2) : NULL;
    if (!copy)
        return used;
    memcpy(copy, code, (size_t)units * 2);
    follow(&walk, copy, units);
    free(copy);
    return walk.used;
}
