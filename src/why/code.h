/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_WHY_CODE_H
#define HW_WHY_CODE_H

/*
 * What the program's code does to a container, as far as the names that its functions use tell:
 *
 *     self._cache.pop(key)      names ... _cache, pop ...     takes entries out
 *     del self._cache[key]      names ... _cache ..., and the code deletes an item
 *     self.items.append(x)      names ... items, append ...   puts entries in
 *
 * The order of names is that of their first use, so a method's name right behind the container's
 * belongs to it. Which of several containers in one function is meant cannot always be told; then a
 * use only "may" take out.
 */

#include "grow/growth.h"

enum hw_code_word {
    HW_CODE_LENGTH = 1,   /* len */
    HW_CODE_REMOVAL = 2,  /* pop, remove, clear, ... */
    HW_CODE_LOOKUP = 8,   /* get, setdefault */
    HW_CODE_ADDITION = 16 /* append, add, ... */
};

/* A string that code uses as a name. */
struct hw_code_name {
    hw_id str;
    uint8_t words; /* enum hw_code_word */
    const char *text;
};

struct hw_code {
    const struct hw_growth *growth;
    struct hw_code_name *names; /* by str */
    size_t name_count;
    hw_id *codes;
    size_t code_count;
    uint32_t *uses;  /* numbers of names, code after code, in the order of first use */
    uint32_t *start; /* of each code's uses; code_count + 1 */
    struct hw_arena arena;
};
/* Reads many strings: made once. */
bool hw_code_create(struct hw_code **ret_code, const struct hw_growth *growth, struct hw_err *err);
void hw_code_destroy(struct hw_code *code);

/* How code refers to a container. */
struct hw_code_place {
    hw_id box;
    char name[100];     /* attribute, global or local variable; "" when it has none */
    hw_id owner;        /* the object that has it as an attribute, or HW_NONE */
    hw_id module_space; /* of the module it belongs to, or HW_NONE */
    hw_id method_class; /* the class whose methods call it self, or HW_NONE */
};
struct hw_code_place hw_code_place(const struct hw_growth *growth, hw_id box);

/* Where code stands that means this container when it uses its name: names such as items and path
 * stand in many files. */
enum { HW_CODE_FILES_MAX = 4 }; /* a class and its bases may stand in several */
struct hw_code_scope {
    hw_id files[HW_CODE_FILES_MAX]; /* of its owner's class, or of its module */
    size_t file_count;
    char owner[100]; /* what code calls the owner; "" when that is not known */
};
struct hw_code_scope hw_code_scope(const struct hw_growth *growth,
                                   const struct hw_code_place *place);

/* Whether the code with that number is of one of these files. */
bool hw_code_in_scope(const struct hw_code *code, const struct hw_code_scope *scope, size_t number);

/* A class's method, or code of a method: it calls the container self. */
bool hw_code_is_method(const struct hw_graph *graph, hw_id type, hw_id code);

/* The str that says which file the code is from, or HW_NONE. */
hw_id hw_code_file_of(const struct hw_graph *graph, hw_id code);

/* What a code object is called and where it stands, without the comparisons of lengths that follow
 * in its value, each begun by HW_CODE_CHECK. */
#define HW_CODE_CHECK "; len("
bool hw_code_text(const struct hw_graph *graph, hw_id id, char *text, size_t max);

/* One function of the container's own file that names it. */
struct hw_code_use {
    hw_id code;
    bool takes_out, may_take_out;
    bool stores_and_deletes; /* items of something; it calls no method of the container */
    bool puts_in, may_put_in;
    bool takes_back; /* puts one in, and takes one out by its key or value */
    bool looks_up;   /* by get or setdefault */
};
enum { HW_CODE_USES_MAX = 32 };
/* Writes at most HW_CODE_USES_MAX; returns how many. A module's own code is only looked at for what
 * it may take out. */
size_t hw_code_uses(const struct hw_code *code, const struct hw_code_place *place,
                    struct hw_code_use *ret_uses);

/* The same, summed up. */
struct hw_code_report {
    struct hw_code_place place;
    size_t count;    /* functions that name it */
    hw_id takes_out; /* the first function of each kind, or HW_NONE */
    hw_id puts_in;
    hw_id takes_back; /* unless another function puts in, and may be the one meant */
    hw_id looks_up;   /* that also puts in */
    hw_id may_put_in;
    bool may_take_out; /* some function may */
};
struct hw_code_report hw_code_report(const struct hw_code *code, hw_id box);

/* The code that takes out, or deletes items where it stores them, and looks at a clock: what stays
 * is perhaps not old enough. HW_NONE: there is none. */
hw_id hw_code_expires(const struct hw_code *code, hw_id box);

/* The place of id in codes; SIZE_MAX: it is none. */
size_t hw_code_number(const struct hw_code *code, hw_id id);

/* Whether the function with that code names text; how often: as attribute and as variable. */
unsigned hw_code_has_name(const struct hw_code *code, hw_id id, const char *text);

/* Whether it is an __init__ or a module's own code, which names what it makes. */
bool hw_code_is_init(const struct hw_graph *graph, hw_id id);

/* Whether its name begins with an underscore. */
bool hw_code_is_private(const struct hw_graph *graph, hw_id id);

/* By the folder of its file; what is nowhere known to be installed is the program's own. */
enum hw_code_origin { HW_CODE_OF_PROGRAM, HW_CODE_OF_LIBRARY, HW_CODE_OF_STDLIB };
enum hw_code_origin hw_code_origin(const struct hw_graph *graph, hw_id id);

/* "Cache.release() at app.py:41", in arena; NULL when memory is out. */
const char *hw_code_spell(const struct hw_graph *graph, hw_id id, struct hw_arena *arena);

/* The file that code comes from, without its folders; "" when not known. */
const char *hw_code_file(const struct hw_code *code, const struct hw_code_place *place,
                         struct hw_arena *arena);

#endif
