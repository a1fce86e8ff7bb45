/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_NATIVE_SYMBOLS_H
#define HW_NATIVE_SYMBOLS_H

/*
 * Names for addresses of code: the function from the symbol tables of the module's file, the line
 * from its debug information. Both may lie in a file of their own, by the build id below
 * /usr/lib/debug.
 */

#include "native/elf.h"

struct hw_symbols;

/* How a place in C code is told: like one in Python. Texts live as long as the hw_symbols. */
struct hw_code_place {
    const char *file;     /* of the source; where that is not known, the module's path */
    const char *function; /* "leak_block"; with a line "leak_block (leaky.so)", so that the module
                             is told, too; "0x1139", the address, where no symbol is known */
    uint32_t line;        /* 0: not known */
};

/* Of an image: only a file that is the mapped one is read. modules, which must outlive the result,
 * are the image's. Without an image, of something that happened at at_unix: files are found by
 * their path, and one that was changed later is not believed. Each of at most 128 modules has a
 * file open, a row for each of its functions, and a row for each address that was asked for; of
 * others, addresses are told. False: no memory. */
bool hw_symbols_create(struct hw_image *image, const struct hw_module *modules, size_t module_count,
                       int64_t at_unix, struct hw_symbols **ret_symbols);
void hw_symbols_destroy(struct hw_symbols *symbols);

/* addr: what a call returns to, less the bias of the module at path. False: no memory. */
bool hw_symbols_find(struct hw_symbols *symbols, const char *path, uint64_t addr,
                     struct hw_code_place *ret_place);

#endif
