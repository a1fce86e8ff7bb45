/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/graph.h"

#include "inside/capture.h"

#include <pthread.h>
#include <structmember.h>

PyTypeObject *hw_graph_type_object;

/* ---- one question at a time ---- */

static pthread_mutex_t asking = PTHREAD_MUTEX_INITIALIZER;
static unsigned long process_number; /* counts forks from process to process */

/* Who held the lock is not in the new process. */
static void forked(void)
{
    asking = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    process_number++;
}

static pthread_once_t once = PTHREAD_ONCE_INIT; /* the module may be made again */

static void once_prepare(void)
{
    pthread_atfork(NULL, NULL, forked);
}

static bool is_asked_by_nobody(PyObject *object)
{
    const struct hw_py_graph *graph = (struct hw_py_graph *)object;
    return graph->asked_in && graph->asked_in != process_number + 1;
}

/* The lock is never held by somebody who waits for the interpreter: when that ends, it ends the thread. */
PyThreadState *hw_ask_begin(PyObject *const *graphs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_asked_by_nobody(graphs[i]))
            continue;
        struct hw_err err = {.code = HW_ERR_UNSUPPORTED,
                             .msg = "another thread was asking this snapshot when this process was forked "
                                    "off, so it is of no use here; take a new one"};
        hw_raise(&err);
        return NULL;
    }
    PyThreadState *state = PyEval_SaveThread();
    pthread_mutex_lock(&asking);
    for (size_t i = 0; i < count; i++)
        ((struct hw_py_graph *)graphs[i])->asked_in = process_number + 1;
    return state;
}

void hw_ask_end(PyThreadState *state, PyObject *const *graphs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((struct hw_py_graph *)graphs[i])->asked_in = 0;
    pthread_mutex_unlock(&asking);
    PyEval_RestoreThread(state);
}

/* ---- the object ---- */

static struct hw_graph *graph_of(PyObject *self)
{
    struct hw_graph *graph = ((struct hw_py_graph *)self)->graph;
    if (!graph) {
        struct hw_err err = {.code = HW_ERR_USAGE, .msg = "this snapshot was closed; take a new one"};
        hw_raise(&err);
    }
    return graph;
}

struct hw_graph *hw_py_graph_share(PyObject *object)
{
    struct hw_graph *graph = graph_of(object);
    return graph ? hw_graph_share(graph) : NULL;
}

static PyObject *graph_wrap(PyTypeObject *type, struct hw_graph *graph)
{
    if (!graph)
        return NULL;
    struct hw_py_graph *self = (struct hw_py_graph *)type->tp_alloc(type, 0);
    if (!self) {
        hw_graph_destroy(graph);
        return NULL;
    }
    self->graph = graph;
    return (PyObject *)self;
}

static void graph_release(struct hw_py_graph *self)
{
    struct hw_graph *graph = self->graph;
    self->graph = NULL;
    Py_BEGIN_ALLOW_THREADS
    hw_graph_destroy(graph);
    Py_END_ALLOW_THREADS
}

