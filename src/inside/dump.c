/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/dump.h"

#include "inside/pressure.h"
#include "inside/spawn.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WATCH_STACK_BYTES = 256 << 10, TEXT_BYTES = 1024 };

typedef struct {
    PyObject_HEAD
    struct hw_spawn spawn;
    char *program, **paths; /* paths: one for each dump */
    int path_count, taken;  /* taken: under lock */
    int timeout_ms;
    bool no_values, quiet;
    pid_t pid; /* that made this; a fork of it takes none */
    pthread_mutex_t lock;

    /* the watch */
    struct hw_pressure pressure;
    pthread_t thread;
    pthread_cond_t wakes;
    bool runs, stops;
    double fraction;
    int interval_ms;
} Dump;

/* ---- one dump ---- */

/* Straight to the descriptor: there may be no memory for more. */
__attribute__((format(printf, 2, 3))) static void say(const Dump *self, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list args;
    if (self->quiet)
        return;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ssize_t ignored = write(STDERR_FILENO, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
    (void)ignored;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool snapshot_write(Dump *self, char *path)
{
    char pid[16], said[HW_SPAWN_SAID];
    char *args[] = {self->program, "snapshot", pid, "-o", path, self->no_values ? "--no-values" : NULL, NULL};
    struct stat before = {0}, after;
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    stat(path, &before);
    if (!hw_spawn_run(&self->spawn, args, self->timeout_ms, said)) {
        say(self, "heapwhy: no snapshot: can't run %s: %s\n", self->program, strerror(errno));
        return false;
    }
    if (stat(path, &after) < 0 || same_file(&before, &after)) {
        say(self, "heapwhy: no snapshot: %s\n", said[0] ? said : "it was not taken in time, or was killed");
        return false;
    }
    say(self, "heapwhy: the heap is in %s; heapwhy diagnose %s says what fills it\n", path, path);
    return true;
}

/* True: a snapshot was written. One at a time; no more than there are paths. */
static bool dump_take(Dump *self)
{
    bool ok = false;
    if (getpid() != self->pid || pthread_mutex_trylock(&self->lock) != 0)
        return false; /* another thread is at it: its snapshot has this thread, too */
    if (self->taken < self->path_count)
        ok = snapshot_write(self, self->paths[self->taken++]);
    pthread_mutex_unlock(&self->lock);
    return ok;
}

static PyObject *dump_take_now(PyObject *object, PyObject *none)
{
    bool ok;
    Py_BEGIN_ALLOW_THREADS
    ok = dump_take((Dump *)object);
    Py_END_ALLOW_THREADS
    return PyBool_FromLong(ok);
}

/* ---- hooks that meet MemoryError: (dump, previous hook) ---- */

static void type_meet(PyObject *dump, PyObject *type)
{
    if (!type || !PyExceptionClass_Check(type) || !PyErr_GivenExceptionMatches(type, PyExc_MemoryError))
        return;
    Py_BEGIN_ALLOW_THREADS
    dump_take((Dump *)dump);
    Py_END_ALLOW_THREADS
}

/* sys.excepthook(type, value, traceback); threading.excepthook(args) and sys.unraisablehook(args), whose args are a
 * tuple that begins with the type; a sys.monitoring callback of RAISE, (code, offset, exception). */
static PyObject *hook_call(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    PyObject *dump = PyTuple_GET_ITEM(self, 0), *previous = PyTuple_GET_ITEM(self, 1);
    if (count == 1 && PyTuple_Check(args[0]) && Py_SIZE(args[0]) > 0)
        type_meet(dump, PyTuple_GET_ITEM(args[0], 0));
    else if (count == 3 && PyExceptionInstance_Check(args[2]))
        type_meet(dump, (PyObject *)Py_TYPE(args[2]));
    else if (count == 3)
        type_meet(dump, args[0]);
    if (previous == Py_None)
        Py_RETURN_NONE;
    return PyObject_Vectorcall(previous, args, (size_t)count, NULL);
}

static PyMethodDef hook_method = {"heapwhy_hook", (PyCFunction)(void (*)(void))hook_call, METH_FASTCALL,
                                  "Takes a snapshot when it meets MemoryError; then calls the hook that was there."};

static PyObject *dump_hook(PyObject *self, PyObject *previous)
{
    PyObject *both = PyTuple_Pack(2, self, previous);
    PyObject *hook = both ? PyCFunction_New(&hook_method, both) : NULL;
    Py_XDECREF(both);
    return hook;
}

/* ---- the watch ---- */

static bool watch_wait(Dump *self)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += self->interval_ms % 1000 * 1000000L;
    until.tv_sec += self->interval_ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&self->lock);
    while (!self->stops && pthread_cond_timedwait(&self->wakes, &self->lock, &until) == 0)
        continue;
    bool goes_on = !self->stops && self->taken < self->path_count;
    pthread_mutex_unlock(&self->lock);
    return goes_on;
}

