/* SPDX-License-Identifier: Apache-2.0 */
#include "inside/foreign.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void (*tell)(int64_t bytes);

static int64_t size_of(void *block)
{
    return block ? (int64_t)malloc_usable_size(block) : 0;
}

static void *took(void *block)
{
    int before = errno;
    tell(size_of(block));
    errno = before;
    return block;
}

/* ---- in the place of malloc and its like ---- */

static void *our_malloc(size_t bytes)
{
    return took(malloc(bytes));
}

static void *our_calloc(size_t items, size_t bytes)
{
    return took(calloc(items, bytes));
}

static void *our_realloc(void *block, size_t bytes)
{
    int64_t old = size_of(block);
    void *moved = realloc(block, bytes);
    if (moved || !bytes)
        tell(size_of(moved) - old);
    return moved;
}

static void *our_reallocarray(void *block, size_t items, size_t bytes)
{
    int64_t old = size_of(block);
    void *moved = reallocarray(block, items, bytes);
    if (moved || !items || !bytes)
        tell(size_of(moved) - old);
    return moved;
}

static void our_free(void *block)
{
    tell(-size_of(block));
    free(block);
}

static int our_posix_memalign(void **ret_block, size_t alignment, size_t bytes)
{
    int error = posix_memalign(ret_block, alignment, bytes);
    if (!error)
        took(*ret_block);
    return error;
}

static void *our_aligned_alloc(size_t alignment, size_t bytes)
{
    return took(aligned_alloc(alignment, bytes));
}

static void *our_memalign(size_t alignment, size_t bytes)
{
    return took(memalign(alignment, bytes));
}

/* ---- what the C library allocates for its callers to free ---- */

static char *our_strdup(const char *text)
{
    return took(strdup(text));
}

static char *our_strndup(const char *text, size_t max)
{
    return took(strndup(text, max));
}

static char *our_realpath(const char *path, char *to)
{
    char *told = realpath(path, to);
    return to ? told : took(told);
}

static char *our_getcwd(char *to, size_t max)
{
    char *told = getcwd(to, max);
    return to ? told : took(told);
}

static ssize_t our_getdelim(char **line, size_t *capacity, int end, FILE *file)
{
    int64_t old = size_of(*line);
    ssize_t n = getdelim(line, capacity, end, file);
    tell(size_of(*line) - old);
    return n;
}

static ssize_t our_getline(char **line, size_t *capacity, FILE *file)
{
    return our_getdelim(line, capacity, '\n', file);
}

static int our_vasprintf(char **ret_text, const char *format, va_list args)
{
    int n = vasprintf(ret_text, format, args);
    if (n >= 0)
        took(*ret_text);
    return n;
}

static int our_asprintf(char **ret_text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = our_vasprintf(ret_text, format, args);
    va_end(args);
    return n;
}

static int our_vasprintf_chk(char **ret_text, int flag, const char *format, va_list args)
{
    return our_vasprintf(ret_text, format, args);
}

static int our_asprintf_chk(char **ret_text, int flag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = our_vasprintf(ret_text, format, args);
    va_end(args);
    return n;
}

typedef void (*function)(void);
static const struct {
    const char *name;
    function ours;
} replaced[] = {
    {"malloc", (function)our_malloc},
    {"calloc", (function)our_calloc},
    {"realloc", (function)our_realloc},
    {"reallocarray", (function)our_reallocarray},
    {"free", (function)our_free},
    {"posix_memalign", (function)our_posix_memalign},
    {"aligned_alloc", (function)our_aligned_alloc},
    {"memalign", (function)our_memalign},
    {"strdup", (function)our_strdup},
    {"__strdup", (function)our_strdup},
    {"strndup", (function)our_strndup},
    {"realpath", (function)our_realpath},
    {"getcwd", (function)our_getcwd},
    {"getline", (function)our_getline},
    {"getdelim", (function)our_getdelim},
    {"__getdelim", (function)our_getdelim},
    {"asprintf", (function)our_asprintf},
    {"vasprintf", (function)our_vasprintf},
    {"__asprintf_chk", (function)our_asprintf_chk},
    {"__vasprintf_chk", (function)our_vasprintf_chk},
};

/* ---- slots ---- */

/* An object's dynamic section, as far as it matters; glibc has made its addresses absolute. */
struct object {
    ElfW(Addr) base;
    const ElfW(Sym) *symbols;
    const char *names;
    const ElfW(Rela) *tables[2]; /* of the procedure linkage table, of all else */
    size_t bytes[2];
    ElfW(Addr) sealed, sealed_end; /* read-only since the object was loaded: PT_GNU_RELRO */
};

