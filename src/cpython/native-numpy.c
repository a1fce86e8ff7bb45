/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"
#include "cpython/native.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * numpy 1.22 to 2.x: numpy/core (2.x: numpy/_core) include/numpy/ndarraytypes.h and arrayscalars.h.
 *
 * An array that owns its data has it in its sys.getsizeof() (methods.c array_sizeof). All others
 * are views: of the array in `base` (numpy shortens the chain to the owner), or of whatever
 * exported a buffer. Only the owner holds references to what an array of objects contains.
 */

enum {
    ARRAY_BYTES = 96, /* PyArrayObject_fields; the same in 1.22 to 2.x */
    ARRAY_DATA = 16,
    ARRAY_ND = 24,
    ARRAY_DIMENSIONS = 32,
    ARRAY_STRIDES = 40,
    ARRAY_BASE = 48,
    ARRAY_DESCR = 56,
    ARRAY_FLAGS = 64,
    ARRAY_MEM_HANDLER = 88,
    ARRAY_OWNDATA = 0x0004, /* NPY_ARRAY_OWNDATA */
    MAXDIMS = 64,           /* NPY_MAXDIMS of 2.x; 32 before */

    DESCR_TYPEOBJ = 16,
    DESCR_TYPE_NUM = 28,
    ITEM_REFCOUNT = 0x01, /* NPY_ITEM_REFCOUNT: items are or contain references */
    TYPE_OBJECT = 17,     /* NPY_OBJECT */
    OBJECTS_MAX = 64,     /* references in one item of a structured type; more are left out */
    FIELDS_MAX = 256,
    FIELDS_DEPTH = 8,

    VOID_BYTES = 64, /* PyVoidScalarObject */
    VOID_DESCR = 32,
    VOID_BASE = 48,
};
#define DATA_MAX ((uint64_t)1 << 47)

/* PyArray_Descr by the size of its type: 96 bytes in 1.x; in 2.x 88, and 120 for the types that
 * were there before (_PyArray_LegacyDescr), 144 for StringDType. */
struct descr_layout {
    uint32_t flags, flags_bytes, elsize, elsize_bytes;
    uint32_t metadata;
    uint32_t subarray, fields, names; /* 0: no such field */
};
static const struct descr_layout descr_1 = {27, 1, 32, 4, 72, 40, 48, 56};
static const struct descr_layout descr_2 = {32, 8, 40, 8, 56, 0, 0, 0};
static const struct descr_layout descr_2_legacy = {32, 8, 40, 8, 56, 88, 96, 104};

struct descr {
    const unsigned char *p;
    const struct descr_layout *layout;
    uint64_t elsize;
    bool holds_objects;
    int32_t type_num;
};

static void descr_decode(struct hw_py *py, hw_addr addr, const unsigned char *p,
                         const struct hw_pytype *solid);

static const struct descr_layout *descr_layout_of(const struct hw_pytype *type)
{
    if (!type->solid->native || type->solid->native->decode != descr_decode)
        return NULL;
    switch (type->solid->basicsize) {
    case 96:
        return &descr_1;
    case 120:
        return &descr_2_legacy;
    default:
        return &descr_2;
    }
}

static bool descr_read(struct hw_py *py, hw_addr addr, struct descr *ret)
{
    const struct hw_pytype *type = hw_pytype_of(py, addr);
    const struct descr_layout *l = type ? descr_layout_of(type) : NULL;
    const unsigned char *p = l ? hw_py_at(py, addr, type->solid->basicsize) : NULL;
    if (!p)
        return false;
    uint64_t flags = l->flags_bytes == 1 ? p[l->flags] : load64(p + l->flags);
    uint64_t elsize = l->elsize_bytes == 4 ? load32(p + l->elsize) : load64(p + l->elsize);
    *ret = (struct descr){p, l, elsize, flags & ITEM_REFCOUNT, (int32_t)load32(p + DESCR_TYPE_NUM)};
    return elsize < DATA_MAX;
}

static void label_add(struct hw_py *py, hw_addr to, enum hw_label_kind kind, const char *name)
{
    if (to)
        ref_add(py, to, hw_label_named(py, kind, name));
}

static void descr_decode(struct hw_py *py, hw_addr addr, const unsigned char *p,
                         const struct hw_pytype *solid)
{
    struct descr d;
    if (!descr_read(py, addr, &d))
        return;
    label_add(py, load64(p + DESCR_TYPEOBJ), HW_LABEL_ATTR, "type");
    label_add(py, load64(p + d.layout->metadata), HW_LABEL_ATTR, "metadata");
    if (!d.layout->fields)
        return;
    label_add(py, load64(p + d.layout->fields), HW_LABEL_ATTR, "fields");
    label_add(py, load64(p + d.layout->names), HW_LABEL_ATTR, "names");
    hw_addr subarray = load64(p + d.layout->subarray); /* {PyArray_Descr *base; PyObject *shape;} */
    const unsigned char *s = subarray ? hw_py_at(py, subarray, 16) : NULL;
    if (s) {
        label_add(py, load64(s), HW_LABEL_ATTR, "base");
        label_add(py, load64(s + 8), HW_LABEL_ATTR, "shape");
    }
}

