/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/lines.h"

#include "inside/allocated.h"
#include "inside/meter.h"
#include "inside/version.h"

#include <frameobject.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 1 << 20 }; /* of one function; a code object may claim anything */

struct line {
    int64_t increment, most; /* bytes: changed by it in all; the most that there was after it */
    uint64_t occurrences, collections;
    int64_t collected; /* bytes that collections freed while it ran */
};

struct table {
    PyCodeObject *code; /* borrowed from the key */
    int first;          /* number of lines[0] */
    struct line *lines;
    size_t count;
    bool begun;
};

/* A profiled frame that runs. */
struct frame {
    const PyFrameObject *identity;
    size_t table;
    int line;       /* that runs now; 0: not known */
    int64_t bytes;  /* at its last event */
    int64_t nested; /* given since then to lines of the same table by frames above */
    int64_t given;  /* in all */
};

struct key {
    PyCodeObject *code; /* strong; NULL: free */
    size_t table;
};

typedef struct {
    PyObject_HEAD struct hw_meter meter; /* what memory is measured by */
    struct table *tables;
    struct key *keys; /* open addressing */
    size_t table_count, key_count, slots;
    struct session *sessions; /* of all threads; borrowed */
} Tracer;

typedef struct session {
    PyObject_HEAD Tracer *tracer; /* strong */
    struct session *next;
    unsigned long thread;
    unsigned uses;
    Py_tracefunc below; /* who traced before; called, too */
    PyObject *below_arg;
    struct frame *frames;
    size_t count, capacity;
    int64_t base, before; /* bytes: to be added to what is read; when the collection began */
    bool collecting, closed;
} Session;

/* ---- which code is profiled ---- */

static size_t slot_of(const Tracer *tracer, const PyCodeObject *code)
{
    size_t at = ((uintptr_t)code >> 4) & (tracer->slots - 1);
    while (tracer->keys[at].code && tracer->keys[at].code != code)
        at = (at + 1) & (tracer->slots - 1);
    return at;
}

static const struct key *key_find(const Tracer *tracer, const PyCodeObject *code)
{
    const struct key *key = tracer->slots ? &tracer->keys[slot_of(tracer, code)] : NULL;
    return key && key->code ? key : NULL;
}

static int keys_grow(Tracer *tracer)
{
    struct key *old = tracer->keys;
    size_t count = tracer->slots;
    struct key *grown = calloc(count ? count * 2 : 16, sizeof(*grown));
    if (!grown)
        return PyErr_NoMemory(), -1;
    tracer->keys = grown;
    tracer->slots = count ? count * 2 : 16;
    for (size_t i = 0; i < count; i++)
        if (old[i].code)
            grown[slot_of(tracer, old[i].code)] = old[i];
    free(old);
    return 0;
}

/* The code, and all code within it, whose lines are lines of the same function. */
static int code_add(Tracer *tracer, PyCodeObject *code, size_t table)
{
    if (tracer->key_count * 2 >= tracer->slots && keys_grow(tracer) < 0)
        return -1;
    struct key *key = &tracer->keys[slot_of(tracer, code)];
    if (key->code)
        return 0;
    Py_INCREF(code);
    *key = (struct key){code, table};
    tracer->key_count++;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts); i++) {
        PyObject *item = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(item) && code_add(tracer, (PyCodeObject *)item, table) < 0)
            return -1;
    }
    return 0;
}

static PyObject *tracer_add(PyObject *self, PyObject *arg)
{
    Tracer *tracer = (Tracer *)self;
    if (!PyCode_Check(arg))
        return PyErr_Format(PyExc_TypeError, "add() takes a code object");
    if (key_find(tracer, (PyCodeObject *)arg))
        Py_RETURN_FALSE;
    struct table *grown = realloc(tracer->tables, (tracer->table_count + 1) * sizeof(*grown));
    if (!grown)
        return PyErr_NoMemory();
    tracer->tables = grown;
    PyCodeObject *code = (PyCodeObject *)arg;
    grown[tracer->table_count] = (struct table){.code = code, .first = code->co_firstlineno};
    if (code_add(tracer, code, tracer->table_count++) < 0)
        return NULL;
    Py_RETURN_TRUE;
}