static function replacement_of(const char *name)
{
    for (size_t i = 0; i < sizeof(replaced) / sizeof(*replaced); i++)
        if (strcmp(replaced[i].name, name) == 0)
            return replaced[i].ours;
    return NULL;
}

static bool unseal(const struct object *object, ElfW(Addr) slot)
{
    ElfW(Addr) page = (ElfW(Addr))sysconf(_SC_PAGESIZE);
    if (slot < object->sealed || slot >= object->sealed_end)
        return true;
    ElfW(Addr) from = slot & ~(page - 1);
    return mprotect((void *)from, page, PROT_READ | PROT_WRITE) == 0;
}

static void fill_slot(const struct object *object, const ElfW(Rela) *rela)
{
    unsigned type = ELF64_R_TYPE(rela->r_info);
    unsigned long symbol = ELF64_R_SYM(rela->r_info);
    if (!symbol || rela->r_addend || (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && type != R_X86_64_64))
        return;
    function ours = replacement_of(object->names + object->symbols[symbol].st_name);
    /* one that the object has itself is not ours to replace */
    if (!ours || object->symbols[symbol].st_shndx != SHN_UNDEF)
        return;
    ElfW(Addr) slot = object->base + rela->r_offset;
    if (*(function *)slot != ours && unseal(object, slot))
        __atomic_store_n((function *)slot, ours, __ATOMIC_RELAXED);
}

static bool object_read(const struct dl_phdr_info *info, struct object *object)
{
    const ElfW(Dyn) *dynamic = NULL;
    *object = (struct object){.base = info->dlpi_addr};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)(info->dlpi_addr + segment->p_vaddr);
        if (segment->p_type == PT_GNU_RELRO) {
            object->sealed = info->dlpi_addr + segment->p_vaddr;
            object->sealed_end = object->sealed + segment->p_memsz;
        }
    }
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++)
        switch (dynamic->d_tag) {
        case DT_SYMTAB:
            object->symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
            break;
        case DT_STRTAB:
            object->names = (const char *)dynamic->d_un.d_ptr;
            break;
        case DT_JMPREL:
            object->tables[0] = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
            break;
        case DT_PLTRELSZ:
            object->bytes[0] = dynamic->d_un.d_val;
            break;
        case DT_RELA:
            object->tables[1] = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
            break;
        case DT_RELASZ:
            object->bytes[1] = dynamic->d_un.d_val;
            break;
        }
    /* the kernel's vdso keeps offsets: below its own base */
    return object->symbols && object->names && (ElfW(Addr))object->names >= info->dlpi_addr;
}

static bool has_address(const struct dl_phdr_info *info, const void *address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        ElfW(Addr) begin = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && (ElfW(Addr))address >= begin &&
            (ElfW(Addr))address < begin + segment->p_memsz)
            return true;
    }
    return false;
}

/* Python's own object, ours, malloc's, the C library and the dynamic linker, which must not call us back: by
 * functions that nobody puts others in the place of. */
static bool is_left_alone(const struct dl_phdr_info *info)
{
    const void *const homes[] = {dlsym(RTLD_DEFAULT, "PyMem_RawMalloc"), (const void *)tell,
                                 dlsym(RTLD_DEFAULT, "malloc"), dlsym(RTLD_DEFAULT, "gnu_get_libc_version"),
                                 dlsym(RTLD_DEFAULT, "_dl_allocate_tls")};
    for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++)
        if (homes[i] && has_address(info, homes[i]))
            return true;
    return false;
}

static int object_hook(struct dl_phdr_info *info, size_t bytes, void *ctx)
{
    struct object object;
    if (is_left_alone(info) || !object_read(info, &object))
        return 0;
    for (int table = 0; table < 2; table++)
        for (size_t i = 0; object.tables[table] && i < object.bytes[table] / sizeof(ElfW(Rela)); i++)
            fill_slot(&object, &object.tables[table][i]);
    return 0;
}

/* How many objects were ever loaded. */
static int object_count(struct dl_phdr_info *info, size_t bytes, void *ctx)
{
    *(unsigned long long *)ctx = info->dlpi_adds;
    return 1;
}

void hw_foreign_hook(void (*told)(int64_t bytes))
{
    static unsigned long long known;
    unsigned long long loaded = 0;
    dl_iterate_phdr(object_count, &loaded);
    if (loaded == known)
        return;
    tell = told;
    dl_iterate_phdr(object_hook, NULL);
    known = loaded;
}
