/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/grouping.h"

#include "inside/edge.h"
#include "inside/innards.h"
#include "inside/roots.h"

#include <string.h>

const char *const hw_by_names[HW_BY_COUNT] = {"type",      "class", "module", "size", "referrers",
                                              "via", "site",  "id",     "unity"};

/* More addresses of names than this are not told apart. */
enum { NAMES_MAX = 1 << 16 };

enum { KIND_OWNED = 1, KIND_NO_OWNER = 2, KIND_ROOT = 3 };

static int owned_find(PyObject *holder, void *owned)
{
    PyObject *dict = hw_object_dict(holder);
    return dict && PyDict_CheckExact(dict) && hw_bits_add(owned, dict) < 0 ? -1 : 0;
}

static int owner_note(PyObject *holder, void *arg)
{
    struct hw_kinds *kinds = arg;
    PyObject *dict = hw_object_dict(holder);
    if (!dict || !hw_bits_has(kinds->owned, dict))
        return 0;
    uint32_t kind = hw_keys_number(&kinds->keys, (uintptr_t)Py_TYPE(holder) | KIND_OWNED, NULL);
    return kind ? hw_column_set(kinds->owner, hw_column_place(kinds->owner, dict), kind) : -1;
}

int hw_kinds_init(struct hw_kinds *kinds, const struct hw_live *live)
{
    kinds->owned = hw_bits_create();
    if (!kinds->owned || hw_members_visit(live->holders, owned_find, kinds->owned) < 0)
        return -1;
    kinds->owner = hw_column_create(kinds->owned);
    return kinds->owner ? hw_members_visit(live->holders, owner_note, kinds) : -1;
}

void hw_kinds_deinit(struct hw_kinds *kinds)
{
    hw_keys_deinit(&kinds->keys);
    hw_column_destroy(kinds->owner);
    hw_bits_destroy(kinds->owned);
    *kinds = (struct hw_kinds){0};
}

uint32_t hw_kinds_number(struct hw_kinds *kinds, PyObject *object)
{
    if (!PyDict_CheckExact(object))
        return hw_keys_number(&kinds->keys, (uintptr_t)Py_TYPE(object), NULL);
    uint32_t owner = kinds->owned && hw_bits_has(kinds->owned, object)
                         ? hw_column_get(kinds->owner, hw_column_place(kinds->owner, object))
                         : 0;
    return owner ? owner : hw_keys_number(&kinds->keys, KIND_NO_OWNER, NULL);
}

uint32_t hw_kinds_root(struct hw_kinds *kinds)
{
    return hw_keys_number(&kinds->keys, KIND_ROOT, NULL);
}

PyObject *hw_kinds_key(const struct hw_kinds *kinds, uint32_t number)
{
    uint64_t key = kinds->keys.keys[number - 1];
    if (key == KIND_ROOT)
        return PyUnicode_FromString("<variable>");
    if (key == KIND_NO_OWNER)
        return PyTuple_Pack(2, &PyDict_Type, Py_None);
    PyObject *type = (PyObject *)(uintptr_t)(key & ~(uint64_t)KIND_OWNED);
    if (key & KIND_OWNED)
        return PyTuple_Pack(2, &PyDict_Type, type);
    Py_INCREF(type);
    return type;
}

/* Takes the text over. Its number from 1; 0 with an exception. */
static uint32_t text_number(struct hw_grouping *grouping, PyObject *text)
{
    if (!text)
        return 0;
    PyObject *known = PyDict_GetItemWithError(grouping->text_numbers, text);
    uint32_t number = known ? (uint32_t)PyLong_AsUnsignedLong(known) : 0;
    if (!known && !PyErr_Occurred()) {
        number = (uint32_t)PyList_GET_SIZE(grouping->texts) + 1;
        PyObject *value = PyLong_FromUnsignedLong(number);
        if (!value || PyDict_SetItem(grouping->text_numbers, text, value) < 0 ||
            PyList_Append(grouping->texts, text) < 0)
            number = 0;
        Py_XDECREF(value);
    }
    Py_DECREF(text);
    return number;
}

/* The number of a text that belongs to a key: made once, then looked up by the key. `notes` has 4 bytes
 * for each key. */
