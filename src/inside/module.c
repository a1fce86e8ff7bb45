/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/allocated.h"
#include "inside/answer.h"
#include "inside/births.h"
#include "inside/census.h"
#include "inside/chain.h"
#include "inside/dump.h"
#include "inside/edges.h"
#include "inside/find.h"
#include "inside/garbage.h"
#include "inside/gclists.h"
#include "inside/graph.h"
#include "inside/heapset.h"
#include "inside/inside.h"
#include "inside/leaking.h"
#include "inside/lines.h"
#include "inside/live.h"
#include "inside/meter.h"
#include "inside/nodes.h"
#include "inside/objects.h"
#include "inside/own.h"
#include "inside/partition.h"
#include "inside/pattern.h"
#include "inside/recorder.h"
#include "inside/referrers.h"
#include "inside/revive.h"
#include "inside/sizer.h"
#include "inside/summary.h"
#include "inside/trace.h"
#include "inside/version.h"
#include "inside/walk.h"

#include <string.h>

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function))
#define FAST(function) ((PyCFunction)(void (*)(void))(function)) /* no tuple refers to the arguments */

static PyMethodDef methods[] = {
    {"addresses", hw_addresses, METH_NOARGS, hw_addresses_doc},
    {"addresses_minus", hw_addresses_minus, METH_VARARGS, hw_addresses_minus_doc},
    {"allocated_bytes", hw_allocated_bytes_object, METH_NOARGS, hw_allocated_bytes_doc},
    {"allocated_pause", hw_allocated_pause_object, METH_NOARGS, hw_allocated_pause_doc},
    {"allocated_resume", hw_allocated_resume_object, METH_NOARGS, hw_allocated_resume_doc},
    {"allocated_start", hw_allocated_start_object, METH_NOARGS, hw_allocated_start_doc},
    {"allocated_stop", hw_allocated_stop_object, METH_NOARGS, hw_allocated_stop_doc},
    {"ask", WITH_KEYWORDS(hw_ask), METH_VARARGS | METH_KEYWORDS, hw_ask_doc},
    {"census", WITH_KEYWORDS(hw_census), METH_VARARGS | METH_KEYWORDS, hw_census_doc},
    {"deepsizeof", WITH_KEYWORDS(hw_deepsizeof), METH_VARARGS | METH_KEYWORDS, hw_deepsizeof_doc},
    {"edges", FAST(hw_edges), METH_FASTCALL, hw_edges_doc},
    {"edges_from", hw_edges_from, METH_O, hw_edges_from_doc},
    {"find_chain", FAST(hw_find_chain), METH_FASTCALL, hw_find_chain_doc},
    {"garbage", WITH_KEYWORDS(hw_garbage), METH_VARARGS | METH_KEYWORDS, hw_garbage_doc},
    {"instances", hw_instances, METH_O, hw_instances_doc},
    {"is_module", hw_is_module, METH_O, hw_is_module_doc},
    {"missing", hw_missing, METH_VARARGS, hw_missing_doc},
    {"nodes", hw_nodes, METH_VARARGS, hw_nodes_doc},
    {"objects", WITH_KEYWORDS(hw_objects), METH_VARARGS | METH_KEYWORDS, hw_objects_doc},
    {"objects_at", hw_objects_at, METH_O, hw_objects_at_doc},
    {"partition", WITH_KEYWORDS(hw_partition), METH_VARARGS | METH_KEYWORDS, hw_partition_doc},
    {"reference_pattern", WITH_KEYWORDS(hw_reference_pattern), METH_VARARGS | METH_KEYWORDS, hw_reference_pattern_doc},
    {"referents", hw_referents, METH_O, hw_referents_doc},
    {"referrers", FAST(hw_referrers), METH_FASTCALL, hw_referrers_doc},
    {"rss", hw_meter_rss_object, METH_NOARGS, "rss()\n--\n\nResident memory of this process, in bytes."},
    {"shortest_paths", WITH_KEYWORDS(hw_shortest_paths), METH_VARARGS | METH_KEYWORDS, hw_shortest_paths_doc},
    {"sizeof", hw_sizeof, METH_O, hw_sizeof_doc},
    {"summary", hw_summary, METH_VARARGS, hw_summary_doc},
    {"tracked_at", hw_tracked_at, METH_O, hw_tracked_at_doc},
    {"type_counts", hw_type_counts, METH_O, hw_type_counts_doc},
    {"unique", hw_unique, METH_O, hw_unique_doc},
    {"unreferred", hw_unreferred, METH_O, hw_unreferred_doc},
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

int hw_type_add(PyObject *module, PyTypeObject *type)
{
    if (!type || PyType_Ready(type) < 0)
        return -1;
    const char *dot = strrchr(type->tp_name, '.');
    Py_INCREF(type);
    int result = PyModule_AddObject(module, dot ? dot + 1 : type->tp_name, (PyObject *)type);
    if (result < 0)
        Py_DECREF(type);
    return result;
}

/* What each part makes when the module is loaded: types, exceptions. 0, or -1. */
static int (*const parts[])(PyObject *module) = {
    hw_raise_init, hw_gc_lists_init, hw_own_init,       hw_answer_init,   hw_births_init,   hw_dump_init,
    hw_graph_init, hw_heap_set_init, hw_lines_init,     hw_nodes_init,    hw_partition_init, hw_recorder_init,
    hw_sizer_init,
};

static int module_exec(PyObject *module)
{
    const char *reason = refusal();
    if (reason) {
        PyErr_SetString(PyExc_ImportError, reason);
        return -1;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (parts[i](module) < 0)
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
