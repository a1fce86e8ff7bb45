/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_NATIVE_ELF_MEMORY_H
#define HW_NATIVE_ELF_MEMORY_H

/*
 * What a mapped ELF file says of itself in the target's memory: headers, and the dynamic symbol
 * table that its loader uses. Formats: System V gABI; DT_GNU_HASH as in glibc 2.36 elf/dl-lookup.c.
 */

#include "native/elf.h"

#include <elf.h>

enum { HW_ELF_PROGRAMS_MAX = 64 };

/* The headers at the beginning of a mapped file. False: not a 64-bit ELF file, or unreadable. */
bool hw_elf_memory_headers(struct hw_image *image, hw_addr start, Elf64_Ehdr *ret_header,
                           Elf64_Phdr ret_programs[HW_ELF_PROGRAMS_MAX]);

bool hw_elf_memory_symbol(struct hw_image *image, const struct hw_module *module, const char *name,
                          struct hw_symbol *ret_symbol);

/* Calls visit for each defined symbol of the dynamic symbol table, several of one name included. False: there
 * is no table. */
bool hw_elf_memory_symbols(struct hw_image *image, const struct hw_module *module,
                           void (*visit)(void *ctx, const char *name, const struct hw_symbol *symbol),
                           void *ctx);

/* Copies the build id note's content; returns its length, 0: none. */
size_t hw_elf_memory_build_id(struct hw_image *image, const struct hw_module *module,
                              unsigned char *to, size_t max);

#endif
