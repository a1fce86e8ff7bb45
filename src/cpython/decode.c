/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

#include "cpython/native.h"

static uint32_t ref_label(struct hw_py *py, const struct hw_ref *ref, bool is_gc)
{
    enum hw_label_kind kind = ref->is_attr ? HW_LABEL_ATTR : HW_LABEL_INTERNAL;
    if (ref->kind == HW_REF_UNVISITED && is_gc)
        kind = HW_LABEL_HIDDEN;
    return hw_label_named(py, kind, ref->label);
}

static void row_inline(struct hw_py *py, hw_addr addr, const unsigned char *p,
                       const struct hw_ref *ref)
{
    uint64_t count = ref->count ? ref->count : PY_WORD(py, p, PyVarObject_ob_size);
    const unsigned char *items =
        count <= HW_MAX_ITEMS ? hw_py_at(py, addr + ref->offset, count * 8) : NULL;
    for (uint64_t i = 0; items && i < count; i++)
        ref_add(py, load64(items + i * 8), label_make(HW_LABEL_INDEX, i));
}

void hw_decode_row(struct hw_py *py, hw_addr addr, const unsigned char *p,
                   const struct hw_pytype *type)
{
    const struct hw_struct_row *row = type->row;
    for (uint16_t i = 0; i < row->ref_count; i++) {
        const struct hw_ref *ref = &row->refs[i];
        if (ref->kind == HW_REF_INLINE)
            row_inline(py, addr, p, ref);
        else if (ref->kind != HW_REF_WEAK && load64(p + ref->offset))
            ref_add(py, load64(p + ref->offset), ref_label(py, ref, type->is_gc));
    }
}

static void decode_c_part(struct hw_py *py, hw_addr addr, const unsigned char *p,
                          const struct hw_pytype *solid);

/* A row names all of its structure's fields, also those of a C base; but a base with code of its
 * own (a C subclass of dict, say) keeps more than fields. */
static void decode_row_base(struct hw_py *py, hw_addr addr, const unsigned char *p,
                            const struct hw_pytype *solid)
{
    const struct hw_pytype *base = solid->base ? solid->base->solid : NULL;
    if (base && base->family >= HW_FAMILY_STR && base->family < HW_FAMILY_SIDE)
        decode_c_part(py, addr, p, base);
}

/* The table of interned strings does not count its references (Objects/unicodeobject.c,
 * intern_common): they are none. */
static bool is_interned_table(const struct hw_py *py, hw_addr addr)
{
    for (size_t i = 0; i < py->interned_count; i++)
        if (py->interned[i] == addr)
            return true;
    return false;
}

/* The part that belongs to the C structure. */
static void decode_c_part(struct hw_py *py, hw_addr addr, const unsigned char *p,
                          const struct hw_pytype *solid)
{
    switch (solid->family) {
    case HW_FAMILY_DICT:
        hw_decode_dict(py, addr, p);
        if (is_interned_table(py, addr))
            py->refs.count = 0;
        break;
    case HW_FAMILY_DEFAULTDICT:
        hw_decode_dict(py, addr, p);
        ref_add(py, PY_WORD(py, p, defdictobject_default_factory),
                hw_label_named(py, HW_LABEL_ATTR, "default_factory"));
        break;
    case HW_FAMILY_ODICT:
        hw_decode_odict(py, addr, p);
        break;
    case HW_FAMILY_LIST:
        hw_decode_list(py, addr, p);
        break;
    case HW_FAMILY_TUPLE:
        hw_decode_tuple(py, addr, p);
        break;
    case HW_FAMILY_SET:
        hw_decode_set(py, addr, p);
        break;
    case HW_FAMILY_DEQUE:
        hw_decode_deque(py, addr, p);
        break;
    case HW_FAMILY_FUNCTION:
        hw_decode_function(py, p);
        break;
    case HW_FAMILY_CODE:
        hw_decode_code(py, p);
        break;
    case HW_FAMILY_TYPE:
        hw_decode_type(py, addr, p);
        break;
    case HW_FAMILY_MODULE:
        hw_decode_module(py, p);
        break;
    case HW_FAMILY_FRAME:
        hw_decode_frame_object(py, addr, p);
        break;
    case HW_FAMILY_GENERATOR:
        hw_decode_generator(py, addr, p);
        break;
    case HW_FAMILY_ROW:
        decode_row_base(py, addr, p, solid);
        hw_decode_row(py, addr, p, solid);
        break;
    case HW_FAMILY_SIDE:
        if (solid->row)
            hw_decode_row(py, addr, p, solid);
        hw_decode_side(py, addr, p, solid);
        break;
    case HW_FAMILY_NATIVE:
        solid->native->decode(py, addr, p, solid);
        break;
    case HW_FAMILY_UNKNOWN:
        if (solid->base)
            decode_c_part(py, addr, p, solid->base->solid);
        hw_decode_unknown(py, addr, p, solid);
        break;
    case HW_FAMILY_BYTEARRAY:
        if (PY_HAS(py, PyByteArrayObject_ob_bytes_object))
            ref_add(py, PY_WORD(py, p, PyByteArrayObject_ob_bytes_object),
                    hw_label_named(py, HW_LABEL_INTERNAL, "ob_bytes_object"));
        break;
    case HW_FAMILY_PLAIN:
    case HW_FAMILY_LEAF:
    case HW_FAMILY_STR:
    case HW_FAMILY_INT:
    case HW_FAMILY_FLOAT:
    case HW_FAMILY_BYTES:
        break;
    }
}

/* Buffers hold no references; but what their memory held before may look like some. */
static void note_buffer(struct hw_py *py, const unsigned char *p, const struct hw_pytype *solid)
{
    hw_addr buffer = 0;
    if (solid->family == HW_FAMILY_BYTEARRAY)
        buffer = PY_WORD(py, p, PyByteArrayObject_ob_bytes);
    else if (!strncmp(solid->tp_name, "_io.Buffered", strlen("_io.Buffered")))
        buffer = PY_WORD(py, p, buffered_buffer);
    else if (!strcmp(solid->tp_name, "array.array"))
        buffer = PY_WORD(py, p, arrayobject_ob_item);
    if (buffer)
        py->outside(py->outside_ctx, buffer);
}

void hw_decode(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    py->refs.count = 0;
    py->object_damaged = false;
    const unsigned char *p = hw_py_at(py, addr, type->read_bytes);
    if (!p)
        return;
    decode_c_part(py, addr, p, type->solid);
    if (py->outside && (type->solid->named_size || type->solid->family == HW_FAMILY_BYTEARRAY))
        note_buffer(py, p, type->solid);
    if (!type->is_heap)
        return;
    /* A class's instances may be longer than what a leaf needs to be read. */
    if (type->slot_count || type->dictoffset || type->managed_dict)
        hw_decode_attributes(py, addr, p, type);
    ref_add(py, type->addr, py->label_type);
}
