/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/sizer.h"

#include "inside/deep.h"

#include <stddef.h>
#include <structmember.h>

const char hw_sizeof_doc[] =
    "sizeof(object, /)\n--\n\n"
    "Bytes of one object alone, as sys.getsizeof() gives them.\n\n"
    "Where sys.getsizeof() raises, since a __sizeof__ in Python does or answers nonsense, this is the size\n"
    "of the object's fixed part.\n\n"
    ">>> heapwhy.sizeof([1, 2, 3]) == sys.getsizeof([1, 2, 3])\nTrue";

const char hw_deepsizeof_doc[] =
    "deepsizeof(*objects, code=False, frames=False, modules=False, weak=False, limit=None, exclude=(), align=1)\n"
    "--\n\n"
    "Bytes of objects and of all that they lead to, each object once.\n\n"
    "code     count classes, functions, methods and code, too; static ones of C never count\n"
    "frames   count frames and their variables\n"
    "modules  count modules and what is in them\n"
    "weak     follow weak references, which hold nothing\n"
    "limit    count up to so many steps away: 0 is the objects alone, 1 what they refer to, ...\n"
    "exclude  objects that count nothing, and lead nowhere\n"
    "align    round each size up to a multiple of this power of 2\n\n"
    "An object that is given counts of whatever kind it is. Sizes are those of sys.getsizeof(), except: a\n"
    "__sizeof__ in Python is not asked, as what it adds up is reached anyway. The array in which an instance\n"
    "without a dict has its attributes is counted with what the instance refers to; no dict is made for it.\n"
    "Data that a view of a numpy array looks into counts once, with its owner.\n\n"
    "No Python code runs, nothing is kept. Any depth: nothing recurses. Memory: a bit for 8 bytes of the\n"
    "heap, and 8 bytes for each object that waits to be looked into. Raises TypeError, ValueError.\n\n"
    ">>> rows = [[0.5], [1.5]]\n"
    ">>> heapwhy.deepsizeof(rows) == sum(map(heapwhy.sizeof, [rows, rows[0], rows[1], 0.5, 1.5]))\nTrue";

PyObject *hw_sizeof(PyObject *module, PyObject *object)
{
    bool failed = false;
    return PyLong_FromSsize_t(hw_size_ask(object, &failed));
}

/* None: all; else a number of steps. */
static int limit_convert(PyObject *object, void *to)
{
    Py_ssize_t *limit = to;
    *limit = HW_DEEP_ALL;
    if (object == Py_None)
        return 1;
    *limit = PyNumber_AsSsize_t(object, NULL);
    if (*limit >= 0 || PyErr_Occurred())
        return !PyErr_Occurred();
    PyErr_Format(PyExc_ValueError, "limit must be 0 or more steps, or None for all, not %zd", *limit);
    return 0;
}

static int align_convert(PyObject *object, void *to)
{
    Py_ssize_t align = PyNumber_AsSsize_t(object, PyExc_ValueError);
    if (align == -1 && PyErr_Occurred())
        return 0;
    if (align < 1 || align & (align - 1)) {
        PyErr_Format(PyExc_ValueError, "align must be a power of 2 (1 rounds nothing), not %zd", align);
        return 0;
    }
    *(size_t *)to = (size_t)align;
    return 1;
}

static int all_exclude(struct hw_deep *deep, PyObject *objects)
{
    PyObject *items = PySequence_Fast(objects, "exclude must be a sequence of objects");
    int result = items ? 0 : -1;
    for (Py_ssize_t i = 0; !result && i < PySequence_Fast_GET_SIZE(items); i++)
        result = hw_deep_exclude(deep, PySequence_Fast_GET_ITEM(items, i));
    Py_XDECREF(items);
    return result;
}

