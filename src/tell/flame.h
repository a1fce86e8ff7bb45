/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_TELL_FLAME_H
#define HW_TELL_FLAME_H

/* What the pictures of a profile share. */

#include "tell/flame-tree.h"
#include "tell/out.h"

/* One paragraph: of which process, when, how much, how it is known. */
void hw_flame_facts(struct hw_buf *buf, const struct hw_profile *profile);
/* "MainThread 4711", "thread 4711", "thread". */
void hw_flame_thread(struct hw_buf *buf, const struct hw_profile_thread *thread);
/* Degrees on the wheel of colours: the same for a package in every picture. */
unsigned hw_flame_hue(const char *package);

#endif
