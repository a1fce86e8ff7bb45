/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_REACH_H
#define HW_INSIDE_REACH_H

/*
 * Sets that follow from a set along references. All work on bitmaps while the interpreter is held; the
 * sets returned are new and the caller's. NULL: an exception is set. Members that are not alive any more
 * must have been left out before (live.h).
 *
 * Memory: a bitmap for the objects reached, and a stack of at most 8 bytes for each; hw_reach_dominated()
 * 1 byte more for each (2 or 4 when an object has more than 255 or 65,535 references from there).
 */

#include "inside/live.h"

/* Everything that a way leads to from the members, themselves included; none goes through an object of
 * avoid (NULL: all may be used), and none of these is reached. */
struct hw_bits *hw_reach_from(const struct hw_bits *members, const struct hw_bits *avoid);

/* The same from the roots (roots.h). At an object of ends a way may end, but does not go on. */
struct hw_bits *hw_reach_from_roots(const struct hw_bits *ends);

/* The same from the roots and from the classes that C code defines, which nobody needs to hold. */
struct hw_bits *hw_reach_from_interpreter(const struct hw_live *live);

/* What refers to a member; to what the members refer. */
struct hw_bits *hw_reach_referrers(const struct hw_live *live, const struct hw_bits *members);
struct hw_bits *hw_reach_referents(const struct hw_bits *members);

/* Objects one of whose members is the dict of their attributes. */
struct hw_bits *hw_reach_owners(const struct hw_live *live, const struct hw_bits *members);

/*
 * What would be freed if the members went, themselves included: all that they reach, without what has
 * a reference from elsewhere, and without what that reaches. References are counted as the collector
 * counts them, so those of C code and of running frames keep an object as well, and so does a reference
 * that a C type holds but does not show to the collector.
 */
struct hw_bits *hw_reach_dominated(const struct hw_bits *members);

#endif
