/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/roots.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/vec.h"
#include "cpython/dictkeys.h"

#include <stdlib.h>

enum {
    ROOTS_SPARE_THREADS = 64, /* states that outlive their threads, after a fork for example */
    ROOTS_MAX_FRAMES = 1 << 20,
    ROOTS_MAX_EXC_DEPTH = 1 << 16,
    FRAME_OWNED_BY_CSTACK = 3,      /* enum _frameowner: a shim, since 3.12 */
    FRAME_OWNED_BY_INTERPRETER = 4, /* likewise, since 3.14 */
};

uint32_t hw_roots_add(struct hw_roots *roots, struct hw_synthetic as, uint32_t parent)
{
    struct hw_root_node *nodes =
        hw_vec_grow(roots->nodes, &roots->capacity, roots->count + 1, sizeof(*nodes));
    if (!nodes)
        return HW_NONE;
    roots->nodes = nodes;
    roots->nodes[roots->count] = (struct hw_root_node){
        .as = as, .parent = parent, .first_ref = roots->refs.count, .ref_count = 0};
    return (uint32_t)roots->count++;
}

void hw_roots_ref(struct hw_roots *roots, hw_addr to, uint32_t label)
{
    struct hw_refs *refs = &roots->refs;
    if (!to || (refs->count == refs->capacity && !hw_refs_reserve(refs, 1)))
        return;
    refs->to[refs->count] = to;
    refs->label[refs->count++] = label;
    roots->nodes[roots->count - 1].ref_count++;
}

void hw_roots_deinit(struct hw_roots *roots)
{
    free(roots->nodes);
    free(roots->refs.to);
    free(roots->refs.label);
    *roots = (struct hw_roots){0};
}

static void roots_take_decoded(struct hw_py *py, struct hw_roots *roots)
{
    for (size_t i = 0; i < py->refs.count; i++)
        hw_roots_ref(roots, py->refs.to[i], py->refs.label[i]);
}

hw_addr hw_attribute_find(struct hw_py *py, hw_addr object, const char *name)
{
    const struct hw_pytype *type = hw_pytype_of(py, object);
    if (!type)
        return 0;
    uint32_t label = hw_label_named(py, HW_LABEL_ATTR, name);
    hw_decode(py, object, type);
    hw_addr dict = 0;
    for (size_t i = 0; i < py->refs.count; i++) {
        if (py->refs.label[i] == label)
            return py->refs.to[i];
        if (py->refs.label[i] == py->label_dict)
            dict = py->refs.to[i];
    }
    return dict ? hw_dict_find(py, dict, name) : 0;
}

struct interpreter_field {
    enum hw_field_id field;
    const char *name;
};

/* What an interpreter owns (CPython Include/internal/pycore_interp.h). Names that Python can say
 * are Python's; the rest are the C fields'. */
static const struct interpreter_field interpreter_fields[] = {
    {HW_F_PyInterpreterState_imports_modules, "sys.modules"},
    {HW_F_PyInterpreterState_modules, "sys.modules"},
    {HW_F_PyInterpreterState_sysdict, "sys.__dict__"},
    {HW_F_PyInterpreterState_builtins, "builtins.__dict__"},
    {HW_F_PyInterpreterState_imports_modules_by_index, "modules_by_index"},
    {HW_F_PyInterpreterState_modules_by_index, "modules_by_index"},
    {HW_F_PyInterpreterState_imports_importlib, "importlib"},
    {HW_F_PyInterpreterState_importlib, "importlib"},
    {HW_F_PyInterpreterState_imports_import_func, "import_func"},
    {HW_F_PyInterpreterState_import_func, "import_func"},
    {HW_F_PyInterpreterState_codecs_search_path, "codec_search_path"},
    {HW_F_PyInterpreterState_codecs_search_cache, "codec_search_cache"},
    {HW_F_PyInterpreterState_codecs_error_registry, "codec_error_registry"},
    {HW_F_PyInterpreterState_codec_search_path, "codec_search_path"},
    {HW_F_PyInterpreterState_codec_search_cache, "codec_search_cache"},
    {HW_F_PyInterpreterState_codec_error_registry, "codec_error_registry"},
    {HW_F_PyInterpreterState_dict, "interpreter dict"},
    {HW_F_PyInterpreterState_sysdict_copy, "sysdict_copy"},
    {HW_F_PyInterpreterState_builtins_copy, "builtins_copy"},
    {HW_F_PyInterpreterState_before_forkers, "before_forkers"},
    {HW_F_PyInterpreterState_after_forkers_parent, "after_forkers_parent"},
    {HW_F_PyInterpreterState_after_forkers_child, "after_forkers_child"},
    {HW_F_PyInterpreterState_pyexitmodule, "pyexitmodule"},
    {HW_F_PyInterpreterState_warnings_filters, "warnings.filters"},
    {HW_F_PyInterpreterState_warnings_once_registry, "warnings.onceregistry"},
    {HW_F_PyInterpreterState_warnings_default_action, "warnings.defaultaction"},
    {HW_F_PyInterpreterState_warnings_context, "warnings context"},
    {HW_F_PyInterpreterState_audit_hooks, "audit_hooks"},
    {HW_F_PyInterpreterState_cached_objects_interned_strings, "interned strings"},
    {HW_F_PyInterpreterState_exc_state_errnomap, "errnomap"},
    {HW_F_PyInterpreterState_exc_state_PyExc_ExceptionGroup, "ExceptionGroup"},
};

