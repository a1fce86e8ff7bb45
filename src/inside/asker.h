/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_ASKER_H
#define HW_INSIDE_ASKER_H

/* What exists only because somebody asks. */

#include "inside/bits.h"

/* Adds the frame objects of the asking code: those of this package that are running, and the frame that
 * called into it. From 3.11 on a running frame has an object only when somebody asked for it; one may be
 * made here, so this is called when frames matter. 0, or -1. */
int hw_asker_frames(struct hw_bits *to);

#endif
