/* SPDX-License-Identifier: Apache-2.0 */
#include "ask/lookup.h"
#include "why/look.h"
#include "why/variable.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Things that are called, or wait to be: methods, closures, partials, weak references. */

enum { FEW = 5, DEEP = 8 };

/* ---- methods ---- */

/* An object, and how many of the methods looked at are its own. */
struct owner {
    hw_id id;
    uint32_t methods;
};
struct owners {
    struct owner rows[HW_LOOK_MAX];
    uint32_t count, methods;
    struct hw_tally functions;
};

static int by_id(const void *a, const void *b)
{
    const struct owner *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void merge(struct owners *owners)
{
    uint32_t kept = 0;
    qsort(owners->rows, owners->count, sizeof(*owners->rows), by_id);
    for (uint32_t i = 0; i < owners->count; i++) {
        if (kept && owners->rows[kept - 1].id == owners->rows[i].id)
            owners->rows[kept - 1].methods++;
        else
            owners->rows[kept++] = owners->rows[i];
    }
    owners->count = kept;
}

/* The objects whose methods the members are; NULL: most of them are no methods. */
static const struct owners *find_owners(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    struct owners *owners = hw_arena_alloc(c->arena, sizeof(*owners));
    if (!owners)
        return NULL;
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id method = hw_look_inside(c, members->ids[i], HW_TYPE_METHOD);
        hw_id self = method == HW_NONE ? HW_NONE : hw_look_attr(c->graph, method, "__self__");
        if (self == HW_NONE)
            continue;
        owners->rows[owners->count++] = (struct owner){self, 1};
        hw_tally_add(&owners->functions, hw_look_function(c, method));
    }
    owners->methods = owners->count;
    if (!hw_look_most(owners->count, members->count))
        return NULL;
    merge(owners);
    return owners;
}

static const char *spell_type(const struct hw_case *c, hw_id node)
{
    return hw_arena_strdup(c->arena, type_of(c->graph, node)->name);
}

/* Few objects, again and again. */
static bool fits_subscribed_again(struct hw_case *c)
{
    const struct owners *owners = find_owners(c);
    if (!owners || owners->methods < owners->count * FEW)
        return false;
    hw_case_word(c, "{object}", spell_type(c, owners->rows[0].id));
    hw_case_word(c, "{method}", hw_tally_top(&owners->functions, NULL));
    hw_case_say_new(c,
                    hw_arena_printf(c->arena, "%u methods of only %u object%s: %s", owners->methods,
                                    owners->count, owners->count == 1 ? "" : "s",
                                    hw_tally_spell(&owners->functions, c, 2)));
    return true;
}

/* An object is forgotten when as many refer to it as there are methods of it here. */
static bool fits_forgotten_listeners(struct hw_case *c)
{
    const struct owners *owners = find_owners(c);
    uint32_t alone = 0;
    for (uint32_t i = 0; owners && i < owners->count; i++)
        alone += c->graph->refcount[owners->rows[i].id] <= owners->rows[i].methods;
    if (!owners || alone * 2 < owners->count)
        return false;
    hw_case_word(c, "{object}", spell_type(c, owners->rows[0].id));
    hw_case_say_new(c, hw_arena_printf(c->arena,
                                       "%u of %u objects are held by nothing but their "
                                       "methods there: %s",
                                       alone, owners->count,
                                       hw_tally_spell(&owners->functions, c, 2)));
    return true;
}

static bool fits_methods(struct hw_case *c)
{
    const struct owners *owners = find_owners(c);
    if (!owners)
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u methods of %u objects: %s", owners->methods,
                                       owners->count, hw_tally_spell(&owners->functions, c, 2)));
    return true;
}

/* ---- functions ---- */

/* The code of a function is shared by all that were made by one def; exec() makes new code. */
struct functions {
    uint32_t count, codes, cells; /* cells: of those that captured something new */
    hw_id one;
    struct hw_tally said;
};

static int by_number(const void *a, const void *b)
{
    return *(const hw_id *)a < *(const hw_id *)b ? -1 : *(const hw_id *)a > *(const hw_id *)b;
}

/* Variables of a function around it, or values that its parameters have by default: with
 * `lambda self=self: ...` these are captured, too. */
static bool captures(const struct hw_case *c, hw_id function)
{
    hw_id closure = hw_look_attr(c->graph, function, "__closure__");
    hw_id defaults = hw_look_attr(c->graph, function, "__defaults__");
    return (closure != HW_NONE && is_new(c->growth, closure) && graph_degree(c->graph, closure)) ||
           (defaults != HW_NONE && type_has(c->graph, defaults, HW_TYPE_TUPLE) &&
            is_new(c->growth, defaults) && graph_degree(c->graph, defaults));
}