/* Up to 3.13 an array of pointers to {func, args, kwargs}; a list since. */
static void roots_atexit(struct hw_py *py, struct hw_roots *roots, hw_addr interp)
{
    if (!PY_HAS(py, PyInterpreterState_atexit_callbacks))
        return;
    uint32_t label = hw_label_named(py, HW_LABEL_ROOT, "atexit callback");
    hw_addr callbacks = hw_py_word(py, interp + PY_OFF(py, PyInterpreterState_atexit_callbacks));
    if (!PY_HAS(py, PyInterpreterState_atexit_ncallbacks)) {
        hw_roots_ref(roots, callbacks, label);
        return;
    }
    const unsigned char *n =
        hw_py_at(py, interp + PY_OFF(py, PyInterpreterState_atexit_ncallbacks), 4);
    uint32_t count = n ? load32(n) : 0;
    for (uint32_t i = 0; callbacks && i < count && i < 4096; i++) {
        hw_addr one = hw_py_word(py, callbacks + (hw_addr)i * 8);
        for (unsigned word = 0; one && word < 3; word++)
            hw_roots_ref(roots, hw_py_word(py, one + word * 8), label);
    }
}

/* Handlers of signals: {tripped, function} for each, in the runtime since 3.12; up to 3.11 they are
 * C globals. */
static void roots_signals(struct hw_py *py, const struct hw_runtime *rt, struct hw_roots *roots)
{
    enum { ENTRY_BYTES = 16, FUNCTION_OFFSET = 8 };
    struct hw_field handlers = py->layout->f[HW_F__PyRuntimeState_signals_handlers];
    uint32_t label = hw_label_named(py, HW_LABEL_ROOT, "signal handler");
    for (uint32_t at = 0; at + ENTRY_BYTES <= handlers.width; at += ENTRY_BYTES)
        hw_roots_ref(roots, hw_py_word(py, rt->addr + handlers.offset + at + FUNCTION_OFFSET),
                     label);
}

/* Dicts and subclass tables of built-in static types, which live outside the types since 3.12. */
static void roots_static_types(struct hw_py *py, struct hw_roots *roots, hw_addr interp,
                               struct hw_field array)
{
    uint32_t step = PY_SIZE(py, static_type_state);
    if (!array.width || !step)
        return;
    uint32_t dict = hw_label_named(py, HW_LABEL_ROOT, "static type's dict");
    uint32_t subclasses = hw_label_named(py, HW_LABEL_ROOT, "static type's subclasses");
    for (uint32_t at = 0; at + step <= array.width; at += step) {
        const unsigned char *s = hw_py_at(py, interp + array.offset + at, step);
        if (!s || !PY_WORD(py, s, static_type_state_type))
            continue;
        hw_roots_ref(roots, PY_WORD(py, s, static_type_state_tp_dict), dict);
        hw_roots_ref(roots, PY_WORD(py, s, static_type_state_tp_subclasses), subclasses);
    }
}

