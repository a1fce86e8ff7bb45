/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/vec.h"
#include "cpython/decode.h"
#include "cpython/dictkeys.h"

#include <stdlib.h>
#include <string.h>

enum { DICT_KIND_GENERAL = 0, DICT_KIND_UNICODE = 1, DICT_KIND_SPLIT = 2 };

static bool keys_read_log2(struct hw_py *py, const unsigned char *p, struct hw_dict_keys *keys)
{
    unsigned log2_size = p[PY_OFF(py, PyDictKeysObject_dk_log2_size)];
    unsigned log2_index = p[PY_OFF(py, PyDictKeysObject_dk_log2_index_bytes)];
    unsigned kind = p[PY_OFF(py, PyDictKeysObject_dk_kind)];
    if (log2_size > 40 || log2_index > 44 || kind > DICT_KIND_SPLIT)
        return false;
    keys->size = (uint64_t)1 << log2_size;
    keys->index_bytes = (uint64_t)1 << log2_index;
    keys->split = kind == DICT_KIND_SPLIT;
    if (kind == DICT_KIND_GENERAL) {
        keys->entry_bytes = PY_SIZE(py, PyDictKeyEntry);
        keys->key_offset = PY_OFF(py, PyDictKeyEntry_me_key);
        keys->value_offset = PY_OFF(py, PyDictKeyEntry_me_value);
    } else {
        keys->entry_bytes = PY_SIZE(py, PyDictUnicodeEntry);
        keys->key_offset = PY_OFF(py, PyDictUnicodeEntry_me_key);
        keys->value_offset = PY_OFF(py, PyDictUnicodeEntry_me_value);
    }
    return true;
}

static bool keys_read_sized(struct hw_py *py, const unsigned char *p, struct hw_dict_keys *keys)
{
    keys->size = PY_WORD(py, p, PyDictKeysObject_dk_size);
    if (keys->size > HW_MAX_ITEMS)
        return false;
    unsigned width = keys->size <= 0xff ? 1 : keys->size <= 0xffff ? 2 : keys->size <= 0xffffffff ? 4 : 8;
    keys->index_bytes = keys->size * width;
    keys->entry_bytes = PY_SIZE(py, PyDictKeyEntry);
    keys->key_offset = PY_OFF(py, PyDictKeyEntry_me_key);
    keys->value_offset = PY_OFF(py, PyDictKeyEntry_me_value);
    return true;
}

bool hw_dict_keys_read(struct hw_py *py, hw_addr addr, struct hw_dict_keys *ret)
{
    const unsigned char *p = hw_py_outside_at(py, addr, PY_SIZE(py, PyDictKeysObject));
    if (!p)
        return false;
    struct hw_dict_keys keys = {.addr = addr};
    bool sane = PY_HAS(py, PyDictKeysObject_dk_log2_size) ? keys_read_log2(py, p, &keys)
                                                          : keys_read_sized(py, p, &keys);
    keys.refcount = (int64_t)PY_WORD(py, p, PyDictKeysObject_dk_refcnt);
    keys.entry_count = PY_WORD(py, p, PyDictKeysObject_dk_nentries);
    keys.usable = PY_WORD(py, p, PyDictKeysObject_dk_usable);
    keys.entries = addr + PY_OFF(py, PyDictKeysObject_dk_indices) + keys.index_bytes;
    if (!sane || keys.entry_count > keys.size) {
        py->bad_pointers++;
        py->object_damaged = true;
        return false;
    }
    *ret = keys;
    return true;
}

static void dict_combined(struct hw_py *py, const struct hw_dict_keys *keys)
{
    const unsigned char *e = hw_py_at(py, keys->entries, keys->entry_count * keys->entry_bytes);
    if (!e || !hw_refs_reserve(&py->refs, keys->entry_count * 2))
        return;
    for (uint64_t i = 0; i < keys->entry_count; i++, e += keys->entry_bytes) {
        hw_addr key = load64(e + keys->key_offset), value = load64(e + keys->value_offset);
        if (!key || !value)
            continue;
        ref_add(py, key, label_make(HW_LABEL_KEY, i));
        ref_add(py, value, label_make(HW_LABEL_VALUE, i));
    }
}

/* The names in a block that dicts share; whoever owns it holds them. */
static void shared_keys_add(struct hw_py *py, const struct hw_dict_keys *keys)
{
    const unsigned char *e = hw_py_at(py, keys->entries, keys->entry_count * keys->entry_bytes);
    uint32_t label = hw_label_named(py, HW_LABEL_HIDDEN, "ht_cached_keys");
    for (uint64_t i = 0; e && i < keys->entry_count; i++, e += keys->entry_bytes)
        ref_add(py, load64(e + keys->key_offset), label);
}

static void dict_split(struct hw_py *py, const struct hw_dict_keys *keys, hw_addr values)
{
    hw_addr first = values;
    if (PY_HAS(py, PyDictValues_embedded)) {
        const unsigned char *v = hw_py_at(py, values, PY_SIZE(py, PyDictValues));
        /* Embedded values belong to the instance, which reports them. */
        if (!v || v[PY_OFF(py, PyDictValues_embedded)])
            return;
        first = values + PY_OFF(py, PyDictValues_values);
    }
    const unsigned char *e = hw_py_at(py, keys->entries, keys->entry_count * keys->entry_bytes);
    const unsigned char *v = hw_py_outside_at(py, first, keys->entry_count * 8);
    if (!e || !v)
        return;
    for (uint64_t i = 0; i < keys->entry_count; i++) {
        hw_addr value = load64(v + i * 8);
        if (value) {
            hw_addr key = load64(e + i * keys->entry_bytes + keys->key_offset);
            ref_add(py, value, label_make(HW_LABEL_NAMED, hw_py_name(py, key)));
        }
    }
}

