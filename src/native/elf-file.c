/* SPDX-License-Identifier: Apache-2.0 */
#include "native/elf-file.h"

#include "native/elf-memory.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUILD_ID_MAX = 64, PATH_BYTES = 4200 };

/* ---- is it the mapped one ---- */

static size_t file_build_id(Elf *elf, unsigned char *to)
{
    size_t programs;
    if (elf_getphdrnum(elf, &programs))
        return 0;
    for (size_t i = 0; i < programs; i++) {
        GElf_Phdr program;
        if (!gelf_getphdr(elf, (int)i, &program) || program.p_type != PT_NOTE)
            continue;
        Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)program.p_offset, program.p_filesz,
                                              program.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
        GElf_Nhdr note;
        size_t at = 0, name_at, content_at;
        while (data && (at = gelf_getnote(data, at, &note, &name_at, &content_at)) > 0) {
            const char *bytes = data->d_buf;
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
                !memcmp(bytes + name_at, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) &&
                note.n_descsz <= BUILD_ID_MAX) {
                memcpy(to, bytes + content_at, note.n_descsz);
                return note.n_descsz;
            }
        }
    }
    return 0;
}

/* Program headers of the file and of the mapped bytes are equal. */
static bool headers_match(int fd, struct hw_image *image, const struct hw_module *module)
{
    Elf64_Ehdr header, other;
    Elf64_Phdr mapped[HW_ELF_PROGRAMS_MAX], stored[HW_ELF_PROGRAMS_MAX];
    if (!hw_elf_memory_headers(image, module->start, &header, mapped))
        return false;
    ssize_t bytes = (ssize_t)(header.e_phnum * sizeof(*mapped));
    return pread(fd, &other, sizeof(other), 0) == (ssize_t)sizeof(other) &&
           !memcmp(&header, &other, sizeof(header)) &&
           pread(fd, stored, (size_t)bytes, (off_t)header.e_phoff) == bytes &&
           !memcmp(mapped, stored, (size_t)bytes);
}

static bool is_mapped_one(const struct hw_elf_file *file, struct hw_image *image,
                          const struct hw_module *module)
{
    unsigned char here[BUILD_ID_MAX], there[BUILD_ID_MAX];
    struct stat stat;
    const struct hw_segment *segment = hw_image_segment(image, module->start);
    if (!segment || !headers_match(file->fd, image, module))
        return false;
    size_t mapped = hw_elf_memory_build_id(image, module, there, sizeof(there));
    size_t stored = file_build_id(file->elf, here);
    if (mapped || stored)
        return mapped == stored && !memcmp(here, there, mapped);
    return !fstat(file->fd, &stat) && stat.st_ino == segment->inode &&
           stat.st_dev == segment->device;
}

/* ---- opening ---- */

bool hw_elf_file_open_path(struct hw_elf_file *file, const char *path)
{
    struct stat stat;
    *file = (struct hw_elf_file){.fd = -1};
    if (elf_version(EV_CURRENT) == EV_NONE)
        return false;
    /* What stands there now may be anything; do not wait for the writer of a pipe. */
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    /* Read, not mapped: a file that is cut short meanwhile must not kill us. */
    if (file->fd >= 0 && !fstat(file->fd, &stat) && S_ISREG(stat.st_mode) &&
        (file->elf = elf_begin(file->fd, ELF_C_READ, NULL)) && elf_kind(file->elf) == ELF_K_ELF)
        return true;
    hw_elf_file_close(file);
    return false;
}

static bool try_open(struct hw_elf_file *file, struct hw_image *image,
                     const struct hw_module *module, const char *path)
{
    if (!hw_elf_file_open_path(file, path))
        return false;
    file->bias = module->bias;
    if (is_mapped_one(file, image, module))
        return true;
    hw_elf_file_close(file);
    return false;
}