/* An array in 3.12, since 3.13 one with a count before it. */
static struct hw_field builtin_types(const struct hw_py *py)
{
    return PY_HAS(py, PyInterpreterState_types_builtins_initialized)
               ? py->layout->f[HW_F_PyInterpreterState_types_builtins_initialized]
               : py->layout->f[HW_F_PyInterpreterState_types_builtins];
}

/* Names that the cache of method look-ups keeps; what was found under them is borrowed
 * (CPython Objects/typeobject.c, type_cache_entry). */
static void roots_method_cache(struct hw_py *py, struct hw_roots *roots, hw_addr interp)
{
    struct hw_field cache = PY_HAS(py, PyInterpreterState_types_type_cache)
                                ? py->layout->f[HW_F_PyInterpreterState_types_type_cache]
                                : py->layout->f[HW_F_PyInterpreterState_type_cache];
    uint32_t step = PY_SIZE(py, type_cache_entry);
    const unsigned char *p = step ? hw_py_at(py, interp + cache.offset, cache.width) : NULL;
    uint32_t label = hw_label_named(py, HW_LABEL_ROOT, "method cache");
    for (uint32_t at = 0; p && at + step <= cache.width; at += step)
        hw_roots_ref(roots, PY_WORD(py, p + at, type_cache_entry_name), label);
}

/* Names that C code asked for by _Py_Identifier (Include/internal/pycore_unicodeobject.h). */
static void roots_identifiers(struct hw_py *py, struct hw_roots *roots, hw_addr interp)
{
    enum { IDENTIFIERS_MAX = 1 << 16 };
    if (!PY_HAS(py, PyInterpreterState_unicode_ids_array))
        return;
    uint64_t count = hw_py_word(py, interp + PY_OFF(py, PyInterpreterState_unicode_ids_size));
    hw_addr array = hw_py_word(py, interp + PY_OFF(py, PyInterpreterState_unicode_ids_array));
    const unsigned char *p =
        array && count <= IDENTIFIERS_MAX ? hw_py_outside_at(py, array, count * 8) : NULL;
    uint32_t label = hw_label_named(py, HW_LABEL_ROOT, "identifier");
    for (uint64_t i = 0; p && i < count; i++)
        hw_roots_ref(roots, load64(p + i * 8), label);
}

/* Structures of the interpreter that are mostly owned references: every word that is an object
 * counts, flags and counters among them do not look like one. Of the cached objects, methods are
 * borrowed from their class (objreduce), and the table of interned strings does not count its
 * references. */
static const struct {
    enum hw_field_id field;
    const char *name;
    bool only_classes;
} interpreter_blocks[] = {
    {HW_F_PyInterpreterState_ast, "ast", false},
    {HW_F_PyInterpreterState_monitoring_callables, "monitoring callable", false},
    {HW_F_PyInterpreterState_monitoring_tool_names, "monitoring tool", false},
    {HW_F_PyInterpreterState_cached_objects, "cached object", true},
};

static void roots_block(struct hw_py *py, struct hw_roots *roots, hw_addr start, uint32_t bytes,
                        bool only_classes, uint32_t label)
{
    const unsigned char *p = bytes ? hw_py_at(py, start, bytes) : NULL;
    for (uint32_t at = 0; p && at + 8 <= bytes; at += 8) {
        hw_addr word = load64(p + at);
        if (!word || !hw_object_plausible(py, word))
            continue;
        enum hw_family family = hw_pytype_of(py, word)->solid->family;
        if (!only_classes || family == HW_FAMILY_TYPE)
            hw_roots_ref(roots, word, label);
    }
}

static void roots_blocks(struct hw_py *py, struct hw_roots *roots, hw_addr interp)
{
    for (size_t i = 0; i < sizeof(interpreter_blocks) / sizeof(*interpreter_blocks); i++) {
        struct hw_field at = py->layout->f[interpreter_blocks[i].field];
        roots_block(py, roots, interp + at.offset, at.width, interpreter_blocks[i].only_classes,
                    hw_label_named(py, HW_LABEL_ROOT, interpreter_blocks[i].name));
    }
}

