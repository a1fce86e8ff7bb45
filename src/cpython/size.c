/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"
#include "cpython/dictkeys.h"
#include "cpython/native.h"

/*
 * sys.getsizeof(): what the type's __sizeof__ answers, plus the words in front of the object. The
 * rules are those of CPython's __sizeof__ methods; subclasses inherit their base's.
 */

static uint64_t size_default(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    if (!type->itemsize)
        return type->basicsize;
    const unsigned char *p = hw_py_at(py, addr, PY_SIZE(py, PyVarObject));
    int64_t items = p ? (int64_t)PY_WORD(py, p, PyVarObject_ob_size) : 0;
    uint64_t count = (uint64_t)(items < 0 ? -items : items);
    return type->basicsize + (count > HW_MAX_ITEMS ? 0 : count * type->itemsize);
}

static uint64_t size_int(struct hw_py *py, const unsigned char *p, const struct hw_pytype *type)
{
    uint64_t digits;
    if (PY_HAS(py, PyLongObject_long_value_lv_tag)) {
        digits = PY_WORD(py, p, PyLongObject_long_value_lv_tag) >> 3;
    } else {
        int64_t size = (int64_t)PY_WORD(py, p, PyVarObject_ob_size);
        digits = (uint64_t)(size < 0 ? -size : size);
    }
    if (digits > HW_MAX_ITEMS)
        digits = 0;
    /* Objects/longobject.c int___sizeof___impl: zero has a digit since 3.11; 3.12 asks the type. */
    if (py->version < 0x030b0000)
        return PY_OFF(py, PyLongObject_ob_digit) + 4 * digits;
    if (!digits)
        digits = 1;
    if (py->version < 0x030c0000)
        return PY_OFF(py, PyLongObject_ob_digit) + 4 * digits;
    /* tp_basicsize counts up to ob_digit, without the one digit in the structure. */
    return type->basicsize + 4 * digits;
}

static uint64_t size_str(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    uint64_t length = PY_WORD(py, p, PyASCIIObject_length);
    uint32_t state = load32(p + PY_OFF(py, PyASCIIObject_state));
    unsigned kind = state >> 2 & 7;
    bool compact = state >> 5 & 1, ascii = state >> 6 & 1;
    if (length > HW_MAX_ITEMS)
        return 0;
    if (compact && ascii) {
        uint64_t size = PY_SIZE(py, PyASCIIObject) + length + 1;
        return size;
    }
    uint32_t head = compact ? PY_SIZE(py, PyCompactUnicodeObject) : PY_SIZE(py, PyUnicodeObject);
    uint64_t size = head + (kind ? (length + 1) * kind : 0);
    p = hw_py_at(py, addr, head);
    if (!p)
        return size;
    hw_addr utf8 = PY_WORD(py, p, PyCompactUnicodeObject_utf8);
    bool shared = !compact && utf8 == PY_WORD(py, p, PyUnicodeObject_data);
    if (utf8 && !shared && !(ascii && !compact))
        size += PY_WORD(py, p, PyCompactUnicodeObject_utf8_length) + 1;
    return size;
}

/* A wchar_t copy of the text, up to 3.11, counts as well when it is not the text itself. */
static uint64_t size_str_wide(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    if (!PY_HAS(py, PyASCIIObject_wstr) || !PY_WORD(py, p, PyASCIIObject_wstr))
        return 0;
    hw_addr wide = PY_WORD(py, p, PyASCIIObject_wstr);
    uint32_t state = load32(p + PY_OFF(py, PyASCIIObject_state));
    bool compact = state >> 5 & 1, ascii = state >> 6 & 1;
    hw_addr data =
        compact ? addr + (ascii ? PY_SIZE(py, PyASCIIObject) : PY_SIZE(py, PyCompactUnicodeObject))
                : hw_py_word(py, addr + PY_OFF(py, PyUnicodeObject_data));
    if (wide == data)
        return 0;
    uint64_t length = ascii ? PY_WORD(py, p, PyASCIIObject_length)
                            : hw_py_word(py, addr + PY_OFF(py, PyCompactUnicodeObject_wstr_length));
    return length > HW_MAX_ITEMS ? 0 : (length + 1) * 4;
}

