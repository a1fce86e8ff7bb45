/* SPDX-License-Identifier: Apache-2.0 */
#include "native/symbols.h"

#include "base/arena.h"
#include "base/pairs.h"
#include "base/vec.h"
#include "native/code-lines.h"
#include "native/elf-file.h"

#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MODULES_MAX = 128, FUNCTIONS_MAX = 1 << 20, PATH_BYTES = 4200 };

struct function {
    uint64_t start, bytes;
    const char *name; /* in the file's data */
    bool is_local;
};
struct module {
    const char *path;
    struct hw_elf_file file, debug; /* fd -1: none */
    struct hw_code_lines *lines;    /* NULL: none */
    struct function *functions;     /* by start */
    size_t function_count, function_capacity;
    struct hw_pairs addresses; /* -> row of places */
    struct hw_code_place *places;
    size_t place_capacity;
};
struct hw_symbols {
    struct hw_arena arena;
    struct hw_image *image;
    const struct hw_module *mapped;
    size_t mapped_count;
    int64_t at_unix;
    struct module modules[MODULES_MAX];
    size_t module_count;
};

bool hw_symbols_create(struct hw_image *image, const struct hw_module *modules, size_t module_count,
                       int64_t at_unix, struct hw_symbols **ret_symbols)
{
    struct hw_symbols *symbols = calloc(1, sizeof(*symbols));
    *ret_symbols = symbols;
    if (!symbols)
        return false;
    symbols->image = image;
    symbols->mapped = modules;
    symbols->mapped_count = module_count;
    symbols->at_unix = at_unix;
    return true;
}

void hw_symbols_destroy(struct hw_symbols *symbols)
{
    for (size_t i = 0; symbols && i < symbols->module_count; i++) {
        struct module *module = &symbols->modules[i];
        hw_code_lines_close(module->lines);
        hw_elf_file_close(&module->debug);
        hw_elf_file_close(&module->file);
        hw_pairs_deinit(&module->addresses);
        free(module->functions);
        free(module->places);
    }
    if (symbols)
        hw_arena_deinit(&symbols->arena);
    free(symbols);
}

/* ---- functions ---- */

static int by_start(const void *a, const void *b)
{
    const struct function *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->is_local != y->is_local)
        return x->is_local ? 1 : -1;
    return strcmp(x->name, y->name);
}

static bool function_add(struct module *module, const GElf_Sym *symbol, const char *name)
{
    unsigned type = GELF_ST_TYPE(symbol->st_info);
    if (!name || !*name || symbol->st_shndx == SHN_UNDEF || !symbol->st_size ||
        (type != STT_FUNC && type != STT_GNU_IFUNC) || module->function_count == FUNCTIONS_MAX)
        return true;
    struct function *functions = hw_vec_grow(module->functions, &module->function_capacity,
                                             module->function_count + 1, sizeof(*functions));
    if (!functions)
        return false;
    module->functions = functions;
    functions[module->function_count++] = (struct function){
        symbol->st_value, symbol->st_size, name, GELF_ST_BIND(symbol->st_info) == STB_LOCAL};
    return true;
}

static bool functions_read(struct module *module, Elf *elf)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) ||
            (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM))
            continue;
        Elf_Data *data = elf_getdata(section, NULL);
        size_t count = data && header.sh_entsize ? data->d_size / header.sh_entsize : 0;
        GElf_Sym symbol;
        for (size_t i = 0; i < count && i < INT32_MAX && gelf_getsym(data, (int)i, &symbol); i++)
            if (!function_add(module, &symbol, elf_strptr(elf, header.sh_link, symbol.st_name)))
                return false;
    }
    return true;
}

/* The innermost is the last that begins before it; of several names for one, the first. NULL: none
 * has it. */