static uint32_t keyed_number(struct hw_grouping *grouping, uint64_t key, PyObject *(*make)(void *), void *arg)
{
    bool is_new;
    uint32_t number, at = hw_keys_number(&grouping->keys, key, &is_new);
    if (!at)
        return 0;
    if (is_new) {
        number = text_number(grouping, make(arg));
        if (!number || PyByteArray_Resize(grouping->notes, (Py_ssize_t)(at * sizeof(number))) < 0)
            return 0;
        memcpy(PyByteArray_AS_STRING(grouping->notes) + (at - 1) * sizeof(number), &number, sizeof(number));
        return number;
    }
    memcpy(&number, PyByteArray_AS_STRING(grouping->notes) + (at - 1) * sizeof(number), sizeof(number));
    return number;
}

static int group_set(struct hw_grouping *grouping, PyObject *member, uint32_t group)
{
    return group ? hw_column_set(grouping->column, hw_column_place(grouping->column, member), group) : -1;
}

static int type_group(PyObject *member, void *arg)
{
    struct hw_grouping *grouping = arg;
    return group_set(grouping, member, hw_keys_number(&grouping->keys, (uintptr_t)Py_TYPE(member), NULL));
}

static int class_group(PyObject *member, void *arg)
{
    struct hw_grouping *grouping = arg;
    return group_set(grouping, member, hw_kinds_number(&grouping->kinds, member));
}

static int id_group(PyObject *member, void *arg)
{
    struct hw_grouping *grouping = arg;
    return group_set(grouping, member, hw_keys_number(&grouping->keys, (uintptr_t)member, NULL));
}

static int unity_group(PyObject *member, void *arg)
{
    return group_set(arg, member, 1);
}

/* A name out of a dict, if it is a str; borrowed. */
static PyObject *dict_name(PyObject *dict, const char *key)
{
    PyObject *name = dict ? PyDict_GetItemString(dict, key) : NULL;
    return name && PyUnicode_CheckExact(name) ? name : NULL;
}

/* As __module__ tells; that of a type of C code is part of its name. A new reference. */
static PyObject *type_module(PyTypeObject *type)
{
    PyObject *name = type->tp_flags & Py_TPFLAGS_HEAPTYPE ? dict_name(type->tp_dict, "__module__") : NULL;
    const char *dot = strrchr(type->tp_name, '.');
    Py_XINCREF(name);
    if (name)
        return name;
    return dot ? PyUnicode_FromStringAndSize(type->tp_name, dot - type->tp_name) : PyUnicode_FromString("builtins");
}

/* By whom the module of an object is decided: another str, or its type. */
static PyObject *module_decider(PyObject *object)
{
    PyObject *name = NULL;
    if (PyModule_Check(object))
        name = dict_name(PyModule_GetDict(object), "__name__");
    else if (PyFunction_Check(object))
        name = ((PyFunctionObject *)object)->func_module;
    else if (PyCFunction_Check(object))
        name = ((PyCFunctionObject *)object)->m_module;
    else if (PyType_Check(object))
        return object;
    return name && PyUnicode_CheckExact(name) ? name : (PyObject *)Py_TYPE(object);
}

static PyObject *module_text(void *arg)
{
    PyObject *decider = arg;
    if (PyType_Check(decider))
        return type_module((PyTypeObject *)decider);
    Py_INCREF(decider);
    return decider;
}

static int module_group(PyObject *member, void *arg)
{
    PyObject *decider = module_decider(member);
    return group_set(arg, member, keyed_number(arg, (uintptr_t)decider, module_text, decider));
}

static int site_group(PyObject *member, void *arg)
{
    struct hw_grouping *grouping = arg;
    PyObject *frames = hw_object_traceback(grouping->ask_site, member);
    if (!frames)
        return -1;
    PyObject *site = Py_None;
    if (PyTuple_Check(frames) && PyTuple_GET_SIZE(frames) > 0)
        site = PyTuple_GET_ITEM(frames, 0);
    Py_INCREF(site);
    int result = group_set(grouping, member, text_number(grouping, site));
    Py_DECREF(frames);
    return result;
}

static int member_step(struct hw_grouping *grouping, PyObject *member, uint32_t number)
{
    size_t place = hw_column_place(grouping->column, member);
    uint32_t set = hw_column_get(grouping->column, place), next;
    if (!number || hw_sets_with(&grouping->sets, set, number, &next) < 0)
        return -1;
    return next == set ? 0 : hw_column_set(grouping->column, place, next);
}

