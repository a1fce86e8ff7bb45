/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/decode.h"

/*
 * C types that keep references outside their own structure, in arrays, tables or lists of their
 * own. Their fixed fields come from the layout rows; the functions here add the rest.
 */

static void array_add(struct hw_py *py, hw_addr array, uint64_t count, enum hw_label_kind kind,
                      const char *name)
{
    if (!array || !count || count > HW_MAX_ITEMS)
        return;
    const unsigned char *p = hw_py_outside_at(py, array, count * 8);
    uint32_t label = hw_label_named(py, kind, name);
    for (uint64_t i = 0; p && i < count; i++)
        ref_add(py, load64(p + i * 8), label);
}

/* Modules/_functoolsmodule.c: the cache's links form a ring through the wrapper. The ring owns
 * them; the collector is told of what they hold instead. */
static void side_lru_cache(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    hw_addr root = addr + PY_OFF(py, lru_cache_object_root_prev) - PY_OFF(py, lru_list_elem_prev);
    hw_addr link = PY_WORD(py, p, lru_cache_object_root_next);
    uint32_t label = hw_label_named(py, HW_LABEL_HIDDEN, "link");
    uint32_t key = hw_label_named(py, HW_LABEL_INTERNAL, "cached key");
    uint32_t result = hw_label_named(py, HW_LABEL_INTERNAL, "cached result");
    uint32_t type = hw_label_named(py, HW_LABEL_INTERNAL, "link type");
    for (uint64_t i = 0; link && link != root && i < py->item_limit; i++) {
        const unsigned char *l = hw_py_at(py, link, PY_SIZE(py, lru_list_elem));
        if (!l)
            return;
        ref_add(py, link, label);
        if (PY_HAS(py, lru_cache_object_lru_list_elem_type)) /* else it is a static one */
            ref_add(py, PY_WORD(py, l, PyObject_ob_type), type);
        ref_add(py, PY_WORD(py, l, lru_list_elem_key), key);
        ref_add(py, PY_WORD(py, l, lru_list_elem_result), result);
        link = PY_WORD(py, l, lru_list_elem_next);
    }
}

/* Modules/itertoolsmodule.c: items handed out so far. */
static void side_tee_data(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    uint32_t count = load32(p + PY_OFF(py, teedataobject_numread));
    const struct hw_field *values = &py->layout->f[HW_F_teedataobject_values];
    if (count > values->width / 8)
        return;
    for (uint32_t i = 0; i < count; i++)
        ref_add(py, load64(p + values->offset + i * 8), label_make(HW_LABEL_INDEX, i));
    (void)addr;
}

/* Modules/_sre/sre.h: the compiled replacement of re.sub (3.12); a literal may follow each group.
 */
static void side_template(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    uint64_t count = PY_WORD(py, p, PyVarObject_ob_size);
    uint32_t bytes = PY_SIZE(py, TemplateItem);
    const unsigned char *item =
        count <= 1 << 16 ? hw_py_at(py, addr + PY_OFF(py, TemplateObject_items), count * bytes)
                         : NULL;
    uint32_t label = hw_label_named(py, HW_LABEL_INTERNAL, "literal");
    ref_add(py, PY_WORD(py, p, TemplateObject_literal), label);
    for (uint64_t i = 0; item && i < count; i++, item += bytes)
        ref_add(py, PY_WORD(py, item, TemplateItem_literal), label);
}

/* Modules/_queuemodule.c: a ring since 3.13, a list before (a plain field). */
static void side_simple_queue(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    if (!PY_HAS(py, simplequeueobject_buf_items))
        return;
    uint64_t capacity = PY_WORD(py, p, simplequeueobject_buf_items_cap);
    uint64_t count = PY_WORD(py, p, simplequeueobject_buf_num_items);
    uint64_t get = PY_WORD(py, p, simplequeueobject_buf_get_idx);
    if (!capacity || capacity > HW_MAX_ITEMS || count > capacity || get >= capacity)
        return;
    const unsigned char *items =
        hw_py_outside_at(py, PY_WORD(py, p, simplequeueobject_buf_items), capacity * 8);
    for (uint64_t i = 0; items && i < count; i++)
        ref_add(py, load64(items + (get + i) % capacity * 8), label_make(HW_LABEL_INDEX, i));
}

/* The low bit of text and tail says that the object is still a list of pieces. */
static void side_element(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    ref_add(py, PY_WORD(py, p, ElementObject_tag), hw_label_named(py, HW_LABEL_ATTR, "tag"));
    ref_add(py, PY_WORD(py, p, ElementObject_text) & ~(hw_addr)1,
            hw_label_named(py, HW_LABEL_ATTR, "text"));
    ref_add(py, PY_WORD(py, p, ElementObject_tail) & ~(hw_addr)1,
            hw_label_named(py, HW_LABEL_ATTR, "tail"));
    hw_addr extra = PY_WORD(py, p, ElementObject_extra);
    const unsigned char *e = extra ? hw_py_outside_at(py, extra, PY_SIZE(py, ElementObjectExtra)) : NULL;
    if (!e)
        return;
    ref_add(py, PY_WORD(py, e, ElementObjectExtra_attrib),
            hw_label_named(py, HW_LABEL_ATTR, "attrib"));
    uint64_t count = PY_WORD(py, e, ElementObjectExtra_length);
    hw_addr children = PY_WORD(py, e, ElementObjectExtra_children);
    const unsigned char *c = count < HW_MAX_ITEMS ? hw_py_outside_at(py, children, count * 8) : NULL;
    for (uint64_t i = 0; c && i < count; i++)
        ref_add(py, load64(c + i * 8), label_make(HW_LABEL_INDEX, i));
}