static const struct function *function_at(const struct module *module, uint64_t addr)
{
    size_t low = 0, high = module->function_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (module->functions[middle].start <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    const struct function *function = &module->functions[low - 1];
    while (function > module->functions && function[-1].start == function->start)
        function--;
    return addr - function->start < function->bytes ? function : NULL;
}

/* ---- modules ---- */

/* The loader says by which path it found a file, the kernel where that led to. Devices are not
 * compared: overlay filesystems have several numbers for one. */
static bool is_same_file(struct hw_image *image, const struct hw_module *module, const char *path)
{
    char there[PATH_BYTES];
    struct stat stat_of;
    const struct hw_segment *segment = hw_image_segment(image, module->start);
    snprintf(there, sizeof(there), "/proc/%d/root%s", (int)image->pid, path);
    return image->pid > 0 && segment && stat(there, &stat_of) == 0 &&
           stat_of.st_ino == segment->inode;
}

static const struct hw_module *mapped_at(const struct hw_symbols *symbols, const char *path)
{
    for (size_t i = 0; i < symbols->mapped_count; i++)
        if (strcmp(symbols->mapped[i].path, path) == 0)
            return &symbols->mapped[i];
    for (size_t i = 0; i < symbols->mapped_count; i++)
        if (is_same_file(symbols->image, &symbols->mapped[i], path))
            return &symbols->mapped[i];
    return NULL;
}

static bool file_open(struct hw_symbols *symbols, struct module *module)
{
    struct stat stat;
    if (!symbols->image)
        return hw_elf_file_open_path(&module->file, module->path) &&
               fstat(module->file.fd, &stat) == 0 && stat.st_mtime <= symbols->at_unix;
    const struct hw_module *mapped = mapped_at(symbols, module->path);
    return mapped && hw_elf_file_open(&module->file, symbols->image, mapped);
}

static bool module_open(struct hw_symbols *symbols, struct module *module)
{
    pid_t pid = symbols->image ? symbols->image->pid : 0;
    bool ok = true;
    if (file_open(symbols, module)) {
        bool is_apart = hw_elf_file_open_debug(&module->debug, &module->file, pid);
        ok = functions_read(module, module->file.elf) &&
             (!is_apart || functions_read(module, module->debug.elf));
        module->lines = hw_code_lines_open(is_apart ? module->debug.elf : module->file.elf);
    }
    if (module->function_count)
        qsort(module->functions, module->function_count, sizeof(*module->functions), by_start);
    return ok;
}

/* NULL: no memory, or there are too many. */
static struct module *module_find(struct hw_symbols *symbols, const char *path)
{
    for (size_t i = 0; i < symbols->module_count; i++)
        if (strcmp(symbols->modules[i].path, path) == 0)
            return &symbols->modules[i];
    if (symbols->module_count == MODULES_MAX)
        return NULL;
    struct module *module = &symbols->modules[symbols->module_count];
    module->path = hw_arena_strdup(&symbols->arena, path);
    module->file.fd = module->debug.fd = -1;
    if (!module->path)
        return NULL;
    symbols->module_count++;
    return module_open(symbols, module) ? module : NULL;
}

/* ---- places ---- */

/* What compilers split off a function is told as it: "f.cold", "f.part.0". */
static int name_bytes(const char *name)
{
    const char *dot = strchr(name + 1, '.');
    return dot ? (int)(dot - name) : (int)strlen(name);
}

static const char *function_text(struct hw_symbols *symbols, const struct function *function,
                                 const char *module, uint64_t addr, bool has_source)
{
    struct hw_arena *arena = &symbols->arena;
    if (!function && has_source)
        return hw_arena_printf(arena, "0x%" PRIx64 " (%s)", addr, module);
    if (!function)
        return hw_arena_printf(arena, "0x%" PRIx64, addr);
    int bytes = name_bytes(function->name);
    return has_source ? hw_arena_printf(arena, "%.*s (%s)", bytes, function->name, module)
                      : hw_arena_strndup(arena, function->name, (size_t)bytes);
}

static bool place_make(struct hw_symbols *symbols, const struct module *module, const char *path,
                       uint64_t addr, struct hw_code_place *place)
{
    uint64_t call = addr - 1; /* what is behind it may be the next function */
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *source = NULL;
    const struct function *function = module ? function_at(module, call) : NULL;
    if (module && module->lines)
        source = hw_code_lines_find(module->lines, call, &place->line);
    place->file = hw_arena_strdup(&symbols->arena, source ? source : path);
    place->function = function_text(symbols, function, base, addr, source != NULL);
    return place->file && place->function;
}

bool hw_symbols_find(struct hw_symbols *symbols, const char *path, uint64_t addr,
                     struct hw_code_place *ret_place)
{
    bool is_new;
    struct module *module = module_find(symbols, path);
    *ret_place = (struct hw_code_place){0};
    if (!module)
        return place_make(symbols, NULL, path, addr, ret_place);
    uint32_t row = hw_pairs_word(&module->addresses, addr, &is_new);
    if (row == HW_PAIRS_NONE)
        return false;
    if (is_new) {
        struct hw_code_place *places =
            hw_vec_grow(module->places, &module->place_capacity, (size_t)row + 1, sizeof(*places));
        if (!places)
            return false;
        module->places = places;
        places[row] = (struct hw_code_place){0};
        if (!place_make(symbols, module, path, addr, &places[row]))
            return false;
    }
    *ret_place = module->places[row];
    return true;
}