/* ---- lines ---- */

/* NULL: no memory, or not a line of this function; then the change belongs to nobody. */
static struct line *line_at(struct table *table, int number)
{
    if (number < table->first || number - table->first >= LINES_MAX)
        return NULL;
    size_t at = (size_t)(number - table->first);
    if (at >= table->count) {
        size_t count = at + 16;
        struct line *grown = realloc(table->lines, count * sizeof(*grown));
        if (!grown)
            return NULL;
        memset(grown + table->count, 0, (count - table->count) * sizeof(*grown));
        table->lines = grown;
        table->count = count;
    }
    return &table->lines[at];
}

static void line_arrive(struct table *table, int number)
{
    struct line *line = line_at(table, number);
    if (line)
        line->occurrences++;
}

/* The frame's line has run until now. */
static void frame_account(Session *session, struct frame *frame, int64_t now)
{
    struct line *line = line_at(&session->tracer->tables[frame->table], frame->line);
    int64_t change = now - frame->bytes - frame->nested;
    if (line && line->occurrences) {
        line->increment += change;
        line->most = now > line->most ? now : line->most;
        frame->given += change;
    }
    frame->given += frame->nested;
    frame->nested = 0;
    frame->bytes = now;
}

static struct frame *frame_push(Session *session, const PyFrameObject *identity, size_t table)
{
    if (session->count == session->capacity) {
        size_t capacity = session->capacity ? session->capacity * 2 : 16;
        struct frame *grown = realloc(session->frames, capacity * sizeof(*grown));
        if (!grown)
            return NULL;
        session->frames = grown;
        session->capacity = capacity;
    }
    session->frames[session->count] = (struct frame){.identity = identity, .table = table};
    return &session->frames[session->count++];
}

static void frame_pop(Session *session)
{
    const struct frame *top = &session->frames[--session->count];
    for (size_t i = session->count; i-- > 0;)
        if (session->frames[i].table == top->table) {
            session->frames[i].nested += top->given;
            break;
        }
}

/* The frame's entry, on top; those above it ended where nobody saw it. NULL: it is not known. */
static struct frame *frame_find(Session *session, const PyFrameObject *identity)
{
    size_t at = session->count;
    while (at && session->frames[at - 1].identity != identity)
        at--;
    if (!at)
        return NULL;
    while (session->count > at)
        frame_pop(session);
    return &session->frames[at - 1];
}

/* ---- events ---- */

static int session_read(Session *session, int64_t *ret_bytes)
{
    if (hw_meter_read(&session->tracer->meter, ret_bytes) < 0)
        return -1;
    *ret_bytes += session->base;
    return 0;
}

/* The line of "def", or of its first decorator, stands for the call: what there was before. A
 * generator that goes on stands at the line where it was suspended. */
static int on_call(Session *session, PyFrameObject *frame, PyCodeObject *code, size_t number)
{
    struct table *table = &session->tracer->tables[number];
    struct frame *entry = frame_push(session, frame, number);
    if (!entry)
        return 0;
    if (session_read(session, &entry->bytes) < 0)
        return -1;
    int at = PyFrame_GetLineNumber(frame);
    if (code != table->code || at != code->co_firstlineno) {
        entry->line = at == code->co_firstlineno ? 0 : at;
        return 0;
    }
    struct line *line = line_at(table, at);
    if (line) {
        line->occurrences++;
        line->increment = table->begun ? line->increment : entry->bytes;
        line->most = entry->bytes > line->most ? entry->bytes : line->most;
        table->begun = true;
    }
    entry->line = at;
    return 0;
}

static int on_line(Session *session, PyFrameObject *frame, size_t table)
{
    struct frame *entry = frame_find(session, frame);
    int64_t now;
    if (session_read(session, &now) < 0)
        return -1;
    if (entry)
        frame_account(session, entry, now);
    else if (!(entry = frame_push(session, frame, table)))
        return 0;
    entry->bytes = now;
    entry->line = PyFrame_GetLineNumber(frame);
    line_arrive(&session->tracer->tables[table], entry->line);
    return 0;
}