static uint32_t roots_interpreter(struct hw_py *py, const struct hw_runtime *rt,
                                  struct hw_roots *roots, size_t index)
{
    hw_addr interp = rt->interpreters[index];
    char *name = hw_arena_printf(py->arena, "interpreter %zu", index);
    uint32_t node = hw_roots_add(
        roots,
        (struct hw_synthetic){.kind = HW_SYN_INTERPRETER, .name = name ? name : "", .file = ""},
        HW_NONE);
    if (node == HW_NONE)
        return node;
    for (size_t i = 0; i < sizeof(interpreter_fields) / sizeof(*interpreter_fields); i++) {
        struct hw_field at = py->layout->f[interpreter_fields[i].field];
        if (at.width)
            hw_roots_ref(roots, hw_py_word(py, interp + at.offset),
                         hw_label_named(py, HW_LABEL_ROOT, interpreter_fields[i].name));
    }
    hw_addr gc = PY_HAS(py, PyInterpreterState_gc) ? interp + PY_OFF(py, PyInterpreterState_gc)
                                                   : rt->addr + PY_OFF(py, _PyRuntimeState_gc);
    hw_roots_ref(roots, hw_py_word(py, gc + PY_OFF(py, _gc_runtime_state_garbage)),
                 hw_label_named(py, HW_LABEL_ROOT, "gc.garbage"));
    hw_roots_ref(roots, hw_py_word(py, gc + PY_OFF(py, _gc_runtime_state_callbacks)),
                 hw_label_named(py, HW_LABEL_ROOT, "gc.callbacks"));
    roots_atexit(py, roots, interp);
    roots_method_cache(py, roots, interp);
    roots_identifiers(py, roots, interp);
    roots_blocks(py, roots, interp);
    if (!index)
        roots_signals(py, rt, roots);
    roots_static_types(py, roots, interp, builtin_types(py));
    roots_static_types(py, roots, interp,
                       py->layout->f[HW_F_PyInterpreterState_types_for_extensions_initialized]);
    return node;
}

static const struct interpreter_field thread_fields[] = {
    {HW_F_PyThreadState_dict, "thread's dict"},
    {HW_F_PyThreadState_context, "context"},
    {HW_F_PyThreadState_async_exc, "async_exc"},
    {HW_F_PyThreadState_c_profileobj, "profile function"},
    {HW_F_PyThreadState_c_traceobj, "trace function"},
    {HW_F_PyThreadState_curexc_type, "current exception's type"},
    {HW_F_PyThreadState_curexc_value, "current exception"},
    {HW_F_PyThreadState_curexc_traceback, "current traceback"},
    {HW_F_PyThreadState_current_exception, "current exception"},
    {HW_F_PyThreadState_async_gen_firstiter, "asyncgen firstiter hook"},
    {HW_F_PyThreadState_async_gen_finalizer, "asyncgen finalizer hook"},
    {HW_F_PyThreadState_on_delete_data, "end-of-thread reference"},
    {HW_F_PyThreadState_threading_local_key, "thread-local key"},
    {HW_F_PyThreadState_threading_local_sentinel, "thread-local sentinel"},
    {HW_F__PyThreadStateImpl_asyncio_running_loop, "running event loop"},
    {HW_F__PyThreadStateImpl_asyncio_running_task, "running task"},
};

/* The stack of exceptions being handled: items live in the thread or in generators. */
static void roots_exceptions(struct hw_py *py, struct hw_roots *roots, hw_addr thread)
{
    static const enum hw_field_id fields[] = {HW_F__PyErr_StackItem_exc_value,
                                              HW_F__PyErr_StackItem_exc_type,
                                              HW_F__PyErr_StackItem_exc_traceback};
    hw_addr item = hw_py_word(py, thread + PY_OFF(py, PyThreadState_exc_info));
    uint32_t label = hw_label_named(py, HW_LABEL_ROOT, "handled exception");
    for (unsigned i = 0; item && i < ROOTS_MAX_EXC_DEPTH; i++) {
        for (size_t f = 0; f < sizeof(fields) / sizeof(*fields); f++) {
            struct hw_field at = py->layout->f[fields[f]];
            if (at.width)
                hw_roots_ref(roots, hw_py_word(py, item + at.offset), label);
        }
        item = hw_py_word(py, item + PY_OFF(py, _PyErr_StackItem_previous_item));
    }
}

