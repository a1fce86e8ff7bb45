/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/answer.h"
#include "inside/census.h"
#include "inside/graph.h"
#include "inside/inside.h"
#include "inside/live.h"
#include "inside/nodes.h"
#include "inside/version.h"
#include "inside/walk.h"

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"ask", WITH_KEYWORDS(hw_ask), METH_VARARGS | METH_KEYWORDS, hw_ask_doc},
    {"census", WITH_KEYWORDS(hw_census), METH_VARARGS | METH_KEYWORDS, hw_census_doc},
    {"nodes", hw_nodes, METH_VARARGS, hw_nodes_doc},
    {"objects_at", hw_objects_at, METH_VARARGS, hw_objects_at_doc},
    {NULL, NULL, 0, NULL},
};

/* The reason why this interpreter is refused, or NULL. */
static const char *refusal(void)
{
    if (HW_FREE_THREADED)
        return "heapwhy can't work inside a free-threaded Python: nothing holds the other threads while it "
               "walks the heap; use a build with the GIL, or look from outside: heapwhy PID";
    if (PyInterpreterState_Get() != PyInterpreterState_Main())
        return "heapwhy works in the main interpreter only: the heap of a sub-interpreter is not its own "
               "process; look from outside: heapwhy PID";
    return NULL;
}

static int module_exec(PyObject *module)
{
    const char *reason = refusal();
    if (reason) {
        PyErr_SetString(PyExc_ImportError, reason);
        return -1;
    }
    if (hw_raise_init(module) < 0 || hw_walk_init() < 0 || hw_graph_init(module) < 0 ||
        hw_answer_init(module) < 0 || hw_nodes_init(module) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "version", HW_VERSION);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
    HW_MODULE_SLOTS
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "heapwhy._heapwhy",
    .m_doc = "The part of heapwhy that is written in C. Use the package's own functions.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__heapwhy(void); /* for -Wmissing-prototypes */

PyMODINIT_FUNC PyInit__heapwhy(void)
{
    return PyModuleDef_Init(&definition);
}
