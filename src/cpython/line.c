/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

/*
 * Which source line a frame has come to, from co_linetable as it is since 3.11: entries of one or
 * more bytes, of which only the first has its top bit set. CPython Objects/locations.md.
 *
 *     1 kind:4 length-1:3 | numbers of six bits a byte, bit 6: more follows
 */
enum {
    TABLE_MAX = 1 << 20,
    KIND_ONE_LINE0 = 10, /* 10 to 12: as many lines further on */
    KIND_ONE_LINE2 = 12,
    KIND_NO_COLUMNS = 13,
    KIND_LONG = 14,
};

/* A signed number: its sign is the lowest bit. */
static int32_t read_signed(const unsigned char *p, const unsigned char *end)
{
    uint32_t value = 0;
    for (unsigned shift = 0; p < end && shift < 32; p++, shift += 6) {
        value |= (uint32_t)(*p & 63) << shift;
        if (!(*p & 64))
            break;
    }
    return value & 1 ? -(int32_t)(value >> 1) : (int32_t)(value >> 1);
}

static int32_t line_delta(unsigned kind, const unsigned char *p, const unsigned char *end)
{
    if (kind == KIND_LONG || kind == KIND_NO_COLUMNS)
        return read_signed(p, end);
    return kind >= KIND_ONE_LINE0 && kind <= KIND_ONE_LINE2 ? (int32_t)kind - KIND_ONE_LINE0 : 0;
}

/* The line of the code unit `at`; 0: the table does not say. */
static uint32_t find_line(const unsigned char *p, const unsigned char *end, uint64_t at,
                          uint32_t line)
{
    for (uint64_t unit = 0; p < end;) {
        unsigned kind = *p >> 3 & 15;
        unit += (*p & 7) + 1u;
        line += (uint32_t)line_delta(kind, p + 1, end);
        if (at < unit)
            return line;
        for (p++; p < end && !(*p & 0x80);)
            p++;
    }
    return 0;
}

hw_addr hw_frame_code(struct hw_py *py, const unsigned char *p)
{
    if (hw_frames_are_objects(py))
        return PY_WORD(py, p, PyFrameObject_f_code);
    if (PY_HAS(py, _PyInterpreterFrame_f_executable))
        return PY_WORD(py, p, _PyInterpreterFrame_f_executable) & ~(hw_addr)3;
    return PY_WORD(py, p, _PyInterpreterFrame_f_code);
}

uint32_t hw_frame_line(struct hw_py *py, hw_addr frame)
{
    if (hw_frames_are_objects(py))
        return hw_frame_object_line(py, frame);
    bool is_next = PY_HAS(py, _PyInterpreterFrame_instr_ptr);
    if (!is_next && !PY_HAS(py, _PyInterpreterFrame_prev_instr))
        return 0;
    const unsigned char *f = hw_py_at(py, frame, PY_SIZE(py, _PyInterpreterFrame));
    hw_addr code = f ? hw_frame_code(py, f) : 0;
    hw_addr instr = !f        ? 0
                    : is_next ? PY_WORD(py, f, _PyInterpreterFrame_instr_ptr)
                              : PY_WORD(py, f, _PyInterpreterFrame_prev_instr);
    const struct hw_pytype *type = hw_pytype_of(py, code);
    const unsigned char *c = hw_image_at(py->image, code, PY_SIZE(py, PyCodeObject));
    hw_addr first = code + PY_OFF(py, PyCodeObject_co_code_adaptive);
    if (!c || !type || type->family != HW_FAMILY_CODE || instr < first)
        return 0;
    uint32_t line = load32(c + PY_OFF(py, PyCodeObject_co_firstlineno));
    hw_addr table = PY_WORD(py, c, PyCodeObject_co_linetable);
    const unsigned char *t = hw_py_at(py, table, PY_SIZE(py, PyVarObject));
    uint64_t bytes = t ? PY_WORD(py, t, PyVarObject_ob_size) : 0;
    if (!bytes || bytes > TABLE_MAX)
        return 0;
    t = hw_py_at(py, table + PY_OFF(py, PyBytesObject_ob_sval), bytes);
    return t ? find_line(t, t + bytes, (instr - first) / 2, line) : 0;
}
