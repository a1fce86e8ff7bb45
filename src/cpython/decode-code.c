/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

/*
 * Objects with many named fields: functions, code, modules. Fields that a version lacks have width 0
 * and are passed over.
 */

struct named_field {
    enum hw_field_id field;
    const char *name;
    enum hw_label_kind kind;
};

static void fields_add(struct hw_py *py, const unsigned char *p, const struct named_field *fields,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hw_field at = py->layout->f[fields[i].field];
        hw_addr to = at.width ? load64(p + at.offset) : 0;
        if (to)
            ref_add(py, to, hw_label_named(py, fields[i].kind, fields[i].name));
    }
}

void hw_decode_function(struct hw_py *py, const unsigned char *p)
{
    static const struct named_field fields[] = {
        {HW_F_PyFunctionObject_func_code, "__code__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_globals, "__globals__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_module, "__module__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_defaults, "__defaults__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_kwdefaults, "__kwdefaults__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_doc, "__doc__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_name, "__name__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_dict, "__dict__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_closure, "__closure__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_annotations, "__annotations__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_annotate, "__annotate__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_typeparams, "__type_params__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_qualname, "__qualname__", HW_LABEL_ATTR},
        {HW_F_PyFunctionObject_func_builtins, "__builtins__", HW_LABEL_ATTR},
    };
    fields_add(py, p, fields, sizeof(fields) / sizeof(*fields));
}

void hw_decode_code(struct hw_py *py, const unsigned char *p)
{
    static const struct named_field fields[] = {
        {HW_F_PyCodeObject_co_code, "co_code", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_consts, "co_consts", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_names, "co_names", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_exceptiontable, "co_exceptiontable", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_varnames, "co_varnames", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_freevars, "co_freevars", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_cellvars, "co_cellvars", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_localsplusnames, "co_localsplusnames", HW_LABEL_INTERNAL},
        {HW_F_PyCodeObject_co_localspluskinds, "co_localspluskinds", HW_LABEL_INTERNAL},
        {HW_F_PyCodeObject_co_filename, "co_filename", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_name, "co_name", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_qualname, "co_qualname", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_linetable, "co_linetable", HW_LABEL_ATTR},
        {HW_F_PyCodeObject_co_lnotab, "co_lnotab", HW_LABEL_ATTR},
        {HW_F_PyCodeObject__co_code, "_co_code", HW_LABEL_INTERNAL},
    };
    static const struct named_field cached[] = {
        {HW_F__PyCoCached__co_code, "_co_code", HW_LABEL_INTERNAL},
        {HW_F__PyCoCached__co_varnames, "_co_varnames", HW_LABEL_INTERNAL},
        {HW_F__PyCoCached__co_cellvars, "_co_cellvars", HW_LABEL_INTERNAL},
        {HW_F__PyCoCached__co_freevars, "_co_freevars", HW_LABEL_INTERNAL},
    };
    fields_add(py, p, fields, sizeof(fields) / sizeof(*fields));
    /* A dead frame, kept for the next call: it holds nothing, though its fields are not cleared. */
    hw_addr dead = PY_HAS(py, PyCodeObject_co_zombieframe)
                       ? PY_WORD(py, p, PyCodeObject_co_zombieframe)
                       : 0;
    if (dead && py->outside)
        py->outside(py->outside_ctx, dead);
    if (!PY_HAS(py, PyCodeObject__co_cached))
        return;
    hw_addr block = PY_WORD(py, p, PyCodeObject__co_cached);
    const unsigned char *c = block ? hw_py_outside_at(py, block, PY_SIZE(py, _PyCoCached)) : NULL;
    if (c)
        fields_add(py, c, cached, sizeof(cached) / sizeof(*cached));
}

/* A module's C state is a block of m_size bytes that may hold references: scanned, hence inferred. */
static void module_state(struct hw_py *py, const unsigned char *p)
{
    hw_addr state = PY_WORD(py, p, PyModuleObject_md_state);
    uint64_t bytes = 0;
    if (PY_HAS(py, PyModuleObject_md_state_size)) {
        bytes = PY_WORD(py, p, PyModuleObject_md_state_size);
    } else {
        hw_addr def = PY_WORD(py, p, PyModuleObject_md_def);
        bytes = def ? hw_py_word(py, def + PY_OFF(py, PyModuleDef_m_size)) : 0;
    }
    if (!state || !bytes || bytes > 1 << 20)
        return;
    hw_scan_words(py, state, 0, bytes);
}

void hw_decode_module(struct hw_py *py, const unsigned char *p)
{
    ref_add(py, PY_WORD(py, p, PyModuleObject_md_dict), py->label_dict);
    hw_addr name = PY_WORD(py, p, PyModuleObject_md_name);
    ref_add(py, name, hw_label_named(py, HW_LABEL_INTERNAL, "md_name"));
    module_state(py, p);
}

static hw_addr type_field(struct hw_py *py, const unsigned char *p, enum hw_field_id field)
{
    struct hw_field at = py->layout->f[field];
    return at.width ? load64(p + at.offset) : 0;
}

void hw_decode_type(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    static const struct named_field fields[] = {
        {HW_F_PyTypeObject_tp_mro, "__mro__", HW_LABEL_ATTR},
        {HW_F_PyTypeObject_tp_bases, "__bases__", HW_LABEL_ATTR},
        {HW_F_PyTypeObject_tp_base, "__base__", HW_LABEL_ATTR},
        {HW_F_PyTypeObject_tp_cache, "tp_cache", HW_LABEL_INTERNAL},
    };
    static const struct named_field heap_fields[] = {
        {HW_F_PyHeapTypeObject_ht_name, "__name__", HW_LABEL_ATTR},
        {HW_F_PyHeapTypeObject_ht_qualname, "__qualname__", HW_LABEL_ATTR},
        {HW_F_PyHeapTypeObject_ht_slots, "__slots__", HW_LABEL_HIDDEN},
        {HW_F_PyHeapTypeObject_ht_module, "ht_module", HW_LABEL_INTERNAL},
    };
    const struct hw_pytype *self = hw_pytype_get(py, addr);
    hw_addr dict = type_field(py, p, HW_F_PyTypeObject_tp_dict);
    hw_addr subclasses = type_field(py, p, HW_F_PyTypeObject_tp_subclasses);
    ref_add(py, dict, py->label_dict);
    fields_add(py, p, fields, sizeof(fields) / sizeof(*fields));
    /* Built-in static types of 3.12 and later keep an index here instead of a dict. */
    if (subclasses > 4096)
        ref_add(py, subclasses, hw_label_named(py, HW_LABEL_HIDDEN, "tp_subclasses"));
    if (!self || !self->is_heap)
        return;
    p = hw_py_at(py, addr, PY_SIZE(py, PyHeapTypeObject));
    if (!p)
        return;
    fields_add(py, p, heap_fields, sizeof(heap_fields) / sizeof(*heap_fields));
    hw_decode_shared_keys(py, PY_WORD(py, p, PyHeapTypeObject_ht_cached_keys));
}