struct referrer {
    struct hw_grouping *grouping;
    PyObject *holder;
    uint32_t kind;
};

static int referrer_note(PyObject *referent, void *arg)
{
    struct referrer *referrer = arg;
    if (!hw_bits_has(referrer->grouping->members, referent))
        return 0;
    if (!referrer->kind)
        referrer->kind = hw_kinds_number(&referrer->grouping->kinds, referrer->holder);
    return member_step(referrer->grouping, referent, referrer->kind);
}

static int referrers_group(PyObject *holder, void *arg)
{
    struct referrer referrer = {arg, holder, 0};
    return hw_referents_visit(holder, referrer_note, &referrer);
}

static int root_referrer_note(const struct hw_root *root, void *arg)
{
    struct hw_grouping *grouping = arg;
    if (!hw_bits_has(grouping->members, root->object))
        return 0;
    return member_step(grouping, root->object, hw_kinds_root(&grouping->kinds));
}

static PyObject *edge_text(void *arg)
{
    return hw_reference_label(arg);
}

static PyObject *attribute_text(void *arg)
{
    const struct hw_reference *edge = arg;
    return PyUnicode_FromFormat(".%U", edge->name);
}

static PyObject *any_text(void *arg)
{
    return PyUnicode_FromString(arg);
}

static uint32_t via_number(struct hw_grouping *grouping, const struct hw_reference *edge)
{
    bool is_full = grouping->keys.count > NAMES_MAX;
    bool is_text = edge->kind == HW_REFERENCE_VALUE && PyUnicode_CheckExact(edge->name);
    if (edge->kind == HW_REFERENCE_INDEX || (edge->kind == HW_REFERENCE_VALUE && !is_text))
        return keyed_number(grouping, 1, any_text, "[*]");
    if (edge->kind == HW_REFERENCE_HIDDEN)
        return keyed_number(grouping, 2, any_text, "<hidden>");
    if (is_full)
        return keyed_number(grouping, 3, any_text, is_text ? "[*]" : ".*");
    if (is_text && hw_bits_has(grouping->kinds.owned, edge->holder))
        return keyed_number(grouping, (uintptr_t)edge->name | 1, attribute_text, (void *)edge);
    uint64_t key = edge->name ? (uintptr_t)edge->name : edge->member ? (uintptr_t)edge->member : 8;
    return keyed_number(grouping, key << 8 | (uint64_t)edge->kind << 4 | 8, edge_text, (void *)edge);
}

static int via_note(const struct hw_reference *edge, void *arg)
{
    struct hw_grouping *grouping = arg;
    if (!hw_bits_has(grouping->members, edge->referent))
        return 0;
    return member_step(grouping, edge->referent, via_number(grouping, edge));
}

static int via_group(PyObject *holder, void *grouping)
{
    return hw_named_references_visit(holder, via_note, grouping);
}

static int root_via_note(const struct hw_root *root, void *arg)
{
    struct hw_grouping *grouping = arg;
    if (!hw_bits_has(grouping->members, root->object))
        return 0;
    return member_step(grouping, root->object, text_number(grouping, hw_root_label(root)));
}

static int size_group(PyObject *member, Py_ssize_t bytes, void *arg)
{
    struct hw_grouping *grouping = arg;
    return group_set(grouping, member, hw_keys_number(&grouping->keys, (uint64_t)bytes, NULL));
}

static int site_prepare(struct hw_grouping *grouping)
{
    PyObject *module = PyImport_ImportModule("_tracemalloc");
    PyObject *runs = module ? PyObject_CallMethod(module, "is_tracing", NULL) : NULL;
    if (runs && runs == Py_True)
        grouping->ask_site = PyObject_GetAttrString(module, "_get_object_traceback");
    else if (runs)
        hw_raise(&(struct hw_err){.code = HW_ERR_UNSUPPORTED,
                                  .msg = "tracemalloc is not running, so nobody noted where objects were "
                                         "allocated; call tracemalloc.start() before they are made, or "
                                         "start Python with -X tracemalloc; what heapwhy run knows, heapwhy.snapshot().sites() tells"});
    Py_XDECREF(runs);
    Py_XDECREF(module);
    return grouping->ask_site ? 0 : -1;
}

