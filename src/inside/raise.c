/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/inside.h"

static PyObject *error_type; /* heapwhy.Error; the base of all */

/* Which class stands for a code; what is not here is a plain Error. */
static struct {
    enum hw_err_code code;
    const char *name;
    PyObject **also; /* the builtin exception of that meaning */
    PyObject *type;
} kinds[] = {
    {HW_ERR_USAGE, "heapwhy.UsageError", &PyExc_ValueError, NULL},
    {HW_ERR_NOT_FOUND, "heapwhy.NotFoundError", &PyExc_LookupError, NULL},
    {HW_ERR_UNSUPPORTED, "heapwhy.UnsupportedError", &PyExc_NotImplementedError, NULL},
    {HW_ERR_PERMISSION, "heapwhy.PermissionDenied", &PyExc_PermissionError, NULL},
    {HW_ERR_IO, "heapwhy.SystemFailure", &PyExc_OSError, NULL},
    {HW_ERR_CORRUPT, "heapwhy.CorruptError", &PyExc_ValueError, NULL},
};
enum { KIND_COUNT = sizeof(kinds) / sizeof(*kinds) };

PyObject *hw_raise(const struct hw_err *err)
{
    if (err->code == HW_ERR_NO_MEMORY)
        return PyErr_NoMemory();
    if (err->code == HW_ERR_INTERRUPTED && PyErr_Occurred())
        return NULL;
    PyObject *type = error_type;
    for (int i = 0; i < KIND_COUNT; i++)
        if (kinds[i].code == err->code)
            type = kinds[i].type;
    PyErr_SetString(type, err->msg);
    return NULL;
}

static int exception_add(PyObject *module, const char *name, PyObject *bases, PyObject **to)
{
    *to = PyErr_NewException(name, bases, NULL);
    return hw_type_add(module, (PyTypeObject *)*to);
}

int hw_raise_init(PyObject *module)
{
    if (exception_add(module, "heapwhy.Error", PyExc_Exception, &error_type) < 0)
        return -1;
    for (int i = 0; i < KIND_COUNT; i++) {
        PyObject *bases = PyTuple_Pack(2, error_type, *kinds[i].also);
        int failed = !bases || exception_add(module, kinds[i].name, bases, &kinds[i].type) < 0;
        Py_XDECREF(bases);
        if (failed)
            return -1;
    }
    return 0;
}
