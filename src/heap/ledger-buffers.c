/* SPDX-License-Identifier: Apache-2.0 */
#include "base/vec.h"
#include "heap/build-internal.h"

/*
 * An object and the blocks that it uses are one thing to who asks where memory went. Where they lie
 * is read from fields of known types; of other C types every word counts that could lead to a
 * block. What is marked decides nothing but to whom a block in use is charged.
 */

enum { SCAN_MAX_BYTES = 4096, DEQUE_BLOCKS_MAX = 1 << 24, MANAGED_VALUES = 32, MARK_STEP = 16 };
enum { BIG_MAX = 1 << 18 };

static void big_add(struct hw_builder *b, hw_addr addr)
{
    if (b->big_buffer_count >= BIG_MAX)
        return;
    struct hw_big_buffer *big = hw_vec_grow(b->big_buffers, &b->big_buffer_capacity,
                                            b->big_buffer_count + 1, sizeof(*big));
    if (!big)
        return; /* its type will not be named */
    b->big_buffers = big;
    b->big_buffers[b->big_buffer_count++].addr = addr;
}

static void mark(struct hw_builder *b, enum hw_buffer_kind kind, hw_addr addr)
{
    if (!addr || hw_marks_set(&b->buffers[kind], addr & ~(hw_addr)(MARK_STEP - 1)) < 0)
        return;
    if (b->marks_big)
        big_add(b, addr);
}

/* The object at hand: p are its first bytes. Memory is loaded by pages, so that most objects need no
 * second look. */
struct object {
    hw_addr addr;
    const unsigned char *p;
};

static const unsigned char *object_at(struct hw_builder *b, const struct object *object,
                                      uint32_t bytes)
{
    enum { PAGE = 4096 };
    bool in_page = object->addr % PAGE + bytes <= PAGE;
    return in_page ? object->p : hw_image_at(b->image, object->addr, bytes);
}

static void mark_word(struct hw_builder *b, enum hw_buffer_kind kind, const struct object *object,
                      uint32_t offset)
{
    const unsigned char *p = object_at(b, object, offset + (uint32_t)sizeof(hw_addr));
    if (p)
        mark(b, kind, load64(p + offset));
}

static void mark_dict(struct hw_builder *b, const struct object *object)
{
    struct hw_py *py = &b->py;
    const unsigned char *p = object_at(b, object, PY_SIZE(py, PyDictObject));
    if (!p)
        return;
    mark(b, HW_BUFFER_TABLE, PY_WORD(py, p, PyDictObject_ma_keys));
    mark(b, HW_BUFFER_TABLE, PY_WORD(py, p, PyDictObject_ma_values));
}

static void mark_deque(struct hw_builder *b, const struct object *object)
{
    struct hw_py *py = &b->py;
    const unsigned char *p = object_at(b, object, PY_SIZE(py, dequeobject));
    if (!p)
        return;
    hw_addr at = PY_WORD(py, p, dequeobject_leftblock);
    hw_addr last = PY_WORD(py, p, dequeobject_rightblock);
    for (unsigned n = 0; at && n < DEQUE_BLOCKS_MAX; n++) {
        hw_addr field = at + PY_OFF(py, dequeblock_rightlink);
        mark(b, HW_BUFFER_ARRAY, at);
        if (at == last || !hw_image_read(b->image, field, &at, sizeof(at)))
            return;
    }
}

/* Only a string that is not ASCII can have other forms beside it. */
static void mark_str(struct hw_builder *b, const struct object *object)
{
    enum { STATE_COMPACT_ASCII = 0x60 };
    struct hw_py *py = &b->py;
    const unsigned char *p = object_at(b, object, PY_SIZE(py, PyASCIIObject));
    if (!p || (load32(p + PY_OFF(py, PyASCIIObject_state)) & STATE_COMPACT_ASCII) ==
                  STATE_COMPACT_ASCII)
        return;
    mark_word(b, HW_BUFFER_DATA, object, PY_OFF(py, PyCompactUnicodeObject_utf8));
    mark_word(b, HW_BUFFER_DATA, object, PY_OFF(py, PyUnicodeObject_data));
}

static void mark_words(struct hw_builder *b, const struct object *object, uint32_t bytes)
{
    uint32_t end = bytes < SCAN_MAX_BYTES ? bytes : SCAN_MAX_BYTES;
    const unsigned char *p = object_at(b, object, end);
    for (uint32_t at = PY_SIZE(&b->py, PyObject); p && at + 8 <= end; at += 8)
        mark(b, HW_BUFFER_DATA, load64(p + at));
}

static void mark_managed_values(struct hw_builder *b, hw_addr addr)
{
    const unsigned char *p = hw_image_at(b->image, addr - MANAGED_VALUES, sizeof(hw_addr));
    if (p)
        mark(b, HW_BUFFER_TABLE, load64(p));
}

/* A structure of nothing but references has no word that could lead to a block. */
static bool row_is_all_references(struct hw_builder *b, const struct hw_pytype *solid)
{
    uint32_t words = 0;
    for (size_t i = 0; i < solid->row->ref_count; i++)
        words += solid->row->refs[i].count ? solid->row->refs[i].count : 1;
    return PY_SIZE(&b->py, PyObject) + words * sizeof(hw_addr) >= solid->basicsize;
}

static void mark_all(struct hw_builder *b, const struct object *object,
                     const struct hw_pytype *type)
{
    struct hw_py *py = &b->py;
    if (type->managed_dict && b->runtime->version < 0x030c0000)
        mark_managed_values(b, object->addr);
    switch (type->solid->family) {
    case HW_FAMILY_DICT:
    case HW_FAMILY_DEFAULTDICT:
        mark_dict(b, object);
        return;
    case HW_FAMILY_SET:
        mark_word(b, HW_BUFFER_TABLE, object, PY_OFF(py, PySetObject_table));
        return;
    case HW_FAMILY_LIST:
        mark_word(b, HW_BUFFER_ARRAY, object, PY_OFF(py, PyListObject_ob_item));
        return;
    case HW_FAMILY_DEQUE:
        mark_deque(b, object);
        return;
    case HW_FAMILY_STR:
        mark_str(b, object);
        return;
    case HW_FAMILY_ROW:
        if (row_is_all_references(b, type->solid))
            return;
        break;
    case HW_FAMILY_PLAIN:
    case HW_FAMILY_INT:
    case HW_FAMILY_FLOAT:
    case HW_FAMILY_BYTES:
    case HW_FAMILY_TUPLE:
    case HW_FAMILY_FRAME:
    case HW_FAMILY_GENERATOR:
    case HW_FAMILY_FUNCTION:
        return;
    case HW_FAMILY_ODICT:
        mark_word(b, HW_BUFFER_TABLE, object, PY_OFF(py, PyDictObject_ma_keys));
        break;
    default:
        break;
    }
    mark_words(b, object, type->solid->basicsize);
}

void hw_build_mark_buffers(struct hw_builder *b, hw_addr addr, const unsigned char *p,
                           const struct hw_pytype *type, uint64_t bytes)
{
    const struct object object = {addr, p};
    size_t first = b->big_buffer_count;
    b->marks_big = bytes >= HW_BIG_BUFFER_BYTES;
    mark_all(b, &object, type);
    for (size_t i = first; i < b->big_buffer_count; i++)
        b->big_buffers[i].type = type->index;
}
