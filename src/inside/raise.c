/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/inside.h"

static PyObject *error_type; /* heapwhy.Error; the base of all */

/* Which class stands for a code; what is not here is a plain Error. */
static struct {
    enum hw_err_code code;
    const char *name;
    PyObject **also; /* the builtin exception of that meaning */
    const char *doc;
    PyObject *type;
} kinds[] = {
    {HW_ERR_USAGE, "heapwhy.UsageError", &PyExc_ValueError,
     "A question that has no meaning: a value out of range, a snapshot that was closed.", NULL},
    {HW_ERR_NOT_FOUND, "heapwhy.NotFoundError", &PyExc_LookupError,
     "There is no such process, file, object or type.", NULL},
    {HW_ERR_UNSUPPORTED, "heapwhy.UnsupportedError", &PyExc_NotImplementedError,
     "A version of Python, a build, or a file that heapwhy can't read.", NULL},
    {HW_ERR_PERMISSION, "heapwhy.PermissionDenied", &PyExc_PermissionError,
     "The system forbids it: another user's process, a container without the right, a file.", NULL},
    {HW_ERR_IO, "heapwhy.SystemFailure", &PyExc_OSError,
     "The system failed: a file can't be read or written, a process can't be made.", NULL},
    {HW_ERR_CORRUPT, "heapwhy.CorruptError", &PyExc_ValueError,
     "A snapshot file is damaged, or is none.", NULL},
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

static int exception_add(PyObject *module, const char *name, const char *doc, PyObject *bases, PyObject **to)
{
    *to = PyErr_NewExceptionWithDoc(name, doc, bases, NULL);
    return hw_type_add(module, (PyTypeObject *)*to);
}

int hw_raise_init(PyObject *module)
{
    if (exception_add(module, "heapwhy.Error", "Whatever heapwhy can't do; the message says why, and what helps.",
                      PyExc_Exception, &error_type) < 0)
        return -1;
    for (int i = 0; i < KIND_COUNT; i++) {
        PyObject *bases = PyTuple_Pack(2, error_type, *kinds[i].also);
        int failed = !bases || exception_add(module, kinds[i].name, kinds[i].doc, bases, &kinds[i].type) < 0;
        Py_XDECREF(bases);
        if (failed)
            return -1;
    }
    return 0;
}
