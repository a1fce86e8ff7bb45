/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "cpython/decode.h"

#include <stdlib.h>

/*
 * Frames since 3.11: a _PyInterpreterFrame, which lies in a thread's data stack, inside a generator, or
 * inside a frame object that outlived its call. CPython Include/internal/pycore_frame.h.
 *
 *     func, code, globals, locals, frame object, previous ... | locals, cells, free | operand stack
 */

enum {
    FRAME_MAX_SLOTS = 1 << 16,
    FRAME_OWNED_BY_FRAME_OBJECT = 2, /* enum _frameowner, the same in 3.11 to 3.15 */
};

struct hw_code_slot {
    hw_addr code;
    const uint32_t *names;
    uint32_t count;
};

static bool code_slots_grow(struct hw_py *py)
{
    uint32_t count = py->code_slot_count ? py->code_slot_count * 2 : 256;
    struct hw_code_slot *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    for (uint32_t i = 0; i < py->code_slot_count; i++) {
        if (!py->codes[i].code)
            continue;
        uint32_t at = (uint32_t)(py->codes[i].code >> 4) * 2654435761u & (count - 1);
        while (slots[at].code)
            at = (at + 1) & (count - 1);
        slots[at] = py->codes[i];
    }
    free(py->codes);
    py->codes = slots;
    py->code_slot_count = count;
    return true;
}

static uint64_t tuple_length(struct hw_py *py, hw_addr tuple)
{
    const unsigned char *p = tuple ? hw_py_at(py, tuple, PY_SIZE(py, PyVarObject)) : NULL;
    uint64_t count = p ? PY_WORD(py, p, PyVarObject_ob_size) : 0;
    return count > FRAME_MAX_SLOTS ? 0 : count;
}

/* The slots' names: one tuple, up to 3.10 three. */
static void code_read_names(struct hw_py *py, struct hw_code_slot *slot)
{
    static const enum hw_field_id fields[] = {
        HW_F_PyCodeObject_co_localsplusnames, HW_F_PyCodeObject_co_varnames,
        HW_F_PyCodeObject_co_cellvars, HW_F_PyCodeObject_co_freevars};
    enum { FIELDS = sizeof(fields) / sizeof(*fields) };
    const struct hw_pytype *type = hw_pytype_of(py, slot->code);
    hw_addr tuples[FIELDS] = {0};
    uint64_t count = 0;
    if (!type || type->family != HW_FAMILY_CODE)
        return;
    for (size_t i = 0; i < FIELDS; i++) {
        struct hw_field at = py->layout->f[fields[i]];
        tuples[i] = at.width ? hw_py_word(py, slot->code + at.offset) : 0;
        count += tuple_length(py, tuples[i]);
    }
    uint32_t *numbers = count ? hw_arena_array(py->arena, count, sizeof(*numbers)) : NULL;
    if (!numbers)
        return;
    for (size_t i = 0; i < FIELDS; i++) {
        uint64_t length = tuple_length(py, tuples[i]);
        for (uint64_t n = 0; n < length; n++)
            numbers[slot->count++] = hw_py_name(
                py, hw_py_word(py, tuples[i] + PY_OFF(py, PyTupleObject_ob_item) + n * 8));
    }
    slot->names = numbers;
}

const uint32_t *hw_code_local_names(struct hw_py *py, hw_addr code, uint32_t *ret_count)
{
    *ret_count = 0;
    if (!code || (py->code_slot_used * 2 >= py->code_slot_count && !code_slots_grow(py)))
        return NULL;
    uint32_t at = (uint32_t)(code >> 4) * 2654435761u & (py->code_slot_count - 1);
    while (py->codes[at].code && py->codes[at].code != code)
        at = (at + 1) & (py->code_slot_count - 1);
    struct hw_code_slot *slot = &py->codes[at];
    if (!slot->code) {
        slot->code = code;
        py->code_slot_used++;
        code_read_names(py, slot);
    }
    *ret_count = slot->count;
    return slot->names;
}