static PyObject *deep_sum(const struct hw_deep_rules *rules, PyObject *objects, PyObject *exclude, Py_ssize_t limit)
{
    struct hw_deep deep;
    if (hw_deep_init(&deep, rules, false) < 0)
        return NULL;
    int result = exclude ? all_exclude(&deep, exclude) : 0;
    for (Py_ssize_t i = 0; !result && i < PyTuple_GET_SIZE(objects); i++)
        result = hw_deep_add(&deep, PyTuple_GET_ITEM(objects, i), limit);
    PyObject *sum = result ? NULL : PyLong_FromSize_t(deep.bytes);
    hw_deep_deinit(&deep);
    return sum;
}

PyObject *hw_deepsizeof(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"code", "frames", "modules", "weak", "limit", "exclude", "align", NULL};
    int code = 0, frames = 0, modules = 0, weak = 0;
    Py_ssize_t limit = HW_DEEP_ALL;
    size_t align = 1;
    PyObject *exclude = NULL, *none = PyTuple_New(0);
    int parsed = none && PyArg_ParseTupleAndKeywords(none, kwargs, "|$ppppO&OO&:deepsizeof", names, &code, &frames,
                                                     &modules, &weak, limit_convert, &limit, &exclude,
                                                     align_convert, &align);
    Py_XDECREF(none);
    if (!parsed)
        return NULL;
    struct hw_deep_rules rules = {.code = code, .frames = frames, .modules = modules, .weak = weak,
                                  .given = true, .align = align};
    return deep_sum(&rules, args, exclude, limit);
}

/* The class. */

struct sizer {
    PyObject_HEAD
    struct hw_deep deep;
};

static const char sizer_doc[] =
    "Sizer(align=8, mapped=0.0, counts=True)\n--\n\n"
    "Deep sizes by the rules of heapwhy.compat.pympler: an object counts once in the life of a Sizer.\n\n"
    "sized  objects counted\nmet    how often objects were met, if counts\nduplicates  objects met more than once,\n"
    "if counts.\n\nIt knows objects by their address, and does not keep them alive.";

static PyObject *sizer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"align", "mapped", "counts", NULL};
    int counts = 1;
    struct hw_deep_rules rules = {.weak = true, .flat_modules = true, .align = 8};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O&dp:Sizer", names, align_convert, &rules.align, &rules.mapped,
                                     &counts))
        return NULL;
    struct sizer *self = (struct sizer *)type->tp_alloc(type, 0);
    if (self && hw_deep_init(&self->deep, &rules, counts) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void sizer_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    hw_deep_deinit(&((struct sizer *)object)->deep);
    type->tp_free(object);
    Py_DECREF(type);
}

typedef int add_fn(struct hw_deep *deep, PyObject *object, Py_ssize_t limit);

static PyObject *sizer_count(PyObject *object, PyObject *args, add_fn *add)
{
    struct hw_deep *deep = &((struct sizer *)object)->deep;
    PyObject *item;
    Py_ssize_t limit = HW_DEEP_ALL;
    if (!PyArg_ParseTuple(args, "O|O&", &item, limit_convert, &limit))
        return NULL;
    size_t before = deep->bytes;
    return add(deep, item, limit) < 0 ? NULL : PyLong_FromSize_t(deep->bytes - before);
}

static PyObject *sizer_add(PyObject *object, PyObject *args)
{
    return sizer_count(object, args, hw_deep_add);
}

static PyObject *sizer_add_below(PyObject *object, PyObject *args)
{
    return sizer_count(object, args, hw_deep_add_below);
}

static PyObject *sizer_meet(PyObject *object, PyObject *args)
{
    PyObject *item;
    int given = 0;
    if (!PyArg_ParseTuple(args, "O|p:meet", &item, &given))
        return NULL;
    int is_new = hw_deep_meet(&((struct sizer *)object)->deep, item, given);
    return is_new < 0 ? NULL : PyBool_FromLong(is_new);
}

static PyObject *sizer_flat(PyObject *object, PyObject *args)
{
    PyObject *item;
    int given = 0;
    if (!PyArg_ParseTuple(args, "O|p:flat", &item, &given))
        return NULL;
    Py_ssize_t bytes = hw_deep_flat(&((struct sizer *)object)->deep, item, given);
    return bytes < 0 ? NULL : PyLong_FromSsize_t(bytes);
}