void hw_decode_dict(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    struct hw_dict_keys keys;
    hw_addr values = PY_WORD(py, p, PyDictObject_ma_values);
    if (!hw_dict_keys_read(py, PY_WORD(py, p, PyDictObject_ma_keys), &keys))
        return;
    if (values)
        dict_split(py, &keys, values);
    else
        dict_combined(py, &keys);
}

void hw_dict_key_names(struct hw_py *py, hw_addr addr, uint32_t **ret_names, uint32_t *ret_count)
{
    struct hw_dict_keys keys;
    *ret_names = NULL;
    *ret_count = 0;
    if (!addr || !hw_dict_keys_read(py, addr, &keys) || keys.entry_count > 256)
        return;
    const unsigned char *e = hw_py_at(py, keys.entries, keys.entry_count * keys.entry_bytes);
    uint32_t *names = hw_arena_array(py->arena, keys.entry_count, sizeof(*names));
    if (!e || !names)
        return;
    for (uint64_t i = 0; i < keys.entry_count; i++)
        names[i] = hw_py_name(py, load64(e + i * keys.entry_bytes + keys.key_offset));
    *ret_names = names;
    *ret_count = (uint32_t)keys.entry_count;
}

void hw_decode_shared_keys(struct hw_py *py, hw_addr addr)
{
    struct hw_dict_keys keys;
    if (addr && hw_dict_keys_read(py, addr, &keys))
        shared_keys_add(py, &keys);
}

/* Where keys are, or belong, in the table. */
static size_t loose_place(const struct hw_py *py, hw_addr keys)
{
    size_t low = 0, high = py->loose_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (py->loose[middle].keys < keys)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The dict met first speaks for all. */
static bool speaks_for(struct hw_py *py, hw_addr dict, hw_addr keys)
{
    size_t place = loose_place(py, keys);
    if (place < py->loose_count && py->loose[place].keys == keys)
        return py->loose[place].dict == dict;
    if (py->loose_count == HW_LOOSE_KEYS_MAX)
        return false;
    struct hw_loose_keys *loose =
        hw_vec_grow(py->loose, &py->loose_capacity, py->loose_count + 1, sizeof(*loose));
    if (!loose)
        return false;
    py->loose = loose;
    memmove(loose + place + 1, loose + place, (py->loose_count++ - place) * sizeof(*loose));
    loose[place] = (struct hw_loose_keys){keys, dict};
    return true;
}

void hw_decode_loose_keys(struct hw_py *py, hw_addr dict, const struct hw_pytype *type)
{
    const unsigned char *p = dict && type->is_heap && py->version < 0x030b0000
                                 ? hw_image_at(py->image, dict, PY_SIZE(py, PyDictObject))
                                 : NULL;
    if (!p || !PY_WORD(py, p, PyDictObject_ma_values))
        return;
    hw_addr keys = PY_WORD(py, p, PyDictObject_ma_keys);
    if (hw_py_word(py, type->addr + PY_OFF(py, PyHeapTypeObject_ht_cached_keys)) != keys &&
        speaks_for(py, dict, keys))
        hw_decode_shared_keys(py, keys);
}

static bool key_is(struct hw_py *py, hw_addr key, const char *name)
{
    char text[128];
    size_t n = hw_py_text(py, key, text, sizeof(text), NULL);
    return n != SIZE_MAX && n == strlen(name) && !memcmp(text, name, n);
}

/* Address of the value of entry i: in the entry, or in the split values. */
static hw_addr dict_value(struct hw_py *py, const struct hw_dict_keys *keys,
                          const unsigned char *entry, hw_addr values, uint64_t i)
{
    if (!values)
        return load64(entry + keys->value_offset);
    if (PY_HAS(py, PyDictValues_values))
        values += PY_OFF(py, PyDictValues_values);
    return hw_py_word(py, values + i * 8);
}

hw_addr hw_dict_find(struct hw_py *py, hw_addr dict, const char *key)
{
    const struct hw_pytype *type = hw_pytype_of(py, dict);
    const unsigned char *p = hw_image_at(py->image, dict, PY_SIZE(py, PyDictObject));
    struct hw_dict_keys keys;
    if (!type || !(type->tp_flags & HW_TPFLAG_DICT_SUBCLASS) || !p ||
        !hw_dict_keys_read(py, PY_WORD(py, p, PyDictObject_ma_keys), &keys))
        return 0;
    hw_addr values = PY_WORD(py, p, PyDictObject_ma_values);
    const unsigned char *e = hw_py_at(py, keys.entries, keys.entry_count * keys.entry_bytes);
    for (uint64_t i = 0; e && i < keys.entry_count; i++, e += keys.entry_bytes) {
        hw_addr k = load64(e + keys.key_offset);
        if (k && key_is(py, k, key))
            return dict_value(py, &keys, e, values, i);
    }
    return 0;
}

void hw_decode_odict(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    hw_decode_dict(py, addr, p);
    ref_add(py, PY_WORD(py, p, PyODictObject_od_inst_dict), py->label_dict);
    /* Its list of nodes owns each key once more. */
    uint32_t label = hw_label_named(py, HW_LABEL_INTERNAL, "od_key");
    hw_addr node = PY_WORD(py, p, PyODictObject_od_first);
    for (uint64_t i = 0; node && i < py->item_limit; i++) {
        const unsigned char *n = hw_py_outside_at(py, node, PY_SIZE(py, _odictnode));
        if (!n)
            return;
        ref_add(py, PY_WORD(py, n, _odictnode_key), label);
        node = PY_WORD(py, n, _odictnode_next);
    }
}