static int on_return(Session *session, PyFrameObject *frame)
{
    struct frame *entry = frame_find(session, frame);
    int64_t now;
    if (!entry)
        return 0;
    if (session_read(session, &now) < 0)
        return -1;
    frame_account(session, entry, now);
    frame_pop(session);
    return 0;
}

static int session_event(Session *session, PyFrameObject *frame, int what)
{
    if (what != PyTrace_LINE && what != PyTrace_CALL && what != PyTrace_RETURN)
        return 0;
    PyCodeObject *code = PyFrame_GetCode(frame);
    Py_DECREF(code); /* the frame holds it */
    const struct key *key = key_find(session->tracer, code);
    if (!key)
        return 0;
    if (what == PyTrace_LINE)
        return on_line(session, frame, key->table);
    return what == PyTrace_CALL ? on_call(session, frame, code, key->table)
                                : on_return(session, frame);
}

static int session_trace(PyObject *self, PyFrameObject *frame, int what, PyObject *arg)
{
    Session *session = (Session *)self;
    int result = session->closed ? 0 : session_event(session, frame, what);
    if (result == 0 && session->below)
        result = session->below(session->below_arg, frame, what, arg);
    return result;
}

/* ---- sessions ---- */

static void session_dealloc(PyObject *self)
{
    Session *session = (Session *)self;
    free(session->frames);
    Py_XDECREF(session->below_arg);
    Py_XDECREF(session->tracer);
    PyObject_Free(self);
}

static PyTypeObject session_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "heapwhy._heapwhy.LineSession",
    .tp_doc = "What a LineTracer knows of one thread.",
    .tp_basicsize = sizeof(Session),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = session_dealloc,
};

static Session *session_here(const Tracer *tracer)
{
    unsigned long thread = PyThread_get_thread_ident();
    Session *session = tracer->sessions;
    while (session && session->thread != thread)
        session = session->next;
    return session;
}

static PyObject *tracer_enable(PyObject *self, PyObject *none)
{
    Tracer *tracer = (Tracer *)self;
    Session *session = session_here(tracer);
    if (session) {
        session->uses++;
        Py_RETURN_NONE;
    }
    session = PyObject_New(Session, &session_type);
    if (!session)
        return NULL;
    memset((char *)session + sizeof(PyObject), 0, sizeof(*session) - sizeof(PyObject));
    Py_INCREF(tracer);
    session->tracer = tracer;
    session->thread = PyThread_get_thread_ident();
    session->uses = 1;
    if (hw_meter_start(&tracer->meter, &session->base) < 0) {
        Py_DECREF(session);
        return NULL;
    }
    session->below = hw_trace_function(&session->below_arg);
    Py_XINCREF(session->below_arg);
    session->next = tracer->sessions;
    tracer->sessions = session;
    PyEval_SetTrace(session_trace, (PyObject *)session); /* it holds the session from now on */
    Py_DECREF(session);
    Py_RETURN_NONE;
}

static void session_unlink(Session *session)
{
    Session **at = &session->tracer->sessions;
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
}

/* Who has begun to trace in the meantime goes on, and calls a session that does nothing any more.
 */
static void session_close(Session *session)
{
    PyObject *now;
    session_unlink(session);
    session->closed = true;
    hw_meter_stop(&session->tracer->meter);
    if (hw_trace_function(&now) == session_trace && now == (PyObject *)session)
        PyEval_SetTrace(session->below, session->below_arg);
}

static PyObject *tracer_disable(PyObject *self, PyObject *none)
{
    Session *session = session_here((Tracer *)self);
    if (session && --session->uses == 0) {
        Py_INCREF(session);
        session_close(session);
        Py_DECREF(session);
    }
    Py_RETURN_NONE;
}