static PyObject *sizer_values(PyObject *object, PyObject *item)
{
    return PyLong_FromSsize_t(hw_deep_values(&((struct sizer *)object)->deep, item));
}

static int referent_keep(PyObject *object, void *stack)
{
    return hw_stack_keep(stack, object);
}

/* Pointers first: making the list may start a collection. */
static PyObject *sizer_referents(PyObject *object, PyObject *args)
{
    PyObject *item;
    int given = 0;
    if (!PyArg_ParseTuple(args, "O|p:referents", &item, &given))
        return NULL;
    struct hw_stack stack = {0};
    int result = hw_deep_visit(&((struct sizer *)object)->deep, item, given, referent_keep, &stack);
    return hw_stack_list(&stack, result);
}

static PyObject *sizer_exclude(PyObject *object, PyObject *item)
{
    if (hw_deep_exclude(&((struct sizer *)object)->deep, item) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *sizer_hold(PyObject *object, PyObject *item)
{
    if (hw_deep_hold(&((struct sizer *)object)->deep, item) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef sizer_methods[] = {
    {"add", sizer_add, METH_VARARGS,
     "add(object, limit=None, /)\n--\n\nBytes of an object and of what it leads to, as far as not counted yet."},
    {"add_below", sizer_add_below, METH_VARARGS,
     "add_below(object, limit=None, /)\n--\n\nAs add(), without the object itself."},
    {"meet", sizer_meet, METH_VARARGS, "meet(object, given=False, /)\n--\n\nWhether an object is to be counted now."},
    {"flat", sizer_flat, METH_VARARGS,
     "flat(object, given=False, /)\n--\n\nBytes of an object alone; 0 for what is left out."},
    {"values", sizer_values, METH_O,
     "values(object, /)\n--\n\nBytes of the array of an instance's attributes, where it has one."},
    {"referents", sizer_referents, METH_VARARGS,
     "referents(object, given=False, /)\n--\n\nWhat an object leads to, in a list."},
    {"exclude", sizer_exclude, METH_O, "exclude(object, /)\n--\n\nAn object that never counts."},
    {"hold", sizer_hold, METH_O, "hold(object, /)\n--\n\nAn object that counts only when given to add() or meet()."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef sizer_members[] = {
    {"code", T_BOOL, offsetof(struct sizer, deep.rules.code), 0, "count classes, functions, methods, code"},
    {"builtins", T_BOOL, offsetof(struct sizer, deep.rules.builtins), 0, "with code: those of C, too"},
    {"frames", T_BOOL, offsetof(struct sizer, deep.rules.frames), 0, "count frames"},
    {"align", T_PYSSIZET, offsetof(struct sizer, deep.rules.align), 0, "sizes are multiples of this power of 2"},
    {"sized", T_PYSSIZET, offsetof(struct sizer, deep.sized_count), READONLY, "objects counted"},
    {"met", T_PYSSIZET, offsetof(struct sizer, deep.met_count), READONLY, "how often objects were met"},
    {"duplicates", T_PYSSIZET, offsetof(struct sizer, deep.duplicate_count), READONLY, "objects met more than once"},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot sizer_slots[] = {
    {Py_tp_doc, (void *)sizer_doc},  {Py_tp_new, sizer_new},         {Py_tp_dealloc, sizer_dealloc},
    {Py_tp_methods, sizer_methods}, {Py_tp_members, sizer_members}, {0, NULL},
};

static PyType_Spec sizer_spec = {
    .name = "heapwhy._heapwhy.Sizer",
    .basicsize = sizeof(struct sizer),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = sizer_slots,
};

int hw_sizer_init(PyObject *module)
{
    PyObject *type = PyType_FromSpec(&sizer_spec);
    int result = hw_type_add(module, (PyTypeObject *)type);
    Py_XDECREF(type);
    return result;
}
