/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

enum { REFCOUNT_MAX = 1 << 30 };

bool hw_object_plausible(struct hw_py *py, hw_addr addr)
{
    if (addr % 8 || addr < 4096)
        return false;
    struct hw_segment *segment = hw_image_segment(py->image, addr);
    if (!segment || !(segment->prot & HW_PROT_WRITE))
        return false;
    const unsigned char *p = hw_image_at(py->image, addr, PY_SIZE(py, PyObject));
    if (!p)
        return false;
    /* Freed blocks keep a type but have a list link or nothing where the count was. Immortal objects
     * of 3.12 and later have bit 31 of the low half set and nothing above. */
    uint64_t refcount = hw_py_refcount(py, p);
    bool immortal = py->version >= 0x030c0000 && (uint32_t)refcount >> 31;
    if (!immortal && (refcount == 0 || refcount > REFCOUNT_MAX))
        return false;
    return hw_pytype_get(py, PY_WORD(py, p, PyObject_ob_type)) != NULL;
}

void hw_scan_words(struct hw_py *py, hw_addr addr, uint64_t from, uint64_t to)
{
    if (from >= to)
        return;
    const unsigned char *p = hw_py_outside_at(py, addr + from, to - from);
    for (uint64_t at = from; p && at + 8 <= to; at += 8, p += 8) {
        hw_addr word = load64(p);
        if (word && hw_object_plausible(py, word))
            ref_add(py, word, label_make(HW_LABEL_WORD, at));
    }
}

static bool word_is_known(const struct hw_pytype *type, uint64_t offset)
{
    if ((int64_t)offset == type->dictoffset || (int64_t)offset == type->weaklistoffset)
        return true;
    for (uint32_t i = 0; i < type->slot_count; i++)
        if (type->slots[i].offset == offset)
            return true;
    return false;
}

void hw_decode_unknown(struct hw_py *py, hw_addr addr, const unsigned char *p,
                       const struct hw_pytype *type)
{
    for (uint32_t i = 0; i < type->slot_count; i++)
        if (type->slots[i].offset >= type->scan_from)
            ref_add(py, load64(p + type->slots[i].offset), type->slots[i].label);
    /* What the base has, the base's part names. */
    if (type->dictoffset >= (int64_t)type->scan_from &&
        type->dictoffset + 8 <= (int64_t)type->basicsize)
        ref_add(py, load64(p + type->dictoffset), py->label_dict);
    uint64_t from = (type->scan_from + 7) & ~(uint64_t)7;
    for (uint64_t at = from; at + 8 <= type->basicsize; at += 8) {
        hw_addr word = load64(p + at);
        if (word && !word_is_known(type, at) && hw_object_plausible(py, word))
            ref_add(py, word, label_make(HW_LABEL_WORD, at));
    }
    if (type->itemsize == 8) {
        uint64_t count = PY_WORD(py, p, PyVarObject_ob_size);
        if (count <= 1 << 16)
            hw_scan_words(py, addr, type->basicsize, type->basicsize + count * 8);
    }
}