static void graph_dealloc(PyObject *object)
{
    struct hw_py_graph *self = (struct hw_py_graph *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (self->weak_references)
        PyObject_ClearWeakRefs(object);
    hw_graph_destroy(self->graph);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *graph_capture(PyObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"pid", "own", "values", "copy", NULL};
    int pid = 0, own = 0, values = 1, copy = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|ippp:snapshot", names, &pid, &own, &values, &copy))
        return NULL;
    struct hw_capture_wish wish = {.pid = pid,
                                   .own = own,
                                   .no_values = !values,
                                   .freeze = copy ? HW_FREEZE_TWIN : HW_FREEZE_STOP};
    return graph_wrap((PyTypeObject *)type, hw_capture_take(&wish));
}

static PyObject *graph_load(PyObject *type, PyObject *args)
{
    PyObject *path;
    if (!PyArg_ParseTuple(args, "O&:open", PyUnicode_FSConverter, &path))
        return NULL;
    struct hw_graph *graph = hw_capture_load(PyBytes_AS_STRING(path));
    Py_DECREF(path);
    return graph_wrap((PyTypeObject *)type, graph);
}

static PyObject *graph_save(PyObject *self, PyObject *args)
{
    PyObject *path;
    struct hw_err err = HW_ERR_INIT;
    struct hw_graph *graph = graph_of(self);
    if (!graph || !PyArg_ParseTuple(args, "O&:save", PyUnicode_FSConverter, &path))
        return NULL;
    hw_graph_share(graph);
    PyThreadState *state = hw_ask_begin(&self, 1);
    bool ok = state && hw_snapshot_save(graph, PyBytes_AS_STRING(path), &err);
    if (state)
        hw_ask_end(state, &self, 1);
    hw_graph_destroy(graph);
    Py_DECREF(path);
    if (!ok)
        return state ? hw_raise(&err) : NULL;
    Py_RETURN_NONE;
}

static PyObject *graph_close(PyObject *self, PyObject *unused)
{
    graph_release((struct hw_py_graph *)self);
    Py_RETURN_NONE;
}

/* ---- facts ---- */

static PyObject *graph_facts(PyObject *self, void *unused)
{
    const struct hw_graph *graph = graph_of(self);
    if (!graph)
        return NULL;
    const struct hw_facts *f = hw_graph_facts(graph);
    return Py_BuildValue(
        "{s:i,s:K,s:L,s:L,s:L,s:s,s:k,s:I,s:N,s:I,s:K,s:K,s:K,s:s#,s:s#}", "pid", (int)f->pid, "start_time",
        (unsigned long long)f->start_time, "taken_at_ns", (long long)f->taken_at_ns, "pause_ns",
        (long long)f->pause_ns, "capture_ns", (long long)f->capture_ns, "freeze",
        f->freeze == HW_FREEZE_TWIN ? "copy" : "stop", "python_version", (unsigned long)f->python_version,
        "retries", (unsigned)f->retries, "collector_running", PyBool_FromLong(f->collector_running),
        "objects", (unsigned)hw_graph_object_count(graph), "references",
        (unsigned long long)hw_graph_edge_count(graph), "bytes", (unsigned long long)hw_graph_bytes(graph),
        "rss_bytes", (unsigned long long)f->rss_bytes, "executable", f->executable,
        (Py_ssize_t)strlen(f->executable), "script", f->main_script, (Py_ssize_t)strlen(f->main_script));
}

static PyObject *graph_closed(PyObject *self, void *unused)
{
    return PyBool_FromLong(!((struct hw_py_graph *)self)->graph);
}

/* ---- the type ---- */

static PyMethodDef methods[] = {
    {"_capture", (PyCFunction)(void (*)(void))graph_capture, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "_capture($type, pid=0, own=False, values=True, copy=True)\n--\n\nOf this process (0), or of another."},
    {"_load", graph_load, METH_VARARGS | METH_CLASS, "_load($type, path, /)\n--\n\nFrom a snapshot file."},
    {"save", graph_save, METH_VARARGS,
     "save($self, path, /)\n--\n\nWrites a snapshot file, readable by you alone.\n\n"
     "For heapwhy.open(), and for the program: heapwhy diagnose FILE. Raises SystemFailure, NotFoundError,\n"
     "PermissionDenied; UsageError when the snapshot was closed."},
    {"close", graph_close, METH_NOARGS,
     "close($self, /)\n--\n\nGives its memory back now; again, it does nothing. What it answered can still be read."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"_facts", graph_facts, NULL, "What is known of the moment.", NULL},
    {"closed", graph_closed, NULL, "Whether close() was called.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct hw_py_graph, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, graph_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_tp_members, members},
    {Py_tp_doc, "A heap graph. Made by _capture() or _load()."},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "heapwhy._heapwhy.Graph",
    .basicsize = sizeof(struct hw_py_graph),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = slots,
};

int hw_graph_init(PyObject *module)
{
    hw_graph_type_object = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!hw_graph_type_object)
        return -1;
    hw_graph_type_object->tp_new = NULL; /* no graph without a source */
    pthread_once(&once, once_prepare);
    return hw_type_add(module, hw_graph_type_object);
}
