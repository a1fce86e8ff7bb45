/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_INSIDE_FOREIGN_H
#define HW_INSIDE_FOREIGN_H

/*
 * What libraries and extension modules take from malloc themselves, past Python's allocators: numpy's arrays,
 * lxml's trees, buffers of C++ code.
 *
 * Their calls go through slots of their own, which the dynamic linker has filled (ELF: relocations of the kinds
 * JUMP_SLOT, GLOB_DAT and 64 to a symbol, psABI for x86-64). The slots of malloc, free and their like are filled
 * anew, with functions that call the same and tell the difference. The object that Python is in, and the one that
 * malloc is in, keep theirs: the first is counted by its allocators' hooks. Not seen: allocators that a library
 * brings along, and mmap().
 */

#include "inside/inside.h"

/* Fills the slots of all objects that are loaded now. They stay: this library is never unloaded. Calls when nothing
 * has been loaded since cost some hundred nanoseconds. told(): bytes that the calling thread took, less those
 * that it gave back; it may be called by any thread, with or without the GIL. */
void hw_foreign_hook(void (*told)(int64_t bytes));

#endif