static bool is_immortal(struct hw_py *py, hw_addr object)
{
    const unsigned char *p = hw_image_at(py->image, object, PY_SIZE(py, PyObject));
    return p && hw_py_refcount(py, p) >> 31 & 1;
}

/* Since 3.14 a slot may carry tag bits (Include/internal/pycore_stackref.h): 00 owns its object. 01 does
 * not: it is immortal, or borrowed from a slot that owns it. Others are no objects. */
static hw_addr frame_slot(struct hw_py *py, uint64_t word)
{
    enum { TAG = 3, NOT_OWNED = 1 };
    if (py->version < 0x030e0000 || !(word & TAG))
        return word;
    hw_addr object = word & ~(hw_addr)TAG;
    return (word & TAG) == NOT_OWNED && object && is_immortal(py, object) ? object : 0;
}

/* Slots in use, counted from localsplus[0]; -1: not known, the frame is executing. */
static int64_t frame_depth(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    if (PY_HAS(py, _PyInterpreterFrame_stacktop))
        return (int32_t)load32(p + PY_OFF(py, _PyInterpreterFrame_stacktop));
    hw_addr top = PY_WORD(py, p, _PyInterpreterFrame_stackpointer);
    hw_addr first = addr + PY_OFF(py, _PyInterpreterFrame_localsplus);
    return top < first ? -1 : (int64_t)((top - first) / 8);
}

static void frame_add_slots(struct hw_py *py, hw_addr addr, const unsigned char *p, hw_addr code)
{
    uint32_t name_count;
    const uint32_t *names = hw_code_local_names(py, code, &name_count);
    int64_t depth = frame_depth(py, addr, p);
    if (depth < 0)
        depth = name_count;
    if (depth > FRAME_MAX_SLOTS) {
        py->object_damaged = true;
        return;
    }
    const unsigned char *slots =
        hw_py_at(py, addr + PY_OFF(py, _PyInterpreterFrame_localsplus), (size_t)depth * 8);
    for (int64_t i = 0; slots && i < depth; i++) {
        hw_addr to = frame_slot(py, load64(slots + i * 8));
        uint32_t label = i < name_count ? label_make(HW_LABEL_LOCAL, names[i])
                                        : label_make(HW_LABEL_STACK, (uint64_t)(i - name_count));
        ref_add(py, to, label);
    }
}

struct hw_operands hw_frame_operands(struct hw_py *py, hw_addr addr)
{
    struct hw_operands operands = {0};
    const unsigned char *p = hw_py_at(py, addr, PY_SIZE(py, _PyInterpreterFrame));
    if (!p || frame_depth(py, addr, p) >= 0)
        return operands;
    hw_addr code = hw_frame_code(py, p);
    const unsigned char *c = hw_py_at(py, code, PY_SIZE(py, PyCodeObject));
    uint32_t name_count;
    hw_code_local_names(py, code, &name_count);
    uint32_t count = c ? load32(c + PY_OFF(py, PyCodeObject_co_stacksize)) : 0;
    hw_addr instruction = PY_HAS(py, _PyInterpreterFrame_instr_ptr)
                              ? PY_WORD(py, p, _PyInterpreterFrame_instr_ptr)
                              : PY_WORD(py, p, _PyInterpreterFrame_prev_instr);
    const unsigned char *i = hw_py_at(py, instruction, 2);
    if (count <= FRAME_MAX_SLOTS)
        operands = (struct hw_operands){
            addr + PY_OFF(py, _PyInterpreterFrame_localsplus) + (hw_addr)name_count * 8, count,
            i ? i[1] : 0};
    return operands;
}

/* Of what C code is called by. */
static bool is_callable(struct hw_py *py, hw_addr addr)
{
    static const char *const names[] = {"builtin_function_or_method", "builtin_method",
                                        "method_descriptor", "classmethod_descriptor",
                                        "wrapper_descriptor", "method-wrapper", "method"};
    if (!addr || !hw_object_plausible(py, addr))
        return false;
    const struct hw_pytype *type = hw_pytype_of(py, addr);
    if (type->solid->family == HW_FAMILY_TYPE || type->solid->family == HW_FAMILY_FUNCTION)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!strcmp(type->tp_name, names[i]))
            return true;
    return false;
}

