/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/weak-rules.h"

#define KIND(name) (1u << HW_LABEL_##name)
#define NAMES (KIND(ATTR) | KIND(NAMED) | KIND(VALUE))
#define ITEMS (KIND(INDEX) | KIND(VALUE) | KIND(KEY) | KIND(MEMBER) | KIND(NAMED))

const struct hw_weak_rule hw_weak_rules[] = {
    /* what no program can change */
    {KIND(TYPE) | KIND(STACK), 0, 0, NULL, HW_WEAK_NEVER, NULL, "the interpreter's own reference"},
    {0, HW_TYPE_TYPE | HW_TYPE_MODULE | HW_TYPE_CODE, 0, NULL, HW_WEAK_NEVER, NULL,
     "a class and its parts refer to each other always"},
    {KIND(ATTR), 0, 0, "__dict__", HW_WEAK_NEVER, NULL, "an object owns its attributes"},
    {0, HW_TYPE_TRACEBACK, 0, NULL, HW_WEAK_NEVER, NULL, "a traceback without frames is none"},
    {KIND(ATTR) | KIND(INTERNAL), HW_TYPE_FRAME, 0, NULL, HW_WEAK_NEVER, NULL,
     "a frame's caller, code and globals"},
    {KIND(ATTR) | KIND(INTERNAL), HW_TYPE_GENERATOR, 0, NULL, HW_WEAK_NEVER, NULL,
     "a suspended function's frame and code"},
    {0, HW_TYPE_FUNCTION, 0, "__closure__", HW_WEAK_NEVER, NULL, "a function owns its cells"},
    {0, HW_TYPE_METHOD, 0, "__func__", HW_WEAK_NEVER, NULL, "a method owns its function"},

    /* back references by what they are */
    {KIND(ATTR), HW_TYPE_METHOD, 0, "__self__", 0,
     "keep a weakref.WeakMethod instead of the bound method in {place}, or the method's name, or "
     "clear it when the object is done",
     "a bound method kept by its own object"},
    {KIND(ATTR), HW_TYPE_CELL, 0, NULL, 0,
     "let {place} not use the variable that holds it: hand it over as an argument, or set the "
     "variable to None at the end of the outer function",
     "a closure that sees itself"},
    {KIND(LOCAL), HW_TYPE_FRAME, HW_TYPE_EXCEPTION | HW_TYPE_TRACEBACK, NULL, 0,
     "set {place} to None in a finally, or keep the message and not the exception",
     "an exception in a frame that its traceback holds"},
    {KIND(LOCAL), HW_TYPE_FRAME, 0, NULL, 1, "set {place} to None before the function ends",
     "a local that leads back to its frame"},
    {KIND(LOCAL), HW_TYPE_GENERATOR, 0, NULL, 1,
     "set {place} to None when it is done, or close() the generator",
     "a suspended function that its own local keeps"},
    {KIND(ATTR), HW_TYPE_EXCEPTION, 0, "__traceback__", 3,
     "drop the traceback: {place} = None, or raise the exception anew each time",
     "an exception's way up"},
    {KIND(ATTR), HW_TYPE_EXCEPTION, 0, "__context__", 4, "raise ... from None", "the one before"},

    /* back references by what they are called */
    {NAMES, 0, 0, "*parent*", 1, NULL, "points up"},
    {NAMES, 0, 0, "*owner*", 1, NULL, "points up"},
    {NAMES, 0, 0, "*root", 2, NULL, "points up"},
    {NAMES, 0, 0, "*prev*", 1, NULL, "points back in a chain"},
    {NAMES, 0, 0, "*back*", 2, NULL, "points back"},
    {NAMES, 0, 0, "*container*", 2, NULL, "points up"},
    {NAMES, 0, 0, "*outer*", 2, NULL, "points up"},
    {NAMES, 0, 0, "*manager", 2, NULL, "points up"},
    {NAMES, 0, 0, "self", 1, NULL, "the object itself, under a name"},
    {NAMES, 0, 0, "*_self", 1, NULL, "the object itself, under a name"},
    {NAMES, 0, 0, "*child*", 8, NULL, "points down: what an object consists of"},
    {NAMES, 0, 0, "*next*", 6, NULL, "points forward in a chain"},

    {0, 0, HW_TYPE_METHOD | HW_TYPE_FUNCTION, NULL, 4, NULL, "a callable that leads back"},
    {0, HW_TYPE_CELL | HW_TYPE_FUNCTION | HW_TYPE_METHOD, 0, NULL, 6, NULL, "part of a callable"},
    {ITEMS, HW_TYPE_LIST | HW_TYPE_DICT | HW_TYPE_SET | HW_TYPE_DEQUE | HW_TYPE_TUPLE,
     HW_TYPE_LIST | HW_TYPE_DICT | HW_TYPE_SET | HW_TYPE_DEQUE | HW_TYPE_TUPLE, NULL, 5,
     "clear the container when it is done ({place} takes no weak reference)",
     "containers in containers"},
    {KIND(INTERNAL), 0, 0, NULL, 12, NULL, "no Python expression says so"},
    {0, 0, HW_TYPE_PYTHON, NULL, 5, NULL, "an object takes a weak reference"},
    {0, 0, 0, NULL, 9, NULL, "the target takes no weak reference"},
};
const size_t hw_weak_rule_count = sizeof(hw_weak_rules) / sizeof(hw_weak_rules[0]);

const struct hw_weak_advice hw_weak_advices[] = {
    {HW_TYPE_TYPE | HW_TYPE_MODULE, "make the class or module once, and not for every call"},
    {HW_TYPE_PYTHON, "make {place} a weakref.ref, or set it to None when the object is done"},
    {HW_TYPE_LIST | HW_TYPE_DICT | HW_TYPE_TUPLE | HW_TYPE_CELL,
     "clear {place} when it is done (it takes no weak reference)"},
    {HW_TYPE_METHOD, "keep a weakref.WeakMethod in {place}"},
    {HW_TYPE_GENERATOR, "close() what {place} holds and set it to None when it is done"},
    {0, "make {place} a weakref.ref where its type allows it, else set it to None when it is done"},
};