static uint64_t keys_size(struct hw_py *py, const struct hw_dict_keys *keys)
{
    return PY_OFF(py, PyDictKeysObject_dk_indices) + keys->index_bytes +
           (keys->size * 2 / 3) * keys->entry_bytes;
}

static uint64_t size_dict(struct hw_py *py, const unsigned char *p, const struct hw_pytype *type)
{
    struct hw_dict_keys keys;
    uint64_t size = type->basicsize;
    if (!hw_dict_keys_read(py, PY_WORD(py, p, PyDictObject_ma_keys), &keys))
        return size;
    if (PY_WORD(py, p, PyDictObject_ma_values)) {
        bool log2 = PY_HAS(py, PyDictKeysObject_dk_log2_size);
        size += 8 * (log2 ? keys.entry_count + keys.usable : keys.size * 2 / 3);
    }
    /* Objects/dictobject.c _PyDict_SizeOf: a block that others share is not counted. */
    if (keys.refcount == 1)
        size += keys_size(py, &keys);
    return size;
}

static uint64_t size_odict(struct hw_py *py, const unsigned char *p, const struct hw_pytype *type)
{
    uint64_t size = size_dict(py, p, type);
    size += 8 * PY_WORD(py, p, PyODictObject_od_fast_nodes_size);
    return size + PY_SIZE(py, _odictnode) * PY_WORD(py, p, PyDictObject_ma_used);
}

static uint64_t size_set(struct hw_py *py, hw_addr addr, const unsigned char *p,
                         const struct hw_pytype *type)
{
    hw_addr table = PY_WORD(py, p, PySetObject_table);
    uint64_t mask = PY_WORD(py, p, PySetObject_mask);
    if (table == addr + PY_OFF(py, PySetObject_smalltable) || mask > HW_MAX_ITEMS)
        return type->basicsize;
    return type->basicsize + (mask + 1) * PY_SIZE(py, setentry);
}

static uint64_t size_deque(struct hw_py *py, const unsigned char *p, const struct hw_pytype *type)
{
    uint64_t per_block = (PY_SIZE(py, dequeblock) - 16) / 8;
    uint64_t first = PY_WORD(py, p, dequeobject_leftindex);
    uint64_t count = PY_WORD(py, p, PyVarObject_ob_size);
    if (count > HW_MAX_ITEMS || first > per_block)
        return type->basicsize;
    uint64_t blocks = (first + count + per_block - 1) / per_block;
    return type->basicsize + blocks * PY_SIZE(py, dequeblock);
}

/* Objects/typeobject.c type___sizeof___impl. */
static uint64_t size_type(struct hw_py *py, hw_addr addr)
{
    const struct hw_pytype *self = hw_pytype_get(py, addr);
    if (!self || !self->is_heap)
        return PY_SIZE(py, PyTypeObject);
    uint64_t size = PY_SIZE(py, PyHeapTypeObject);
    struct hw_dict_keys keys;
    hw_addr cached = hw_py_word(py, addr + PY_OFF(py, PyHeapTypeObject_ht_cached_keys));
    if (cached && hw_dict_keys_read(py, cached, &keys))
        size += keys_size(py, &keys);
    return size;
}

/* Objects/codeobject.c code_sizeof. */
static uint64_t size_code(struct hw_py *py, const unsigned char *p, uint64_t size)
{
    hw_addr extra = PY_WORD(py, p, PyCodeObject_co_extra);
    if (!extra)
        return size;
    uint64_t count = hw_py_word(py, extra);
    return count > 256 ? size : size + 8 + count * 8;
}

/* Slots of the frame that code needs, with the frame's head. Objects/frameobject.c frame_sizeof and
 * Objects/genobject.c gen_sizeof. */
static uint64_t frame_size(struct hw_py *py, hw_addr frame)
{
    const unsigned char *p = hw_py_at(py, frame, PY_SIZE(py, _PyInterpreterFrame));
    if (!p)
        return 0;
    hw_addr code = hw_frame_code(py, p);
    const struct hw_pytype *type = hw_pytype_of(py, code);
    p = hw_image_at(py->image, code, PY_SIZE(py, PyCodeObject));
    if (!type || type->family != HW_FAMILY_CODE || !p)
        return 0;
    uint64_t slots = (uint64_t)load32(p + PY_OFF(py, PyCodeObject_co_nlocalsplus)) +
                     load32(p + PY_OFF(py, PyCodeObject_co_stacksize));
    return PY_OFF(py, _PyInterpreterFrame_localsplus) + (slots > 1 << 20 ? 0 : slots * 8);
}

