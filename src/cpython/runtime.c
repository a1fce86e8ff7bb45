/* SPDX-License-Identifier: Apache-2.0 */
#include "cpython/runtime.h"

#include "base/err.h"
#include "image/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RT_OFF(rt, name) ((rt)->layout->f[HW_F_##name].offset)
#define RT_HAS(rt, name) ((rt)->layout->f[HW_F_##name].width != 0)

/* _Py_DebugOffsets, the first member of _PyRuntime since 3.13: its head never moved. */
enum { DEBUG_COOKIE = 0, DEBUG_VERSION = 8, DEBUG_FREE_THREADED = 16, DEBUG_HEAD_BYTES = 24 };
static const char debug_cookie[8] = {'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y'};

static hw_addr word_at(struct hw_image *image, hw_addr addr)
{
    hw_addr word = 0;
    hw_image_read(image, addr, &word, sizeof(word));
    return word;
}

static uint32_t word32_at(struct hw_image *image, hw_addr addr)
{
    uint32_t word = 0;
    hw_image_read(image, addr, &word, sizeof(word));
    return word;
}

static void version_text(uint32_t version, char *to, size_t max)
{
    snprintf(to, max, "%u.%u.%u", version >> 24, version >> 16 & 0xff, version >> 8 & 0xff);
}

/* "3.10.13 (main, Nov  3 2026, 10:11:12) [GCC 12.2.0]" -> 0x030a0df0; 0: it does not begin like that. A
 * "+" stands behind the version of a build from a branch. */
static uint32_t version_parse(const char *text)
{
    unsigned minor, micro;
    int end = 0;
    if (sscanf(text, "3.%2u.%2u%n", &minor, &micro, &end) != 2 || !end)
        return 0;
    end += text[end] == '+';
    const char *build = text + end, *compiler = strstr(build, ") ");
    if (strncmp(build, " (", 2) != 0 || !compiler || minor > 10)
        return 0;
    compiler += compiler[2] == '\n' ? 3 : 2; /* up to 3.9 on a line of its own */
    if (*compiler != '[')
        return 0;
    return 3u << 24 | minor << 16 | micro << 8 | 0xf0;
}

/* Up to 3.10 the version is nowhere but in the text that Py_GetVersion() makes when the interpreter
 * starts, in a variable of its file (Python/getversion.c). */
static uint32_t version_in_text(struct hw_image *image, const struct hw_module *module)
{
    enum { STEP = 4096, TEXT_MAX = 250 };
    char text[STEP + TEXT_MAX + 1];
    hw_addr start, end;
    for (size_t i = 0; hw_module_data_next(image, module, &i, &start, &end);) {
        for (hw_addr at = start; at < end; at += STEP) {
            size_t bytes = end - at < STEP + TEXT_MAX ? end - at : STEP + TEXT_MAX;
            if (!hw_image_read(image, at, text, bytes))
                continue;
            text[bytes] = 0;
            for (size_t n = 0; n < STEP && n + 8 < bytes; n += 8) {
                uint32_t version = text[n] == '3' ? version_parse(text + n) : 0;
                if (version)
                    return version;
            }
        }
    }
    return 0;
}

/* Version and flavour, from what the process itself says of them. 0: unknown. */
static uint32_t version_read(struct hw_image *image, const struct hw_module *module,
                             hw_addr runtime, enum hw_flavour *ret_flavour)
{
    unsigned char head[DEBUG_HEAD_BYTES];
    *ret_flavour = HW_FLAVOUR_RELEASE;
    if (hw_image_read(image, runtime, head, sizeof(head)) &&
        !memcmp(head + DEBUG_COOKIE, debug_cookie, sizeof(debug_cookie))) {
        if (load64(head + DEBUG_FREE_THREADED))
            *ret_flavour = HW_FLAVOUR_THREADED;
        return (uint32_t)load64(head + DEBUG_VERSION);
    }
    struct hw_symbol symbol;
    if (hw_module_symbol(image, module, "Py_Version", &symbol))
        return (uint32_t)word_at(image, symbol.addr);
    return version_in_text(image, module);
}