static hw_addr thread_first_frame(struct hw_py *py, hw_addr thread)
{
    if (PY_HAS(py, PyThreadState_current_frame))
        return hw_py_word(py, thread + PY_OFF(py, PyThreadState_current_frame));
    if (!PY_HAS(py, PyThreadState_cframe))
        return 0;
    hw_addr cframe = hw_py_word(py, thread + PY_OFF(py, PyThreadState_cframe));
    return cframe ? hw_py_word(py, cframe + PY_OFF(py, _PyCFrame_current_frame)) : 0;
}

static void frame_describe(struct hw_py *py, hw_addr code, struct hw_synthetic *as)
{
    char text[512];
    as->name = as->file = "";
    const unsigned char *p = hw_image_at(py->image, code, PY_SIZE(py, PyCodeObject));
    if (!p)
        return;
    hw_addr qualname = PY_HAS(py, PyCodeObject_co_qualname)
                           ? PY_WORD(py, p, PyCodeObject_co_qualname)
                           : PY_WORD(py, p, PyCodeObject_co_name);
    char *copy = NULL;
    if (hw_py_text(py, qualname, text, sizeof(text), NULL) != SIZE_MAX)
        copy = hw_arena_strdup(py->arena, text);
    as->name = copy ? copy : "";
    copy = NULL;
    if (hw_py_text(py, PY_WORD(py, p, PyCodeObject_co_filename), text, sizeof(text), NULL) !=
        SIZE_MAX)
        copy = hw_arena_strdup(py->arena, text);
    as->file = copy ? copy : "";
    as->line = load32(p + PY_OFF(py, PyCodeObject_co_firstlineno));
}

static bool frame_is_shim(struct hw_py *py, const unsigned char *p, hw_addr code)
{
    unsigned owner = p[PY_OFF(py, _PyInterpreterFrame_owner)];
    const struct hw_pytype *type = hw_pytype_of(py, code);
    return (py->version >= 0x030c0000 && owner >= FRAME_OWNED_BY_CSTACK &&
            owner <= FRAME_OWNED_BY_INTERPRETER) ||
           !type || type->family != HW_FAMILY_CODE;
}

static bool roots_frames(struct hw_py *py, struct hw_roots *roots, hw_addr thread, uint32_t parent,
                         int32_t tid)
{
    hw_addr frame = thread_first_frame(py, thread);
    uint32_t depth = 0;
    for (unsigned i = 0; frame && i < ROOTS_MAX_FRAMES; i++) {
        const unsigned char *p = hw_py_at(py, frame, PY_SIZE(py, _PyInterpreterFrame));
        if (!p)
            break;
        hw_addr code = hw_frame_code(py, p);
        if (!frame_is_shim(py, p, code)) {
            struct hw_synthetic as = {.kind = HW_SYN_FRAME, .tid = tid, .depth = depth++};
            frame_describe(py, code, &as);
            uint32_t node = hw_roots_add(roots, as, parent);
            if (node == HW_NONE)
                return false;
            roots->nodes[node].at_line = hw_frame_line(py, frame);
            py->refs.count = 0;
            hw_decode_interpreter_frame(py, frame);
            roots_take_decoded(py, roots);
            roots->nodes[node].operands = hw_frame_operands(py, frame);
        }
        frame = PY_WORD(py, p, _PyInterpreterFrame_previous);
    }
    return true;
}

/* Up to 3.10. Whose call it is owns a frame; a generator owns its own. */
static bool roots_frame_objects(struct hw_py *py, struct hw_roots *roots, hw_addr thread,
                                uint32_t parent, int32_t tid)
{
    hw_addr frame = hw_py_word(py, thread + PY_OFF(py, PyThreadState_frame));
    for (uint32_t depth = 0; frame && depth < ROOTS_MAX_FRAMES; depth++) {
        const unsigned char *p = hw_py_at(py, frame, PY_SIZE(py, PyFrameObject));
        struct hw_synthetic as = {.kind = HW_SYN_FRAME, .tid = tid, .depth = depth};
        if (!p || !hw_frame_is_running(py, frame))
            break;
        hw_addr back = PY_WORD(py, p, PyFrameObject_f_back);
        bool is_generator = PY_WORD(py, p, PyFrameObject_f_gen) != 0;
        frame_describe(py, hw_frame_code(py, p), &as);
        uint32_t node = hw_roots_add(roots, as, parent);
        if (node == HW_NONE)
            return false;
        roots->nodes[node].at_line = hw_frame_line(py, frame);
        if (!is_generator)
            hw_roots_ref(roots, frame, hw_label_named(py, HW_LABEL_INTERNAL, "frame_obj"));
        py->refs.count = 0;
        hw_decode_frame_held(py, frame);
        roots_take_decoded(py, roots);
        roots->nodes[node].operands = hw_frame_object_operands(py, frame);
        frame = back;
    }
    return true;
}

