/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/pytype.h"

#include "base/arena.h"
#include "base/vec.h"
#include "cpython/decode.h"
#include "cpython/native.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TYPE_NAME_BYTES = 512,
    TYPE_MAX_BASICSIZE = 1 << 16,
    TYPE_MAX_MEMBERS = 4096,
    TYPE_MAX_DEPTH = 200,        /* of bases and metatypes */
    TYPE_MAX_REFUSALS = 1 << 16, /* remembered ones; more are judged anew each time */
    MEMBER_OBJECT = 6,           /* PyMemberDef.type, CPython Include/structmember.h */
    MEMBER_OBJECT_EX = 16,
};

struct hw_type_slot {
    hw_addr addr;
    struct hw_pytype *type; /* NULL: refused */
};

/* Types whose structure has code of its own, by tp_name. Only C types are looked up here. */
static const struct {
    const char *name;
    enum hw_family family;
} families[] = {
    {"object", HW_FAMILY_PLAIN},
    {"type", HW_FAMILY_TYPE},
    {"str", HW_FAMILY_STR},
    {"int", HW_FAMILY_INT},
    {"bool", HW_FAMILY_INT},
    {"float", HW_FAMILY_FLOAT},
    {"bytes", HW_FAMILY_BYTES},
    {"bytearray", HW_FAMILY_BYTEARRAY},
    {"tuple", HW_FAMILY_TUPLE},
    {"list", HW_FAMILY_LIST},
    {"dict", HW_FAMILY_DICT},
    {"collections.OrderedDict", HW_FAMILY_ODICT},
    {"collections.defaultdict", HW_FAMILY_DEFAULTDICT},
    {"set", HW_FAMILY_SET},
    {"frozenset", HW_FAMILY_SET},
    {"collections.deque", HW_FAMILY_DEQUE},
    {"function", HW_FAMILY_FUNCTION},
    {"code", HW_FAMILY_CODE},
    {"frame", HW_FAMILY_FRAME},
    {"generator", HW_FAMILY_GENERATOR},
    {"coroutine", HW_FAMILY_GENERATOR},
    {"async_generator", HW_FAMILY_GENERATOR},
    {"module", HW_FAMILY_MODULE},
    {"numpy.float64", HW_FAMILY_FLOAT}, /* begin as the built-in types that they derive from */
    {"numpy.str_", HW_FAMILY_STR},
    {"numpy.bytes_", HW_FAMILY_BYTES},
};

static bool type_slots_grow(struct hw_py *py)
{
    uint32_t count = py->type_slot_count ? py->type_slot_count * 2 : 4096;
    struct hw_type_slot *slots = calloc(count, sizeof(*slots));
    if (!slots)
        return false;
    for (uint32_t i = 0; i < py->type_slot_count; i++) {
        if (!py->type_slots[i].addr)
            continue;
        uint32_t at = (uint32_t)(py->type_slots[i].addr >> 4) * 2654435761u & (count - 1);
        while (slots[at].addr)
            at = (at + 1) & (count - 1);
        slots[at] = py->type_slots[i];
    }
    free(py->type_slots);
    py->type_slots = slots;
    py->type_slot_count = count;
    return true;
}

/* The slot of addr, or the free one where it belongs. NULL: no memory. */
static struct hw_type_slot *type_slot_find(struct hw_py *py, hw_addr addr)
{
    if (py->type_slot_used * 2 >= py->type_slot_count && !type_slots_grow(py))
        return NULL;
    uint32_t at = (uint32_t)(addr >> 4) * 2654435761u & (py->type_slot_count - 1);
    while (py->type_slots[at].addr && py->type_slots[at].addr != addr)
        at = (at + 1) & (py->type_slot_count - 1);
    return &py->type_slots[at];
}

static bool name_is_sane(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return *name != 0;
}

/* Names that are too long are cut. */
static bool type_name_read(struct hw_py *py, hw_addr addr, char to[TYPE_NAME_BYTES])
{
    if (hw_image_read_string(py->image, addr, to, TYPE_NAME_BYTES))
        return true;
    to[TYPE_NAME_BYTES - 1] = 0;
    return hw_image_read(py->image, addr, to, TYPE_NAME_BYTES - 1);
}