static bool layout_fits(const struct hw_layout *row, uint32_t version, uint64_t bytes,
                        enum hw_flavour flavour)
{
    return version >= row->version_min && version <= row->version_max && row->flavour == flavour &&
           (!row->runtime_bytes || row->runtime_bytes == bytes || row->other_sizes);
}

/* "3.11, 3.13": the series that the rows speak of, each once; rows are in order of their names. */
static void series_text(char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < hw_layout_count; i++) {
        uint32_t series = hw_layouts[i]->version_min >> 16;
        if (i && hw_layouts[i - 1]->version_min >> 16 == series)
            continue;
        int n = snprintf(text + used, size - used, "%s%u.%u", used ? ", " : "", series >> 8,
                         series & 0xff);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}

static bool unsupported(const struct hw_runtime *rt, struct hw_err *err, const char *what)
{
    char version[32], series[128];
    version_text(rt->version, version, sizeof(version));
    series_text(series, sizeof(series));
    return hw_err_set(err, HW_ERR_UNSUPPORTED,
                      "CPython %s in %s is not supported by this version of heapwhy: %s "
                      "(_PyRuntime has %llu bytes); it reads releases of %s",
                      version, rt->path, what, (unsigned long long)rt->bytes, series);
}

/* What says no version is from before 3.7, or not the CPython that we know. */
static bool too_old(const char *path, struct hw_err *err)
{
    char series[128];
    series_text(series, sizeof(series));
    return hw_err_set(err, HW_ERR_UNSUPPORTED,
                      "CPython older than 3.9 in %s is not supported by this version of heapwhy; "
                      "it reads releases of %s",
                      path, series);
}

static bool interpreters_read(struct hw_image *image, struct hw_runtime *rt)
{
    hw_addr interp = word_at(image, rt->addr + RT_OFF(rt, _PyRuntimeState_interpreters_head));
    rt->interpreter_count = 0;
    while (interp && rt->interpreter_count < HW_MAX_INTERPRETERS) {
        rt->interpreters[rt->interpreter_count++] = interp;
        interp = word_at(image, interp + RT_OFF(rt, PyInterpreterState_next));
    }
    /* New ones are put in front (Python/pystate.c, PyInterpreterState_New): the last is the main.
     */
    if (!interp && rt->interpreter_count) {
        hw_addr *last = &rt->interpreters[rt->interpreter_count - 1];
        hw_addr oldest = *last;
        *last = rt->interpreters[0];
        rt->interpreters[0] = oldest;
    }
    return rt->interpreter_count > 0;
}

static hw_addr first_thread(struct hw_image *image, const struct hw_runtime *rt, hw_addr interp)
{
    uint32_t offset = RT_HAS(rt, PyInterpreterState_threads_head)
                          ? RT_OFF(rt, PyInterpreterState_threads_head)
                          : RT_OFF(rt, PyInterpreterState_tstate_head);
    return word_at(image, interp + offset);
}

static hw_addr gc_state_addr(const struct hw_runtime *rt, hw_addr interpreter)
{
    return RT_HAS(rt, PyInterpreterState_gc) ? interpreter + RT_OFF(rt, PyInterpreterState_gc)
                                             : rt->addr + RT_OFF(rt, _PyRuntimeState_gc);
}

enum list_state { LIST_NONE, LIST_TORN, LIST_WHOLE };

static enum list_state list_look(struct hw_image *image, hw_addr head)
{
    hw_addr next = word_at(image, head) & ~(hw_addr)3;
    hw_addr prev = word_at(image, head + 8) & ~(hw_addr)3;
    if (!next || !prev)
        return LIST_NONE;
    return next == head || word_at(image, prev) ? LIST_WHOLE : LIST_TORN;
}

/* _PyObject_GC_TRACK and _PyObject_GC_UNTRACK (Include/internal/pycore_object.h) set one neighbour
 * after the other, and a thread that was stopped or has no processor may stay between the two for
 * long. Whatever goes on, it goes on in one list, and its head has its two links. */
