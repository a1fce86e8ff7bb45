/* SPDX-License-Identifier: Apache-2.0 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* An extension with the mistake that an audit must find: leak(object) takes a reference and forgets it. */
static PyObject *leak(PyObject *module, PyObject *object)
{
    Py_INCREF(object);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"leak", leak, METH_O, "Take a reference to an object."},
                                {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "audit_leak", NULL, 0, methods,
                                        NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_audit_leak(void)
{
    return PyModule_Create(&definition);
}