static bool find_functions(struct hw_case *c, struct functions *functions)
{
    const struct hw_sample *members = hw_look_members(c);
    hw_id *codes = hw_arena_array(c->arena, members->count + 1, sizeof(*codes));
    *functions = (struct functions){0};
    if (!codes)
        return false;
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id function = hw_look_inside(c, members->ids[i], HW_TYPE_FUNCTION);
        hw_id code = function == HW_NONE ? HW_NONE : hw_look_attr(c->graph, function, "__code__");
        if (code == HW_NONE)
            continue;
        codes[functions->count++] = code;
        functions->cells += captures(c, function);
        functions->one = function;
        hw_tally_add(&functions->said, hw_look_function(c, function));
    }
    qsort(codes, functions->count, sizeof(*codes), by_number);
    for (uint32_t i = 0; i < functions->count; i++)
        functions->codes += !i || codes[i] != codes[i - 1];
    return hw_look_most(functions->count, members->count);
}

static bool fits_functions_made_again(struct hw_case *c)
{
    struct functions functions;
    if (!find_functions(c, &functions) || functions.cells * 2 > functions.count ||
        functions.count < functions.codes * FEW)
        return false;
    hw_case_word(c, "{function}", hw_tally_top(&functions.said, NULL));
    hw_case_say_new(c, hw_arena_printf(c->arena,
                                       "%u functions come from %u definition%s and captured "
                                       "nothing: %s",
                                       functions.count, functions.codes,
                                       functions.codes == 1 ? "" : "s",
                                       hw_tally_spell(&functions.said, c, 2)));
    return true;
}

/* The name of the variable that a cell of the function's closure belongs to. */
static bool free_name(const struct hw_case *c, hw_id function, uint32_t at, uint32_t of,
                      struct hw_buf *name)
{
    const struct hw_graph *graph = c->graph;
    char text[HW_LOOK_TEXT_MAX];
    hw_id code = hw_look_attr(graph, function, "__code__");
    hw_id str = code == HW_NONE ? HW_NONE : hw_variable_free(graph, code, at, of);
    return str != HW_NONE && hw_look_value(graph, str, text) && hw_literal_text(text, name);
}

struct captured {
    hw_id function, target;
    uint32_t at, of; /* which of its cells */
    uint64_t bytes;
};

/* at: of the cell; UINT32_MAX: it is a default. */
static void prefer_larger(const struct hw_case *c, struct captured *best, hw_id target, uint32_t at)
{
    if (target == HW_NONE || !is_new(c->growth, target))
        return;
    uint64_t bytes = hw_look_bytes(c, target);
    if (best->target != HW_NONE && bytes <= best->bytes)
        return;
    best->target = target;
    best->bytes = bytes;
    best->at = at;
}

/* The new object that is the largest among those that the function's cells contain. */
static struct captured largest_capture(const struct hw_case *c, hw_id function)
{
    const struct hw_graph *graph = c->graph;
    struct captured best = {.function = function, .target = HW_NONE};
    hw_id closure = hw_look_attr(graph, function, "__closure__");
    hw_id defaults = hw_look_attr(graph, function, "__defaults__");
    best.of = closure == HW_NONE ? 0 : graph_degree(graph, closure);
    for (uint32_t i = 0; i < best.of; i++) {
        hw_id cell = graph->edge_to[graph->edge_start[closure] + i];
        if (type_has(graph, cell, HW_TYPE_CELL))
            prefer_larger(c, &best, hw_look_attr(graph, cell, "cell_contents"), i);
    }
    for (uint32_t i = 0; defaults != HW_NONE && type_has(graph, defaults, HW_TYPE_TUPLE) &&
                         i < graph_degree(graph, defaults);
         i++)
        prefer_larger(c, &best, graph->edge_to[graph->edge_start[defaults] + i], UINT32_MAX);
    return best;
}

static void say_captured(struct hw_case *c, const struct functions *functions,
                         const struct captured *captured)
{
    struct hw_buf name = {0};
    bool is_default = captured->at == UINT32_MAX;
    bool named = !is_default && free_name(c, captured->function, captured->at, captured->of, &name);
    const char *other = is_default ? "the default of a parameter" : "a variable";
    const char *variable = hw_arena_strdup(c->arena, named ? hw_buf_str(&name) : other);
    hw_buf_deinit(&name);
    const char *bytes = hw_bytes_text(c->arena, (double)captured->bytes);
    const char *type = type_of(c->graph, captured->target)->name;
    hw_case_word(c, "{variable}", variable);
    hw_case_word(c, "{captured}", hw_arena_strdup(c->arena, type));
    hw_case_word(c, "{function}", hw_tally_top(&functions->said, NULL));
    hw_case_say(c, hw_arena_printf(c->arena, "the largest that %s captured is %s, a %s: %s each",
                                   hw_tally_top(&functions->said, NULL), variable, type, bytes));
}