static bool gc_lists_fit(struct hw_image *image, const struct hw_runtime *rt, hw_addr interpreter)
{
    hw_addr heads[4];
    unsigned torn = 0;
    if (!hw_runtime_gc_heads(image, rt, interpreter, heads))
        return false;
    for (unsigned i = 0; i < 4; i++) {
        enum list_state state = list_look(image, heads[i]);
        if (state == LIST_NONE)
            return false;
        torn += state == LIST_TORN;
    }
    return torn <= 1;
}

/* What an interpreter has from its start to its end, and where its structure says: dicts. The last of them
 * lies behind nearly all other fields that are read. */
static bool dicts_fit(struct hw_image *image, const struct hw_runtime *rt)
{
    static const enum hw_field_id fields[] = {
        HW_F_PyInterpreterState_sysdict, HW_F_PyInterpreterState_builtins,
        HW_F_PyInterpreterState_modules, HW_F_PyInterpreterState_imports_modules,
        HW_F_PyInterpreterState_cached_objects_interned_strings};
    for (size_t i = 0; rt->dict_type && i < sizeof(fields) / sizeof(*fields); i++) {
        struct hw_field at = rt->layout->f[fields[i]];
        hw_addr dict = at.width ? word_at(image, rt->interpreters[0] + at.offset) : 0;
        if (at.width &&
            (!dict || word_at(image, dict + RT_OFF(rt, PyObject_ob_type)) != rt->dict_type))
            return false;
    }
    return true;
}

/* Reads the row's claims back from the process. The message names the first one that fails. */
static bool runtime_check_once(struct hw_image *image, struct hw_runtime *rt, struct hw_err *err)
{
    if (word_at(image, rt->type_type + RT_OFF(rt, PyObject_ob_type)) != rt->type_type)
        return unsupported(rt, err, "type(type) is not type");
    if (!interpreters_read(image, rt))
        return unsupported(rt, err, "no interpreter where _PyRuntime should name one");
    /* Interpreters that have no thread at the moment are possible; the main one always has. */
    bool thread_found = false;
    for (size_t i = 0; i < rt->interpreter_count; i++) {
        hw_addr thread = first_thread(image, rt, rt->interpreters[i]);
        if (thread &&
            word_at(image, thread + RT_OFF(rt, PyThreadState_interp)) != rt->interpreters[i])
            return unsupported(rt, err, "PyThreadState.interp does not point back");
        thread_found |= thread != 0;
        if (!gc_lists_fit(image, rt, rt->interpreters[i]))
            return unsupported(rt, err, "the collector's lists are not where they should be");
    }
    if (!dicts_fit(image, rt))
        return unsupported(rt, err, "its interpreter has no dicts where they should be");
    if (!thread_found)
        return unsupported(rt, err, "no thread where PyInterpreterState should name one");
    if (word_at(image, rt->type_type + RT_OFF(rt, PyTypeObject_tp_basicsize)) !=
        rt->layout->s[HW_S_PyHeapTypeObject])
        return unsupported(rt, err, "PyHeapTypeObject has another size");
    return true;
}

/* The process may run while it is asked: between two reads a thread ends, a list of the collector
 * changes, or a new thread's state lies in memory that was not mapped a moment ago. A row that fits is right in one of a few attempts, one that does not never is.
 * Attempts come at growing distances, a quarter of a second in all: where processors are scarce, a
 * process may stand still between two steps of its own for many milliseconds. */
static bool runtime_check(struct hw_image *image, struct hw_runtime *rt, struct hw_err *err)
{
    enum { ATTEMPTS = 50, STEP_NS = 200000 };
    for (unsigned i = 1; i < ATTEMPTS; i++) {
        if (runtime_check_once(image, rt, NULL))
            return true;
        struct timespec pause = {.tv_nsec = (long)i * STEP_NS};
        nanosleep(&pause, NULL);
        hw_image_renew(image);
    }
    return runtime_check_once(image, rt, err);
}

/* Whether the row has the collector's lists where generation0 says they are. Debian's 3.13 has them
 * four bytes before where CPython's own has them, in a runtime of the same version and size. */