/* Up to 3.10; one slot is in the structure. */
static uint64_t size_frame_object(struct hw_py *py, const unsigned char *p)
{
    hw_addr code = PY_WORD(py, p, PyFrameObject_f_code);
    uint32_t names = 0;
    hw_code_local_names(py, code, &names);
    const unsigned char *c = hw_py_at(py, code, PY_SIZE(py, PyCodeObject));
    uint64_t slots = c ? (uint64_t)names + load32(c + PY_OFF(py, PyCodeObject_co_stacksize)) : 1;
    return PY_SIZE(py, PyFrameObject) + (slots > 1 << 20 ? 0 : slots * 8) - 8;
}

struct hw_named_size {
    const char *tp_name;
    uint64_t (*extra)(struct hw_py *py, const unsigned char *p);
};

static uint64_t extra_array(struct hw_py *py, const unsigned char *p)
{
    hw_addr descr = PY_WORD(py, p, arrayobject_ob_descr);
    const unsigned char *d = hw_py_at(py, descr, PY_SIZE(py, arraydescr));
    uint64_t itemsize = d ? load32(d + PY_OFF(py, arraydescr_itemsize)) : 0;
    uint64_t allocated = PY_WORD(py, p, arrayobject_allocated);
    return itemsize > 64 || allocated > HW_MAX_ITEMS ? 0 : itemsize * allocated;
}

static uint64_t extra_buffered(struct hw_py *py, const unsigned char *p)
{
    return PY_WORD(py, p, buffered_buffer) ? PY_WORD(py, p, buffered_buffer_size) : 0;
}

/* Modules/_struct.c s_sizeof: the codes behind the object, with the one that ends them. */
static uint64_t extra_struct(struct hw_py *py, const unsigned char *p)
{
    uint64_t count = 1;
    hw_addr codes = PY_WORD(py, p, PyStructObject_s_codes);
    uint32_t bytes = PY_SIZE(py, formatcode);
    for (; codes && count < 4096; count++) {
        const unsigned char *c = hw_py_at(py, codes + (count - 1) * bytes, bytes);
        if (!c || !PY_WORD(py, c, formatcode_fmtdef))
            break;
    }
    return count * bytes;
}

/* Modules/_elementtree.c element_sizeof. */
static uint64_t extra_element(struct hw_py *py, const unsigned char *p)
{
    hw_addr extra = PY_WORD(py, p, ElementObject_extra);
    const unsigned char *e = extra ? hw_py_at(py, extra, PY_SIZE(py, ElementObjectExtra)) : NULL;
    if (!e)
        return 0;
    uint64_t size = PY_SIZE(py, ElementObjectExtra);
    bool outside = PY_WORD(py, e, ElementObjectExtra_children) !=
                   extra + PY_OFF(py, ElementObjectExtra__children);
    uint64_t allocated = PY_WORD(py, e, ElementObjectExtra_allocated);
    return size + (outside && allocated < HW_MAX_ITEMS ? allocated * 8 : 0);
}

/* Modules/_pickle.c _pickle_Pickler___sizeof___impl. */
static uint64_t extra_pickler(struct hw_py *py, const unsigned char *p)
{
    hw_addr memo = PY_WORD(py, p, PicklerObject_memo);
    const unsigned char *m = memo ? hw_py_at(py, memo, PY_SIZE(py, PyMemoTable)) : NULL;
    if (!m)
        return 0;
    uint64_t allocated = PY_WORD(py, m, PyMemoTable_mt_allocated);
    return allocated > HW_MAX_ITEMS
               ? 0
               : PY_SIZE(py, PyMemoTable) + allocated * PY_SIZE(py, PyMemoEntry);
}

