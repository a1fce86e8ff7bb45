/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* In the first interval it is looked ever less often, from a 1024th of it on, so that a short run
 * has samples, too. */
enum { FINE_STEPS = 10, CHILDREN_MAX = 4096, SAMPLES_MAX = 1 << 24 };
#define SECOND_NS INT64_C(1000000000)

struct sample {
    int64_t bytes, at_ns; /* since 1970 */
    bool fine;            /* one of the first interval */
};

typedef struct {
    PyObject_HEAD pid_t pid, maker; /* maker: the process that made this; a fork of it has no thread */
    bool children, peak_only;
    int64_t interval_ns;
    struct sample *samples;
    size_t count, capacity;
    uint64_t looks;
    int64_t most_before; /* that the process ever had; with peak_only, of it alone */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool running, stop;
} Recorder;

/* ---- looking ---- */

static ssize_t file_read(const char *path, char *to, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, to, max - 1) : -1;
    if (fd >= 0)
        close(fd);
    to[n > 0 ? n : 0] = 0;
    return n;
}

static int64_t rss_of(pid_t pid)
{
    char path[64], text[128];
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    file_read(path, text, sizeof(text));
    const char *second = strchr(text, ' '); /* proc(5): size resident shared ..., in pages */
    return second ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

/* The most that there ever was, which the kernel notes (proc(5): VmHWM); 0: not known. */
static int64_t most_rss_of(pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    file_read(path, text, sizeof(text));
    const char *line = strstr(text, "VmHWM:");
    return line ? strtoll(line + strlen("VmHWM:"), NULL, 10) * 1024 : 0;
}

/* Of the main thread's children, theirs, and so on; breadth first. */
static int64_t family_rss(pid_t pid)
{
    static __thread pid_t family[CHILDREN_MAX];
    size_t count = 1;
    int64_t bytes = 0;
    family[0] = pid;
    for (size_t i = 0; i < count; i++) {
        char path[64], text[4096], *at = text, *end;
        bytes += rss_of(family[i]);
        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)family[i], (int)family[i]);
        file_read(path, text, sizeof(text));
        for (long child = strtol(at, &end, 10); end != at && count < CHILDREN_MAX;
             child = strtol(at, &end, 10)) {
            family[count++] = (pid_t)child;
            at = end;
        }
    }
    return bytes;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* What does not fit is left out. */
static void sample_keep(Recorder *recorder, struct sample sample)
{
    if (recorder->peak_only && recorder->count) {
        if (sample.bytes > recorder->samples[0].bytes)
            recorder->samples[0] = sample;
        return;
    }
    if (recorder->count == recorder->capacity) {
        size_t capacity = recorder->capacity ? recorder->capacity * 2 : 64;
        struct sample *grown =
            capacity <= SAMPLES_MAX ? realloc(recorder->samples, capacity * sizeof(*grown)) : NULL;
        if (!grown)
            return;
        recorder->samples = grown;
        recorder->capacity = capacity;
    }
    recorder->samples[recorder->count++] = sample;
}

static void look(Recorder *recorder, bool fine)
{
    const struct sample sample = {.bytes = recorder->children ? family_rss(recorder->pid)
                                                              : rss_of(recorder->pid),
                                  .at_ns = clock_ns(CLOCK_REALTIME),
                                  .fine = fine};
    recorder->looks += !fine;
    sample_keep(recorder, sample);
}

/* A peak between two looks is known if it is higher than any before. */
static void peak_complete(Recorder *recorder)
{
    int64_t most = recorder->most_before ? most_rss_of(recorder->pid) : 0;
    if (most > recorder->most_before && recorder->count && recorder->samples[0].bytes < most)
        recorder->samples[0].bytes = most;
}

static void *run(void *ctx)
{
    Recorder *recorder = ctx;
    int64_t begin_ns = clock_ns(CLOCK_MONOTONIC), due_ns = 0;
    unsigned fine = FINE_STEPS;
    pthread_mutex_lock(&recorder->lock);
    while (!recorder->stop) {
        if (fine)
            due_ns = begin_ns + (recorder->interval_ns >> fine);
        const struct timespec due = {due_ns / SECOND_NS, due_ns % SECOND_NS};
        if (pthread_cond_timedwait(&recorder->wake, &recorder->lock, &due) != ETIMEDOUT)
            continue;
        look(recorder, fine > 0);
        if (fine)
            due_ns = --fine ? due_ns : begin_ns + recorder->interval_ns;
        else
            due_ns += recorder->interval_ns;
        int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        if (!fine && due_ns <= now_ns) /* looks that were missed are not made up for */
            due_ns = now_ns + recorder->interval_ns;
    }
    pthread_mutex_unlock(&recorder->lock);
    return NULL;
}

