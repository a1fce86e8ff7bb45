/* SPDX-License-Identifier: Apache-2.0 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* An extension that forgets a block in each call. */

static __attribute__((noinline)) char *leak_block(size_t bytes)
{
    char *block = malloc(bytes); /* leaked */
    block[0] = 1;
    return block;
}

static PyObject *parse(PyObject *self, PyObject *bytes)
{
    return PyLong_FromLong(leak_block(PyLong_AsSize_t(bytes))[0]); /* called */
}

static PyMethodDef methods[] = {{"parse", parse, METH_O, NULL}, {0}};
static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "leaky", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_leaky(void)
{
    return PyModule_Create(&module);
}