static int members_group(struct hw_grouping *grouping)
{
    static const hw_object_fn each[HW_BY_COUNT] = {
        [HW_BY_TYPE] = type_group, [HW_BY_CLASS] = class_group, [HW_BY_MODULE] = module_group,
        [HW_BY_SITE] = site_group, [HW_BY_ID] = id_group,       [HW_BY_UNITY] = unity_group,
    };
    return hw_members_visit(grouping->members, each[grouping->by], grouping);
}

static int holders_group(struct hw_grouping *grouping)
{
    bool is_via = grouping->by == HW_BY_VIA;
    int result = hw_members_visit(grouping->live->holders, is_via ? via_group : referrers_group, grouping);
    return result ? result : hw_roots_visit(is_via ? root_via_note : root_referrer_note, grouping);
}

int hw_grouping_init(struct hw_grouping *grouping, enum hw_by by, const struct hw_live *live,
                     const struct hw_bits *members)
{
    *grouping = (struct hw_grouping){.by = by, .live = live, .members = members};
    bool by_holders = by == HW_BY_VIA || by == HW_BY_REFERRERS;
    if (by == HW_BY_SITE && site_prepare(grouping) < 0)
        return -1;
    grouping->texts = PyList_New(0);
    grouping->text_numbers = PyDict_New();
    grouping->notes = PyByteArray_FromStringAndSize(NULL, 0);
    grouping->column = hw_column_create(members);
    if (!grouping->texts || !grouping->text_numbers || !grouping->notes || !grouping->column ||
        ((by_holders || by == HW_BY_CLASS) && hw_kinds_init(&grouping->kinds, live) < 0))
        return -1;
    if (by_holders)
        return holders_group(grouping);
    return by == HW_BY_SIZE ? hw_member_sizes_visit(members, size_group, grouping)
                            : members_group(grouping);
}

void hw_grouping_deinit(struct hw_grouping *grouping)
{
    hw_column_destroy(grouping->column);
    hw_keys_deinit(&grouping->keys);
    hw_kinds_deinit(&grouping->kinds);
    hw_sets_deinit(&grouping->sets);
    Py_XDECREF(grouping->texts);
    Py_XDECREF(grouping->text_numbers);
    Py_XDECREF(grouping->ask_site);
    Py_XDECREF(grouping->notes);
    *grouping = (struct hw_grouping){0};
}

static PyObject *text_at(const struct hw_grouping *grouping, uint32_t number)
{
    PyObject *text = PyList_GET_ITEM(grouping->texts, number - 1);
    Py_INCREF(text);
    return text;
}

static PyObject *set_key(const struct hw_grouping *grouping, uint32_t set)
{
    uint32_t count;
    const uint32_t *numbers = hw_sets_members(&grouping->sets, set, &count);
    PyObject *key = PyTuple_New(count);
    for (uint32_t i = 0; key && i < count; i++) {
        PyObject *part = grouping->by == HW_BY_VIA ? text_at(grouping, numbers[i])
                                                   : hw_kinds_key(&grouping->kinds, numbers[i]);
        if (!part)
            Py_CLEAR(key);
        else
            PyTuple_SET_ITEM(key, i, part);
    }
    return key;
}

PyObject *hw_grouping_key(const struct hw_grouping *grouping, uint32_t number)
{
    PyObject *type;
    switch (grouping->by) {
    case HW_BY_TYPE:
        type = (PyObject *)(uintptr_t)grouping->keys.keys[number - 1];
        Py_INCREF(type);
        return type;
    case HW_BY_CLASS:
        return hw_kinds_key(&grouping->kinds, number);
    case HW_BY_SIZE:
    case HW_BY_ID:
        return PyLong_FromUnsignedLongLong(grouping->keys.keys[number - 1]);
    case HW_BY_MODULE:
    case HW_BY_SITE:
        return text_at(grouping, number);
    case HW_BY_REFERRERS:
    case HW_BY_VIA:
        return set_key(grouping, number);
    case HW_BY_UNITY:
    case HW_BY_COUNT:
        break;
    }
    Py_RETURN_NONE;
}
