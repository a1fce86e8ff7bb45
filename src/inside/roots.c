/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/roots.h"

#include <string.h>

struct root_visit {
    hw_root_fn fn;
    void *ctx;
    const struct hw_frame *frame;
};

static int local_visit(PyObject *name, PyObject *value, void *arg)
{
    struct root_visit *visit = arg;
    return visit->fn(&(struct hw_root){value, NULL, visit->frame, name, visit->frame->thread}, visit->ctx);
}

static int frame_visit(const struct hw_frame *frame, void *arg)
{
    struct root_visit *visit = arg;
    visit->frame = frame;
    return hw_frame_locals_visit(frame, local_visit, visit);
}

static int threads_visit(struct root_visit *visit)
{
    int result = 0;
    PyThreadState *thread = PyInterpreterState_ThreadHead(PyInterpreterState_Get());
    for (; thread && !result; thread = PyThreadState_Next(thread)) {
        PyObject *raised = thread->exc_info ? thread->exc_info->exc_value : NULL;
        const struct hw_root held[] = {{thread->dict, "threading.local()", NULL, NULL, thread->thread_id},
                                       {thread->context, "context", NULL, NULL, thread->thread_id},
                                       {raised, "exception in hand", NULL, NULL, thread->thread_id}};
        for (size_t i = 0; !result && i < sizeof(held) / sizeof(*held); i++)
            result = held[i].object ? visit->fn(&held[i], visit->ctx) : 0;
    }
    return result;
}

int hw_roots_visit(hw_root_fn fn, void *ctx)
{
    struct root_visit visit = {fn, ctx, NULL};
    PyObject *modules = PyImport_GetModuleDict(), *builtins = PyEval_GetBuiltins();
    int result = modules ? fn(&(struct hw_root){.object = modules, .words = "sys.modules"}, ctx) : 0;
    if (!result && builtins)
        result = fn(&(struct hw_root){.object = builtins, .words = "builtins.__dict__"}, ctx);
    if (!result)
        result = hw_frames_visit(frame_visit, &visit);
    return result ? result : threads_visit(&visit);
}

/* Of a path its last part. */
static const char *base_name(PyObject *path)
{
    const char *text = path && PyUnicode_Check(path) ? PyUnicode_AsUTF8(path) : NULL;
    if (!text) {
        PyErr_Clear();
        return "?";
    }
    const char *slash = strrchr(text, '/');
    return slash ? slash + 1 : text;
}

PyObject *hw_root_label(const struct hw_root *root)
{
    if (!root->frame)
        return root->thread ? PyUnicode_FromFormat("<%s of thread %lu>", root->words, root->thread)
                            : PyUnicode_FromString(root->words);
    PyCodeObject *code = root->frame->code;
    const char *file = base_name(code->co_filename);
    if (root->name)
        return PyUnicode_FromFormat("<local %U of %U at %s:%d>", root->name, code->co_name, file,
                                    code->co_firstlineno);
    return PyUnicode_FromFormat("<stack of %U at %s:%d>", code->co_name, file, code->co_firstlineno);
}