/* ---- where the references of one item lie ---- */

struct offsets {
    uint64_t at[OBJECTS_MAX];
    unsigned count;
};

static void offsets_find(struct hw_py *py, hw_addr descr, uint64_t at, unsigned depth,
                         struct offsets *offsets);

static void offsets_subarray(struct hw_py *py, const struct descr *d, hw_addr subarray, uint64_t at,
                             unsigned depth, struct offsets *offsets)
{
    struct descr item;
    hw_addr base = hw_py_word(py, subarray);
    if (!descr_read(py, base, &item) || !item.elsize)
        return;
    for (uint64_t i = 0; i < d->elsize / item.elsize && offsets->count < OBJECTS_MAX; i++)
        offsets_find(py, base, at + i * item.elsize, depth + 1, offsets);
}

/* fields maps a name to (descr, offset) or (descr, offset, title); titles are keys as well. */
static void offsets_field(struct hw_py *py, hw_addr fields, hw_addr name, uint64_t at,
                          unsigned depth, struct offsets *offsets)
{
    char text[256];
    bool cut;
    if (hw_py_text(py, name, text, sizeof(text), &cut) == SIZE_MAX || cut)
        return;
    hw_addr field = hw_dict_find(py, fields, text);
    const struct hw_pytype *type = field ? hw_pytype_of(py, field) : NULL;
    if (!type || type->solid->family != HW_FAMILY_TUPLE)
        return;
    const unsigned char *p = hw_py_at(py, field, PY_OFF(py, PyTupleObject_ob_item) + 16);
    int64_t offset;
    if (!p || PY_WORD(py, p, PyVarObject_ob_size) < 2)
        return;
    p += PY_OFF(py, PyTupleObject_ob_item);
    if (hw_py_int(py, load64(p + 8), &offset) && offset >= 0 && (uint64_t)offset < DATA_MAX)
        offsets_find(py, load64(p), at + (uint64_t)offset, depth + 1, offsets);
}

static void offsets_find(struct hw_py *py, hw_addr descr, uint64_t at, unsigned depth,
                         struct offsets *offsets)
{
    struct descr d;
    if (depth > FIELDS_DEPTH || offsets->count == OBJECTS_MAX || !descr_read(py, descr, &d) ||
        !d.holds_objects)
        return;
    if (d.type_num == TYPE_OBJECT) {
        offsets->at[offsets->count++] = at;
        return;
    }
    hw_addr subarray = d.layout->subarray ? load64(d.p + d.layout->subarray) : 0;
    hw_addr fields = d.layout->fields ? load64(d.p + d.layout->fields) : 0;
    hw_addr names = d.layout->names ? load64(d.p + d.layout->names) : 0;
    if (subarray) {
        offsets_subarray(py, &d, subarray, at, depth, offsets);
        return;
    }
    const struct hw_pytype *type = fields && names ? hw_pytype_of(py, names) : NULL;
    if (!type || type->solid->family != HW_FAMILY_TUPLE)
        return;
    uint64_t count = hw_py_word(py, names + PY_OFF(py, PyVarObject_ob_size));
    for (uint64_t i = 0; i < count && i < FIELDS_MAX; i++)
        offsets_field(py, fields, hw_py_word(py, names + PY_OFF(py, PyTupleObject_ob_item) + i * 8),
                      at, depth, offsets);
}

/* ---- arrays ---- */

struct array {
    hw_addr data, base, descr;
    uint32_t nd;
    bool owns;
    uint64_t dims[MAXDIMS];
    int64_t strides[MAXDIMS];
    uint64_t count, bytes; /* items, and itemsize times items as numpy's nbytes */
    uint64_t itemsize;
    bool holds_objects;
};

static bool array_read_shape(struct hw_py *py, const unsigned char *p, struct array *a)
{
    const unsigned char *dims = hw_py_at(py, load64(p + ARRAY_DIMENSIONS), (size_t)a->nd * 8);
    const unsigned char *strides = hw_py_at(py, load64(p + ARRAY_STRIDES), (size_t)a->nd * 8);
    if (!dims || !strides)
        return false;
    for (uint32_t i = 0; i < a->nd; i++) {
        a->dims[i] = load64(dims + i * 8);
        a->strides[i] = (int64_t)load64(strides + i * 8);
        if (a->dims[i] >= DATA_MAX || __builtin_mul_overflow(a->count, a->dims[i], &a->count))
            return false;
    }
    return true;
}