static bool fits_captured(struct hw_case *c)
{
    struct functions functions;
    if (!find_functions(c, &functions) || !hw_look_most(functions.cells, functions.count))
        return false;
    struct captured captured = largest_capture(c, functions.one);
    if (captured.target == HW_NONE)
        return false;
    say_captured(c, &functions, &captured);
    return true;
}

/* ---- wrappers of wrappers ---- */

/* The function that this one captured or wraps, if it has the same code. */
static hw_id wrapped_by(const struct hw_case *c, hw_id function, hw_id code)
{
    const struct hw_graph *graph = c->graph;
    hw_id closure = hw_look_attr(graph, function, "__closure__");
    for (uint32_t i = 0; closure != HW_NONE && i < graph_degree(graph, closure); i++) {
        hw_id cell = graph->edge_to[graph->edge_start[closure] + i];
        hw_id inner = type_has(graph, cell, HW_TYPE_CELL)
                          ? hw_look_attr(graph, cell, "cell_contents")
                          : HW_NONE;
        if (inner != HW_NONE && type_has(graph, inner, HW_TYPE_FUNCTION) &&
            hw_look_attr(graph, inner, "__code__") == code)
            return inner;
    }
    return HW_NONE;
}

static bool fits_wrapped_again(struct hw_case *c)
{
    const struct hw_site *site = c->candidate->site;
    const struct hw_sample *members = hw_look_members(c);
    if (!site || site->box >= c->graph->object_count)
        return false;
    hw_id outer = type_has(c->graph, site->box, HW_TYPE_FUNCTION) ? site->box
                  : members->count ? hw_look_inside(c, members->ids[0], HW_TYPE_FUNCTION)
                                   : HW_NONE;
    hw_id code = outer == HW_NONE ? HW_NONE : hw_look_attr(c->graph, outer, "__code__");
    uint32_t depth = 0;
    for (hw_id at = outer; code != HW_NONE && at != HW_NONE && depth < c->graph->object_count;
         at = wrapped_by(c, at, code))
        depth++;
    if (depth < DEEP)
        return false;
    const char *function = hw_look_function(c, outer);
    hw_case_word(c, "{function}", function);
    hw_case_say(c, hw_arena_printf(c->arena, "%s wraps a function that it made before, %u deep",
                                   function, depth));
    return true;
}

/* ---- partials ---- */

static bool fits_partials(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    struct hw_tally said = {0};
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id partial = hw_look_inside(c, members->ids[i], 0);
        if (partial != HW_NONE && hw_look_is(c->graph, partial, "functools.partial*"))
            hw_tally_add(&said, hw_look_function(c, partial));
    }
    if (!hw_look_most(said.total, members->count))
        return false;
    const char *type = c->graph->types[c->candidate->kind.type].name;
    hw_case_word(c, "{function}", hw_tally_top(&said, NULL));
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u partials of %s, with arguments such as a %s",
                                       said.total, hw_tally_spell(&said, c, 2), type));
    return true;
}

/* ---- registries that only C knows ---- */

static bool fits_exit_hooks(struct hw_case *c)
{
    const struct hw_site *site = c->candidate->site;
    const struct hw_graph *graph = c->graph;
    if (!site || !site->is_rooted ||
        strcmp(edge_string(graph, c->growth->tree.edge[site->box]), "atexit callback") != 0)
        return false;
    struct hw_tally said = {0};
    hw_id interpreter = c->growth->tree.parent[site->box];
    for (uint32_t e = graph->edge_start[interpreter]; e < graph->edge_start[interpreter + 1]; e++)
        if (strcmp(edge_string(graph, e), "atexit callback") == 0 &&
            hw_type_is_callback(type_of(graph, graph->edge_to[e])))
            hw_tally_add(&said, hw_look_function(c, graph->edge_to[e]));
    hw_case_word(c, "{function}", said.total ? hw_tally_top(&said, NULL) : "the function");
    if (said.total)
        hw_case_say(c, hw_arena_printf(c->arena, "atexit has %u callbacks: %s", said.total,
                                       hw_tally_spell(&said, c, 2)));
    return true;
}