/* One dump for each time that the fraction is passed; below a tenth less it counts as left. */
static void *watch_main(void *arg)
{
    Dump *self = arg;
    bool was_above = false;
    while (watch_wait(self)) {
        uint64_t used, limit;
        const char *name = hw_pressure_read(&self->pressure, &used, &limit);
        double part = name ? (double)used / (double)limit : 0;
        if (part < self->fraction - 0.1)
            was_above = false;
        if (part < self->fraction || was_above)
            continue;
        was_above = true;
        say(self, "heapwhy: %.0f MB in use, %.0f %% of %s\n", (double)used / 1e6, part * 100, name);
        dump_take(self);
    }
    return NULL;
}

static int thread_start(Dump *self)
{
    pthread_attr_t attr;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WATCH_STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
    int error = pthread_create(&self->thread, &attr, watch_main, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return error;
}

static int groups_open(Dump *self, PyObject *groups)
{
    hw_pressure_init(&self->pressure);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(groups); i++) {
        const char *usage, *limit, *stat, *key;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(groups, i), "ssss", &usage, &limit, &stat, &key))
            return -1;
        hw_pressure_add(&self->pressure, usage, limit, stat, key); /* what can't be read does not limit us */
    }
    return 0;
}

static PyObject *dump_watch(PyObject *object, PyObject *args)
{
    Dump *self = (Dump *)object;
    PyObject *groups;
    if (!PyArg_ParseTuple(args, "O!di:watch", &PyList_Type, &groups, &self->fraction, &self->interval_ms))
        return NULL;
    if (self->runs) {
        PyErr_SetString(PyExc_RuntimeError, "this Dump watches already");
        return NULL;
    }
    if (groups_open(self, groups) < 0) {
        hw_pressure_deinit(&self->pressure);
        return NULL;
    }
    self->stops = false;
    int error = thread_start(self);
    if (error) {
        hw_pressure_deinit(&self->pressure);
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    self->runs = true;
    Py_INCREF(self); /* the thread's, until stop() */
    Py_RETURN_NONE;
}

static void watch_end(Dump *self)
{
    pthread_mutex_lock(&self->lock);
    self->stops = true;
    pthread_cond_signal(&self->wakes);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
}

static PyObject *dump_stop(PyObject *object, PyObject *none)
{
    Dump *self = (Dump *)object;
    if (!self->runs)
        Py_RETURN_NONE;
    self->runs = false;
    if (getpid() == self->pid) { /* in a fork there is no such thread */
        Py_BEGIN_ALLOW_THREADS
        watch_end(self);
        Py_END_ALLOW_THREADS
    }
    hw_pressure_deinit(&self->pressure);
    Py_DECREF(self);
    Py_RETURN_NONE;
}

static PyObject *dump_pressure(PyObject *object, PyObject *args)
{
    Dump *self = (Dump *)object;
    uint64_t used, limit;
    PyObject *groups;
    if (!PyArg_ParseTuple(args, "O!:pressure", &PyList_Type, &groups))
        return NULL;
    if (self->runs) {
        PyErr_SetString(PyExc_RuntimeError, "this Dump watches already");
        return NULL;
    }
    const char *name = groups_open(self, groups) < 0 ? NULL : hw_pressure_read(&self->pressure, &used, &limit);
    hw_pressure_deinit(&self->pressure);
    if (PyErr_Occurred())
        return NULL;
    if (!name)
        Py_RETURN_NONE;
    return Py_BuildValue("(sKK)", name, (unsigned long long)used, (unsigned long long)limit);
}

/* ---- the type ---- */

static void dump_dealloc(PyObject *object)
{
    Dump *self = (Dump *)object;
    hw_spawn_deinit(&self->spawn);
    free(self->program);
    for (int i = 0; i < self->path_count; i++)
        free(self->paths[i]);
    free(self->paths);
    if (getpid() == self->pid) { /* in a fork, glibc would wait for the thread that waited at the condition */
        pthread_cond_destroy(&self->wakes);
        pthread_mutex_destroy(&self->lock);
    }
    Py_TYPE(object)->tp_free(object);
}

static char *text_copy(PyObject *object)
{
    PyObject *bytes = NULL;
    if (!PyUnicode_FSConverter(object, &bytes))
        return NULL;
    char *copy = strdup(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    if (!copy)
        PyErr_NoMemory();
    return copy;
}

static int texts_copy(Dump *self, PyObject *program, PyObject *paths)
{
    self->program = text_copy(program);
    self->paths = calloc((size_t)PyList_GET_SIZE(paths) + 1, sizeof(*self->paths));
    if (!self->program || !self->paths) {
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(paths); i++) {
        self->paths[i] = text_copy(PyList_GET_ITEM(paths, i));
        if (!self->paths[i])
            return -1;
        self->path_count++;
    }
    return 0;
}

static PyObject *dump_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"program", "paths", "timeout_ms", "values", "quiet", NULL};
    PyObject *program, *paths;
    int timeout_ms = 120000, values = 1, quiet = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO!|ipp:Dump", names, &program, &PyList_Type, &paths, &timeout_ms,
                                     &values, &quiet))
        return NULL;
    Dump *self = (Dump *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&self->wakes, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&self->lock, NULL);
    self->timeout_ms = timeout_ms;
    self->no_values = !values;
    self->quiet = quiet;
    self->pid = getpid();
    if (hw_spawn_init(&self->spawn) < 0)
        PyErr_SetFromErrno(PyExc_OSError);
    else
        texts_copy(self, program, paths);
    if (PyErr_Occurred())
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *dump_taken(PyObject *object, void *closure)
{
    return PyLong_FromLong(((Dump *)object)->taken);
}

