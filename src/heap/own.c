/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/vec.h"
#include "heap/build-internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * What a package that looks at its own process leaves out: itself.
 *
 *     sure      its modules and their namespaces, classes made in them, instances of these
 *     besides   what has no more references than these make, and so on from there
 *     words     in the variables of the file that this code is in: they hide nothing
 *
 * All that stays visible keeps the references that the package has to it, from one node for all of it:
 * they are counted in the object, and may be what keeps it alive.
 */

static bool is_of_package(const char *name, const char *package)
{
    size_t n = strlen(package);
    return strncmp(name, package, n) == 0 && (name[n] == 0 || name[n] == '.');
}

bool hw_build_is_own(const struct hw_builder *b, const struct hw_pytype *type)
{
    return b->opts->own_package && type->is_heap && is_of_package(type->name, b->opts->own_package);
}

bool hw_build_add_own(struct hw_builder *b, hw_addr addr)
{
    hw_addr *own = hw_vec_grow(b->own, &b->own_capacity, b->own_count + 1, sizeof(*own));
    if (!own)
        return hw_err_no_memory(b->err);
    b->own = own;
    b->own[b->own_count++] = addr;
    return true;
}

/* The work: objects that are hidden, and the references that they make. */
struct own {
    struct hw_builder *b;
    hw_addr *refs;
    size_t ref_count, ref_capacity;
};

static bool ref_note(struct own *own, hw_addr to)
{
    hw_addr *refs = hw_vec_grow(own->refs, &own->ref_capacity, own->ref_count + 1, sizeof(*refs));
    if (!refs)
        return hw_err_no_memory(own->b->err);
    own->refs = refs;
    own->refs[own->ref_count++] = to;
    return true;
}

/* Takes an object out of the graph and notes what it refers to. */
static bool hide(struct own *own, hw_addr addr)
{
    struct hw_builder *b = own->b;
    const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
    if (!type || !hw_marks_has(&b->marks, addr))
        return true;
    hw_marks_clear(&b->marks, addr);
    hw_marks_clear(&b->lost, addr);
    hw_decode(&b->py, addr, type);
    for (size_t i = 0; i < b->py.refs.count; i++)
        if (!ref_note(own, b->py.refs.to[i]))
            return false;
    return true;
}

/* ---- what is sure ---- */

static bool add_module(struct hw_builder *b, hw_addr module)
{
    const struct hw_pytype *type = hw_pytype_of(&b->py, module);
    if (!type)
        return true;
    if (!hw_build_add_own(b, module))
        return false;
    hw_decode(&b->py, module, type);
    for (size_t i = 0; i < b->py.refs.count; i++)
        if (b->py.refs.label[i] == b->py.label_dict)
            return hw_build_add_own(b, b->py.refs.to[i]);
    return true;
}

static bool add_modules(struct hw_builder *b)
{
    enum { NAME_BYTES = 256 };
    char name[NAME_BYTES];
    hw_addr table = hw_module_table(&b->py, b->runtime), found[64];
    const struct hw_pytype *type = table ? hw_pytype_of(&b->py, table) : NULL;
    size_t count = 0;
    if (!type)
        return true;
    hw_decode(&b->py, table, type);
    for (size_t i = 0; i + 1 < b->py.refs.count && count < sizeof(found) / sizeof(*found); i++)
        if (hw_label_kind(b->py.refs.label[i]) == HW_LABEL_KEY &&
            hw_py_text(&b->py, b->py.refs.to[i], name, sizeof(name), NULL) != SIZE_MAX &&
            is_of_package(name, b->opts->own_package))
            found[count++] = b->py.refs.to[i + 1];
    for (size_t i = 0; i < count; i++)
        if (!add_module(b, found[i]))
            return false;
    return true;
}

static bool add_classes(struct hw_builder *b)
{
    for (uint32_t i = 0; i < b->py.type_count; i++)
        if (hw_build_is_own(b, b->py.types[i]) && !hw_build_add_own(b, b->py.types[i]->addr))
            return false;
    return true;
}

/* ---- running frames ---- */

static bool is_own(const struct hw_builder *b, hw_addr addr)
{
    for (size_t n = 0; n < b->own_count; n++)
        if (addr == b->own[n])
            return true;
    return false;
}

static bool is_own_function(struct hw_builder *b, hw_addr addr)
{
    const struct hw_pytype *type = hw_pytype_of(&b->py, addr);
    if (!type || type->solid->family != HW_FAMILY_FUNCTION)
        return false;
    hw_decode(&b->py, addr, type);
    for (size_t i = 0; i < b->py.refs.count; i++)
        if (is_own(b, b->py.refs.to[i]))
            return true;
    return false;
}

/* By its globals: up to 3.10 the frame's, since then its function's. */
static bool is_own_frame(struct hw_builder *b, const struct hw_root_node *node)
{
    uint32_t function = hw_label_named(&b->py, HW_LABEL_INTERNAL, "f_func");
    uint32_t globals = hw_label_named(&b->py, HW_LABEL_ATTR, "f_globals");
    for (size_t i = node->first_ref; i < node->first_ref + node->ref_count; i++) {
        uint32_t label = b->roots.refs.label[i];
        hw_addr to = b->roots.refs.to[i];
        if (label == function ? is_own_function(b, to) : label == globals && is_own(b, to))
            return true;
    }
    return false;
}