static void side_element_iter(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    ref_add(py, PY_WORD(py, p, ElementIterObject_root_element),
            hw_label_named(py, HW_LABEL_INTERNAL, "root_element"));
    ref_add(py, PY_WORD(py, p, ElementIterObject_sought_tag),
            hw_label_named(py, HW_LABEL_INTERNAL, "sought_tag"));
    uint64_t count = PY_WORD(py, p, ElementIterObject_parent_stack_used);
    uint32_t bytes = PY_SIZE(py, ParentLocator);
    if (count > 1 << 20)
        return;
    const unsigned char *s =
        hw_py_outside_at(py, PY_WORD(py, p, ElementIterObject_parent_stack), count * bytes);
    uint32_t label = hw_label_named(py, HW_LABEL_INTERNAL, "parent_stack");
    for (uint64_t i = 0; s && i < count; i++, s += bytes)
        ref_add(py, PY_WORD(py, s, ParentLocator_parent), label);
}

/* Pickle's memos are visited since 3.13. Modules/_pickle.c. */
static enum hw_label_kind memo_kind(const struct hw_py *py)
{
    return py->version >= 0x030d0000 ? HW_LABEL_INTERNAL : HW_LABEL_HIDDEN;
}

static void side_pickler(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    hw_addr memo = PY_WORD(py, p, PicklerObject_memo);
    const unsigned char *m = memo ? hw_py_outside_at(py, memo, PY_SIZE(py, PyMemoTable)) : NULL;
    uint64_t slots = m ? PY_WORD(py, m, PyMemoTable_mt_allocated) : 0;
    if (!slots || slots > HW_MAX_ITEMS)
        return;
    uint32_t bytes = PY_SIZE(py, PyMemoEntry);
    const unsigned char *t = hw_py_outside_at(py, PY_WORD(py, m, PyMemoTable_mt_table), slots * bytes);
    uint32_t label = hw_label_named(py, memo_kind(py), "memo");
    for (uint64_t i = 0; t && i < slots; i++, t += bytes)
        ref_add(py, PY_WORD(py, t, PyMemoEntry_me_key), label);
}

static void side_unpickler(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    array_add(py, PY_WORD(py, p, UnpicklerObject_memo), PY_WORD(py, p, UnpicklerObject_memo_size),
              memo_kind(py), "memo");
}

static void side_pdata(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    array_add(py, PY_WORD(py, p, Pdata_data), PY_WORD(py, p, PyVarObject_ob_size),
              HW_LABEL_INTERNAL, "data");
}

/* An aware time or date has one field more than a naive one, which is allocated shorter. */
static void side_datetime(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    if (p[PY_OFF(py, PyDateTime_DateTime_hastzinfo)])
        ref_add(py, PY_WORD(py, p, PyDateTime_DateTime_tzinfo),
                hw_label_named(py, HW_LABEL_ATTR, "tzinfo"));
}

static void side_time(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    if (p[PY_OFF(py, PyDateTime_Time_hastzinfo)])
        ref_add(py, PY_WORD(py, p, PyDateTime_Time_tzinfo),
                hw_label_named(py, HW_LABEL_ATTR, "tzinfo"));
}

/* Modules/pyexpat.c: one array of handlers, ended by the table of handler descriptions; 64 is more
 * than any version has. */
static void side_xmlparser(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    hw_addr handlers = PY_WORD(py, p, xmlparseobject_handlers);
    if (handlers)
        hw_scan_words(py, handlers, 0, 22 * 8);
}

/* Modules/_io/bytesio.c: a buffer that nobody shares is no object for anybody else; bytesio_sizeof
 * counts it as part of this one. The collector is told of it since 3.12. */
static void side_bytesio(struct hw_py *py, hw_addr addr, const unsigned char *p)
{
    (void)addr;
    hw_addr buf = PY_WORD(py, p, bytesio_buf);
    const unsigned char *b = buf ? hw_py_outside_at(py, buf, PY_SIZE(py, PyObject)) : NULL;
    enum hw_label_kind kind = py->version >= 0x030c0000 ? HW_LABEL_INTERNAL : HW_LABEL_HIDDEN;
    if (b && hw_py_refcount(py, b) != 1)
        ref_add(py, buf, hw_label_named(py, kind, "buf"));
}

struct hw_side {
    const char *tp_name;
    void (*decode)(struct hw_py *py, hw_addr addr, const unsigned char *p);
};

static const struct hw_side sides[] = {
    {"functools._lru_cache_wrapper", side_lru_cache},
    {"itertools._tee_dataobject", side_tee_data},
    {"_io.BytesIO", side_bytesio},
    {"_sre.SRE_Template", side_template},
    {"_queue.SimpleQueue", side_simple_queue},
    {"xml.etree.ElementTree.Element", side_element},
    {"_elementtree._element_iterator", side_element_iter},
    {"_pickle.Pickler", side_pickler},
    {"_pickle.Unpickler", side_unpickler},
    {"_pickle.Pdata", side_pdata},
    {"datetime.datetime", side_datetime},
    {"datetime.time", side_time},
    {"pyexpat.xmlparser", side_xmlparser},
};

const struct hw_side *hw_side_find(const char *tp_name)
{
    for (size_t i = 0; i < sizeof(sides) / sizeof(*sides); i++)
        if (!strcmp(sides[i].tp_name, tp_name))
            return &sides[i];
    return NULL;
}

void hw_decode_side(struct hw_py *py, hw_addr addr, const unsigned char *p,
                    const struct hw_pytype *type)
{
    type->side->decode(py, addr, p);
}
