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
    char *(*thread)(void);                     /* the PyThreadState that is current, NULL without one */
    char *(*own_thread)(void);                 /* PyGILState_GetThisThreadState: current or not */
    int (*is_ending)(void);                    /* Py_IsFinalizing, with an underscore up to 3.12 */
    int (*line)(const char *code, int offset); /* PyCode_Addr2Line; offset in bytes */
    int (*finalizing)(void);                   /* Py_IsFinalizing; NULL: not exported */
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

/* Where a frame has what tells it from others. */
static struct {
    uint32_t previous, instruction, code;
    bool is_object; /* up to 3.10: f_lasti instead of an address */
} stack_places;

static void stack_places_init(void)
{
    const struct hw_field *f = layout->f;
    stack_places.is_object = !has(HW_F__PyInterpreterFrame_previous);
    if (stack_places.is_object) {
        stack_places.previous = f[HW_F_PyFrameObject_f_back].offset;
        stack_places.instruction = f[HW_F_PyFrameObject_f_lasti].offset;
        stack_places.code = f[HW_F_PyFrameObject_f_code].offset;
        return;
    }
    stack_places.previous = f[HW_F__PyInterpreterFrame_previous].offset;
    stack_places.instruction =
        f[has(HW_F__PyInterpreterFrame_instr_ptr) ? HW_F__PyInterpreterFrame_instr_ptr
                                                  : HW_F__PyInterpreterFrame_prev_instr]
            .offset;
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

const void *hw_python_address(void)
{
    return python.code_type;
}

bool hw_frames_init(void)
{
    *(void **)&python.version = python_symbol("Py_GetVersion", NULL);
    *(void **)&python.thread =
        python_symbol("PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet");
    *(void **)&python.own_thread = python_symbol("PyGILState_GetThisThreadState", NULL);
    *(void **)&python.is_ending = python_symbol("Py_IsFinalizing", "_Py_IsFinalizing");
    *(void **)&python.line = python_symbol("PyCode_Addr2Line", NULL);
    *(void **)&python.finalizing = python_symbol("Py_IsFinalizing", "_Py_IsFinalizing");
    python.code_type = python_symbol("PyCode_Type", NULL);
    if (!python.version || !python.thread || !python.line || !python.code_type)
        return false;
    uint32_t version = version_hex(python.version());
    layout = layout_find(version, runtime_bytes());
    hw_agent_table.python = layout ? version : 0;
    if (layout)
        stack_places_init();
    return layout != NULL;
}

bool hw_python_is_over(void)
{
    return python.finalizing && python.finalizing();
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

/* ---- code objects that are given back ---- */

/* Code objects that have been met; those whose bits of the filter fall together are a chain.
 * Another one that comes to the same address later has another serial. */
struct code {
    uint64_t addr, serial;
    uint32_t next; /* of its chain, or the next free one; 0: none */
};
enum { CODES = 1 << 14 };
static struct code codes[CODES];
static uint32_t code_buckets[CODES];
static uint32_t code_count = 1, code_free;
static uint64_t serials;
static uint32_t generation = 1; /* of all that is known by addresses of code */

/* The link that leads to it, or a link that is 0. */
static uint32_t *code_find(uint64_t addr)
{
    uint32_t *link = &code_buckets[hw_filter_bit(addr) % CODES];
    while (*link && codes[*link].addr != addr)
        link = &codes[*link].next;
    return link;
}

/* Where there is no place left, all are forgotten. */
static uint32_t code_place(void)
{
    uint32_t code = code_free;
    if (code) {
        code_free = codes[code].next;
        return code;
    }
    if (code_count == CODES) {
        memset(code_buckets, 0, sizeof(code_buckets));
        code_count = 1;
        generation++;
    }
    return code_count++;
}

/* Its serial. From now on it is noticed when it is given back. */
static uint64_t code_watch(const char *at)
{
    uint64_t addr = (uintptr_t)at;
    uint32_t code = *code_find(addr);
    if (code)
        return codes[code].serial;
    code = code_place();
    *code_find(addr) = code;
    codes[code] = (struct code){addr, ++serials, 0};
    hw_filter_set(addr);
    return serials;
}

void hw_frames_forget(uint64_t addr)
{
    uint32_t *link = code_find(addr), code = *link;
    if (!code)
        return;
    *link = codes[code].next;
    codes[code].next = code_free;
    code_free = code;
    generation++;
}

bool hw_frames_have_bit(uint32_t bit)
{
    for (uint32_t code = code_buckets[bit % CODES]; code; code = codes[code].next)
        if (hw_filter_bit(codes[code].addr) == bit)
            return true;
    return false;
}

/* ---- what has been met before ---- */

/* A frame is mostly one that was met lately. */
struct known {
    uint64_t serial;           /* of its code */
    int offset;                /* of the instruction */
    struct hw_agent_site site; /* without its caller */
};
enum { KNOWN_MAX = 1 << 11 };
static struct known known[KNOWN_MAX]; /* under the lock */

static const char *code_name(const char *code)
{
    return word(code, has(HW_F_PyCodeObject_co_qualname) ? HW_F_PyCodeObject_co_qualname
                                                         : HW_F_PyCodeObject_co_name);
}

static uint32_t line_of(struct frame frame)
{
    int line = frame.offset < 0 ? first_line(frame.code) : python.line(frame.code, frame.offset);
    return line > 0 ? (uint32_t)line : 0;
}

static const struct hw_agent_site *site_of(struct frame frame)
{
    uint64_t hash =
        ((uintptr_t)frame.code >> 4 ^ (uint64_t)(unsigned)frame.offset << 20) * 0x9e3779b97f4a7c15u;
    struct known *at = &known[hash >> 53];
    uint64_t serial = code_watch(frame.code);
    if (at->serial != serial || at->offset != frame.offset) {
        uint32_t file = name_intern(word(frame.code, HW_F_PyCodeObject_co_filename)),
                 name = name_intern(code_name(frame.code));
        *at = (struct known){serial, frame.offset, {file, name, line_of(frame), 0}};
    }
    return &at->site;
}

/* ---- the stack ---- */

/* This thread's PyThreadState. C code mostly allocates while it has let the interpreter go: the thread has its
 * frames all the same, until the interpreter, when it ends, takes them from under threads that still run.
 * Up to 3.11 the current one is of the thread that holds the interpreter, and may go while we look at it, unless
 * we are the one; but it alone knows of sub-interpreters. */
static const char *thread_find(bool is_python)
{
    const char *current = python.thread(), *own = NULL;
    if (python.own_thread && python.is_ending && !python.is_ending())
        own = python.own_thread();
    bool is_of_thread = layout->version_min >= 0x030c0000;
    if (!current || current == own || (!is_python && !is_of_thread))
        return own;
    return (pthread_t)word(current, HW_F_PyThreadState_thread_id) == pthread_self() ? current : own;
}

static const char *innermost(bool is_python)
{
    const char *thread = thread_find(is_python);
    if (!thread)
        return NULL;
    if (has(HW_F__PyCFrame_current_frame))
        return word(word(thread, HW_F_PyThreadState_cframe), HW_F__PyCFrame_current_frame);
    return word(thread, has(HW_F_PyThreadState_current_frame) ? HW_F_PyThreadState_current_frame
                                                              : HW_F_PyThreadState_frame);
}

static uint32_t stack_intern(const char *at)
{
    struct frame frames[HW_AGENT_DEPTH_MAX];
    size_t depth = 0;
    for (int n = HW_AGENT_DEPTH_MAX; at && n; n--, at = frame_previous(at)) {
        frames[depth] = frame_read(at);
        depth += is_code(frames[depth].code);
    }
    uint32_t site = 0;
    while (depth) {
        struct hw_agent_site next = *site_of(frames[--depth]);
        next.caller = site;
        site = hw_site_intern(&next);
    }
    return site;
}

/* ---- stacks that have been met before ---- */

/* A stack is known again by a hash of 64 bits over the instructions of all its frames; an
 * instruction's address says which code it belongs to (up to 3.10: the code's address and its
 * number). Until one of these code objects is given back, after which its address may be another
 * one's. */
struct stack {
    uint64_t hash;
    uint32_t site, generation;
};
enum { STACKS = 1 << 16 };
static struct stack stacks[STACKS];

static inline uint64_t hash_add(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash << 29 | hash >> 35;
}

static inline uint64_t word_at(const char *at, size_t offset)
{
    uint64_t value;
    memcpy(&value, at + offset, sizeof(value));
    return value;
}

static inline uint64_t stack_hash(const char *at)
{
    uint64_t hash = 0;
    for (int n = HW_AGENT_DEPTH_MAX; at && n; n--) {
        hash = hash_add(hash, word_at(at, stack_places.instruction));
        at = (const char *)word_at(at, stack_places.previous);
    }
    return hash;
}

/* Up to 3.10 */
static inline uint64_t object_stack_hash(const char *at)
{
    uint64_t hash = 0;
    for (int n = HW_AGENT_DEPTH_MAX; at && n; n--) {
        int32_t last;
        memcpy(&last, at + stack_places.instruction, sizeof(last));
        hash = hash_add(hash, word_at(at, stack_places.code) + ((uint64_t)(uint32_t)last << 48));
        at = (const char *)word_at(at, stack_places.previous);
    }
    return hash;
}

uint32_t hw_frames_find(bool is_python)
{
    const char *at = layout ? innermost(is_python) : NULL;
    if (!at)
        return 0;
    uint64_t hash = stack_places.is_object ? object_stack_hash(at) : stack_hash(at);
    struct stack *stack = &stacks[hash % STACKS];
    if (__builtin_expect(stack->hash != hash || stack->generation != generation, 0)) {
        uint32_t before = generation; /* which may end meanwhile */
        *stack = (struct stack){hash, stack_intern(at), before};
    }
    return stack->site;
}

void hw_frames_clear(void)
{
    memset(code_buckets, 0, sizeof(code_buckets));
    memset(known, 0, sizeof(known));
    memset(stacks, 0, sizeof(stacks));
    code_count = 1;
    code_free = 0;
    generation++;
}
