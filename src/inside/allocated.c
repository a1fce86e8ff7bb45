/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hooks above the three domains of allocators and above the arenas' (PEP 445). pymalloc passes requests that
 * are too large for it on to PyMem_RawMalloc(), and blocks that are not its own to PyMem_RawFree() and
 * PyMem_RawRealloc() (Objects/obmalloc.c, 3.9 to 3.14): whether our raw hook was called below ours
 * tells whose block it is, without looking for its pool.
 *
 * The hooks use no context of their own but leave the one that was there: a thread without the GIL
 * may be about to call the old function with the new context, or the other way round, while they are set.
 */
#include "inside/allocated.h"

#include "inside/foreign.h"
#include "inside/version.h"

#include <malloc.h>
#include <string.h>

enum { RAW, MEM, OBJ, DOMAINS };
static const PyMemAllocatorDomain domains[DOMAINS] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

enum mode { MODE_PYMALLOC, MODE_MALLOC, MODE_DEBUG };

/* What the raw hook saw below another domain's. */
enum { SAW_MALLOC = 1, SAW_FREE = 2, SAW_REALLOC = 4, SAW_ARENA = 8 };

struct counter {
    int64_t bytes;
    unsigned depth, paused;
    unsigned saw;
    size_t old_bytes; /* of the block that the raw hook freed, or that was in the arena that went */
    const void *leaving;
};

static __thread struct counter mine;
static PyMemAllocatorEx below[DOMAINS];
static PyObjectArenaAllocator arenas_below;
static enum mode mode;
static unsigned users;

/* ---- sizes ---- */

/* struct pool_header in Objects/obmalloc.c (3.9 to 3.11), pycore_obmalloc.h (3.12 to 3.14). */
struct pool {
    union {
        void *padding;
        unsigned count;
    } ref;
    void *free_block;
    struct pool *next, *previous;
    unsigned arena_index, size_index, next_offset, max_next_offset;
};
enum { POOL_ALIGNMENT = 16 };

static const struct pool *pool_of(const void *block)
{
    return (const struct pool *)((uintptr_t)block & ~(uintptr_t)(HW_POOL_BYTES - 1));
}

static size_t pool_block_bytes(const void *block)
{
    return ((size_t)pool_of(block)->size_index + 1) * POOL_ALIGNMENT;
}

/* "bytes originally asked for", big-endian, two words in front of the block; _PyMem_DebugRawAlloc(). */
static size_t debug_bytes(const void *block)
{
    uint64_t size;
    memcpy(&size, (const char *)block - 16, sizeof(size));
    return (size_t)__builtin_bswap64(size);
}

/* Of a block from the raw domain, or of any where they are all alike. */
static size_t plain_bytes(const void *block)
{
    return mode == MODE_DEBUG ? debug_bytes(block) : malloc_usable_size((void *)block);
}

static void count(size_t more, size_t less)
{
    if (!mine.paused)
        mine.bytes += (int64_t)more - (int64_t)less;
}

/* ---- the raw domain ---- */

static void *raw_took(void *block)
{
    if (mine.depth)
        mine.saw |= SAW_MALLOC;
    else if (block)
        count(plain_bytes(block), 0);
    return block;
}

static void *raw_malloc(void *ctx, size_t bytes)
{
    return raw_took(below[RAW].malloc(ctx, bytes));
}

static void *raw_calloc(void *ctx, size_t items, size_t bytes)
{
    return raw_took(below[RAW].calloc(ctx, items, bytes));
}

static void *raw_realloc(void *ctx, void *block, size_t bytes)
{
    size_t old = block ? plain_bytes(block) : 0;
    void *moved = below[RAW].realloc(ctx, block, bytes);
    if (mine.depth) {
        mine.saw |= SAW_REALLOC;
        mine.old_bytes = old;
    } else if (moved) {
        count(plain_bytes(moved), old);
    }
    return moved;
}

static void raw_free(void *ctx, void *block)
{
    size_t old = block ? plain_bytes(block) : 0;
    below[RAW].free(ctx, block);
    if (mine.depth) {
        mine.saw |= SAW_FREE;
        mine.old_bytes = old;
    } else {
        count(0, old);
    }
}

/* ---- the domains of objects and of memory ---- */

/* An inner call is part of what the outer one does: debug hooks, tracemalloc's tables. */
static bool enter(const void *leaving)
{
    if (mine.depth++)
        return false;
    mine.saw = 0;
    mine.leaving = leaving;
    return true;
}