static bool fits_ctypes(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    struct hw_tally said = {0};
    for (uint32_t i = 0; i < members->count; i++)
        if (hw_look_is(c->graph, hw_look_attr(c->graph, members->ids[i], "thunk"),
                       "_ctypes.CThunkObject"))
            hw_tally_add(&said, hw_look_function(c, members->ids[i]));
    if (!hw_look_most(said.total, members->count))
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u callbacks that C can call: %s", said.total,
                                       hw_tally_spell(&said, c, 2)));
    return true;
}

/* ---- weak references ---- */

static bool fits_dead_references(struct hw_case *c)
{
    const struct hw_sample *members = hw_look_members(c);
    uint32_t references = 0, dead = 0;
    struct hw_tally called = {0};
    for (uint32_t i = 0; i < members->count; i++) {
        hw_id member = hw_look_inside(c, members->ids[i], HW_TYPE_WEAKREF);
        if (member == HW_NONE)
            continue;
        hw_id callback = hw_look_attr(c->graph, member, "__callback__");
        references++;
        dead += hw_look_says(c->graph, member, "dead");
        if (callback != HW_NONE)
            hw_tally_add(&called, hw_look_function(c, callback));
    }
    if (!hw_look_most(references, members->count) || dead * 2 < references)
        return false;
    hw_case_say_new(
        c, hw_arena_printf(c->arena, "%u of %u weak references are dead", dead, references));
    if (called.total)
        hw_case_say(c, hw_arena_printf(c->arena, "%u keep a callback: %s", called.total,
                                       hw_tally_spell(&called, c, 2)));
    return true;
}

/* The object that a weakref.finalize waits for, by its record in the registry. */
static hw_id referent(const struct hw_graph *graph, hw_id reference)
{
    char text[HW_LOOK_TEXT_MAX];
    const char *at = hw_look_value(graph, reference, text) ? strstr(text, " at 0x") : NULL;
    return at ? hw_graph_find(graph, strtoull(at + 4, NULL, 16)) : HW_NONE;
}

static bool refers_directly(const struct hw_graph *graph, hw_id from, hw_id to)
{
    for (uint32_t e = from == HW_NONE ? 0 : graph->edge_start[from];
         from != HW_NONE && e < graph->edge_start[from + 1]; e++)
        if (graph->edge_to[e] == to)
            return true;
    return false;
}

/* Through the method's self, the closure's cells or the arguments. */
static bool finalizer_keeps(const struct hw_graph *graph, hw_id info, hw_id object)
{
    hw_id callback = hw_look_attr(graph, info, "func");
    if (object == HW_NONE || callback == HW_NONE)
        return false;
    hw_id closure = hw_look_attr(graph, callback, "__closure__");
    for (uint32_t e = closure == HW_NONE ? 0 : graph->edge_start[closure];
         closure != HW_NONE && e < graph->edge_start[closure + 1]; e++)
        if (refers_directly(graph, graph->edge_to[e], object))
            return true;
    return callback == object || refers_directly(graph, callback, object) ||
           refers_directly(graph, hw_look_attr(graph, info, "args"), object) ||
           refers_directly(graph, hw_look_attr(graph, info, "kwargs"), object);
}

struct finalizers {
    uint32_t count, keeping, objects;
    struct hw_tally functions, types;
};

static bool find_finalizers(struct hw_case *c, struct finalizers *found)
{
    const struct hw_graph *graph = c->graph;
    const struct hw_sample *members = hw_look_members(c);
    hw_id *objects = hw_arena_array(c->arena, members->count + 1, sizeof(*objects));
    *found = (struct finalizers){0};
    for (uint32_t i = 0; objects && i < members->count; i++) {
        hw_id info = members->ids[i];
        if (!hw_look_is(graph, info, "weakref.finalize._Info"))
            continue;
        hw_id object = referent(graph, hw_look_attr(graph, info, "weakref"));
        found->keeping += finalizer_keeps(graph, info, object);
        objects[found->count++] = object;
        hw_tally_add(&found->functions, hw_look_function(c, hw_look_attr(graph, info, "func")));
        if (object != HW_NONE)
            hw_tally_add(&found->types, type_of(graph, object)->name);
    }
    qsort(objects, objects ? found->count : 0, sizeof(*objects), by_number);
    for (uint32_t i = 0; i < found->count; i++)
        found->objects += objects[i] != HW_NONE && (!i || objects[i] != objects[i - 1]);
    const char *type = hw_tally_top(&found->types, NULL);
    hw_case_word(c, "{object}", type ? hw_arena_strdup(c->arena, type) : "the object");
    return found->count && hw_look_most(found->count, members->count);
}

