/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

#include <stdlib.h>

/*
 * Frames up to 3.10: each is an object of its own, Include/cpython/frameobject.h.
 *
 *     f_back, f_code, f_builtins, f_globals, f_locals ... | locals, cells, free | operand stack
 *
 * What it holds is told by who runs it, as it is since 3.11: by the thread on whose chain it is, by the
 * generator that it belongs to, and by itself when it has outlived its call.
 */

enum {
    SLOTS_MAX = 1 << 16,
    STATE_CREATED = -2, /* 3.10: enum _framestate */
};

bool hw_frames_are_objects(const struct hw_py *py)
{
    return PY_HAS(py, PyFrameObject_f_localsplus);
}

bool hw_frame_is_running(const struct hw_py *py, hw_addr frame)
{
    for (size_t low = 0, high = py->running_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (py->running[middle] == frame)
            return true;
        if (py->running[middle] < frame)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The first slots of a frame are named, the rest is the stack; bytes between where both begin. */
static uint64_t named_slots(struct hw_py *py, hw_addr frame, const unsigned char *p)
{
    hw_addr first = frame + PY_OFF(py, PyFrameObject_f_localsplus);
    hw_addr stack = PY_WORD(py, p, PyFrameObject_f_valuestack);
    return stack < first ? 0 : (stack - first) / 8;
}

/* Slots of the stack in use; what executes does not say. */
static uint64_t stack_depth(struct hw_py *py, const unsigned char *p)
{
    if (PY_HAS(py, PyFrameObject_f_stackdepth)) {
        int32_t depth = (int32_t)load32(p + PY_OFF(py, PyFrameObject_f_stackdepth));
        return depth < 0 ? 0 : (uint64_t)depth;
    }
    hw_addr stack = PY_WORD(py, p, PyFrameObject_f_valuestack);
    hw_addr top = PY_WORD(py, p, PyFrameObject_f_stacktop);
    return top < stack ? 0 : (top - stack) / 8;
}

static void slots_add(struct hw_py *py, hw_addr frame, const unsigned char *p)
{
    uint32_t name_count;
    const uint32_t *names =
        hw_code_local_names(py, PY_WORD(py, p, PyFrameObject_f_code), &name_count);
    uint64_t named = named_slots(py, frame, p), count = named + stack_depth(py, p);
    if (count > SLOTS_MAX) {
        py->object_damaged = true;
        return;
    }
    const unsigned char *slots =
        hw_py_at(py, frame + PY_OFF(py, PyFrameObject_f_localsplus), (size_t)count * 8);
    for (uint64_t i = 0; slots && i < count; i++) {
        uint32_t label = i >= named       ? label_make(HW_LABEL_STACK, i - named)
                         : i < name_count ? label_make(HW_LABEL_LOCAL, names[i])
                                          : hw_label_named(py, HW_LABEL_INTERNAL, "f_localsplus");
        ref_add(py, load64(slots + i * 8), label);
    }
}

void hw_decode_frame_held(struct hw_py *py, hw_addr frame)
{
    const unsigned char *p = hw_py_at(py, frame, PY_SIZE(py, PyFrameObject));
    if (!p)
        return;
    ref_add(py, PY_WORD(py, p, PyFrameObject_f_trace),
            hw_label_named(py, HW_LABEL_ATTR, "f_trace"));
    ref_add(py, PY_WORD(py, p, PyFrameObject_f_locals),
            hw_label_named(py, HW_LABEL_ATTR, "f_locals"));
    ref_add(py, PY_WORD(py, p, PyFrameObject_f_builtins),
            hw_label_named(py, HW_LABEL_ATTR, "f_builtins"));
    ref_add(py, PY_WORD(py, p, PyFrameObject_f_globals),
            hw_label_named(py, HW_LABEL_ATTR, "f_globals"));
    ref_add(py, PY_WORD(py, p, PyFrameObject_f_code), hw_label_named(py, HW_LABEL_ATTR, "f_code"));
    slots_add(py, frame, p);
}

static bool is_frame_of_generator(struct hw_py *py, hw_addr frame, hw_addr generator)
{
    const struct hw_pytype *type = generator ? hw_pytype_of(py, generator) : NULL;
    return type && type->solid->family == HW_FAMILY_GENERATOR &&
           hw_py_word(py, generator + PY_OFF(py, PyGenObject_gi_frame)) == frame;
}

void hw_decode_frame_alone(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    bool runs = hw_frame_is_running(py, addr);
    hw_addr generator = PY_WORD(py, p, PyFrameObject_f_gen);
    ref_add(py, PY_WORD(py, p, PyFrameObject_f_back),
            hw_label_named(py, runs ? HW_LABEL_INTERNAL : HW_LABEL_ATTR, "f_back"));
    if (!runs && !is_frame_of_generator(py, addr, generator))
        hw_decode_frame_held(py, addr);
}

/* Byte of co_code that the frame has come to, -1: none yet. In 3.10 counted in instructions. */
static int64_t instruction(struct hw_py *py, const unsigned char *p)
{
    int64_t last = (int32_t)load32(p + PY_OFF(py, PyFrameObject_f_lasti));
    return last < 0 ? -1 : py->version >= 0x030a0000 ? last * 2 : last;
}

struct hw_operands hw_frame_object_operands(struct hw_py *py, hw_addr frame)
{
    struct hw_operands operands = {0};
    const unsigned char *p = hw_py_at(py, frame, PY_SIZE(py, PyFrameObject));
    if (!p || stack_depth(py, p))
        return operands;
    hw_addr start = PY_WORD(py, p, PyFrameObject_f_valuestack);
    int64_t at = instruction(py, p);
    const unsigned char *c =
        hw_py_at(py, PY_WORD(py, p, PyFrameObject_f_code), PY_SIZE(py, PyCodeObject));
    uint32_t count = c ? load32(c + PY_OFF(py, PyCodeObject_co_stacksize)) : 0;
    hw_addr code = c ? PY_WORD(py, c, PyCodeObject_co_code) : 0;
    const unsigned char *i =
        code && at >= 0
            ? hw_py_at(py, code + PY_OFF(py, PyBytesObject_ob_sval) + (uint64_t)at, 2)
            : NULL;
    if (count <= SLOTS_MAX)
        operands = (struct hw_operands){start, count, i ? i[1] : 0};
    return operands;
}

/* Pairs of bytes: how far the code goes on, and how many lines with it. Up to 3.9 (co_lnotab,
 * Objects/lnotab_notes.txt) a pair says where lines begin; in 3.10 (co_linetable) what they end at, and
 * -128 that there is none. */
static uint32_t find_line(const struct hw_py *py, const unsigned char *t, uint64_t bytes, int64_t at,
                          uint32_t line)
{
    int64_t code = 0;
    bool ends = py->version >= 0x030a0000;
    for (uint64_t i = 0; i + 1 < bytes; i += 2) {
        int delta = (int8_t)t[i + 1];
        code += t[i];
        if (ends && delta == -128)
            delta = 0;
        if (!ends && code > at)
            return line;
        line += (uint32_t)delta;
        if (ends && code > at)
            return line;
    }
    return ends ? 0 : line;
}

uint32_t hw_frame_object_line(struct hw_py *py, hw_addr frame)
{
    enum { TABLE_MAX = 1 << 20 };
    const unsigned char *p = hw_py_at(py, frame, PY_SIZE(py, PyFrameObject));
    hw_addr code = p ? PY_WORD(py, p, PyFrameObject_f_code) : 0;
    const struct hw_pytype *type = code ? hw_pytype_of(py, code) : NULL;
    const unsigned char *c = hw_image_at(py->image, code, PY_SIZE(py, PyCodeObject));
    if (!c || !type || type->family != HW_FAMILY_CODE || instruction(py, p) < 0)
        return 0;
    uint32_t line = load32(c + PY_OFF(py, PyCodeObject_co_firstlineno));
    hw_addr table = PY_HAS(py, PyCodeObject_co_linetable)
                        ? PY_WORD(py, c, PyCodeObject_co_linetable)
                        : PY_WORD(py, c, PyCodeObject_co_lnotab);
    uint64_t bytes = table ? hw_py_word(py, table + PY_OFF(py, PyVarObject_ob_size)) : 0;
    if (!bytes || bytes > TABLE_MAX)
        return line;
    const unsigned char *t = hw_py_at(py, table + PY_OFF(py, PyBytesObject_ob_sval), bytes);
    return t ? find_line(py, t, bytes, instruction(py, p), line) : 0;
}

bool hw_frame_object_is_new(struct hw_py *py, hw_addr frame)
{
    const unsigned char *p = hw_py_at(py, frame, PY_SIZE(py, PyFrameObject));
    if (p && PY_HAS(py, PyFrameObject_f_state))
        return (int8_t)p[PY_OFF(py, PyFrameObject_f_state)] == STATE_CREATED;
    return p && instruction(py, p) < 0;
}