bool hw_elf_file_open(struct hw_elf_file *file, struct hw_image *image,
                      const struct hw_module *module)
{
    char path[PATH_BYTES];
    const struct hw_segment *segment = hw_image_segment(image, module->start);
    *file = (struct hw_elf_file){.fd = -1};
    if (!segment)
        return false;
    if (image->pid > 0) {
        snprintf(path, sizeof(path), "/proc/%d/root%s", image->pid, module->path);
        if (!segment->deleted && try_open(file, image, module, path))
            return true;
        snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", image->pid,
                 (unsigned long long)segment->start, (unsigned long long)segment->end);
        if (try_open(file, image, module, path))
            return true;
    }
    return !segment->deleted && try_open(file, image, module, module->path);
}

/* Where Debian, Fedora and others put it (gdb's manual, "Separate Debug Files"). */
bool hw_elf_file_open_debug(struct hw_elf_file *debug, const struct hw_elf_file *file, pid_t pid)
{
    unsigned char id[BUILD_ID_MAX], other[BUILD_ID_MAX];
    char path[PATH_BYTES];
    size_t bytes = file_build_id(file->elf, id);
    int n = pid > 0 ? snprintf(path, sizeof(path), "/proc/%d/root", (int)pid) : 0;
    *debug = (struct hw_elf_file){.fd = -1};
    if (bytes < 2)
        return false;
    n += snprintf(path + n, sizeof(path) - (size_t)n, "/usr/lib/debug/.build-id/%02x/", id[0]);
    for (size_t i = 1; i < bytes; i++)
        n += snprintf(path + n, sizeof(path) - (size_t)n, "%02x", id[i]);
    snprintf(path + n, sizeof(path) - (size_t)n, ".debug");
    if (!hw_elf_file_open_path(debug, path))
        return false;
    if (file_build_id(debug->elf, other) == bytes && memcmp(id, other, bytes) == 0)
        return true;
    hw_elf_file_close(debug);
    return false;
}

void hw_elf_file_close(struct hw_elf_file *file)
{
    elf_end(file->elf);
    if (file->fd >= 0)
        close(file->fd);
    *file = (struct hw_elf_file){.fd = -1};
}

/* ---- looking up ---- */

static bool table_symbol(const struct hw_elf_file *file, Elf_Scn *section, const GElf_Shdr *header,
                         const char *name, struct hw_symbol *ret_symbol)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t count = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
    for (size_t i = 0; i < count && i < INT32_MAX; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol))
            break;
        unsigned type = GELF_ST_TYPE(symbol.st_info);
        if (symbol.st_shndx == SHN_UNDEF || type == STT_FILE || type == STT_TLS)
            continue;
        const char *other = elf_strptr(file->elf, header->sh_link, symbol.st_name);
        if (other && !strcmp(other, name)) {
            *ret_symbol = (struct hw_symbol){file->bias + symbol.st_value, symbol.st_size};
            return true;
        }
    }
    return false;
}

bool hw_elf_file_symbol(struct hw_elf_file *file, const char *name, struct hw_symbol *ret_symbol)
{
    static const GElf_Word kinds[] = {SHT_DYNSYM, SHT_SYMTAB};
    for (size_t k = 0; k < 2; k++) {
        for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section));) {
            GElf_Shdr header;
            if (gelf_getshdr(section, &header) && header.sh_type == kinds[k] &&
                table_symbol(file, section, &header, name, ret_symbol))
                return true;
        }
    }
    return false;
}

bool hw_elf_file_section(struct hw_elf_file *file, const char *name, struct hw_symbol *ret_section)
{
    size_t names;
    if (elf_getshdrstrndx(file->elf, &names))
        return false;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(file->elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC))
            continue;
        const char *other = elf_strptr(file->elf, names, header.sh_name);
        if (other && !strcmp(other, name)) {
            *ret_section = (struct hw_symbol){file->bias + header.sh_addr, header.sh_size};
            return true;
        }
    }
    return false;
}
