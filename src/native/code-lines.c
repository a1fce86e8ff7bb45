/* SPDX-License-Identifier: Apache-2.0 */
#include "native/code-lines.h"

#include <elfutils/libdw.h>

enum { UNITS_MAX = 1 << 14 };

struct hw_code_lines *hw_code_lines_open(Elf *elf)
{
    return (struct hw_code_lines *)dwarf_begin_elf(elf, DWARF_C_READ, NULL);
}

void hw_code_lines_close(struct hw_code_lines *lines)
{
    dwarf_end((Dwarf *)lines);
}

/* Some compilers write no table of addresses: each unit says itself what it has. */
static Dwarf_Die *unit_find(Dwarf *dwarf, uint64_t addr, Dwarf_Die *unit)
{
    Dwarf_Off at = 0, next;
    size_t head;
    if (dwarf_addrdie(dwarf, addr, unit))
        return unit;
    for (int n = 0; n < UNITS_MAX && dwarf_nextcu(dwarf, at, &next, &head, NULL, NULL, NULL) == 0;
         n++) {
        if (dwarf_offdie(dwarf, at + head, unit) && dwarf_haspc(unit, addr) > 0)
            return unit;
        at = next;
    }
    return NULL;
}

const char *hw_code_lines_find(struct hw_code_lines *lines, uint64_t addr, uint32_t *ret_line)
{
    Dwarf_Die unit;
    int number = 0;
    Dwarf_Line *line = NULL;
    if (unit_find((Dwarf *)lines, addr, &unit))
        line = dwarf_getsrc_die(&unit, addr);
    const char *source = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
    if (!source || dwarf_lineno(line, &number) != 0 || number <= 0)
        return NULL;
    *ret_line = (uint32_t)number;
    return source;
}