/* False, and the object counts as damaged, when shape, type and memory do not fit together. */
static bool array_read(struct hw_py *py, const unsigned char *p, struct array *a)
{
    struct descr d;
    *a = (struct array){.data = load64(p + ARRAY_DATA),
                        .base = load64(p + ARRAY_BASE),
                        .descr = load64(p + ARRAY_DESCR),
                        .nd = load32(p + ARRAY_ND),
                        .owns = load32(p + ARRAY_FLAGS) & ARRAY_OWNDATA,
                        .count = 1};
    bool ok =
        a->nd <= MAXDIMS && (!a->nd || array_read_shape(py, p, a)) && descr_read(py, a->descr, &d);
    if (ok) {
        a->itemsize = d.elsize;
        a->holds_objects = d.holds_objects;
        ok = !__builtin_mul_overflow(a->count, a->itemsize, &a->bytes) && a->bytes < DATA_MAX;
    }
    if (ok && a->owns && a->bytes)
        ok = hw_native_mapped(py, a->data, a->bytes);
    if (!ok)
        py->object_damaged = true;
    return ok;
}

/* False when a part is not readable: then the rest is not worth the time. */
static bool item_add(struct hw_py *py, hw_addr item, uint64_t number, const struct offsets *offsets)
{
    for (unsigned i = 0; i < offsets->count; i++) {
        const unsigned char *p = hw_py_outside_at(py, item + offsets->at[i], 8);
        if (!p)
            return false;
        ref_add(py, load64(p), label_make(HW_LABEL_INDEX, number));
    }
    return !py->refs.failed;
}

/* Items in the order of their indexes; the number of each is its place in a.flat. */
static void items_add(struct hw_py *py, const struct array *a)
{
    struct offsets offsets = {.count = 0};
    uint64_t index[MAXDIMS] = {0};
    hw_addr item = a->data;
    if (a->owns && a->data && py->outside)
        py->outside(py->outside_ctx, a->data);
    if (!a->owns || !a->holds_objects || !a->bytes || a->itemsize < 8 || a->count > HW_MAX_ITEMS)
        return;
    offsets_find(py, a->descr, 0, 0, &offsets);
    if (!offsets.count)
        return;
    for (uint64_t number = 0; number < a->count && item_add(py, item, number, &offsets); number++) {
        for (uint32_t d = a->nd; d-- > 0;) {
            item += (uint64_t)a->strides[d];
            if (++index[d] < a->dims[d])
                break;
            item -= (uint64_t)a->strides[d] * a->dims[d];
            index[d] = 0;
        }
    }
}

static void array_decode(struct hw_py *py, hw_addr addr, const unsigned char *p,
                         const struct hw_pytype *solid)
{
    struct array a;
    label_add(py, load64(p + ARRAY_BASE), HW_LABEL_ATTR, "base");
    label_add(py, load64(p + ARRAY_DESCR), HW_LABEL_ATTR, "dtype");
    label_add(py, load64(p + ARRAY_MEM_HANDLER), HW_LABEL_INTERNAL, "mem_handler");
    if (array_read(py, p, &a))
        items_add(py, &a);
}

static uint64_t array_extra(struct hw_py *py, const unsigned char *p)
{
    struct array a;
    if (!array_read(py, p, &a))
        return 0;
    return a.nd * 16 + (a.owns ? a.bytes : 0);
}

/* The first and the last byte that a view shows. */
static void array_extent(const struct array *a, hw_addr *ret_low, hw_addr *ret_high)
{
    hw_addr low = a->data, high = a->data + a->itemsize;
    for (uint32_t i = 0; i < a->nd; i++) {
        uint64_t reach = (uint64_t)a->strides[i] * (a->dims[i] - 1);
        if (a->strides[i] < 0)
            low += reach;
        else
            high += reach;
    }
    *ret_low = low;
    *ret_high = high;
}

static uint64_t array_bytes(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    struct array a;
    hw_addr low, high;
    if (!load64(p + ARRAY_BASE) || !array_read(py, p, &a) || a.owns || !a.bytes)
        return 0;
    array_extent(&a, &low, &high);
    hw_native_claim(py, a.base, low, high);
    return 0;
}

/* nbytes=1600 shape=(10, 20) */
static size_t array_text(struct hw_py *py, const unsigned char *p, char *to, size_t max)
{
    struct array a;
    if (!array_read(py, p, &a))
        return 0;
    size_t n = (size_t)snprintf(to, max, "nbytes=%" PRIu64 " shape=(", a.bytes);
    for (uint32_t i = 0; i < a.nd && n < max; i++)
        n += (size_t)snprintf(to + n, max - n, "%s%" PRIu64, i ? ", " : "", a.dims[i]);
    if (n < max)
        n += (size_t)snprintf(to + n, max - n, a.nd == 1 ? ",)" : ")");
    return n < max ? n : max - 1;
}

