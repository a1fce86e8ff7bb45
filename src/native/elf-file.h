/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_NATIVE_ELF_FILE_H
#define HW_NATIVE_ELF_FILE_H

/*
 * The file behind a module. It is believed only when it is the mapped one: same build id, or where
 * there is none, same device and inode, and in any case the same headers.
 */

#include "native/elf.h"

#include <libelf.h>

struct hw_elf_file {
    int fd;
    Elf *elf;
    hw_addr bias;
};

bool hw_elf_file_open(struct hw_elf_file *file, struct hw_image *image,
                      const struct hw_module *module);
/* What lies at path, whatever it is. */
bool hw_elf_file_open_path(struct hw_elf_file *file, const char *path);
/* The file of its debug information, by its build id, in the root directory of pid; 0: in ours. */
bool hw_elf_file_open_debug(struct hw_elf_file *debug, const struct hw_elf_file *file, pid_t pid);
/* Of one that was not opened, too: fd is -1. */
void hw_elf_file_close(struct hw_elf_file *file);
bool hw_elf_file_symbol(struct hw_elf_file *file, const char *name, struct hw_symbol *ret_symbol);
bool hw_elf_file_section(struct hw_elf_file *file, const char *name, struct hw_symbol *ret_section);

#endif
