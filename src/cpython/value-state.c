/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/value.h"

#include <inttypes.h>
#include <stdio.h>

/* How far things have come that begin, wait and end: suspended functions, futures, weak
 * references. */

static size_t cut(int n, size_t max)
{
    return n < 0 ? 0 : (size_t)n < max ? (size_t)n : max - 1;
}

/* Up to 3.10, by the frame: what has ended has none. */
static size_t put_frame_progress(struct hw_py *py, hw_addr frame, char *to, size_t max)
{
    if (!frame)
        return cut(snprintf(to, max, "; finished"), max);
    if (hw_frame_is_running(py, frame))
        return cut(snprintf(to, max, "; running"), max);
    if (hw_frame_object_is_new(py, frame))
        return cut(snprintf(to, max, "; not started"), max);
    uint32_t line = hw_frame_line(py, frame);
    return line ? cut(snprintf(to, max, "; at line %u", line), max) : 0;
}

/* Include/internal/pycore_frame.h, enum _framestate. Before the first line it is -2, since 3.13 -3;
 * what runs is 0, and all that is above has ended. */
static size_t put_progress(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    if (hw_frames_are_objects(py))
        return put_frame_progress(py, hw_py_word(py, addr + PY_OFF(py, PyGenObject_gi_frame)), to,
                                  max);
    const unsigned char *p = hw_py_at(py, addr + PY_OFF(py, PyGenObject_gi_frame_state), 1);
    if (!p || !PY_HAS(py, PyGenObject_gi_frame_state))
        return 0;
    int state = (int8_t)p[0], created = py->version >= 0x030d0000 ? -3 : -2;
    if (state == created)
        return cut(snprintf(to, max, "; not started"), max);
    if (state >= 0)
        return cut(snprintf(to, max, state ? "; finished" : "; running"), max);
    uint32_t line = hw_frame_line(py, addr + PY_OFF(py, PyGenObject_gi_iframe));
    return line ? cut(snprintf(to, max, "; at line %u", line), max) : 0;
}

size_t hw_value_generator(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    const unsigned char *f =
        hw_py_at(py, addr + PY_OFF(py, PyGenObject_gi_iframe), PY_SIZE(py, _PyInterpreterFrame));
    hw_addr code = PY_HAS(py, PyGenObject_gi_code)
                       ? hw_py_word(py, addr + PY_OFF(py, PyGenObject_gi_code))
                   : f ? hw_frame_code(py, f)
                       : 0;
    hw_addr qualname = hw_py_word(py, addr + PY_OFF(py, PyGenObject_gi_qualname));
    size_t n = hw_value_code_named(py, code, qualname, to, max);
    /* From 3.15 on the states are others. */
    return n && py->version < 0x030f0000 ? n + put_progress(py, addr, to + n, max - n) : n;
}

size_t hw_value_frame(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    bool is_object = hw_frames_are_objects(py);
    hw_addr frame =
        is_object ? addr : hw_py_word(py, addr + PY_OFF(py, PyFrameObject_f_frame));
    size_t bytes = is_object ? PY_SIZE(py, PyFrameObject) : PY_SIZE(py, _PyInterpreterFrame);
    const unsigned char *f = frame ? hw_py_at(py, frame, bytes) : NULL;
    size_t n = f ? hw_value_code(py, hw_frame_code(py, f), to, max) : 0;
    uint32_t line = n ? hw_frame_line(py, frame) : 0;
    return line ? n + cut(snprintf(to + n, max - n, "; at line %u", line), max - n) : n;
}

/* Modules/_asynciomodule.c, enum fut_state; tasks begin like futures. */
size_t hw_value_future(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    static const char *const states[] = {"pending", "cancelled", "finished"};
    const unsigned char *p = hw_py_at(py, addr + PY_OFF(py, FutureObj_fut_state), 4);
    if (!p || !PY_HAS(py, FutureObj_fut_state) || load32(p) > 2)
        return 0;
    return cut(snprintf(to, max, "%s", states[load32(p)]), max);
}

size_t hw_value_weakref(struct hw_py *py, hw_addr addr, char *to, size_t max)
{
    hw_addr object = hw_py_word(py, addr + PY_OFF(py, PyWeakReference_wr_object));
    const struct hw_pytype *type = hw_pytype_of(py, object);
    if (!type)
        return 0;
    if (strcmp(type->tp_name, "NoneType") == 0)
        return cut(snprintf(to, max, "dead"), max);
    return cut(snprintf(to, max, "to <%s at 0x%" PRIx64 ">", type->name, object), max);
}
