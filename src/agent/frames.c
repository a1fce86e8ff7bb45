/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"
#include "cpython/layout.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* This thread's Python frames, read where they lie: no frame object comes into being. */

enum {
    TEXT_MAX_BYTES = 512,
    OWNED_BY_THE_INTERPRETER = 3 /* enum _frameowner, 3.12 on, and above */
};

/* Functions of the interpreter that neither allocate nor run code. */
static struct {
    const char *(*version)(void);              /* Py_GetVersion */
    char *(*thread)(void);                     /* the current PyThreadState, NULL without one */
    int (*line)(const char *code, int offset); /* PyCode_Addr2Line; offset in bytes */
    const char *code_type;
} python;

static const struct hw_layout *layout;

static const char *word(const char *at, enum hw_field_id field)
{
    const char *value;
    memcpy(&value, at + layout->f[field].offset, sizeof(value));
    return value;
}

static bool has(enum hw_field_id field)
{
    return layout->f[field].width != 0;
}

/* ---- which Python ---- */

static uint32_t version_hex(const char *text)
{
    char *end;
    uint32_t hex = (uint32_t)strtoul(text, &end, 10) << 24;
    hex |= *end == '.' ? (uint32_t)strtoul(end + 1, &end, 10) << 16 : 0;
    hex |= *end == '.' ? (uint32_t)strtoul(end + 1, &end, 10) << 8 : 0;
    return *end == ' ' ? hex | 0xf0 : 0; /* no alpha, beta or candidate */
}

static uint64_t runtime_bytes(void)
{
    void *runtime = dlsym(RTLD_DEFAULT, "_PyRuntime");
    ElfW(Sym) *symbol = NULL;
    Dl_info info;
    if (!runtime || !dladdr1(runtime, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
        return 0;
    return symbol->st_size;
}

/* Rows that differ in nothing that is read here may both fit: the first does. */
static const struct hw_layout *layout_find(uint32_t version, uint64_t bytes)
{
    for (size_t i = 0; i < hw_layout_count; i++) {
        const struct hw_layout *row = hw_layouts[i];
        if (version >= row->version_min && version <= row->version_max &&
            row->flavour == HW_FLAVOUR_RELEASE &&
            (!row->runtime_bytes || row->runtime_bytes == bytes))
            return row;
    }
    return NULL;
}

static void *python_symbol(const char *name, const char *other)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);
    return symbol || !other ? symbol : dlsym(RTLD_DEFAULT, other);
}

bool hw_frames_init(void)
{
    *(void **)&python.version = python_symbol("Py_GetVersion", NULL);
    *(void **)&python.thread =
        python_symbol("PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet");
    *(void **)&python.line = python_symbol("PyCode_Addr2Line", NULL);
    python.code_type = python_symbol("PyCode_Type", NULL);
    if (!python.version || !python.thread || !python.line || !python.code_type)
        return false;
    uint32_t version = version_hex(python.version());
    layout = layout_find(version, runtime_bytes());
    hw_agent_table.python = layout ? version : 0;
    return layout != NULL;
}

/* ---- one frame ---- */

struct frame {
    const char *code;
    int offset; /* of the instruction, in bytes; negative: not yet begun */
};

static const char *frame_previous(const char *at)
{
    return word(at, has(HW_F__PyInterpreterFrame_previous) ? HW_F__PyInterpreterFrame_previous
                                                           : HW_F_PyFrameObject_f_back);
}

/* Up to 3.10: f_lasti counts bytes in 3.9, pairs of them in 3.10. */
static struct frame object_read(const char *at)
{
    int32_t last;
    memcpy(&last, at + layout->f[HW_F_PyFrameObject_f_lasti].offset, sizeof(last));
    bool pairs = layout->version_min >= 0x030a0000;
    return (struct frame){word(at, HW_F_PyFrameObject_f_code), pairs ? last * 2 : last};
}

static struct frame frame_read(const char *at)
{
    if (!has(HW_F__PyInterpreterFrame_previous))
        return object_read(at);
    bool is_next = has(HW_F__PyInterpreterFrame_instr_ptr);
    const char *code =
        word(at, has(HW_F__PyInterpreterFrame_f_executable) ? HW_F__PyInterpreterFrame_f_executable
                                                            : HW_F__PyInterpreterFrame_f_code);
    const char *instruction = word(at, is_next ? HW_F__PyInterpreterFrame_instr_ptr
                                               : HW_F__PyInterpreterFrame_prev_instr);
    code = (const char *)((uintptr_t)code & ~(uintptr_t)3);
    if (layout->version_min >= 0x030c0000 &&
        at[layout->f[HW_F__PyInterpreterFrame_owner].offset] >= OWNED_BY_THE_INTERPRETER)
        code = NULL;
    const char *first =
        code ? code + layout->f[HW_F_PyCodeObject_co_code_adaptive].offset : instruction;
    return (struct frame){code, (int)(instruction - first)};
}

static int first_line(const char *code)
{
    int line;
    memcpy(&line, code + layout->f[HW_F_PyCodeObject_co_firstlineno].offset, sizeof(line));
    return line;
}

