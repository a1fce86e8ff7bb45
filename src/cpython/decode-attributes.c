/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

/*
 * Where an instance keeps its attributes changed with almost every version:
 *
 *     3.8-3.10    a dict behind tp_dictoffset
 *     3.11        words before the object: values at -32, dict at -24; one of them is set
 *     3.12        one word at -24: a dict, or values + 1
 *     3.13-3.15   a dict at -24; and inline values behind the object, valid or not
 *
 * CPython Include/internal/pycore_object.h and Objects/dictobject.c.
 */

static void values_add(struct hw_py *py, hw_addr values, const struct hw_pytype *type)
{
    const unsigned char *v = hw_py_outside_at(py, values, (size_t)type->key_count * 8);
    for (uint32_t i = 0; v && i < type->key_count; i++)
        ref_add(py, load64(v + (size_t)i * 8), label_make(HW_LABEL_ATTR, type->key_names[i]));
}

static void inline_values_add(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    const unsigned char *v = hw_py_at(py, addr + type->basicsize, PY_SIZE(py, PyDictValues));
    if (v && v[PY_OFF(py, PyDictValues_valid)])
        values_add(py, addr + type->basicsize + PY_OFF(py, PyDictValues_values), type);
}

static void managed_add(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    const unsigned char *pre = hw_py_at(py, addr - 32, 16);
    if (!pre)
        return;
    uint64_t at32 = load64(pre), at24 = load64(pre + 8);
    if (py->version < 0x030c0000) {
        ref_add(py, at24, py->label_dict);
        if (at32)
            values_add(py, at32, type);
    } else if (py->version < 0x030d0000) {
        if (at24 & 1)
            values_add(py, at24 + 1, type);
        else
            ref_add(py, at24, py->label_dict);
    } else {
        if (type->inline_values)
            inline_values_add(py, addr, type);
        ref_add(py, at24, py->label_dict);
    }
}

/* A negative offset counts from the end of a variable-sized object (up to 3.11). */
static hw_addr dict_slot(struct hw_py *py, hw_addr addr, const struct hw_pytype *type)
{
    int64_t offset = type->dictoffset;
    if (offset < 0) {
        const unsigned char *p = hw_py_at(py, addr, PY_SIZE(py, PyVarObject));
        int64_t items = p ? (int64_t)PY_WORD(py, p, PyVarObject_ob_size) : 0;
        uint64_t count = (uint64_t)(items < 0 ? -items : items);
        if (!p || count > HW_MAX_ITEMS)
            return 0;
        offset += (int64_t)((type->basicsize + count * type->itemsize + 7) & ~(uint64_t)7);
    }
    if (offset < (int64_t)PY_SIZE(py, PyObject))
        return 0;
    return hw_py_word(py, addr + (uint64_t)offset);
}

static void dict_add(struct hw_py *py, hw_addr dict, const struct hw_pytype *type)
{
    ref_add(py, dict, py->label_dict);
    hw_decode_loose_keys(py, dict, type);
}

void hw_decode_attributes(struct hw_py *py, hw_addr addr, const unsigned char *p,
                          const struct hw_pytype *type)
{
    (void)p;
    /* Members of a C type of unknown structure were added with it; a class inherits them. */
    uint32_t known = type->solid->family == HW_FAMILY_UNKNOWN ? type->solid->slot_count : 0;
    for (uint32_t i = known; i < type->slot_count; i++)
        ref_add(py, hw_py_word(py, addr + type->slots[i].offset), type->slots[i].label);
    if (type->managed_dict)
        managed_add(py, addr, type);
    else if (type->dictoffset && type->dictoffset != type->solid->dictoffset)
        dict_add(py, dict_slot(py, addr, type), type);
}
