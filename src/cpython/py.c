/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/py.h"

#include "base/err.h"
#include "cpython/pytype.h"

#include <stdlib.h>

bool hw_refs_reserve(struct hw_refs *refs, size_t count)
{
    if (refs->capacity - refs->count >= count)
        return true;
    size_t capacity = refs->capacity + refs->capacity / 2 + count + 64;
    hw_addr *to = realloc(refs->to, capacity * sizeof(*to));
    if (to)
        refs->to = to;
    uint32_t *label = realloc(refs->label, capacity * sizeof(*label));
    if (label)
        refs->label = label;
    if (!to || !label) {
        refs->failed = true;
        return false;
    }
    refs->capacity = capacity;
    return true;
}

uint32_t hw_label_named(struct hw_py *py, enum hw_label_kind kind, const char *name)
{
    return label_make(kind, hw_names_intern(&py->names, name, strlen(name)));
}

bool hw_py_init(struct hw_py *py, struct hw_image *image, const struct hw_layout *layout,
                uint32_t version, struct hw_arena *arena, struct hw_err *err)
{
    *py = (struct hw_py){.image = image, .layout = layout, .version = version, .arena = arena};
    if (!hw_names_init(&py->names, arena) || !hw_refs_reserve(&py->refs, 1024)) {
        hw_py_deinit(py);
        return hw_err_no_memory(err);
    }
    for (size_t i = 0; i < image->segment_count; i++)
        py->item_limit += (image->segments[i].end - image->segments[i].start) / 8;
    py->walk_left = py->item_limit / 2;
    py->label_type = label_make(HW_LABEL_TYPE, 0);
    py->label_dict = hw_label_named(py, HW_LABEL_ATTR, "__dict__");
    return true;
}

void hw_py_deinit(struct hw_py *py)
{
    hw_names_deinit(&py->names);
    free(py->refs.to);
    free(py->refs.label);
    free(py->types);
    free(py->type_slots);
    free(py->codes);
    free(py->claims);
    free(py->running);
    free(py->loose);
    *py = (struct hw_py){0};
}

const unsigned char *hw_py_at(struct hw_py *py, hw_addr addr, size_t bytes)
{
    const unsigned char *p = hw_image_at(py->image, addr, bytes);
    if (!p) {
        py->bad_pointers++;
        py->object_damaged = true;
    }
    return p;
}

const unsigned char *hw_py_outside_at(struct hw_py *py, hw_addr addr, size_t bytes)
{
    if (py->outside)
        py->outside(py->outside_ctx, addr);
    return hw_py_at(py, addr, bytes);
}

hw_addr hw_py_word(struct hw_py *py, hw_addr addr)
{
    const unsigned char *p = hw_py_at(py, addr, sizeof(hw_addr));
    return p ? load64(p) : 0;
}

/* Where a str keeps its characters. */
struct str_data {
    hw_addr addr;
    uint64_t length;
    unsigned kind; /* bytes per character */
    bool ascii;
};

static bool str_find(struct hw_py *py, hw_addr addr, struct str_data *ret)
{
    const struct hw_pytype *type = hw_pytype_of(py, addr);
    if (!type || !(type->tp_flags & HW_TPFLAG_STR_SUBCLASS))
        return false;
    const unsigned char *p = hw_image_at(py->image, addr, PY_SIZE(py, PyASCIIObject));
    if (!p)
        return false;
    uint32_t state = load32(p + PY_OFF(py, PyASCIIObject_state));
    ret->length = PY_WORD(py, p, PyASCIIObject_length);
    ret->kind = state >> 2 & 7;
    ret->ascii = state >> 6 & 1;
    bool compact = state >> 5 & 1;
    if ((ret->kind != 1 && ret->kind != 2 && ret->kind != 4) || ret->length > HW_MAX_ITEMS)
        return false;
    if (compact) {
        ret->addr =
            addr + (ret->ascii ? PY_SIZE(py, PyASCIIObject) : PY_SIZE(py, PyCompactUnicodeObject));
        return true;
    }
    p = hw_image_at(py->image, addr, PY_SIZE(py, PyUnicodeObject));
    if (!p)
        return false;
    ret->addr = PY_WORD(py, p, PyUnicodeObject_data);
    return true;
}

static uint32_t str_char(const unsigned char *p, unsigned kind)
{
    return kind == 1 ? *p : kind == 2 ? load16(p) : load32(p);
}

/* Writes one character as UTF-8; surrogates and what is out of range become U+FFFD. */
static size_t utf8_put(char *to, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

size_t hw_py_text(struct hw_py *py, hw_addr addr, char *to, size_t max, bool *ret_cut)
{
    struct str_data data;
    if (!max || !str_find(py, addr, &data))
        return SIZE_MAX;
    uint64_t take = data.length < max ? data.length : max;
    const unsigned char *p = hw_image_at(py->image, data.addr, take * data.kind);
    if (!p)
        return SIZE_MAX;
    size_t n = 0;
    uint64_t i = 0;
    for (; i < take; i++) {
        char utf8[4];
        size_t len = utf8_put(utf8, str_char(p + i * data.kind, data.kind));
        if (n + len >= max)
            break;
        memcpy(to + n, utf8, len);
        n += len;
    }
    to[n] = 0;
    if (ret_cut)
        *ret_cut = i < data.length;
    return n;
}

uint32_t hw_py_name(struct hw_py *py, hw_addr str)
{
    char text[256];
    size_t n = hw_py_text(py, str, text, sizeof(text), NULL);
    if (n == SIZE_MAX)
        return 0;
    /* A NUL inside a name would end it early in every table: cut there. */
    return hw_names_intern(&py->names, text, strnlen(text, n));
}

bool hw_py_int(struct hw_py *py, hw_addr addr, int64_t *ret_value)
{
    const unsigned char *p = hw_image_at(py->image, addr, 24);
    if (!p)
        return false;
    uint64_t digits;
    bool negative;
    uint32_t first;
    if (PY_HAS(py, PyLongObject_long_value_lv_tag)) {
        uint64_t tag = PY_WORD(py, p, PyLongObject_long_value_lv_tag);
        digits = tag >> 3;
        negative = (tag & 3) == 2;
        first = PY_OFF(py, PyLongObject_long_value_ob_digit);
        if ((tag & 3) == 1)
            digits = 0;
    } else {
        int64_t size = (int64_t)PY_WORD(py, p, PyVarObject_ob_size);
        negative = size < 0;
        digits = negative ? -(uint64_t)size : (uint64_t)size;
        first = PY_OFF(py, PyLongObject_ob_digit);
    }
    /* Three digits of 30 bits reach past 64 bits; four bits of the third still fit. */
    if (digits > 3)
        return false;
    p = hw_image_at(py->image, addr + first, digits * 4);
    if (!p)
        return false;
    uint64_t value = 0;
    for (uint64_t i = digits; i-- > 0;) {
        uint32_t digit = load32(p + i * 4) & 0x3fffffff;
        if (value >> 34)
            return false;
        value = value << 30 | digit;
    }
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *ret_value = (int64_t)(negative ? 0 - value : value);
    return true;
}