static struct hw_synthetic package_node(const struct hw_builder *b)
{
    const char *name = b->opts->own_package;
    return (struct hw_synthetic){.kind = HW_SYN_C_GLOBALS, .name = name, .file = name};
}

static bool note_frame(struct own *own, const struct hw_root_node *node)
{
    for (size_t i = node->first_ref; i < node->first_ref + node->ref_count; i++)
        if (!ref_note(own, own->b->roots.refs.to[i]))
            return false;
    return true;
}

/* What such a frame holds, the package holds. The others of its thread move up; nobody is below a
 * frame. */
static bool hide_frames(struct own *own)
{
    struct hw_roots *roots = &own->b->roots;
    uint32_t *place = calloc(roots->count + 1, sizeof(*place)), depth = 0, kept = 0;
    bool ok = place || hw_err_no_memory(own->b->err);
    for (uint32_t i = 0; ok && i < roots->count; i++) {
        struct hw_root_node node = roots->nodes[i];
        bool is_frame = node.as.kind == HW_SYN_FRAME;
        depth = is_frame && node.as.depth ? depth : 0;
        if (is_frame && is_own_frame(own->b, &node)) {
            ok = note_frame(own, &node);
            continue;
        }
        if (is_frame)
            node.as.depth = depth++;
        if (node.parent != HW_NONE)
            node.parent = place[node.parent];
        place[i] = kept;
        roots->nodes[kept++] = node;
    }
    if (ok)
        roots->count = kept;
    free(place);
    return ok;
}

/* ---- what only these hold ---- */

static int by_address(const void *a, const void *b)
{
    hw_addr x = *(const hw_addr *)a, y = *(const hw_addr *)b;
    return (x > y) - (x < y);
}

static bool is_only_held(struct hw_builder *b, hw_addr addr, size_t references)
{
    const unsigned char *p = hw_image_at(b->image, addr, PY_SIZE(&b->py, PyObject));
    if (!p || !hw_marks_has(&b->marks, addr))
        return false;
    uint64_t count = load64(p + PY_OFF(&b->py, PyObject_ob_refcnt));
    return (b->py.version >= 0x030c0000 ? (uint32_t)count : count) == references;
}

/* One round: each target that has no other references. *ret_found: how many. */
static bool hide_held(struct own *own, size_t *ret_found)
{
    size_t known = own->ref_count, first = 0;
    *ret_found = 0;
    qsort(own->refs, known, sizeof(*own->refs), by_address);
    for (size_t i = 1; i <= known; i++) {
        if (i < known && own->refs[i] == own->refs[first])
            continue;
        hw_addr addr = own->refs[first];
        if (is_only_held(own->b, addr, i - first)) {
            ++*ret_found;
            if (!hide(own, addr))
                return false;
        }
        first = i;
    }
    return true;
}

bool hw_build_is_own_file(const struct hw_builder *b, const struct hw_module *module)
{
    static const char here;
    hw_addr addr = (hw_addr)(uintptr_t)&here;
    return b->opts->own_package && addr >= module->start && addr < module->end;
}

/* After the last round: what stays visible is held by one node for the whole package. Variables in C may
 * borrow, so they are words, and their number proves nothing. */
static bool keep_references(struct own *own)
{
    struct hw_builder *b = own->b;
    uint32_t label = hw_label_named(&b->py, HW_LABEL_INTERNAL, "held");
    if (hw_roots_add(&b->roots, package_node(b), HW_NONE) == HW_NONE)
        return hw_err_no_memory(b->err);
    for (size_t i = 0; i < own->ref_count; i++)
        if (hw_marks_has(&b->marks, own->refs[i]))
            hw_roots_ref(&b->roots, own->refs[i], label);
    for (size_t i = 0; i < b->module_count; i++)
        if (hw_build_is_own_file(b, &b->modules[i]))
            hw_build_scan_module(b, &b->modules[i]);
    return !b->roots.refs.failed || hw_err_no_memory(b->err);
}

static bool hide_all(struct own *own)
{
    struct hw_builder *b = own->b;
    size_t found = 1;
    if (!hide_frames(own))
        return false;
    for (size_t i = 0; i < b->own_count; i++)
        if (!hide(own, b->own[i]))
            return false;
    while (found)
        if (!hide_held(own, &found))
            return false;
    return keep_references(own);
}

static void note_block(void *ctx, const void *block)
{
    struct hw_builder *b = ctx;
    hw_addr addr = (hw_addr)(uintptr_t)block & ~(hw_addr)15;
    if (!addr)
        return;
    hw_marks_set(&b->outside, addr);
    if (b->opts->residence)
        hw_marks_set(&b->buffers[HW_BUFFER_DATA], addr);
}

void hw_build_note_graphs(struct hw_builder *b)
{
    if (b->opts->own_package)
        hw_graphs_visit_blocks(note_block, b);
}

bool hw_build_hide_own(struct hw_builder *b)
{
    struct own own = {.b = b};
    if (!b->opts->own_package)
        return true;
    bool ok = add_modules(b) && add_classes(b) && hide_all(&own);
    free(own.refs);
    return ok;
}
