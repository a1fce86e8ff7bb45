/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_PY_H
#define HW_CPYTHON_PY_H

/*
 * What every reader of Python objects needs: the image, the layout, the types met so far, and where
 * the references found go. One per capture; not for threads to share.
 *
 * Every address comes from the target and is hostile: it is looked at only through hw_image_at(),
 * counts are bounded before they are used, and what makes no sense is counted in bad_pointers.
 */

#include "cpython/layout.h"
#include "base/names.h"
#include "heapwhy.h"
#include "image/image.h"

#include <string.h>

/* No container is believed to be longer than this. */
#define HW_MAX_ITEMS ((uint64_t)1 << 32)

/* References found in one object, in the order in which it holds them. */
struct hw_refs {
    hw_addr *to;
    uint32_t *label;
    size_t count, capacity;
    bool failed; /* memory ran out */
};

struct hw_pytype;

/* A key block that no class has any more, and the dict that reports it. */
struct hw_loose_keys {
    hw_addr keys, dict;
};
enum { HW_LOOSE_KEYS_MAX = 1 << 12 };

struct hw_py {
    struct hw_image *image;
    const struct hw_layout *layout;
    uint32_t version;      /* PY_VERSION_HEX of the target */
    hw_addr type_type;     /* address of `type` itself */
    hw_addr class_dealloc; /* tp_dealloc of classes made by a class statement */
    struct hw_names names;
    struct hw_arena *arena;   /* names, types */
    struct hw_refs refs;      /* of the object at hand */
    struct hw_pytype **types; /* by number */
    uint32_t type_count;
    size_t type_capacity;
    struct hw_type_slot *type_slots; /* by address, open addressing; refusals too */
    uint32_t type_slot_count, type_slot_used;
    uint32_t type_refusals;
    unsigned type_depth;         /* how deep hw_pytype_get() is inside itself */
    struct hw_pytype *last_type; /* the one asked for last */
    struct hw_code_slot *codes;  /* local variables' names by code object, open addressing */
    uint32_t code_slot_count, code_slot_used;
    struct hw_claim *claims; /* of memory that views show: native.h */
    size_t claim_count, claim_capacity;
    uint64_t walk_left; /* nodes of foreign trees that may still be visited */
    hw_addr set_dummy;  /* marks deleted slots in sets; 0: not met yet */
    hw_addr *interned;  /* the tables of interned strings, where the interpreters name them */
    size_t interned_count;
    hw_addr *running; /* up to 3.10: frames on the chains of threads, by address */
    size_t running_count;
    struct hw_loose_keys *loose; /* up to 3.10: see hw_decode_loose_keys(); by keys */
    size_t loose_count, loose_capacity;
    uint64_t bad_pointers;
    uint64_t item_limit;             /* nothing in this image can have more items: its bytes / 8 */
    uint32_t label_type, label_dict; /* labels used all the time */
    bool object_damaged;             /* set by a decoder that could not read all of its object */
    /* Told of each block outside of objects that a decoder reads references from, by some address in
     * it. May be NULL. */
    void (*outside)(void *ctx, hw_addr addr);
    void *outside_ctx;
};

static inline uint64_t load64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}
static inline uint32_t load32(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}
static inline uint16_t load16(const unsigned char *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

#define PY_HAS(py, name) ((py)->layout->f[HW_F_##name].width != 0)
#define PY_OFF(py, name) ((py)->layout->f[HW_F_##name].offset)
#define PY_SIZE(py, name) ((py)->layout->s[HW_S_##name])
/* A pointer-sized field of the object whose bytes begin at p. */
#define PY_WORD(py, p, name) load64((p) + PY_OFF(py, name))

/* The reference count in the header at p. Immortal objects have bit 31 set, since 3.12 (Include/object.h,
 * Include/refcount.h); 3.14 keeps flags in the upper half of the word. */
static inline uint64_t hw_py_refcount(const struct hw_py *py, const unsigned char *p)
{
    p += PY_OFF(py, PyObject_ob_refcnt);
    return py->layout->f[HW_F_PyObject_ob_refcnt].width == 4 ? load32(p) : load64(p);
}

static inline uint32_t label_make(enum hw_label_kind kind, uint64_t payload)
{
    return (uint32_t)kind << HW_LABEL_SHIFT |
           (uint32_t)(payload < HW_LABEL_PAYLOAD ? payload : HW_LABEL_PAYLOAD);
}
uint32_t hw_label_named(struct hw_py *py, enum hw_label_kind kind, const char *name);

/* Room for count more references; false when memory ran out. */
bool hw_refs_reserve(struct hw_refs *refs, size_t count);

static inline void ref_add(struct hw_py *py, hw_addr to, uint32_t label)
{
    struct hw_refs *refs = &py->refs;
    if (!to)
        return;
    if (refs->count == refs->capacity && !hw_refs_reserve(refs, 1))
        return;
    refs->to[refs->count] = to;
    refs->label[refs->count++] = label;
}

/* Fails only when memory runs out. arena outlives py. */
bool hw_py_init(struct hw_py *py, struct hw_image *image, const struct hw_layout *layout,
                uint32_t version, struct hw_arena *arena, struct hw_err *err);
void hw_py_deinit(struct hw_py *py);

/* Bytes of the target, or NULL with the miss counted. */
const unsigned char *hw_py_at(struct hw_py *py, hw_addr addr, size_t bytes);

/* The same for memory that belongs to the object at hand and lies outside of it: a list's items, the
 * keys of a dict. */
const unsigned char *hw_py_outside_at(struct hw_py *py, hw_addr addr, size_t bytes);

/* Reads one pointer; 0 when unreadable. */
hw_addr hw_py_word(struct hw_py *py, hw_addr addr);

/* The text of a str object as UTF-8, cut at max bytes (between characters), terminated. Returns its
 * length; SIZE_MAX when addr is not a readable str. *ret_cut says whether it was cut. */
size_t hw_py_text(struct hw_py *py, hw_addr addr, char *to, size_t max, bool *ret_cut);

/* The number of a str object's text among the names; 0 when unreadable. */
uint32_t hw_py_name(struct hw_py *py, hw_addr str);

/* The signed value of an int object that fits 64 bits. */
bool hw_py_int(struct hw_py *py, hw_addr addr, int64_t *ret_value);

#endif