static size_t taken_bytes(const void *block, unsigned by_raw)
{
    return mode != MODE_PYMALLOC || mine.saw & by_raw ? plain_bytes(block) : pool_block_bytes(block);
}

/* After the block is free: its pool still says how large it was, unless its whole arena went. */
static size_t left_bytes(const void *block, unsigned by_raw)
{
    return mine.saw & (by_raw | SAW_ARENA) ? mine.old_bytes : pool_block_bytes(block);
}

static void *took(void *block, bool outer)
{
    mine.depth--;
    if (outer && block)
        count(taken_bytes(block, SAW_MALLOC), 0);
    return block;
}

static void *any_realloc(const PyMemAllocatorEx *alloc, void *ctx, void *block, size_t bytes)
{
    bool outer = enter(block);
    bool before = block && mode != MODE_PYMALLOC;
    size_t old = before && outer ? plain_bytes(block) : 0;
    void *moved = alloc->realloc(ctx, block, bytes);
    mine.depth--;
    if (!outer || !moved)
        return moved;
    if (block && !before)
        old = left_bytes(block, SAW_REALLOC);
    count(taken_bytes(moved, SAW_MALLOC | SAW_REALLOC), old);
    return moved;
}

static void any_free(const PyMemAllocatorEx *alloc, void *ctx, void *block)
{
    bool outer = enter(block);
    bool before = block && mode != MODE_PYMALLOC;
    size_t old = before && outer ? plain_bytes(block) : 0;
    alloc->free(ctx, block);
    mine.depth--;
    if (outer && block)
        count(0, before ? old : left_bytes(block, SAW_FREE));
}

#define HOOKS_OF(name, DOMAIN)                                                                                      \
    static void *name##_malloc(void *ctx, size_t bytes)                                                             \
    {                                                                                                               \
        bool outer = enter(NULL);                                                                                   \
        return took(below[DOMAIN].malloc(ctx, bytes), outer);                                                       \
    }                                                                                                               \
    static void *name##_calloc(void *ctx, size_t items, size_t bytes)                                               \
    {                                                                                                               \
        bool outer = enter(NULL);                                                                                   \
        return took(below[DOMAIN].calloc(ctx, items, bytes), outer);                                                \
    }                                                                                                               \
    static void *name##_realloc(void *ctx, void *block, size_t bytes)                                               \
    {                                                                                                               \
        return any_realloc(&below[DOMAIN], ctx, block, bytes);                                                      \
    }                                                                                                               \
    static void name##_free(void *ctx, void *block)                                                                 \
    {                                                                                                               \
        any_free(&below[DOMAIN], ctx, block);                                                                       \
    }
HOOKS_OF(mem, MEM)
HOOKS_OF(obj, OBJ)

/* The last block of an arena is free, and so is the arena: what its pool says must be read now. */
static void arena_free(void *ctx, void *arena, size_t bytes)
{
    uintptr_t at = (uintptr_t)mine.leaving;
    if (mine.depth && at >= (uintptr_t)arena && at - (uintptr_t)arena < bytes) {
        mine.saw |= SAW_ARENA;
        mine.old_bytes = pool_block_bytes(mine.leaving);
    }
    arenas_below.free(ctx, arena, bytes);
}

/* ---- setting them ---- */

static const PyMemAllocatorEx hooks[DOMAINS] = {
    {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free},
    {NULL, mem_malloc, mem_calloc, mem_realloc, mem_free},
    {NULL, obj_malloc, obj_calloc, obj_realloc, obj_free},
};

static bool is_ours(int domain)
{
    PyMemAllocatorEx now;
    PyMem_GetAllocator(domains[domain], &now);
    return now.malloc == hooks[domain].malloc;
}

static void set_hooks(void)
{
    PyObjectArenaAllocator arenas;
    PyObject_GetArenaAllocator(&arenas);
    if (arenas.free != arena_free) {
        arenas_below = arenas;
        arenas.free = arena_free;
        PyObject_SetArenaAllocator(&arenas);
    }
    for (int i = 0; i < DOMAINS; i++) {
        if (is_ours(i))
            continue;
        PyMem_GetAllocator(domains[i], &below[i]);
        PyMemAllocatorEx hook = hooks[i];
        hook.ctx = below[i].ctx;
        PyMem_SetAllocator(domains[i], &hook);
    }
}

/* Who has set hooks of their own above ours keeps them, and ours below. */
static void remove_hooks(void)
{
    for (int i = 0; i < DOMAINS; i++)
        if (is_ours(i))
            PyMem_SetAllocator(domains[i], &below[i]);
    PyObjectArenaAllocator arenas;
    PyObject_GetArenaAllocator(&arenas);
    if (arenas.free == arena_free)
        PyObject_SetArenaAllocator(&arenas_below);
}