hw_addr hw_module_table(struct hw_py *py, const struct hw_runtime *rt)
{
    uint32_t offset = PY_HAS(py, PyInterpreterState_imports_modules)
                          ? PY_OFF(py, PyInterpreterState_imports_modules)
                          : PY_OFF(py, PyInterpreterState_modules);
    return hw_py_word(py, rt->interpreters[0] + offset);
}

hw_addr hw_module_dict(struct hw_py *py, const struct hw_runtime *rt, const char *name)
{
    hw_addr module = hw_dict_find(py, hw_module_table(py, rt), name);
    const struct hw_pytype *type = module ? hw_pytype_of(py, module) : NULL;
    if (!type || type->solid->family != HW_FAMILY_MODULE)
        return 0;
    return hw_py_word(py, module + PY_OFF(py, PyModuleObject_md_dict));
}

/* The Thread object that threading._active has for an identifier; 0: none. */
static hw_addr thread_object(struct hw_py *py, const struct hw_runtime *rt, uint64_t ident)
{
    hw_addr dict = hw_module_dict(py, rt, "threading");
    hw_addr active = dict ? hw_dict_find(py, dict, "_active") : 0;
    const struct hw_pytype *type = active ? hw_pytype_of(py, active) : NULL;
    if (!type || type->family != HW_FAMILY_DICT)
        return 0;
    hw_decode(py, active, type);
    for (size_t i = 0; i + 1 < py->refs.count; i++) {
        int64_t key;
        if (hw_label_kind(py->refs.label[i]) == HW_LABEL_KEY &&
            hw_py_int(py, py->refs.to[i], &key) && (uint64_t)key == ident)
            return py->refs.to[i + 1];
    }
    return 0;
}

static const char *thread_name(struct hw_py *py, const struct hw_runtime *rt, hw_addr thread,
                               int32_t tid)
{
    uint64_t ident = hw_py_word(py, thread + PY_OFF(py, PyThreadState_thread_id));
    hw_addr object = thread_object(py, rt, ident);
    hw_addr name = object ? hw_attribute_find(py, object, "_name") : 0;
    char text[128];
    const char *copy = NULL;
    if (name && hw_py_text(py, name, text, sizeof(text), NULL) != SIZE_MAX)
        copy = hw_arena_strdup(py->arena, text);
    else if (tid == py->image->pid)
        copy = "MainThread";
    else
        copy = hw_arena_printf(py->arena, "thread %d", tid);
    return copy ? copy : "";
}

/* Up to 3.10 only pthread_self() is kept, which glibc's thread pointer is, too. */
static int32_t thread_tid(struct hw_py *py, hw_addr thread)
{
    if (PY_HAS(py, PyThreadState_native_thread_id))
        return (int32_t)hw_py_word(py, thread + PY_OFF(py, PyThreadState_native_thread_id));
    hw_addr self = hw_py_word(py, thread + PY_OFF(py, PyThreadState_thread_id));
    for (size_t i = 0; self && i < py->image->thread_count; i++)
        if (py->image->threads[i].tls == self)
            return py->image->threads[i].tid;
    return 0;
}

static bool roots_thread(struct hw_py *py, const struct hw_runtime *rt, struct hw_roots *roots,
                         hw_addr thread, uint32_t parent)
{
    int32_t tid = thread_tid(py, thread);
    const char *name = thread_name(py, rt, thread, tid);
    hw_py_outside_at(py, thread, sizeof(hw_addr));
    uint32_t node = hw_roots_add(
        roots, (struct hw_synthetic){.kind = HW_SYN_THREAD, .name = name, .file = "", .tid = tid},
        parent);
    if (node == HW_NONE)
        return false;
    for (size_t i = 0; i < sizeof(thread_fields) / sizeof(*thread_fields); i++) {
        struct hw_field at = py->layout->f[thread_fields[i].field];
        if (at.width)
            hw_roots_ref(roots, hw_py_word(py, thread + at.offset),
                         hw_label_named(py, HW_LABEL_ROOT, thread_fields[i].name));
    }
    roots_exceptions(py, roots, thread);
    return hw_frames_are_objects(py) ? roots_frame_objects(py, roots, thread, node, tid)
                                     : roots_frames(py, roots, thread, node, tid);
}