/* Whether a call with all its arguments ends at slot `end`: callable, self or NULL, arguments; in 3.11
 * NULL, callable, arguments, or method, self, arguments. */
static bool is_call(struct hw_py *py, const struct hw_operands *operands, const unsigned char *slots,
                    uint64_t end)
{
    for (uint64_t before = operands->arguments + 1; before <= operands->arguments + 2; before++)
        if (end <= operands->count && before <= end &&
            is_callable(py, load64(slots + (end - before) * 8)))
            return true;
    return false;
}

/* The evaluation loop keeps its stack pointer across the call; what is called may have got the address of
 * its arguments. The highest of these is the top, or lies below the arguments. */
uint32_t hw_operands_used(struct hw_py *py, const struct hw_operands *operands, hw_addr highest)
{
    const unsigned char *slots = hw_py_at(py, operands->start, (size_t)operands->count * 8);
    uint64_t top = (highest - operands->start) / 8;
    if (!slots || highest < operands->start || top > operands->count)
        return operands->count;
    if (is_call(py, operands, slots, top))
        return (uint32_t)top;
    if (is_call(py, operands, slots, top + operands->arguments))
        return (uint32_t)(top + operands->arguments);
    return operands->count;
}

void hw_decode_interpreter_frame(struct hw_py *py, hw_addr addr)
{
    const unsigned char *p = hw_py_at(py, addr, PY_SIZE(py, _PyInterpreterFrame));
    if (!p)
        return;
    hw_addr code = PY_HAS(py, _PyInterpreterFrame_f_executable)
                       ? frame_slot(py, PY_WORD(py, p, _PyInterpreterFrame_f_executable))
                       : PY_WORD(py, p, _PyInterpreterFrame_f_code);
    hw_addr function = PY_HAS(py, _PyInterpreterFrame_f_funcobj)
                           ? frame_slot(py, PY_WORD(py, p, _PyInterpreterFrame_f_funcobj))
                           : PY_WORD(py, p, _PyInterpreterFrame_f_func);
    ref_add(py, PY_WORD(py, p, _PyInterpreterFrame_frame_obj),
            hw_label_named(py, HW_LABEL_INTERNAL, "frame_obj"));
    ref_add(py, PY_WORD(py, p, _PyInterpreterFrame_f_locals),
            hw_label_named(py, HW_LABEL_ATTR, "f_locals"));
    ref_add(py, function, hw_label_named(py, HW_LABEL_INTERNAL, "f_func"));
    ref_add(py, code, hw_label_named(py, HW_LABEL_ATTR, "f_code"));
    frame_add_slots(py, addr, p, code);
}

static void frame_field(struct hw_py *py, const unsigned char *p, enum hw_field_id field,
                        enum hw_label_kind kind, const char *name)
{
    struct hw_field at = py->layout->f[field];
    hw_addr to = at.width ? load64(p + at.offset) : 0;
    if (to)
        ref_add(py, to, hw_label_named(py, kind, name));
}

void hw_decode_frame_object(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    if (hw_frames_are_objects(py)) {
        hw_decode_frame_alone(py, addr, p);
        return;
    }
    frame_field(py, p, HW_F_PyFrameObject_f_trace, HW_LABEL_ATTR, "f_trace");
    frame_field(py, p, HW_F_PyFrameObject_f_extra_locals, HW_LABEL_INTERNAL, "f_extra_locals");
    frame_field(py, p, HW_F_PyFrameObject_f_locals_cache, HW_LABEL_INTERNAL, "f_locals_cache");
    frame_field(py, p, HW_F_PyFrameObject_f_overwritten_fast_locals, HW_LABEL_INTERNAL,
                "f_overwritten_fast_locals");
    hw_addr frame = PY_WORD(py, p, PyFrameObject_f_frame);
    const unsigned char *f = hw_py_at(py, frame, PY_SIZE(py, _PyInterpreterFrame));
    if (!f || f[PY_OFF(py, _PyInterpreterFrame_owner)] != FRAME_OWNED_BY_FRAME_OBJECT) {
        /* A view of a frame that still runs: its thread or generator reports what it holds. */
        frame_field(py, p, HW_F_PyFrameObject_f_back, HW_LABEL_INTERNAL, "f_back");
        return;
    }
    frame_field(py, p, HW_F_PyFrameObject_f_back, HW_LABEL_ATTR, "f_back");
    hw_decode_interpreter_frame(py, frame);
}

