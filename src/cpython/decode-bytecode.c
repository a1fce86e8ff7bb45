/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

/*
 * What code does to items: `del x[key]` and `x[key] = value` are instructions and leave no name
 * behind, unlike x.pop() and x.append().
 *
 * Between instructions lie inline caches that may look like any instruction. The location table
 * (Objects/locations.md) has an entry for each piece of code with a location of its own, at most
 * eight units long; a byte with its high bit set begins an entry and says how long its piece is. A
 * deletion or a store has the location of its whole target, which what comes before it does not
 * have: it stands at the beginning of a piece. What follows a piece of full length may be the rest
 * of it, and is not believed.
 */

enum { CODE_UNITS_MAX = 1 << 16, PIECE_MAX = 8 };

/* Opcodes by minor version, each number as Lib/opcode.py or Include/opcode_ids.h has it; stores
 * also as the interpreter specialises them. 0: none. */
struct opcodes {
    uint32_t minor;
    uint8_t delete_item, store_item[4];
};
static const struct opcodes opcodes[] = {
    {9, 61, {60, 0, 0, 0}},
    {10, 61, {60, 0, 0, 0}},
    {11, 61, {60, 168, 169, 170}},
    {12, 61, {60, 159, 160, 0}},
    {13, 9, {39, 212, 213, 0}},
    {14, 8, {38, 201, 202, 0}},
};

static const struct opcodes *opcodes_find(const struct hw_py *py)
{
    for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
        if (py->version >> 24 == 3 && (py->version >> 16 & 255) == opcodes[i].minor)
            return &opcodes[i];
    return NULL;
}

static uint16_t flags_of(const struct opcodes *known, unsigned char opcode)
{
    if (opcode == known->delete_item)
        return HW_NODE_DELETES;
    for (size_t i = 0; i < sizeof(known->store_item) && known->store_item[i]; i++)
        if (opcode == known->store_item[i])
            return HW_NODE_STORES;
    return 0;
}

static uint16_t read_pieces(const struct opcodes *known, const unsigned char *table,
                            uint64_t table_bytes, const unsigned char *code, uint64_t units)
{
    uint16_t flags = 0;
    uint64_t at = 0;
    bool is_rest = false;
    for (uint64_t i = 0; i < table_bytes && at < units; i++) {
        if (!(table[i] & 0x80))
            continue;
        unsigned length = (table[i] & 7) + 1;
        if (!is_rest)
            flags |= flags_of(known, code[at * 2]);
        is_rest = length == PIECE_MAX;
        at += length;
    }
    return flags;
}

/* Up to 3.10 there are no caches between instructions. */
static uint16_t read_all(const struct opcodes *known, const unsigned char *code, uint64_t units)
{
    uint16_t flags = 0;
    for (uint64_t i = 0; code && i < units; i++)
        flags |= flags_of(known, code[i * 2]);
    return flags;
}

static uint16_t flags_apart(struct hw_py *py, const struct opcodes *known, hw_addr addr)
{
    hw_addr bytes = hw_py_word(py, addr + PY_OFF(py, PyCodeObject_co_code));
    uint64_t units = bytes ? hw_py_word(py, bytes + PY_OFF(py, PyVarObject_ob_size)) / 2 : 0;
    if (!units || units > CODE_UNITS_MAX)
        return 0;
    return read_all(known, hw_py_at(py, bytes + PY_OFF(py, PyBytesObject_ob_sval), units * 2),
                    units);
}

uint16_t hw_code_flags(struct hw_py *py, hw_addr addr)
{
    const struct opcodes *known = opcodes_find(py);
    if (known && PY_HAS(py, PyCodeObject_co_code))
        return flags_apart(py, known, addr);
    if (!known || !PY_HAS(py, PyCodeObject_co_code_adaptive) ||
        !PY_HAS(py, PyCodeObject_co_linetable))
        return 0;
    uint64_t units = hw_py_word(py, addr + PY_OFF(py, PyVarObject_ob_size));
    hw_addr table = hw_py_word(py, addr + PY_OFF(py, PyCodeObject_co_linetable));
    uint64_t bytes = table ? hw_py_word(py, table + PY_OFF(py, PyVarObject_ob_size)) : 0;
    if (!units || units > CODE_UNITS_MAX || !bytes || bytes > CODE_UNITS_MAX * 8)
        return 0;
    const unsigned char *entries =
        hw_py_at(py, table + PY_OFF(py, PyBytesObject_ob_sval), (size_t)bytes);
    const unsigned char *code =
        hw_py_at(py, addr + PY_OFF(py, PyCodeObject_co_code_adaptive), (size_t)units * 2);
    return entries && code ? read_pieces(known, entries, bytes, code, units) : 0;
}