static bool lists_agree(struct hw_image *image, struct hw_runtime *rt)
{
    if (!RT_HAS(rt, _gc_runtime_state_generation0) || !interpreters_read(image, rt))
        return true;
    hw_addr gc = gc_state_addr(rt, rt->interpreters[0]);
    return word_at(image, gc + RT_OFF(rt, _gc_runtime_state_generation0)) ==
           gc + RT_OFF(rt, _gc_runtime_state_generations);
}

/* Of the rows that fit, the one that agrees with the process; else the first. */
static void layout_choose(struct hw_image *image, struct hw_runtime *rt, enum hw_flavour flavour)
{
    const struct hw_layout *first = NULL;
    for (size_t i = 0; i < hw_layout_count; i++) {
        if (!layout_fits(hw_layouts[i], rt->version, rt->bytes, flavour))
            continue;
        rt->layout = hw_layouts[i];
        if (lists_agree(image, rt))
            return;
        if (!first)
            first = rt->layout;
    }
    rt->layout = first;
}

static bool runtime_try(struct hw_image *image, const struct hw_module *module,
                        const struct hw_symbol *symbol, struct hw_runtime *ret, struct hw_err *err)
{
    struct hw_runtime rt = {.addr = symbol->addr, .bytes = symbol->bytes};
    enum hw_flavour flavour;
    struct hw_symbol type;
    snprintf(rt.path, sizeof(rt.path), "%s", module->path);
    rt.version = version_read(image, module, rt.addr, &flavour);
    if (!rt.version) {
        char byte;
        if (!hw_image_read(image, rt.addr, &byte, 1))
            return hw_err_set(err, HW_ERR_GONE, "process %d exited while it was being read",
                              (int)image->pid);
        return too_old(rt.path, err);
    }
    layout_choose(image, &rt, flavour);
    if (!rt.layout)
        return unsupported(&rt, err,
                           flavour == HW_FLAVOUR_THREADED
                               ? "free-threaded builds have no layout row"
                               : "no layout row fits it");
    if (!hw_module_symbol(image, module, "PyType_Type", &type))
        return unsupported(&rt, err, "PyType_Type is not exported");
    rt.type_type = type.addr;
    rt.dict_type = hw_module_symbol(image, module, "PyDict_Type", &type) ? type.addr : 0;
    if (!runtime_check(image, &rt, err))
        return false;
    *ret = rt;
    return true;
}

/* CPython before 3.7 has no _PyRuntime, but exports its types as all do. */
static const char *find_ancient(struct hw_image *image, const struct hw_module *modules,
                                size_t count)
{
    struct hw_symbol symbol;
    for (size_t i = 0; i < count; i++)
        if (hw_module_symbol(image, &modules[i], "PyType_Type", &symbol))
            return modules[i].path;
    return NULL;
}

bool hw_runtime_find(struct hw_image *image, struct hw_runtime *ret_runtime, struct hw_err *err)
{
    struct hw_module *modules;
    size_t count;
    if (!hw_modules_list(image, &modules, &count, err))
        return false;
    bool found = false, met = false;
    struct hw_err first = HW_ERR_INIT;
    for (size_t i = 0; i < count && !found; i++) {
        struct hw_symbol symbol;
        if (!hw_module_symbol(image, &modules[i], "_PyRuntime", &symbol))
            continue;
        struct hw_err one = HW_ERR_INIT;
        found = runtime_try(image, &modules[i], &symbol, ret_runtime, &one);
        if (!found && !met)
            first = one;
        met = true;
    }
    const char *ancient = met ? NULL : find_ancient(image, modules, count);
    free(modules);
    if (found)
        return true;
    if (met && err) {
        *err = first;
        return false;
    }
    if (ancient)
        return too_old(ancient, err);
    return hw_err_set(err, HW_ERR_NOT_PYTHON,
                      "process %d is not a Python process: no CPython is mapped into it",
                      (int)image->pid);
}