static hw_addr first_thread(struct hw_py *py, hw_addr interp)
{
    uint32_t head = PY_HAS(py, PyInterpreterState_threads_head)
                        ? PY_OFF(py, PyInterpreterState_threads_head)
                        : PY_OFF(py, PyInterpreterState_tstate_head);
    return hw_py_word(py, interp + head);
}

bool hw_roots_collect(struct hw_py *py, const struct hw_runtime *rt, struct hw_roots *ret_roots,
                      struct hw_err *err)
{
    struct hw_roots roots = {0};
    for (size_t i = 0; i < rt->interpreter_count; i++) {
        uint32_t node = roots_interpreter(py, rt, &roots, i);
        if (node == HW_NONE)
            goto no_memory;
        hw_addr thread = first_thread(py, rt->interpreters[i]);
        size_t most = py->image->thread_count + ROOTS_SPARE_THREADS;
        for (size_t t = 0; thread && t < most; t++) {
            if (!roots_thread(py, rt, &roots, thread, node))
                goto no_memory;
            thread = hw_py_word(py, thread + PY_OFF(py, PyThreadState_next));
        }
    }
    if (roots.refs.failed)
        goto no_memory;
    *ret_roots = roots;
    return true;
no_memory:
    hw_roots_deinit(&roots);
    return hw_err_no_memory(err);
}

static void learn_interned(struct hw_py *py, const struct hw_runtime *rt)
{
    if (!PY_HAS(py, PyInterpreterState_cached_objects_interned_strings))
        return;
    py->interned = hw_arena_array(py->arena, rt->interpreter_count, sizeof(*py->interned));
    py->interned_count = py->interned ? rt->interpreter_count : 0;
    for (size_t i = 0; i < py->interned_count; i++)
        py->interned[i] =
            hw_py_word(py, rt->interpreters[i] +
                               PY_OFF(py, PyInterpreterState_cached_objects_interned_strings));
}

static int by_address(const void *a, const void *b)
{
    hw_addr x = *(const hw_addr *)a, y = *(const hw_addr *)b;
    return (x > y) - (x < y);
}

/* The frames on a thread's chain; nothing where one is no frame. */
static void learn_chain(struct hw_py *py, hw_addr thread, size_t *capacity)
{
    hw_addr frame = hw_py_word(py, thread + PY_OFF(py, PyThreadState_frame));
    for (unsigned i = 0; frame && i < ROOTS_MAX_FRAMES; i++) {
        hw_addr *running =
            hw_vec_grow(py->running, capacity, py->running_count + 1, sizeof(*running));
        if (!running)
            return;
        py->running = running;
        py->running[py->running_count++] = frame;
        frame = hw_py_word(py, frame + PY_OFF(py, PyFrameObject_f_back));
    }
}

static void learn_running(struct hw_py *py, const struct hw_runtime *rt)
{
    size_t capacity = 0, most = py->image->thread_count + ROOTS_SPARE_THREADS;
    for (size_t i = 0; i < rt->interpreter_count; i++) {
        hw_addr thread = first_thread(py, rt->interpreters[i]);
        for (size_t t = 0; thread && t < most; t++) {
            learn_chain(py, thread, &capacity);
            thread = hw_py_word(py, thread + PY_OFF(py, PyThreadState_next));
        }
    }
    if (py->running_count)
        qsort(py->running, py->running_count, sizeof(*py->running), by_address);
}

void hw_py_learn_classes(struct hw_py *py, const struct hw_runtime *rt)
{
    learn_interned(py, rt);
    if (hw_frames_are_objects(py))
        learn_running(py, rt);
    /* ModuleSpec is a class written in Python that no process can do without. */
    hw_addr dict = hw_module_dict(py, rt, "_frozen_importlib");
    hw_addr spec = dict ? hw_dict_find(py, dict, "ModuleSpec") : 0;
    if (spec)
        py->class_dealloc = hw_py_word(py, spec + PY_OFF(py, PyTypeObject_tp_dealloc));
}
