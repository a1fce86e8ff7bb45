/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_NATIVE_ELF_H
#define HW_NATIVE_ELF_H

/*
 * Symbols and sections of the ELF files that an image maps. Reads the file when it can be opened
 * (through /proc/PID/root, /proc/PID/map_files, or the path), else the dynamic symbol table in the
 * target's own memory; so it works on stripped, deleted and replaced files, and in containers.
 */

#include "image/image.h"

/* One mapped ELF file: all segments of one path, in order. */
struct hw_module {
    const char *path;   /* as in the segments; lives as long as the image */
    hw_addr start, end; /* lowest and highest mapped address; bss behind it included */
    hw_addr bias;       /* add to a symbol's value to get its address */
};
/* Lists the modules of an image, by address. Caller frees *ret_modules with free(). */
bool hw_modules_list(struct hw_image *image, struct hw_module **ret_modules, size_t *ret_count,
                     struct hw_err *err);

/* The module that addr lies in; NULL: none. */
const struct hw_module *hw_module_at(const struct hw_module *modules, size_t count, hw_addr addr);

/* The next stretch of the module's data: what the process may write to, and shares with no other.
 * *part: 0 at first. False: there are no more. */
bool hw_module_data_next(const struct hw_image *image, const struct hw_module *module, size_t *part,
                         hw_addr *ret_start, hw_addr *ret_end);

struct hw_symbol {
    hw_addr addr;
    uint64_t bytes; /* st_size */
};
/* Finds a defined symbol by name in .dynsym or .symtab. False: not there (err is not needed). */
bool hw_module_symbol(struct hw_image *image, const struct hw_module *module, const char *name,
                      struct hw_symbol *ret_symbol);

/* Finds an allocated section by name, e.g. ".PyRuntime". False: not there, or no section headers.
 */
bool hw_module_section(struct hw_image *image, const struct hw_module *module, const char *name,
                       struct hw_symbol *ret_section);

#endif
