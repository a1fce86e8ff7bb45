/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CPYTHON_DECODE_H
#define HW_CPYTHON_DECODE_H

/*
 * From an object's bytes to its references. hw_decode() is the door; behind it stands one function
 * for each family of types, in decode-<family>.c. Each appends to py->refs the references that the
 * object owns, in a fixed order, named as Python names them where Python can.
 */

#include "cpython/pytype.h"

/* Fills py->refs with the references of the object at addr, of type type. Sets
 * py->object_damaged when a part could not be read. */
void hw_decode(struct hw_py *py, hw_addr addr, const struct hw_pytype *type);

/* Families. p: the object's first type->read_bytes bytes. */
void hw_decode_dict(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_odict(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_list(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_tuple(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_set(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_deque(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_function(struct hw_py *py, const unsigned char *p);
void hw_decode_code(struct hw_py *py, const unsigned char *p);
void hw_decode_type(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_module(struct hw_py *py, const unsigned char *p);
void hw_decode_frame_object(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_generator(struct hw_py *py, hw_addr addr, const unsigned char *p);
void hw_decode_row(struct hw_py *py, hw_addr addr, const unsigned char *p,
                   const struct hw_pytype *type);
void hw_decode_side(struct hw_py *py, hw_addr addr, const unsigned char *p,
                    const struct hw_pytype *type);
void hw_decode_unknown(struct hw_py *py, hw_addr addr, const unsigned char *p,
                       const struct hw_pytype *type);

/* The value of a str key of a dict; 0: not there. For look-ups of a few names. */
hw_addr hw_dict_find(struct hw_py *py, hw_addr dict, const char *key);

/* The names of a key block, by entry; unreadable ones are 0. Kept in py's arena. */
void hw_dict_key_names(struct hw_py *py, hw_addr keys, uint32_t **ret_names, uint32_t *ret_count);

/* The attribute names that a class keeps for its instances: each key block is owned once, by the
 * class. */
void hw_decode_shared_keys(struct hw_py *py, hw_addr keys);
/* Up to 3.10 a class gives them up when its instances differ too much (CPython Objects/dictobject.c,
 * _PyObjectDict_SetItem): the namespaces that share them own them then, and one reports them. */
void hw_decode_loose_keys(struct hw_py *py, hw_addr dict, const struct hw_pytype *type);

/* Adds as inferred references (HW_LABEL_WORD, payload the offset) every word of addr + [from, to) that
 * points at something that looks like an object. */
void hw_scan_words(struct hw_py *py, hw_addr addr, uint64_t from, uint64_t to);

/* Whether an object can be at addr: a known type and a sane reference count. For words that may be
 * anything. */
bool hw_object_plausible(struct hw_py *py, hw_addr addr);

/* Numbers of the names of a code object's local variables, cells and free variables; kept until py
 * dies. *ret_count 0 when unreadable. */
const uint32_t *hw_code_local_names(struct hw_py *py, hw_addr code, uint32_t *ret_count);

/* What a code object does to items: HW_NODE_DELETES, HW_NODE_STORES. */
uint16_t hw_code_flags(struct hw_py *py, hw_addr addr);

/* Appends to the used bytes of the text to, of max, what a code object compares lengths with, each
 * whole or not at all: "; len(self.entries) > self.limit; len(pages) >= 500". What cannot be named
 * is a "?"; `del hist[:-500]` reads as len(hist) > 500. Returns the text's new length. */
size_t hw_code_checks(struct hw_py *py, hw_addr addr, char *to, size_t used, size_t max);

/* One _PyInterpreterFrame at addr (3.11 and later). code, func and locals; previous and the borrowed
 * fields are left out. */
void hw_decode_interpreter_frame(struct hw_py *py, hw_addr addr);

/* Where the operand stack of the _PyInterpreterFrame at addr can lie when nobody says how much of it is
 * in use: the frame called into C. Count 0 where that is known, and hw_decode_interpreter_frame()
 * adds it. Words above the top are stale. */
struct hw_operands {
    hw_addr start;
    uint32_t count;
    uint32_t arguments; /* of the call that the frame waits for, if it is one */
};
struct hw_operands hw_frame_operands(struct hw_py *py, hw_addr addr);

/* How many of them are in use, as far as can be told; at most count. highest: the highest address in or
 * right behind them that the thread's C stack or registers have, 0: none. */
uint32_t hw_operands_used(struct hw_py *py, const struct hw_operands *operands, hw_addr highest);

/* Up to 3.10 frames are objects (decode-frame-object.c); the functions above take none of these. What
 * such a frame holds, and what it reports itself; its operand stack, line, and whether it has not begun. */
bool hw_frames_are_objects(const struct hw_py *py);
bool hw_frame_is_running(const struct hw_py *py, hw_addr frame); /* on some thread's chain */
void hw_decode_frame_held(struct hw_py *py, hw_addr frame);
void hw_decode_frame_alone(struct hw_py *py, hw_addr addr, const unsigned char *p);
struct hw_operands hw_frame_object_operands(struct hw_py *py, hw_addr frame);
uint32_t hw_frame_object_line(struct hw_py *py, hw_addr frame);
bool hw_frame_object_is_new(struct hw_py *py, hw_addr frame);

/* The code object of the frame whose bytes begin at p. */
hw_addr hw_frame_code(struct hw_py *py, const unsigned char *p);

/* The source line that the frame at addr, of either kind, has come to; 0: not known. */
uint32_t hw_frame_line(struct hw_py *py, hw_addr addr);

/* The decoder of a C type with references in side buffers, by tp_name; NULL: no such type. */
const struct hw_side *hw_side_find(const char *tp_name);

/* The instance's attributes: managed, inline or behind tp_dictoffset. */
void hw_decode_attributes(struct hw_py *py, hw_addr addr, const unsigned char *p,
                          const struct hw_pytype *type);

/* sys.getsizeof(object). */
uint64_t hw_object_size(struct hw_py *py, hw_addr addr, const struct hw_pytype *type);

/* How much more than its structure a C type's __sizeof__ counts, by tp_name; NULL: nothing more. */
const struct hw_named_size *hw_named_size_find(const char *tp_name);

/* Content or short description, packed as base/value.h says, at least HW_VALUE_NUMBER_BYTES of room.
 * Returns its length, 0: none. */
size_t hw_object_value(struct hw_py *py, hw_addr addr, const struct hw_pytype *type, char *to,
                       size_t max);

#endif