/* gc.callbacks: ("start" or "stop", info). */
static PyObject *tracer_collection(PyObject *self, PyObject *args)
{
    Session *session = session_here((Tracer *)self);
    const char *phase;
    PyObject *info;
    int64_t now;
    if (!PyArg_ParseTuple(args, "sO:collection", &phase, &info))
        return NULL;
    if (!session || !session->count)
        Py_RETURN_NONE;
    if (session_read(session, &now) < 0)
        return NULL;
    bool began = session->collecting;
    session->collecting = strcmp(phase, "start") == 0;
    if (session->collecting)
        session->before = now;
    if (session->collecting || !began)
        Py_RETURN_NONE;
    const struct frame *top = &session->frames[session->count - 1];
    struct line *line = line_at(&session->tracer->tables[top->table], top->line);
    if (line && line->occurrences) {
        line->collections++;
        line->collected += session->before - now;
    }
    Py_RETURN_NONE;
}

/* ---- results ---- */

static PyObject *table_lines(const struct table *table)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < table->count; i++) {
        const struct line *line = &table->lines[i];
        if (!line->occurrences)
            continue;
        PyObject *item =
            Py_BuildValue("(iLLKKL)", table->first + (int)i, (long long)line->increment,
                          (long long)line->most, (unsigned long long)line->occurrences,
                          (unsigned long long)line->collections, (long long)line->collected);
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *tracer_results(PyObject *self, PyObject *none)
{
    const Tracer *tracer = (Tracer *)self;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < tracer->table_count; i++) {
        PyObject *lines = table_lines(&tracer->tables[i]);
        PyObject *item = lines ? Py_BuildValue("(ON)", tracer->tables[i].code, lines) : NULL;
        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

/* ---- the type ---- */

static PyObject *tracer_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"source", NULL};
    PyObject *source;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:LineTracer", names, &source))
        return NULL;
    Tracer *tracer = (Tracer *)type->tp_alloc(type, 0);
    if (tracer && hw_meter_init(&tracer->meter, source) < 0)
        Py_CLEAR(tracer);
    return (PyObject *)tracer;
}

static void tracer_dealloc(PyObject *self)
{
    Tracer *tracer = (Tracer *)self;
    for (size_t i = 0; i < tracer->table_count; i++)
        free(tracer->tables[i].lines);
    for (size_t i = 0; i < tracer->slots; i++)
        Py_XDECREF(tracer->keys[i].code);
    free(tracer->tables);
    free(tracer->keys);
    hw_meter_deinit(&tracer->meter);
    Py_TYPE(self)->tp_free(self);
}

static PyMethodDef tracer_methods[] = {
    {"add", tracer_add, METH_O,
     "add(code)\n--\n\nProfile this code object and all code within it. False: it was added "
     "before."},
    {"enable", tracer_enable, METH_NOARGS,
     "enable()\n--\n\nBegin to trace in this thread; calls nest. Who traced before is called, "
     "too."},
    {"disable", tracer_disable, METH_NOARGS,
     "disable()\n--\n\nThe end of one enable() of this thread."},
    {"collection", tracer_collection, METH_VARARGS,
     "collection(phase, info)\n--\n\nFor gc.callbacks: notes the collection at the line that "
     "runs."},
    {"results", tracer_results, METH_NOARGS,
     "results()\n--\n\n[(code, [(line, increment, most, occurrences, collections, collected), "
     "...]), ...]; memory in "
     "bytes.\n\nThe line of the definition stands for the call: its increment is what there was at "
     "first."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject tracer_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "heapwhy._heapwhy.LineTracer",
    .tp_doc = "LineTracer(source)\n--\n\nMemory line by line. source: 'python' (bytes from "
              "Python's allocators), "
              "'rss', or a function without arguments that returns bytes.",
    .tp_basicsize = sizeof(Tracer),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = tracer_new,
    .tp_dealloc = tracer_dealloc,
    .tp_methods = tracer_methods,
};

int hw_lines_init(PyObject *module)
{
    return PyType_Ready(&session_type) < 0 ? -1 : hw_type_add(module, &tracer_type);
}