/* ---- the type ---- */

static PyObject *recorder_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"pid", "interval", "children", "peak_only", NULL};
    int pid, children = 0, peak_only = 0;
    double interval;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "id|pp:Recorder", names, &pid, &interval,
                                     &children, &peak_only))
        return NULL;
    if (!(interval > 0 && interval < 1e9))
        return PyErr_Format(PyExc_ValueError, "the interval must be a number of seconds above 0");
    Recorder *recorder = (Recorder *)type->tp_alloc(type, 0);
    if (!recorder)
        return NULL;
    recorder->pid = pid;
    recorder->maker = getpid();
    recorder->children = children;
    recorder->peak_only = peak_only;
    recorder->interval_ns = interval * 1e9 < 1e5 ? 100000 : (int64_t)(interval * 1e9);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_cond_init(&recorder->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return (PyObject *)recorder;
}

static PyObject *recorder_start(PyObject *self, PyObject *none)
{
    Recorder *recorder = (Recorder *)self;
    if (recorder->running || recorder->looks)
        return PyErr_Format(PyExc_RuntimeError, "a recorder records once");
    if (recorder->peak_only && !recorder->children)
        recorder->most_before = most_rss_of(recorder->pid);
    look(recorder, false);
    int error = pthread_create(&recorder->thread, NULL, run, recorder);
    if (error) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    recorder->running = true;
    Py_RETURN_NONE;
}

static bool is_fork(const Recorder *recorder)
{
    return getpid() != recorder->maker;
}

/* In a fork the thread is gone, and was perhaps at the samples: they are left where they are, and what the
 * maker was asked to know of itself is the fork's now. */
static void forget(Recorder *recorder)
{
    if (recorder->pid == recorder->maker)
        recorder->pid = getpid();
    recorder->samples = NULL;
    recorder->count = recorder->capacity = recorder->looks = 0;
    recorder->running = false;
}

static void end(Recorder *recorder)
{
    if (is_fork(recorder)) {
        forget(recorder);
        return;
    }
    pthread_mutex_lock(&recorder->lock);
    recorder->stop = true;
    pthread_cond_signal(&recorder->wake);
    pthread_mutex_unlock(&recorder->lock);
    pthread_join(recorder->thread, NULL);
    recorder->running = false;
}

static PyObject *samples_list(const Recorder *recorder)
{
    bool with_fine = recorder->looks <= 4;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < recorder->count; i++) {
        const struct sample *sample = &recorder->samples[i];
        if (sample->fine && !with_fine && !recorder->peak_only)
            continue;
        PyObject *item =
            Py_BuildValue("(Ld)", (long long)sample->bytes, (double)sample->at_ns / 1e9);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *recorder_stop(PyObject *self, PyObject *none)
{
    Recorder *recorder = (Recorder *)self;
    if (!recorder->running)
        return PyErr_Format(PyExc_RuntimeError, "the recorder does not run");
    Py_BEGIN_ALLOW_THREADS end(recorder);
    Py_END_ALLOW_THREADS look(recorder, false);
    peak_complete(recorder);
    return samples_list(recorder);
}

static void recorder_dealloc(PyObject *self)
{
    Recorder *recorder = (Recorder *)self;
    if (recorder->running)
        end(recorder);
    if (!is_fork(recorder)) { /* glibc waits for who waits at the condition */
        pthread_cond_destroy(&recorder->wake);
        pthread_mutex_destroy(&recorder->lock);
    }
    free(recorder->samples);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef recorder_methods[] = {
    {"start", recorder_start, METH_NOARGS,
     "start()\n--\n\nLook once, and from now on in each interval."},
    {"stop", recorder_stop, METH_NOARGS,
     "stop()\n--\n\nLook a last time. [(bytes, seconds since 1970), ...] in the order of time; "
     "with peak_only the "
     "largest alone, which of one process is exact when it is higher than any before."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject recorder_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "heapwhy._heapwhy.Recorder",
    .tp_doc = "Recorder(pid, interval, children=False, peak_only=False)\n--\n\nResident memory of "
              "a process over time. "
              "interval: seconds, at least 0.0001.",
    .tp_basicsize = sizeof(Recorder),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = recorder_new,
    .tp_dealloc = recorder_dealloc,
    .tp_methods = recorder_methods,
};

int hw_recorder_init(PyObject *module)
{
    return hw_type_add(module, &recorder_type);
}