/* Code of the program. What the interpreter makes for itself, between a class and its __init__(),
 * begins at no line (3.13 Objects/codeobject.c, _Py_InitCleanup). */
static bool is_code(const char *code)
{
    return code && word(code, HW_F_PyObject_ob_type) == python.code_type && first_line(code) > 0;
}

/* ---- its names ---- */

static size_t utf8_put(char *to, uint32_t c)
{
    if (c < 0x80)
        return to[0] = (char)c, 1;
    if (c < 0x800)
        return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return to[0] = (char)(0xe0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)),
               to[2] = (char)(0x80 | (c & 63)), 3;
    return to[0] = (char)(0xf0 | c >> 18), to[1] = (char)(0x80 | (c >> 12 & 63)),
           to[2] = (char)(0x80 | (c >> 6 & 63)), to[3] = (char)(0x80 | (c & 63)), 4;
}

/* The text of a str as UTF-8, at most TEXT_MAX_BYTES of it. Names of code are compact. */
static size_t text_read(const char *str, char *to)
{
    uint64_t length = (uint64_t)(uintptr_t)word(str, HW_F_PyASCIIObject_length);
    uint32_t state;
    memcpy(&state, str + layout->f[HW_F_PyASCIIObject_state].offset, sizeof(state));
    /* Include/cpython/unicodeobject.h: interned:2 kind:3 compact:1 ascii:1, 3.9 to 3.14 */
    unsigned kind = state >> 2 & 7;
    bool compact = state >> 5 & 1, ascii = state >> 6 & 1;
    const char *data = str + layout->s[ascii ? HW_S_PyASCIIObject : HW_S_PyCompactUnicodeObject];
    size_t n = 0;
    for (uint64_t i = 0; compact && i < length && n + 4 <= TEXT_MAX_BYTES; i++) {
        uint32_t c = 0;
        memcpy(&c, data + i * kind, kind);
        n += utf8_put(to + n, c);
    }
    return n;
}

static uint32_t name_intern(const char *str)
{
    char text[TEXT_MAX_BYTES];
    return hw_text_intern(text, text_read(str, text));
}

/* ---- what has been met before ---- */

/* A frame is mostly one that was met lately. A code object's address may be another one's later,
 * and then its names or its line are others. */
struct known {
    struct frame frame;
    const char *file, *name;
    int begin;                 /* its first line */
    struct hw_agent_site site; /* without its caller */
};
enum { KNOWN_MAX = 1 << 11 };
static struct known known[KNOWN_MAX]; /* under the lock */

void hw_frames_clear(void)
{
    memset(known, 0, sizeof(known));
}

static const char *code_name(const char *code)
{
    return word(code, has(HW_F_PyCodeObject_co_qualname) ? HW_F_PyCodeObject_co_qualname
                                                         : HW_F_PyCodeObject_co_name);
}

static const struct hw_agent_site *site_of(struct frame frame)
{
    uint64_t hash =
        ((uintptr_t)frame.code >> 4 ^ (uint64_t)(unsigned)frame.offset << 20) * 0x9e3779b97f4a7c15u;
    struct known *at = &known[hash >> 53];
    const char *file = word(frame.code, HW_F_PyCodeObject_co_filename),
               *name = code_name(frame.code);
    int begin = first_line(frame.code);
    if (at->frame.code == frame.code && at->frame.offset == frame.offset && at->file == file &&
        at->name == name && at->begin == begin)
        return &at->site;
    int line = frame.offset < 0 ? begin : python.line(frame.code, frame.offset);
    *at = (struct known){frame,
                         file,
                         name,
                         begin,
                         {name_intern(file), name_intern(name), line > 0 ? (uint32_t)line : 0, 0}};
    return &at->site;
}

/* ---- the stack ---- */

static const char *innermost(void)
{
    char *thread = python.thread();
    /* up to 3.11 it may be another thread's, which holds the interpreter while this one does not */
    if (!thread || (pthread_t)word(thread, HW_F_PyThreadState_thread_id) != pthread_self())
        return NULL;
    if (has(HW_F__PyCFrame_current_frame))
        return word(word(thread, HW_F_PyThreadState_cframe), HW_F__PyCFrame_current_frame);
    return word(thread, has(HW_F_PyThreadState_current_frame) ? HW_F_PyThreadState_current_frame
                                                              : HW_F_PyThreadState_frame);
}

uint32_t hw_frames_site(void)
{
    struct frame frames[HW_AGENT_DEPTH_MAX];
    size_t depth = 0;
    if (!layout)
        return 0;
    for (const char *at = innermost(); at && depth < HW_AGENT_DEPTH_MAX; at = frame_previous(at)) {
        frames[depth] = frame_read(at);
        depth += is_code(frames[depth].code);
    }
    uint32_t site = 0;
    hw_store_lock();
    while (depth) {
        struct hw_agent_site next = *site_of(frames[--depth]);
        next.caller = site;
        site = hw_site_intern(&next);
    }
    hw_store_unlock();
    return site;
}