/* ---- scalars: scalartypes.c.src gentype_sizeof adds the item's size to the structure's ---- */

static uint64_t extra_1(struct hw_py *py, const unsigned char *p)
{
    return 1;
}

static uint64_t extra_2(struct hw_py *py, const unsigned char *p)
{
    return 2;
}

static uint64_t extra_4(struct hw_py *py, const unsigned char *p)
{
    return 4;
}

static uint64_t extra_8(struct hw_py *py, const unsigned char *p)
{
    return 8;
}

static uint64_t extra_16(struct hw_py *py, const unsigned char *p)
{
    return 16;
}

static uint64_t extra_32(struct hw_py *py, const unsigned char *p)
{
    return 32;
}

/* numpy.bytes_: bytes, and the item's size again. */
static uint64_t extra_bytes(struct hw_py *py, const unsigned char *p)
{
    uint64_t count = PY_WORD(py, p, PyVarObject_ob_size);
    return count < DATA_MAX ? count : 0;
}

/* numpy.void: one item of a structured array, its own or in the array it came from. */
static void void_decode(struct hw_py *py, hw_addr addr, const unsigned char *p,
                        const struct hw_pytype *solid)
{
    label_add(py, load64(p + VOID_BASE), HW_LABEL_ATTR, "base");
    label_add(py, load64(p + VOID_DESCR), HW_LABEL_ATTR, "dtype");
}

static uint64_t void_extra(struct hw_py *py, const unsigned char *p)
{
    struct descr d;
    return descr_read(py, load64(p + VOID_DESCR), &d) ? d.elsize : 0;
}

#define SCALAR(name, bytes, item)                                           \
    {                                                                       \
        .tp_name = "numpy." name, .basicsize = bytes, .extra = extra_##item \
    }
#define DTYPE_2(name)                                                                     \
    {                                                                                     \
        .tp_name = "numpy.dtypes." name "DType", .basicsize = 120, .decode = descr_decode \
    }

const struct hw_native hw_native_numpy[] = {
    {.tp_name = "numpy.ndarray",
     .basicsize = ARRAY_BYTES,
     .decode = array_decode,
     .extra = array_extra,
     .bytes = array_bytes,
     .text = array_text},
    {.tp_name = "numpy.dtype", .basicsize = 96, .decode = descr_decode},
    {.tp_name = "numpy.dtype", .basicsize = 88, .decode = descr_decode},
    DTYPE_2("Bool"),
    DTYPE_2("Int8"),
    DTYPE_2("UInt8"),
    DTYPE_2("Int16"),
    DTYPE_2("UInt16"),
    DTYPE_2("Int32"),
    DTYPE_2("UInt32"),
    DTYPE_2("Int64"),
    DTYPE_2("UInt64"),
    DTYPE_2("LongLong"),
    DTYPE_2("ULongLong"),
    DTYPE_2("Float16"),
    DTYPE_2("Float32"),
    DTYPE_2("Float64"),
    DTYPE_2("LongDouble"),
    DTYPE_2("Complex64"),
    DTYPE_2("Complex128"),
    DTYPE_2("CLongDouble"),
    DTYPE_2("Object"),
    DTYPE_2("Bytes"),
    DTYPE_2("Str"),
    DTYPE_2("Void"),
    DTYPE_2("DateTime64"),
    DTYPE_2("TimeDelta64"),
    {.tp_name = "numpy.void", .basicsize = VOID_BYTES, .decode = void_decode, .extra = void_extra},
    SCALAR("bytes_", 40, bytes),
    SCALAR("bool_", 24, 1),
    SCALAR("bool", 24, 1),
    SCALAR("int8", 24, 1),
    SCALAR("int16", 24, 2),
    SCALAR("int32", 24, 4),
    SCALAR("int64", 24, 8),
    SCALAR("longlong", 24, 8),
    SCALAR("timedelta64", 32, 8),
    SCALAR("uint8", 24, 1),
    SCALAR("uint16", 24, 2),
    SCALAR("uint32", 24, 4),
    SCALAR("uint64", 24, 8),
    SCALAR("ulonglong", 24, 8),
    SCALAR("float16", 24, 2),
    SCALAR("float32", 24, 4),
    SCALAR("float64", 24, 8),
    SCALAR("float128", 32, 16),
    SCALAR("longdouble", 32, 16),
    SCALAR("complex64", 24, 8),
    SCALAR("complex128", 32, 16),
    SCALAR("complex256", 48, 32),
    SCALAR("clongdouble", 48, 32),
    SCALAR("datetime64", 32, 8),
    {0},
};