static const struct hw_struct_row *row_find(const struct hw_py *py, const struct hw_pytype *type)
{
    for (size_t low = 0, high = py->layout->struct_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        const struct hw_struct_row *row = &py->layout->structs[middle];
        int order = strcmp(row->type_name, type->tp_name);
        if (!order)
            order = row->basicsize < type->basicsize ? -1 : row->basicsize > type->basicsize;
        if (!order)
            return row;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Up to 3.9 two types of functools are used without PyType_Ready() (Modules/_functoolsmodule.c): they
 * have no base. Such a type is believed when its structure is known. */
static bool is_never_ready(const struct hw_py *py, const struct hw_pytype *type)
{
    return py->version < 0x030a0000 && !(type->tp_flags & HW_TPFLAG_READY) && !type->is_heap &&
           row_find(py, type);
}

/* Fields of the type object itself; false when it cannot be one. */
static bool type_read(struct hw_py *py, struct hw_pytype *type)
{
    const unsigned char *p = hw_image_at(py->image, type->addr, PY_SIZE(py, PyTypeObject));
    if (!p || type->addr % 8)
        return false;
    uint64_t basicsize = PY_WORD(py, p, PyTypeObject_tp_basicsize);
    uint64_t itemsize = PY_WORD(py, p, PyTypeObject_tp_itemsize);
    type->tp_flags = PY_WORD(py, p, PyTypeObject_tp_flags);
    if (basicsize < PY_SIZE(py, PyObject) || basicsize > TYPE_MAX_BASICSIZE ||
        itemsize > TYPE_MAX_BASICSIZE)
        return false;
    /* A C type has a decent name; a class may be called anything. */
    char name[TYPE_NAME_BYTES];
    bool is_class = type->tp_flags & HW_TPFLAG_HEAPTYPE;
    if (!type_name_read(py, PY_WORD(py, p, PyTypeObject_tp_name), name) ||
        (!is_class && !name_is_sane(name)))
        return false;
    type->tp_name = hw_arena_strdup(py->arena, name);
    type->basicsize = (uint32_t)basicsize;
    type->itemsize = (uint32_t)itemsize;
    type->dictoffset = (int64_t)PY_WORD(py, p, PyTypeObject_tp_dictoffset);
    type->weaklistoffset = (int64_t)PY_WORD(py, p, PyTypeObject_tp_weaklistoffset);
    type->is_gc = type->tp_flags & HW_TPFLAG_HAVE_GC;
    type->is_heap = type->tp_flags & HW_TPFLAG_HEAPTYPE;
    type->managed_dict = type->tp_flags & HW_TPFLAG_MANAGED_DICT && py->version >= 0x030b0000;
    type->managed_weakref = type->tp_flags & HW_TPFLAG_MANAGED_WEAKREF && py->version >= 0x030c0000;
    type->inline_values = type->tp_flags & HW_TPFLAG_INLINE_VALUES && py->version >= 0x030d0000;
    return type->tp_name && (type->tp_flags & HW_TPFLAG_READY || is_never_ready(py, type));
}

/* The metatype must be `type` or derive from it. */
static bool type_check_metatype(struct hw_py *py, hw_addr addr)
{
    if (addr == py->type_type)
        return true;
    const unsigned char *p = hw_image_at(py->image, addr, PY_SIZE(py, PyObject));
    if (!p)
        return false;
    hw_addr meta_addr = PY_WORD(py, p, PyObject_ob_type);
    if (meta_addr == py->type_type)
        return true;
    const struct hw_pytype *meta = hw_pytype_get(py, meta_addr);
    return meta && meta->tp_flags & HW_TPFLAG_TYPE_SUBCLASS;
}

static bool type_read_base(struct hw_py *py, struct hw_pytype *type)
{
    hw_addr base = hw_py_word(py, type->addr + PY_OFF(py, PyTypeObject_tp_base));
    if (!base)
        return !strcmp(type->tp_name, "object") || is_never_ready(py, type);
    type->base = hw_pytype_get(py, base);
    return type->base && type->base->basicsize <= type->basicsize;
}

static void type_choose_family(struct hw_py *py, struct hw_pytype *type)
{
    bool made_by_class =
        type->is_heap && py->class_dealloc &&
        hw_py_word(py, type->addr + PY_OFF(py, PyTypeObject_tp_dealloc)) == py->class_dealloc;
    /* Types that an extension makes from a spec may have a class's dealloc, but not its name. */
    bool named_as_class = made_by_class && !strchr(type->tp_name, '.');
    type->row = named_as_class ? NULL : row_find(py, type);
    if (made_by_class && !type->row)
        type->flags |= HW_TYPE_PYTHON;
    type->solid = type;
    type->named_size = made_by_class ? NULL : hw_named_size_find(type->tp_name);
    type->native = named_as_class ? NULL : hw_native_find(type->tp_name, type->basicsize);
    if (!made_by_class)
        for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
            if (!strcmp(families[i].name, type->tp_name)) {
                type->family = families[i].family;
                return;
            }
    type->side = made_by_class ? NULL : hw_side_find(type->tp_name);
    if (type->row || type->side) {
        type->family = type->side                 ? HW_FAMILY_SIDE
                       : type->row->ref_count > 0 ? HW_FAMILY_ROW
                                                  : HW_FAMILY_LEAF;
        return;
    }
    if (type->native) {
        type->family = type->native->decode ? HW_FAMILY_NATIVE : HW_FAMILY_LEAF;
        return;
    }
    bool adds_fields = !made_by_class && type->base && type->basicsize > type->base->basicsize;
    if (adds_fields) {
        type->family = HW_FAMILY_UNKNOWN;
        type->scan_from = type->base->basicsize;
    } else if (type->base) {
        type->family = type->base->family;
        type->solid = type->base->solid;
        type->row = type->base->row;
        type->side = type->base->side;
        type->scan_from = type->base->scan_from;
    }
}

/* Member tables: of heap types behind the type object, of static ones behind tp_members. */
static const unsigned char *type_members(struct hw_py *py, const struct hw_pytype *type,
                                         uint32_t *ret_count)
{
    const unsigned char *p = hw_image_at(py->image, type->addr, PY_SIZE(py, PyVarObject));
    uint32_t entry = PY_SIZE(py, PyMemberDef);
    *ret_count = 0;
    if (!p)
        return NULL;
    if (type->is_heap) {
        const struct hw_pytype *meta = hw_pytype_get(py, PY_WORD(py, p, PyObject_ob_type));
        uint64_t count = PY_WORD(py, p, PyVarObject_ob_size);
        if (!meta || count > TYPE_MAX_MEMBERS)
            return NULL;
        *ret_count = (uint32_t)count;
        return hw_image_at(py->image, type->addr + meta->basicsize, count * entry);
    }
    hw_addr members = hw_py_word(py, type->addr + PY_OFF(py, PyTypeObject_tp_members));
    uint32_t n = 0;
    while (members && n < TYPE_MAX_MEMBERS) {
        const unsigned char *m = hw_image_at(py->image, members + n * entry, entry);
        if (!m || !PY_WORD(py, m, PyMemberDef_name))
            break;
        n++;
    }
    *ret_count = n;
    return n ? hw_image_at(py->image, members, (size_t)n * entry) : NULL;
}

static bool type_add_slots(struct hw_py *py, struct hw_pytype *type)
{
    uint32_t count = 0, have = type->base ? type->base->slot_count : 0;
    /* A C type whose structure we know names its own references; its members say the same again. */
    bool wanted = type->flags & HW_TYPE_PYTHON || type->family == HW_FAMILY_UNKNOWN;
    const unsigned char *m = wanted ? type_members(py, type, &count) : NULL;
    if (!m)
        count = 0;
    type->slots = hw_arena_array(py->arena, have + count, sizeof(*type->slots));
    if (!type->slots)
        return false;
    if (have)
        memcpy(type->slots, type->base->slots, have * sizeof(*type->slots));
    type->slot_count = have;
    for (uint32_t i = 0; i < count; i++, m += PY_SIZE(py, PyMemberDef)) {
        uint32_t kind = load32(m + PY_OFF(py, PyMemberDef_type));
        uint64_t offset = PY_WORD(py, m, PyMemberDef_offset);
        char name[128];
        if ((kind != MEMBER_OBJECT && kind != MEMBER_OBJECT_EX) || offset % 8 ||
            offset + 8 > type->basicsize || offset < PY_SIZE(py, PyObject) ||
            !hw_image_read_string(py->image, PY_WORD(py, m, PyMemberDef_name), name, sizeof(name)))
            continue;
        type->slots[type->slot_count++] = (struct hw_slot){
            (uint32_t)offset, hw_label_named(py, HW_LABEL_ATTR, name), kind == MEMBER_OBJECT_EX};
    }
    return true;
}

static void type_read_key_names(struct hw_py *py, struct hw_pytype *type)
{
    if (!type->is_heap || !type->managed_dict)
        return;
    hw_addr keys = hw_py_word(py, type->addr + PY_OFF(py, PyHeapTypeObject_ht_cached_keys));
    type->cached_keys = keys;
    hw_dict_key_names(py, keys, &type->key_names, &type->key_count);
}

static void type_name_parts(struct hw_py *py, struct hw_pytype *type, char *module, char *name,
                            size_t max)
{
    const char *dot = strrchr(type->tp_name, '.');
    snprintf(module, max, "%.*s", dot ? (int)(dot - type->tp_name) : 8,
             dot ? type->tp_name : "builtins");
    snprintf(name, max, "%s", dot ? dot + 1 : type->tp_name);
    if (!type->is_heap)
        return;
    char text[256];
    hw_addr qualname = hw_py_word(py, type->addr + PY_OFF(py, PyHeapTypeObject_ht_qualname));
    if (hw_py_text(py, qualname, text, sizeof(text), NULL) != SIZE_MAX && *text)
        snprintf(name, max, "%s", text);
    hw_addr dict = hw_py_word(py, type->addr + PY_OFF(py, PyTypeObject_tp_dict));
    hw_addr value = dict ? hw_dict_find(py, dict, "__module__") : 0;
    if (value && hw_py_text(py, value, text, sizeof(text), NULL) != SIZE_MAX && *text)
        snprintf(module, max, "%s", text);
}

static bool type_read_name(struct hw_py *py, struct hw_pytype *type)
{
    char module[512], name[512];
    type_name_parts(py, type, module, name, sizeof(name));
    type->module = hw_arena_strdup(py->arena, module);
    type->name = !strcmp(module, "builtins") ? hw_arena_strdup(py->arena, name)
                                             : hw_arena_printf(py->arena, "%s.%s", module, name);
    return type->module && type->name;
}

static void type_set_flags(struct hw_py *py, struct hw_pytype *type)
{
    static const struct {
        uint64_t tp_flag;
        uint32_t flag;
    } by_tp_flag[] = {
        {HW_TPFLAG_INT_SUBCLASS, HW_TYPE_INT},
        {HW_TPFLAG_LIST_SUBCLASS, HW_TYPE_LIST},
        {HW_TPFLAG_TUPLE_SUBCLASS, HW_TYPE_TUPLE},
        {HW_TPFLAG_BYTES_SUBCLASS, HW_TYPE_BYTES},
        {HW_TPFLAG_STR_SUBCLASS, HW_TYPE_STR},
        {HW_TPFLAG_DICT_SUBCLASS, HW_TYPE_DICT},
        {HW_TPFLAG_EXC_SUBCLASS, HW_TYPE_EXCEPTION},
        {HW_TPFLAG_TYPE_SUBCLASS, HW_TYPE_TYPE},
        {HW_TPFLAG_HAVE_GC, HW_TYPE_GC},
        {HW_TPFLAG_HEAPTYPE, HW_TYPE_HEAP},
    };
    static const struct {
        enum hw_family family;
        uint32_t flag;
    } by_family[] = {
        {HW_FAMILY_FLOAT, HW_TYPE_FLOAT},   {HW_FAMILY_SET, HW_TYPE_SET},
        {HW_FAMILY_DEQUE, HW_TYPE_DEQUE},   {HW_FAMILY_FUNCTION, HW_TYPE_FUNCTION},
        {HW_FAMILY_CODE, HW_TYPE_CODE},     {HW_FAMILY_FRAME, HW_TYPE_FRAME},
        {HW_FAMILY_MODULE, HW_TYPE_MODULE}, {HW_FAMILY_GENERATOR, HW_TYPE_GENERATOR},
    };
    static const struct {
        const char *tp_name; /* of the C type */
        uint32_t flag;
    } by_name[] = {
        {"traceback", HW_TYPE_TRACEBACK},
        {"method", HW_TYPE_METHOD},
        {"cell", HW_TYPE_CELL},
        {"weakref", HW_TYPE_WEAKREF},
        {"weakref.ReferenceType", HW_TYPE_WEAKREF},
        {"weakref.ProxyType", HW_TYPE_WEAKREF},
        {"weakproxy", HW_TYPE_WEAKREF},
        {"weakref.CallableProxyType", HW_TYPE_WEAKREF},
        {"weakcallableproxy", HW_TYPE_WEAKREF},
    };
    for (size_t i = 0; i < sizeof(by_tp_flag) / sizeof(*by_tp_flag); i++)
        if (type->tp_flags & by_tp_flag[i].tp_flag)
            type->flags |= by_tp_flag[i].flag;
    for (size_t i = 0; i < sizeof(by_family) / sizeof(*by_family); i++)
        if (type->family == by_family[i].family)
            type->flags |= by_family[i].flag;
    for (size_t i = 0; i < sizeof(by_name) / sizeof(*by_name); i++)
        if (!strcmp(type->solid->tp_name, by_name[i].tp_name))
            type->flags |= by_name[i].flag;
    if (!(type->flags & HW_TYPE_PYTHON))
        type->flags |= HW_TYPE_BUILTIN;
    if (type->base && type->base->flags & HW_TYPE_HAS_DEL)
        type->flags |= HW_TYPE_HAS_DEL;
    /* PyType_Ready() copies it from the base. */
    if (PY_HAS(py, PyTypeObject_tp_del) &&
        hw_py_word(py, type->addr + PY_OFF(py, PyTypeObject_tp_del)))
        type->flags |= HW_TYPE_LEGACY_DEL;
    hw_addr dict = hw_py_word(py, type->addr + PY_OFF(py, PyTypeObject_tp_dict));
    if (type->flags & HW_TYPE_PYTHON && dict && hw_dict_find(py, dict, "__del__"))
        type->flags |= HW_TYPE_HAS_DEL;
}

static uint32_t type_read_bytes(const struct hw_py *py, const struct hw_pytype *type)
{
    /* Compact strings and naive dates are allocated shorter than their type says. */
    if (type->family == HW_FAMILY_STR)
        return PY_SIZE(py, PyASCIIObject);
    if (type->family == HW_FAMILY_LEAF || type->family == HW_FAMILY_INT)
        return PY_SIZE(py, PyVarObject);
    return type->basicsize;
}

static struct hw_pytype *type_create(struct hw_py *py, hw_addr addr)
{
    struct hw_pytype *type = hw_arena_alloc(py->arena, sizeof(*type));
    if (!type)
        return NULL;
    type->addr = addr;
    if (!type_read(py, type) || !type_check_metatype(py, addr) || !type_read_base(py, type))
        return NULL;
    type_choose_family(py, type);
    if (!type_add_slots(py, type) || !type_read_name(py, type))
        return NULL;
    type_set_flags(py, type);
    type_read_key_names(py, type);
    type->read_bytes = type_read_bytes(py, type);
    return type;
}

static bool type_remember(struct hw_py *py, struct hw_pytype *type)
{
    struct hw_pytype **types =
        hw_vec_grow(py->types, &py->type_capacity, py->type_count + 1, sizeof(struct hw_pytype *));
    if (!types)
        return false;
    py->types = types;
    type->index = py->type_count;
    py->types[py->type_count++] = type;
    return true;
}

struct hw_pytype *hw_pytype_get(struct hw_py *py, hw_addr addr)
{
    if (py->last_type && py->last_type->addr == addr)
        return py->last_type;
    if (!addr || addr % 8)
        return NULL;
    struct hw_type_slot *slot = type_slot_find(py, addr);
    if (!slot)
        return NULL;
    if (slot->addr == addr) {
        if (slot->type)
            py->last_type = slot->type;
        return slot->type;
    }
    /* Marked as refused while it is being read: a type that needs itself to be one is none. */
    if (py->type_refusals < TYPE_MAX_REFUSALS) {
        *slot = (struct hw_type_slot){addr, NULL};
        py->type_slot_used++;
        py->type_refusals++;
    } else if (!hw_image_segment(py->image, addr)) {
        return NULL;
    }
    uint64_t bad = py->bad_pointers;
    bool damaged = py->object_damaged;
    py->type_depth++;
    struct hw_pytype *type = py->type_depth < TYPE_MAX_DEPTH ? type_create(py, addr) : NULL;
    py->type_depth--;
    py->bad_pointers = bad;
    py->object_damaged = damaged;
    if (!type || !type_remember(py, type))
        return NULL;
    slot = type_slot_find(py, addr);
    if (!slot)
        return NULL;
    if (!slot->addr)
        py->type_slot_used++;
    else
        py->type_refusals--;
    *slot = (struct hw_type_slot){addr, type};
    py->last_type = type;
    return type;
}

struct hw_pytype *hw_pytype_of(struct hw_py *py, hw_addr object)
{
    if (object % 8 || !object)
        return NULL;
    const unsigned char *p = hw_image_at(py->image, object, PY_SIZE(py, PyObject));
    return p ? hw_pytype_get(py, PY_WORD(py, p, PyObject_ob_type)) : NULL;
}