static bool fits_finalizers_keep(struct hw_case *c)
{
    struct finalizers found;
    if (!find_finalizers(c, &found) || found.keeping * 2 < found.count)
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena,
                                       "%u of %u finalizers refer to the object whose end "
                                       "they wait for: %s",
                                       found.keeping, found.count,
                                       hw_tally_spell(&found.functions, c, 2)));
    return true;
}

static bool fits_finalizers_again(struct hw_case *c)
{
    struct finalizers found;
    if (!find_finalizers(c, &found) || !found.objects || found.count < found.objects * FEW)
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena,
                                       "%u finalizers wait for the end of only %u object%s: "
                                       "%s",
                                       found.count, found.objects, found.objects == 1 ? "" : "s",
                                       hw_tally_spell(&found.functions, c, 2)));
    return true;
}

static bool fits_finalizers(struct hw_case *c)
{
    struct finalizers found;
    if (!find_finalizers(c, &found))
        return false;
    hw_case_say_new(c, hw_arena_printf(c->arena, "%u finalizers wait for %u objects that live: %s",
                                       found.count, found.objects,
                                       hw_tally_spell(&found.functions, c, 2)));
    return true;
}

static const struct hw_cause rows[] = {
    {"exit-hooks", 0, NULL, NULL, fits_exit_hooks,
     "atexit keeps each callback with its arguments until the process ends.",
     "Call atexit.unregister() when the work is done, or register one function once that cleans up "
     "whatever is left then: {function} is registered again and again."},
    {"wrapped-again", 0, NULL, NULL, fits_wrapped_again,
     "A function is replaced by a wrapper of itself again and again, and each wrapper keeps the "
     "one before.",
     "Wrap the original once: keep it aside, or leave {holder} alone when it already is "
     "{function}."},
    {"subscribed-again", 0, NULL, NULL, fits_subscribed_again,
     "The same few objects subscribe again and again.",
     "Subscribe {method} once for each {object}, where it is made, or remove it from {holder} "
     "before subscribing again."},
    {"forgotten-listeners", 0, NULL, NULL, fits_forgotten_listeners,
     "A table of listeners is the last that holds objects which are done.",
     "Remove the method from {holder} when its {object} is done, or keep weakref.WeakMethod(...) "
     "there: a bound method keeps its object alive."},
    {"bound-methods", HW_FAMILY(CLOSURE), NULL, "method", fits_methods,
     "A table keeps bound methods, and each of them keeps its object.",
     "Remove each method from {holder} when its object is done, or keep weakref.WeakMethod(...) "
     "there instead: a bound method keeps its object alive."},
    {"ctypes-callbacks", 0, NULL, NULL, fits_ctypes,
     "Each callback for C is native code of its own, besides the function that it calls.",
     "Make each callback once and use it again, or take it out of {holder} when C can no longer "
     "call it."},
    {"captured-variable", 0, NULL, NULL, fits_captured,
     "Functions are kept, and each keeps the variables that it captured.",
     "Remove each function from {holder} when it has been called, or let it capture only what it "
     "uses instead of {variable}: a closure keeps the whole {captured}."},
    {"functions-made-again", 0, NULL, NULL, fits_functions_made_again,
     "The same function is made and registered again and again.",
     "Define {function} once and register it once, or remove it from {holder} when it is done."},
    {"partials", 0, NULL, NULL, fits_partials,
     "Partial functions are kept, and each keeps its arguments.",
     "Remove each partial of {function} from {holder} when it has been called, or give it a key "
     "or a weakref.ref() instead of the {type}."},
    {"dead-weak-references", 0, NULL, NULL, fits_dead_references,
     "The objects are gone, and the weak references to them are kept.",
     "Remove the entry from {holder} when the object dies, by the weak reference's callback, or "
     "use weakref.WeakSet or weakref.WeakValueDictionary, which do that."},
    {"finalizers-keep-alive", 0, NULL, NULL, fits_finalizers_keep,
     "weakref.finalize() keeps its callback and arguments until the object dies, and these keep "
     "the object.",
     "Give weakref.finalize() a plain function and arguments that do not refer to the {object}: "
     "not a bound method of it, no lambda that captured it."},
    {"finalizers-of-one-object", 0, NULL, NULL, fits_finalizers_again,
     "Again and again a finalizer is made for the same object, which does not die.",
     "Make one weakref.finalize() for each {object}, or detach() it when it has no more to do."},
    {"finalizers-pile-up", 0, NULL, "weakref.finalize*", fits_finalizers,
     "weakref.finalize() keeps a record for each object until it dies, and the objects live.",
     "Look for what holds each {object}, or detach() the finalizer when it has no more to do."},
};
const struct hw_cause_table hw_causes_callback = HW_CAUSE_TABLE(rows);
