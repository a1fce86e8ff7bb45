/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

static void items_add(struct hw_py *py, hw_addr items, uint64_t count)
{
    if (!count)
        return;
    if (count > HW_MAX_ITEMS) {
        py->bad_pointers++;
        py->object_damaged = true;
        return;
    }
    const unsigned char *p = hw_py_at(py, items, count * 8);
    if (!p || !hw_refs_reserve(&py->refs, count))
        return;
    for (uint64_t i = 0; i < count; i++)
        ref_add(py, load64(p + i * 8), label_make(HW_LABEL_INDEX, i));
}

void hw_decode_list(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    hw_addr items = PY_WORD(py, p, PyListObject_ob_item);
    if (items && py->outside)
        py->outside(py->outside_ctx, items);
    items_add(py, items, PY_WORD(py, p, PyVarObject_ob_size));
}

void hw_decode_tuple(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    items_add(py, addr + PY_OFF(py, PyTupleObject_ob_item), PY_WORD(py, p, PyVarObject_ob_size));
}

/* Deleted slots point at a static object whose type is named "<dummy key>" (Objects/setobject.c). */
static bool set_key_is_dummy(struct hw_py *py, hw_addr key)
{
    if (py->set_dummy)
        return key == py->set_dummy;
    const struct hw_pytype *type = hw_pytype_of(py, key);
    if (!type || strcmp(type->tp_name, "<dummy key> type"))
        return false;
    py->set_dummy = key;
    return true;
}

void hw_decode_set(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    uint64_t mask = PY_WORD(py, p, PySetObject_mask);
    uint32_t entry = PY_SIZE(py, setentry);
    if (mask > HW_MAX_ITEMS) {
        py->object_damaged = true;
        return;
    }
    const unsigned char *e =
        hw_py_outside_at(py, PY_WORD(py, p, PySetObject_table), (mask + 1) * entry);
    for (uint64_t i = 0; e && i <= mask; i++, e += entry) {
        hw_addr key = load64(e + PY_OFF(py, setentry_key));
        bool deleted = (int64_t)load64(e + PY_OFF(py, setentry_hash)) == -1;
        if (key && !(deleted && set_key_is_dummy(py, key)))
            ref_add(py, key, label_make(HW_LABEL_MEMBER, i));
    }
}

void hw_decode_deque(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    uint64_t count = PY_WORD(py, p, PyVarObject_ob_size);
    uint64_t index = PY_WORD(py, p, dequeobject_leftindex);
    hw_addr block = PY_WORD(py, p, dequeobject_leftblock);
    uint64_t length = (PY_SIZE(py, dequeblock) - 16) / 8; /* two links, the rest are items */
    if (count > py->item_limit || index >= length) {
        py->object_damaged = count != 0;
        return;
    }
    for (uint64_t i = 0; i < count;) {
        const unsigned char *b = hw_py_outside_at(py, block, PY_SIZE(py, dequeblock));
        if (!b)
            return;
        for (; index < length && i < count; index++, i++)
            ref_add(py, load64(b + PY_OFF(py, dequeblock_data) + index * 8),
                    label_make(HW_LABEL_INDEX, i));
        index = 0;
        block = PY_WORD(py, b, dequeblock_rightlink);
    }
}