/* Debug hooks write 0xfd behind each block, and the domain's letter in front. */
static bool has_debug_hooks(void)
{
    bool found = false;
    unsigned char *block = PyMem_RawMalloc(24), behind[8];
    if (block) {
        memcpy(behind, block + 24, sizeof(behind));
        found = block[-8] == 'r' && behind[0] == 0xfd && behind[7] == 0xfd;
    }
    PyMem_RawFree(block);
    return found;
}

/* Whether a request that is too large for pymalloc goes to the raw domain, as pymalloc lets it. */
static bool has_pymalloc(void)
{
    bool outer = enter(NULL);
    void *block = below[OBJ].malloc(below[OBJ].ctx, 4000);
    bool found = outer && mine.saw & SAW_MALLOC;
    below[OBJ].free(below[OBJ].ctx, block);
    mine.depth--;
    return found;
}

static bool pools_are_known(void)
{
    void *block = PyObject_Malloc(40);
    const struct pool *pool = pool_of(block);
    bool known = block && pool->size_index == 2 && pool->max_next_offset == HW_POOL_BYTES - 48;
    PyObject_Free(block);
    return known;
}

/* Sizes of the raw domain must be known before its hook is set, since threads without the GIL use it at once.
 * False: they are mimalloc's, which nobody tells. */
static bool find_raw_mode(void)
{
    mode = has_debug_hooks() ? MODE_DEBUG : MODE_MALLOC;
    return mode == MODE_DEBUG || !hw_has_mimalloc();
}

static bool find_object_mode(void)
{
    if (mode == MODE_DEBUG || !has_pymalloc())
        return true;
    mode = MODE_PYMALLOC;
    return pools_are_known();
}

static void count_foreign(int64_t bytes)
{
    if (!mine.paused)
        mine.bytes += bytes;
}

static int refuse(void)
{
    const struct hw_err unknown = {.code = HW_ERR_UNSUPPORTED,
                                   .msg = "the sizes of this Python's allocators are not known, so bytes cannot be "
                                          "counted; choose another backend, such as rss"};
    users--;
    hw_raise(&unknown);
    return -1;
}

int hw_allocated_start(void)
{
    if (users++) {
        hw_foreign_hook(count_foreign);
        return 0;
    }
    if (!find_raw_mode())
        return refuse();
    set_hooks();
    if (find_object_mode()) {
        hw_foreign_hook(count_foreign);
        return 0;
    }
    remove_hooks();
    return refuse();
}

void hw_allocated_stop(void)
{
    if (--users == 0)
        remove_hooks();
}

int64_t hw_allocated_bytes(void)
{
    return mine.bytes;
}

void hw_allocated_pause(void)
{
    mine.paused++;
}

void hw_allocated_resume(void)
{
    mine.paused--;
}

/* ---- for Python ---- */

const char hw_allocated_start_doc[] = "allocated_start()\n--\n\nBegin to count what each thread takes from Python's "
                                      "allocators; calls nest.";
const char hw_allocated_stop_doc[] = "allocated_stop()\n--\n\nThe end of one allocated_start().";
const char hw_allocated_bytes_doc[] =
    "allocated_bytes()\n--\n\nBytes that this thread took, less those that it gave back, while counting. Differences "
    "mean something, the number itself does not.";
const char hw_allocated_pause_doc[] = "allocated_pause()\n--\n\nWhat this thread does until allocated_resume() is not "
                                      "counted; pairs nest.";
const char hw_allocated_resume_doc[] = "allocated_resume()\n--\n\nThe end of one allocated_pause().";

PyObject *hw_allocated_start_object(PyObject *module, PyObject *none)
{
    if (hw_allocated_start() < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *hw_allocated_stop_object(PyObject *module, PyObject *none)
{
    if (users)
        hw_allocated_stop();
    Py_RETURN_NONE;
}

PyObject *hw_allocated_bytes_object(PyObject *module, PyObject *none)
{
    return PyLong_FromLongLong(hw_allocated_bytes());
}

PyObject *hw_allocated_pause_object(PyObject *module, PyObject *none)
{
    hw_allocated_pause();
    Py_RETURN_NONE;
}

PyObject *hw_allocated_resume_object(PyObject *module, PyObject *none)
{
    if (mine.paused)
        hw_allocated_resume();
    Py_RETURN_NONE;
}