bool hw_runtime_gc_heads(struct hw_image *image, const struct hw_runtime *rt, hw_addr interpreter,
                         hw_addr ret_heads[4])
{
    hw_addr gc = gc_state_addr(rt, interpreter);
    hw_addr first = gc + RT_OFF(rt, _gc_runtime_state_generations);
    /* generation0 points at the first head; it moved inside 3.13 while its pointer did not. */
    if (RT_HAS(rt, _gc_runtime_state_generation0)) {
        hw_addr told = word_at(image, gc + RT_OFF(rt, _gc_runtime_state_generation0));
        if (told < gc || told > gc + rt->layout->s[HW_S__gc_runtime_state])
            return false;
        first = told;
    }
    uint32_t step = rt->layout->s[HW_S_gc_generation];
    for (unsigned i = 0; i < 3; i++)
        ret_heads[i] = first + (hw_addr)i * step;
    ret_heads[3] = gc + RT_OFF(rt, _gc_runtime_state_permanent_generation);
    return true;
}

static struct hw_gc_stats gc_stats_read(struct hw_image *image, const struct hw_runtime *rt,
                                        hw_addr at)
{
    return (struct hw_gc_stats){
        .collections = word_at(image, at + RT_OFF(rt, gc_generation_stats_collections)),
        .collected = word_at(image, at + RT_OFF(rt, gc_generation_stats_collected)),
        .uncollectable = word_at(image, at + RT_OFF(rt, gc_generation_stats_uncollectable)),
    };
}

bool hw_runtime_gc_state(struct hw_image *image, const struct hw_runtime *rt,
                         struct hw_gc_state *ret)
{
    hw_addr gc = gc_state_addr(rt, rt->interpreters[0]);
    hw_addr heads[4];
    if (!hw_runtime_gc_heads(image, rt, rt->interpreters[0], heads))
        return false;
    ret->collecting = word32_at(image, gc + RT_OFF(rt, _gc_runtime_state_collecting)) != 0;
    ret->enabled = word32_at(image, gc + RT_OFF(rt, _gc_runtime_state_enabled)) != 0;
    for (unsigned i = 0; i < 3; i++) {
        ret->threshold[i] = word32_at(image, heads[i] + RT_OFF(rt, gc_generation_threshold));
        ret->count[i] = word32_at(image, heads[i] + RT_OFF(rt, gc_generation_count));
        ret->stats[i] = gc_stats_read(image, rt,
                                      gc + RT_OFF(rt, _gc_runtime_state_generation_stats) +
                                          i * rt->layout->s[HW_S_gc_generation_stats]);
    }
    ret->debug = word32_at(image, gc + RT_OFF(rt, _gc_runtime_state_debug));
    ret->long_lived_total = word_at(image, gc + RT_OFF(rt, _gc_runtime_state_long_lived_total));
    ret->long_lived_pending = word_at(image, gc + RT_OFF(rt, _gc_runtime_state_long_lived_pending));
    return true;
}

struct hw_busy_words hw_runtime_busy_words(const struct hw_runtime *rt)
{
    struct hw_busy_words words = {.count = 0};
    for (size_t i = 0; i < rt->interpreter_count && i < HW_BUSY_WORDS_MAX; i++)
        words.addr[words.count++] =
            gc_state_addr(rt, rt->interpreters[i]) + RT_OFF(rt, _gc_runtime_state_collecting);
    return words;
}

/* Up to 3.11 all interpreters share one (Include/internal/pycore_ceval_state.h). */
struct hw_busy_words hw_runtime_working_words(struct hw_image *image, const struct hw_runtime *rt)
{
    struct hw_busy_words words = {.count = 0};
    uint32_t locked = RT_OFF(rt, _gil_runtime_state_locked);
    if (RT_HAS(rt, _PyRuntimeState_ceval_gil))
        words.addr[words.count++] = rt->addr + RT_OFF(rt, _PyRuntimeState_ceval_gil) + locked;
    bool has_own = RT_HAS(rt, PyInterpreterState_ceval_gil);
    for (size_t i = 0; has_own && i < rt->interpreter_count && i < HW_BUSY_WORDS_MAX; i++) {
        hw_addr gil =
            word_at(image, rt->interpreters[i] + RT_OFF(rt, PyInterpreterState_ceval_gil));
        if (gil)
            words.addr[words.count++] = gil + locked;
    }
    return words;
}