/* Whether the generator still has a frame. The codes changed in 3.13 and 3.15. */
static bool generator_has_frame(struct hw_py *py, const unsigned char *p)
{
    int state = (int8_t)p[PY_OFF(py, PyGenObject_gi_frame_state)];
    if (py->version >= 0x030f0000)
        return state < 5;
    /* 1 is completed, 4 is cleared; a completed frame holds nothing any more. */
    return state < 1;
}

/* One word with two meanings, and none in a plain generator; up to 3.10 two words. Objects/genobject.c. */
static void generator_origin(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    const struct hw_pytype *type = hw_pytype_of(py, addr);
    const char *name = type ? type->solid->tp_name : "";
    if (!strcmp(name, "coroutine")) {
        frame_field(py, p, HW_F_PyGenObject_gi_origin_or_finalizer, HW_LABEL_HIDDEN, "cr_origin");
        frame_field(py, p, HW_F_PyCoroObject_cr_origin, HW_LABEL_HIDDEN, "cr_origin");
    } else if (!strcmp(name, "async_generator")) {
        frame_field(py, p, HW_F_PyGenObject_gi_origin_or_finalizer, HW_LABEL_INTERNAL,
                    "ag_finalizer");
        frame_field(py, p, HW_F_PyAsyncGenObject_ag_finalizer, HW_LABEL_INTERNAL, "ag_finalizer");
    }
}

/* What has ended keeps its code (gen_dealloc); the collector is told of it since 3.14 (gen_traverse). */
static void generator_code(struct hw_py *py, hw_addr addr)
{
    const unsigned char *f =
        hw_py_at(py, addr + PY_OFF(py, PyGenObject_gi_iframe), PY_SIZE(py, _PyInterpreterFrame));
    enum hw_label_kind kind = py->version >= 0x030e0000 ? HW_LABEL_ATTR : HW_LABEL_HIDDEN;
    if (f)
        ref_add(py, hw_frame_code(py, f), hw_label_named(py, kind, "f_code"));
}

/* Up to 3.10: its frame is an object; what that holds, the thread tells while it runs. */
static void generator_frame(struct hw_py *py, const unsigned char *p)
{
    hw_addr frame = PY_WORD(py, p, PyGenObject_gi_frame);
    frame_field(py, p, HW_F_PyGenObject_gi_frame, HW_LABEL_ATTR, "gi_frame");
    if (frame && !hw_frame_is_running(py, frame))
        hw_decode_frame_held(py, frame);
}

void hw_decode_generator(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    frame_field(py, p, HW_F_PyGenObject_gi_code, HW_LABEL_ATTR, "gi_code");
    frame_field(py, p, HW_F_PyGenObject_gi_name, HW_LABEL_ATTR, "__name__");
    frame_field(py, p, HW_F_PyGenObject_gi_qualname, HW_LABEL_ATTR, "__qualname__");
    generator_origin(py, addr, p);
    const unsigned char *e = p + PY_OFF(py, PyGenObject_gi_exc_state);
    frame_field(py, e, HW_F__PyErr_StackItem_exc_type, HW_LABEL_INTERNAL, "gi_exc_state");
    frame_field(py, e, HW_F__PyErr_StackItem_exc_value, HW_LABEL_INTERNAL, "gi_exc_state");
    frame_field(py, e, HW_F__PyErr_StackItem_exc_traceback, HW_LABEL_INTERNAL, "gi_exc_state");
    if (hw_frames_are_objects(py))
        generator_frame(py, p);
    else if (generator_has_frame(py, p))
        hw_decode_interpreter_frame(py, addr + PY_OFF(py, PyGenObject_gi_iframe));
    else if (py->version >= 0x030c0000)
        generator_code(py, addr);
}
