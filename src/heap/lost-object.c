/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/lost.h"

/*
 * Telling an object from whatever else a block may hold. No single sign suffices, all of them do: one word
 * is the address of a type of the graph, the one before it a count; the head that the type asks for is
 * in front, and says that the collector does not know the object; the type's size is the block's; and
 * what the type says of its content is so.
 */

enum { HEAD_BYTES = 16, COUNT_MAX = 1 << 30, DIGIT_BITS = 30, SIZE_CLASS = 16 };

/* Words in front of the object: the collector's, then the dict's and the weak references'. */
static unsigned head_bytes(const struct hw_pytype *type)
{
    return (type->is_gc ? HEAD_BYTES : 0) +
           (type->managed_dict || type->managed_weakref ? HEAD_BYTES : 0);
}

static bool str_is_sane(struct hw_py *py, hw_addr addr, uint64_t *ret_bytes)
{
    const unsigned char *p = hw_image_at(py->image, addr, PY_SIZE(py, PyASCIIObject));
    uint64_t length = p ? PY_WORD(py, p, PyASCIIObject_length) : 0;
    uint32_t state = p ? load32(p + PY_OFF(py, PyASCIIObject_state)) : 0;
    unsigned kind = state >> 2 & 7;
    bool compact = state >> 5 & 1, ascii = state >> 6 & 1;
    if (!compact) { /* an instance of a subclass, or not ready: its text lies elsewhere */
        *ret_bytes = PY_SIZE(py, PyUnicodeObject);
        return p && kind <= 4 && length < HW_MAX_ITEMS;
    }
    if ((kind != 1 && kind != 2 && kind != 4) || (ascii && kind != 1) || length >= HW_MAX_ITEMS)
        return false;
    uint64_t head = ascii ? PY_SIZE(py, PyASCIIObject) : PY_SIZE(py, PyCompactUnicodeObject);
    const unsigned char *end = hw_image_at(py->image, addr + head + length * kind, kind);
    *ret_bytes = head + (length + 1) * kind;
    for (unsigned i = 0; end && i < kind; i++)
        if (end[i])
            return false;
    return end != NULL;
}

static bool int_is_sane(struct hw_py *py, hw_addr addr, uint64_t *ret_bytes)
{
    const unsigned char *p = hw_image_at(py->image, addr, PY_SIZE(py, PyVarObject));
    uint64_t count;
    hw_addr digits;
    if (!p)
        return false;
    if (PY_HAS(py, PyLongObject_long_value_lv_tag)) {
        count = PY_WORD(py, p, PyLongObject_long_value_lv_tag) >> 3;
        digits = addr + PY_OFF(py, PyLongObject_long_value_ob_digit);
    } else {
        int64_t size = (int64_t)PY_WORD(py, p, PyVarObject_ob_size);
        count = (uint64_t)(size < 0 ? -size : size);
        digits = addr + PY_OFF(py, PyLongObject_ob_digit);
    }
    p = count < HW_MAX_ITEMS ? hw_image_at(py->image, digits, count * 4) : NULL;
    for (uint64_t i = 0; p && i < count; i++)
        if (load32(p + i * 4) >> DIGIT_BITS)
            return false;
    *ret_bytes = digits - addr + 4 * (count ? count : 1);
    return p != NULL;
}

static bool tuple_is_sane(struct hw_py *py, hw_addr addr, uint64_t count)
{
    const unsigned char *p =
        hw_image_at(py->image, addr + PY_OFF(py, PyTupleObject_ob_item), count * 8);
    for (uint64_t i = 0; p && i < count; i++) {
        hw_addr item = load64(p + i * 8);
        if (item && !hw_object_plausible(py, item))
            return false;
    }
    return p != NULL;
}

/* Content, and how many bytes the allocator was asked for. */
static bool is_sane(struct hw_py *py, hw_addr addr, const struct hw_pytype *type,
                    uint64_t *ret_bytes)
{
    enum hw_family family = type->solid->family;
    *ret_bytes = type->basicsize;
    if (family == HW_FAMILY_STR)
        return str_is_sane(py, addr, ret_bytes);
    if (family == HW_FAMILY_INT)
        return int_is_sane(py, addr, ret_bytes);
    if (!type->itemsize)
        return true;
    const unsigned char *p = hw_image_at(py->image, addr, PY_SIZE(py, PyVarObject));
    int64_t size = p ? (int64_t)PY_WORD(py, p, PyVarObject_ob_size) : 0;
    uint64_t count = (uint64_t)(size < 0 ? -size : size);
    if (!p || count >= HW_MAX_ITEMS)
        return false;
    *ret_bytes += count * type->itemsize;
    if (family == HW_FAMILY_TUPLE)
        return tuple_is_sane(py, addr, count);
    if (family == HW_FAMILY_BYTES && !type->is_heap) {
        p = hw_image_at(py->image, addr + PY_OFF(py, PyBytesObject_ob_sval) + count, 1);
        return p && !*p;
    }
    return true;
}

/* realloc() leaves a block that became smaller where it is, unless too much of it would be wasted: a
 * quarter, in pools (CPython Objects/obmalloc.c, pymalloc_realloc). Naive times and dates take less than
 * their type says. */
static bool fits(const struct hw_block *block, const struct hw_pytype *type, uint64_t bytes)
{
    if (type->solid->family == HW_FAMILY_SIDE && block->bytes + 8 >= bytes && bytes > block->bytes)
        return !type->is_gc;
    return bytes <= block->bytes &&
           (bytes + SIZE_CLASS > block->bytes || 4 * (bytes + SIZE_CLASS) > 3 * block->bytes);
}

/* The type of what lies `head` bytes into the block; NULL: no object can be there. */
static const struct hw_pytype *type_behind(struct hw_builder *b, const struct hw_block *block,
                                           unsigned head, uint64_t *ret_count)
{
    struct hw_py *py = &b->py;
    uint32_t bytes = head + PY_SIZE(py, PyObject);
    const unsigned char *p =
        block->bytes >= bytes ? hw_image_at(b->image, block->addr, bytes) : NULL;
    hw_addr at = p ? PY_WORD(py, p + head, PyObject_ob_type) : 0;
    if (!at || at % 8 || !hw_marks_has(&b->marks, at))
        return NULL;
    const struct hw_pytype *type = hw_pytype_get(py, at);
    *ret_count = hw_py_refcount(py, p + head);
    if (!type || head_bytes(type) != head || (type->is_gc && load64(p + head - HEAD_BYTES)))
        return NULL;
    return type;
}

hw_addr hw_lost_object(struct hw_builder *b, const struct hw_block *block)
{
    for (unsigned head = 0; head <= 2 * HEAD_BYTES; head += HEAD_BYTES) {
        uint64_t count, bytes;
        const struct hw_pytype *type = type_behind(b, block, head, &count);
        if (type && count && count <= COUNT_MAX &&
            is_sane(&b->py, block->addr + head, type, &bytes) && fits(block, type, head + bytes))
            return block->addr + head;
    }
    return 0;
}

bool hw_lost_is_dead(struct hw_builder *b, const struct hw_block *block)
{
    for (unsigned head = 0; head <= 2 * HEAD_BYTES; head += HEAD_BYTES) {
        uint64_t count;
        if (type_behind(b, block, head, &count) && !count)
            return true;
    }
    return false;
}