/* Modules/_io/bytesio.c bytesio_sizeof: a buffer that nobody shares counts as its own. */
static uint64_t extra_bytesio(struct hw_py *py, const unsigned char *p)
{
    hw_addr buf = PY_WORD(py, p, bytesio_buf);
    const struct hw_pytype *type = buf ? hw_pytype_of(py, buf) : NULL;
    const unsigned char *b = type ? hw_py_at(py, buf, PY_SIZE(py, PyObject)) : NULL;
    if (!b || hw_py_refcount(py, b) != 1)
        return 0;
    return hw_object_size(py, buf, type);
}

static const struct hw_named_size named_sizes[] = {
    {"_io.BytesIO", extra_bytesio},
    {"array.array", extra_array},
    {"_io.BufferedReader", extra_buffered},
    {"_io.BufferedWriter", extra_buffered},
    {"_io.BufferedRandom", extra_buffered},
    {"_struct.Struct", extra_struct},
    {"xml.etree.ElementTree.Element", extra_element},
    {"_pickle.Pickler", extra_pickler},
};

const struct hw_named_size *hw_named_size_find(const char *tp_name)
{
    for (size_t i = 0; i < sizeof(named_sizes) / sizeof(*named_sizes); i++)
        if (!strcmp(tp_name, named_sizes[i].tp_name))
            return &named_sizes[i];
    return NULL;
}

static uint64_t size_named(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    uint64_t size = size_default(py, addr, type);
    const struct hw_named_size *named = type->solid->named_size;
    const struct hw_native *native = type->solid->native;
    if (!named && !(native && native->extra))
        return size;
    const unsigned char *p = hw_py_at(py, addr, type->basicsize);
    return p ? size + (named ? named->extra(py, p) : native->extra(py, p)) : size;
}

static uint64_t size_body(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    const unsigned char *p = hw_py_at(py, addr, type->read_bytes);
    if (!p)
        return 0;
    switch (type->solid->family) {
    case HW_FAMILY_INT:
        return size_int(py, p, type);
    case HW_FAMILY_STR:
        return size_str(py, addr, p) + size_str_wide(py, addr, p);
    case HW_FAMILY_LIST: {
        uint64_t allocated = PY_WORD(py, p, PyListObject_allocated);
        return type->basicsize + (allocated > HW_MAX_ITEMS ? 0 : allocated * 8);
    }
    case HW_FAMILY_DICT:
    case HW_FAMILY_DEFAULTDICT:
        return size_dict(py, p, type);
    case HW_FAMILY_ODICT:
        return size_odict(py, p, type);
    case HW_FAMILY_SET:
        return size_set(py, addr, p, type);
    case HW_FAMILY_DEQUE:
        return size_deque(py, p, type);
    case HW_FAMILY_TYPE:
        return size_type(py, addr);
    case HW_FAMILY_BYTEARRAY: {
        uint64_t alloc = PY_WORD(py, p, PyByteArrayObject_ob_alloc);
        return type->basicsize + (alloc > (uint64_t)1 << 48 ? 0 : alloc);
    }
    case HW_FAMILY_FRAME:
        if (hw_frames_are_objects(py))
            return size_frame_object(py, p);
        return PY_OFF(py, PyFrameObject__f_frame_data) +
               frame_size(py, PY_WORD(py, p, PyFrameObject_f_frame));
    case HW_FAMILY_GENERATOR:
        if (hw_frames_are_objects(py))
            return type->basicsize;
        return PY_OFF(py, PyGenObject_gi_iframe) +
               frame_size(py, addr + PY_OFF(py, PyGenObject_gi_iframe));
    case HW_FAMILY_CODE:
        return size_code(py, p, size_default(py, addr, type));
    default:
        return size_named(py, addr, type);
    }
}

/* Python/sysmodule.c _PySys_GetSizeOf. Static types are not collected: no words in front. */
static uint64_t size_before(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    uint64_t size = 0;
    if (type->is_gc) {
        const struct hw_pytype *self =
            type->family == HW_FAMILY_TYPE ? hw_pytype_get(py, addr) : NULL;
        bool static_type = self && !self->is_heap;
        if (!static_type || (py->version >= 0x030b0000 && py->version < 0x030d0000))
            size += 16;
    }
    if (type->managed_dict || type->managed_weakref)
        size += 16;
    return size;
}

uint64_t hw_object_size(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    return size_body(py, addr, type) + size_before(py, addr, type);
}
