/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/answer.h"

#include "inside/graph.h"
#include "inside/question.h"

#include <stdlib.h>

struct hw_answer {
    PyObject_HEAD
    struct hw_asking asking;
    PyObject *graphs; /* tuple of Graph: nobody else may be asking them while this one tells */
};

static PyTypeObject *answer_type;

static PyObject *const *graphs_of(const struct hw_answer *self)
{
    return ((PyTupleObject *)self->graphs)->ob_item;
}

static size_t graph_count(const struct hw_answer *self)
{
    return (size_t)PyTuple_GET_SIZE(self->graphs);
}

static void answer_dealloc(PyObject *object)
{
    struct hw_answer *self = (struct hw_answer *)object;
    PyTypeObject *type = Py_TYPE(object);
    hw_asking_deinit(&self->asking);
    Py_XDECREF(self->graphs);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- telling ---- */

static PyObject *tell(struct hw_answer *self, struct hw_out *out, size_t limit)
{
    PyThreadState *state = hw_ask_begin(graphs_of(self), graph_count(self));
    if (!state)
        return NULL;
    self->asking.question->tell(out, &self->asking, limit);
    hw_ask_end(state, graphs_of(self), graph_count(self));
    PyObject *text = hw_out_finish(out) ? PyUnicode_DecodeUTF8((const char *)out->buf.data,
                                                               (Py_ssize_t)out->buf.len, "replace")
                                        : PyErr_NoMemory();
    hw_out_deinit(out);
    return text;
}

static PyObject *answer_text(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"limit", "width", "color", NULL};
    int width = HW_OUT_WIDTH, color = 0;
    Py_ssize_t limit = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|nip:text", names, &limit, &width, &color))
        return NULL;
    struct hw_answer *answer = (struct hw_answer *)self;
    struct hw_out out = {.fd = -1, .color = color, .terminal = true, .width = (unsigned)width};
    return tell(answer, &out, limit < 0 ? answer->asking.question->rows : (size_t)limit);
}

static PyObject *answer_json(PyObject *self, PyObject *unused)
{
    struct hw_out out = {.fd = -1, .json = true, .width = HW_OUT_WIDTH};
    return tell((struct hw_answer *)self, &out, 0);
}

/* ---- asking ---- */

const char hw_ask_doc[] =
    "ask(question, graphs, word=None, *, most=1, links=0, depth=4)\n--\n\n"
    "An Answer, whose json() and text() are those of the program.\n\n"
    "question  types, holders, show, paths, owners, retained, weighing, tree, cycles, gc, audit, resources,\n"
    "          diff, memory, diagnose\n"
    "graphs    a tuple, in order of time; questions about one moment are asked of the last\n"
    "word      the object, as the program takes it\n"
    "most      objects to tell about when the word fits several\n"
    "links     chains or references of each; 0: as many as the program\n"
    "depth     levels of a tree";

static int asking_fill(struct hw_asking *asking, PyObject *graphs, const char *word)
{
    size_t count = (size_t)PyTuple_GET_SIZE(graphs);
    asking->graphs = calloc(count + 1, sizeof(*asking->graphs));
    asking->word = word ? strdup(word) : NULL;
    if (!asking->graphs || (word && !asking->word)) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        struct hw_graph *graph = hw_py_graph_share(PyTuple_GET_ITEM(graphs, (Py_ssize_t)i));
        if (!graph)
            return -1;
        asking->graphs[asking->graph_count++] = graph;
    }
    return 0;
}

static int graphs_check(PyObject *graphs)
{
    Py_ssize_t count = PyTuple_GET_SIZE(graphs);
    for (Py_ssize_t i = 0; i < count; i++)
        if (!PyObject_TypeCheck(PyTuple_GET_ITEM(graphs, i), hw_graph_type_object)) {
            PyErr_Format(PyExc_TypeError, "%.100s is no snapshot",
                         Py_TYPE(PyTuple_GET_ITEM(graphs, i))->tp_name);
            return -1;
        }
    if (!count)
        PyErr_SetString(PyExc_ValueError, "there is no snapshot to ask");
    return count ? 0 : -1;
}

static PyObject *answer_ask(struct hw_answer *self)
{
    struct hw_err err = HW_ERR_INIT;
    PyThreadState *state = hw_ask_begin(graphs_of(self), graph_count(self));
    if (!state)
        return NULL;
    bool ok = self->asking.question->ask(&self->asking, &err);
    hw_ask_end(state, graphs_of(self), graph_count(self));
    return ok ? (PyObject *)self : hw_raise(&err);
}

PyObject *hw_ask(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"question", "graphs", "word", "most", "links", "depth", NULL};
    const char *name, *word = NULL;
    PyObject *graphs;
    Py_ssize_t most = 1, links = 0, depth = 4;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sO!|z$nnn:ask", names, &name, &PyTuple_Type,
                                     &graphs, &word, &most, &links, &depth) ||
        graphs_check(graphs) < 0)
        return NULL;
    const struct hw_question *question = hw_question_find(name);
    if (!question || most < 0 || links < 0 || depth < 0)
        return PyErr_Format(PyExc_ValueError, question ? "a negative number" : "there is no question %s",
                            name);
    struct hw_answer *self = (struct hw_answer *)answer_type->tp_alloc(answer_type, 0);
    if (!self)
        return NULL;
    self->asking = (struct hw_asking){.question = question,
                                      .most = (size_t)most,
                                      .links = (size_t)links,
                                      .depth = (size_t)depth};
    Py_INCREF(graphs);
    self->graphs = graphs;
    if (asking_fill(&self->asking, graphs, word) < 0 || !answer_ask(self)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- the type ---- */

static PyMethodDef methods[] = {
    {"text", (PyCFunction)(void (*)(void))answer_text, METH_VARARGS | METH_KEYWORDS,
     "text(limit=-1, width=80, color=False)\n--\n\nAs the program prints it. limit: rows of each list; -1: "
     "as many as the program shows, 0: all."},
    {"json", answer_json, METH_NOARGS, "json()\n--\n\nAs the program's --json prints it, with all rows."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, answer_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_doc, "What came of a question. Made by ask()."},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "heapwhy._heapwhy.Answer",
    .basicsize = sizeof(struct hw_answer),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int hw_answer_init(PyObject *module)
{
    answer_type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!answer_type)
        return -1;
    answer_type->tp_new = NULL;
    return hw_type_add(module, answer_type);
}
