/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_NATIVE_CODE_LINES_H
#define HW_NATIVE_CODE_LINES_H

/* Lines of the source by address, from DWARF. */

#include <libelf.h>
#include <stdint.h>

struct hw_code_lines;

/* elf must outlive it. NULL: it has no debug information. */
struct hw_code_lines *hw_code_lines_open(Elf *elf);
void hw_code_lines_close(struct hw_code_lines *lines);

/* The source's path, as the compiler knew it, and the line. NULL: not known. Valid until it is
 * closed. */
const char *hw_code_lines_find(struct hw_code_lines *lines, uint64_t addr, uint32_t *ret_line);

#endif