static const char dump_doc[] =
    "Dump(program, paths, timeout_ms=120000, values=True, quiet=False)\n--\n\n"
    "Snapshots of this process by the program heapwhy; one for each path, in that order. All is prepared now.\n"
    "A fork of the process takes none.";
static PyMethodDef dump_methods[] = {
    {"take", dump_take_now, METH_NOARGS,
     "take()\n--\n\nWrites the next snapshot and waits for it. False: there was none; why is on standard error."},
    {"hook", dump_hook, METH_O,
     "hook(previous)\n--\n\nAn exception hook that takes a snapshot when it meets MemoryError, then calls previous, "
     "or with None nobody."},
    {"watch", dump_watch, METH_VARARGS,
     "watch(groups, fraction, interval_ms)\n--\n\nStarts a thread that takes a snapshot when memory passes that "
     "fraction of a limit. groups: [(usage file, limit file, memory.stat, key of cache), ...]. Until stop()."},
    {"stop", dump_stop, METH_NOARGS, "stop()\n--\n\nEnds the watch."},
    {"pressure", dump_pressure, METH_VARARGS,
     "pressure(groups)\n--\n\n(name, used bytes, limit bytes) of the limit that is used most, or None."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef dump_getset[] = {
    {"taken", dump_taken, NULL, "How many snapshots were begun.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject dump_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "heapwhy._heapwhy.Dump",
    .tp_basicsize = sizeof(Dump),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = dump_doc,
    .tp_new = dump_new,
    .tp_dealloc = dump_dealloc,
    .tp_methods = dump_methods,
    .tp_getset = dump_getset,
};

int hw_dump_init(PyObject *module)
{
    return hw_type_add(module, &dump_type);
}
