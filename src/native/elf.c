/* SPDX-License-Identifier: Apache-2.0 */
#include "native/elf.h"

#include "base/err.h"
#include "native/elf-file.h"
#include "native/elf-memory.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, MODULE_MAX_BYTES = INT32_MAX };

static hw_addr page_down(hw_addr addr)
{
    return addr & ~(hw_addr)(PAGE - 1);
}

static bool same_file(const struct hw_segment *a, const struct hw_segment *b)
{
    return a->inode == b->inode && a->device == b->device && !strcmp(a->path, b->path);
}

/* Where the program headers say that the module lies: bias, and the end of its bss. */
static void place(struct hw_module *module, const struct hw_segment *first,
                  const Elf64_Ehdr *header, const Elf64_Phdr *programs)
{
    const Elf64_Phdr *lowest = NULL;
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (programs[i].p_type == PT_LOAD && (!lowest || programs[i].p_vaddr < lowest->p_vaddr))
            lowest = &programs[i];
    if (!lowest)
        return;
    if (header->e_type != ET_EXEC)
        module->bias = first->start - first->file_offset -
                       (page_down(lowest->p_vaddr) - page_down(lowest->p_offset));
    for (unsigned i = 0; i < header->e_phnum; i++) {
        hw_addr end = module->bias + programs[i].p_vaddr + programs[i].p_memsz;
        end = page_down(end + PAGE - 1);
        if (programs[i].p_type == PT_LOAD && end > module->end &&
            end - module->start < MODULE_MAX_BYTES)
            module->end = end;
    }
}

/* The module that begins with segment `index`; *ret_next: the first segment behind it. */
static bool module_at(struct hw_image *image, size_t index, struct hw_module *ret_module,
                      size_t *ret_next)
{
    const struct hw_segment *first = &image->segments[index];
    size_t next = index + 1;
    while (next < image->segment_count && same_file(first, &image->segments[next]))
        next++;
    *ret_next = next;
    Elf64_Ehdr header;
    Elf64_Phdr programs[HW_ELF_PROGRAMS_MAX];
    if (first->path[0] != '/' || first->file_offset ||
        !hw_elf_memory_headers(image, first->start, &header, programs))
        return false;
    struct hw_module module = {
        .path = first->path, .start = first->start, .end = image->segments[next - 1].end};
    place(&module, first, &header, programs);
    *ret_module = module;
    return true;
}

bool hw_modules_list(struct hw_image *image, struct hw_module **ret_modules, size_t *ret_count,
                     struct hw_err *err)
{
    struct hw_module *modules = calloc(image->segment_count + 1, sizeof(*modules));
    size_t count = 0;
    if (!modules)
        return hw_err_no_memory(err);
    for (size_t i = 0, next; i < image->segment_count; i = next) {
        if (!module_at(image, i, &modules[count], &next))
            continue;
        if (count && modules[count - 1].end > modules[count].start)
            modules[count - 1].end = modules[count].start;
        count++;
    }
    *ret_modules = modules;
    *ret_count = count;
    return true;
}

bool hw_module_symbol(struct hw_image *image, const struct hw_module *module, const char *name,
                      struct hw_symbol *ret_symbol)
{
    struct hw_elf_file file;
    bool found = false;
    if (hw_elf_file_open(&file, image, module)) {
        found = hw_elf_file_symbol(&file, name, ret_symbol);
        hw_elf_file_close(&file);
    } else {
        found = hw_elf_memory_symbol(image, module, name, ret_symbol);
    }
    return found;
}

const struct hw_module *hw_module_at(const struct hw_module *modules, size_t count, hw_addr addr)
{
    for (size_t i = 0; i < count; i++)
        if (addr >= modules[i].start && addr < modules[i].end)
            return &modules[i];
    return NULL;
}

bool hw_module_data_next(const struct hw_image *image, const struct hw_module *module, size_t *part,
                         hw_addr *ret_start, hw_addr *ret_end)
{
    while (*part < image->segment_count) {
        const struct hw_segment *s = &image->segments[(*part)++];
        *ret_start = s->start > module->start ? s->start : module->start;
        *ret_end = s->end < module->end ? s->end : module->end;
        if (*ret_start < *ret_end && s->prot & HW_PROT_WRITE && !(s->prot & HW_PROT_SHARED))
            return true;
    }
    return false;
}

bool hw_module_section(struct hw_image *image, const struct hw_module *module, const char *name,
                       struct hw_symbol *ret_section)
{
    struct hw_elf_file file;
    if (!hw_elf_file_open(&file, image, module))
        return false;
    bool found = hw_elf_file_section(&file, name, ret_section);
    hw_elf_file_close(&file);
    return found;
}
