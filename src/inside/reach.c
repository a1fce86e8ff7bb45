/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/reach.h"

#include "inside/column.h"
#include "inside/roots.h"

#include <string.h>

/* A search: what was found, and of it what is still to be looked at. */
struct search {
    struct hw_bits *found;
    struct hw_stack stack;
    const struct hw_bits *avoid, *ends, *within;
};

static int search_meet(PyObject *object, void *arg)
{
    struct search *search = arg;
    if ((search->avoid && hw_bits_has(search->avoid, object)) ||
        (search->within && !hw_bits_has(search->within, object)))
        return 0;
    int is_new = hw_bits_add(search->found, object);
    if (is_new <= 0 || !(PyType_IS_GC(Py_TYPE(object)) || PyCode_Check(object)))
        return is_new < 0 ? -1 : 0;
    if (search->ends && hw_bits_has(search->ends, object))
        return 0;
    return hw_stack_push(&search->stack, object);
}

/* Ends the search whatever the result so far; gives the set to the caller. */
static struct hw_bits *search_finish(struct search *search, int result)
{
    while (!result && search->stack.count)
        result = hw_referents_visit(search->stack.items[--search->stack.count], search_meet, search);
    hw_stack_deinit(&search->stack);
    if (!result)
        return search->found;
    hw_bits_destroy(search->found);
    return NULL;
}

static int root_meet(const struct hw_root *root, void *search)
{
    return search_meet(root->object, search);
}

struct hw_bits *hw_reach_from(const struct hw_bits *members, const struct hw_bits *avoid)
{
    struct search search = {.found = hw_bits_create(), .avoid = avoid};
    return search_finish(&search, search.found ? hw_members_visit(members, search_meet, &search) : -1);
}

struct hw_bits *hw_reach_from_roots(const struct hw_bits *ends)
{
    struct search search = {.found = hw_bits_create(), .ends = ends};
    return search_finish(&search, search.found ? hw_roots_visit(root_meet, &search) : -1);
}

static int static_type_meet(PyObject *object, void *search)
{
    bool is_static = PyType_Check(object) && !(((PyTypeObject *)object)->tp_flags & Py_TPFLAGS_HEAPTYPE);
    return is_static ? search_meet(object, search) : 0;
}

struct hw_bits *hw_reach_from_interpreter(const struct hw_live *live)
{
    struct search search = {.found = hw_bits_create()};
    int result = search.found ? hw_roots_visit(root_meet, &search) : -1;
    if (!result)
        result = hw_members_visit(live->all, static_type_meet, &search);
    return search_finish(&search, result);
}

/* A pass that adds to a set what a test finds. */
struct pass {
    struct hw_bits *found;
    const struct hw_bits *members;
};

static int is_member(PyObject *object, void *arg)
{
    return hw_bits_has(((struct pass *)arg)->members, object);
}

static struct hw_bits *pass_finish(struct pass *pass, int result)
{
    if (!result)
        return pass->found;
    hw_bits_destroy(pass->found);
    return NULL;
}

static int referrer_meet(PyObject *holder, void *arg)
{
    struct pass *pass = arg;
    struct pass test = {NULL, pass->members};
    return hw_referents_visit(holder, is_member, &test) && hw_bits_add(pass->found, holder) < 0 ? -1 : 0;
}

struct hw_bits *hw_reach_referrers(const struct hw_live *live, const struct hw_bits *members)
{
    struct pass pass = {hw_bits_create(), members};
    return pass_finish(&pass, pass.found ? hw_members_visit(live->holders, referrer_meet, &pass) : -1);
}

static int referent_add(PyObject *object, void *arg)
{
    return hw_bits_add(((struct pass *)arg)->found, object) < 0 ? -1 : 0;
}

static int referents_meet(PyObject *holder, void *arg)
{
    return hw_referents_visit(holder, referent_add, arg);
}

struct hw_bits *hw_reach_referents(const struct hw_bits *members)
{
    struct pass pass = {hw_bits_create(), members};
    return pass_finish(&pass, pass.found ? hw_members_visit(members, referents_meet, &pass) : -1);
}

static int owner_meet(PyObject *holder, void *arg)
{
    struct pass *pass = arg;
    PyObject *dict = hw_object_dict(holder);
    bool owns = dict && hw_bits_has(pass->members, dict);
    return owns && hw_bits_add(pass->found, holder) < 0 ? -1 : 0;
}

struct hw_bits *hw_reach_owners(const struct hw_live *live, const struct hw_bits *members)
{
    struct pass pass = {hw_bits_create(), members};
    return pass_finish(&pass, pass.found ? hw_members_visit(live->holders, owner_meet, &pass) : -1);
}

struct tally {
    struct hw_bits *reached;
    const struct hw_bits *members;
    struct hw_column *met; /* references from reached objects */
    struct search kept;
};

static int reference_count(PyObject *object, void *arg)
{
    struct tally *tally = arg;
    if (!hw_bits_has(tally->reached, object))
        return 0;
    size_t place = hw_column_place(tally->met, object);
    return hw_column_set(tally->met, place, hw_column_get(tally->met, place) + 1);
}

static int references_count(PyObject *holder, void *tally)
{
    return hw_references_visit(holder, reference_count, tally);
}

static int kept_find(PyObject *object, void *arg)
{
    struct tally *tally = arg;
    if (hw_bits_has(tally->members, object))
        return 0;
    uint32_t met = hw_column_get(tally->met, hw_column_place(tally->met, object));
    return Py_REFCNT(object) > (Py_ssize_t)met ? search_meet(object, &tally->kept) : 0;
}

struct hw_bits *hw_reach_dominated(const struct hw_bits *members)
{
    struct tally tally = {.reached = hw_reach_from(members, NULL), .members = members};
    tally.met = tally.reached ? hw_column_create(tally.reached) : NULL;
    tally.kept = (struct search){.avoid = members, .within = tally.reached};
    tally.kept.found = tally.met ? hw_bits_create() : NULL;
    int result = tally.kept.found ? hw_members_visit(tally.reached, references_count, &tally) : -1;
    if (!result)
        result = hw_members_visit(tally.reached, kept_find, &tally);
    struct hw_bits *kept = search_finish(&tally.kept, result);
    hw_column_destroy(tally.met);
    if (!kept || hw_bits_combine(tally.reached, kept, HW_BITS_MINUS) < 0) {
        hw_bits_destroy(tally.reached);
        tally.reached = NULL;
    }
    hw_bits_destroy(kept);
    return tally.reached;
}
