/* SPDX-License-Identifier: Apache-2.0 */
#include "native/elf-memory.h"

#include <string.h>

enum { DYNAMIC_MAX = 1024, CHAIN_MAX = 1 << 20, NOTES_MAX_BYTES = 4096 };

bool hw_elf_memory_headers(struct hw_image *image, hw_addr start, Elf64_Ehdr *ret_header,
                           Elf64_Phdr ret_programs[HW_ELF_PROGRAMS_MAX])
{
    Elf64_Ehdr header;
    if (!hw_image_read(image, start, &header, sizeof(header)) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_phentsize != sizeof(Elf64_Phdr) ||
        header.e_phnum == 0 || header.e_phnum > HW_ELF_PROGRAMS_MAX)
        return false;
    if (!hw_image_read(image, start + header.e_phoff, ret_programs,
                       header.e_phnum * sizeof(Elf64_Phdr)))
        return false;
    *ret_header = header;
    return true;
}

/* What the dynamic section points at, as addresses in the target; 0: absent. */
struct dynamic {
    hw_addr symbols, strings, gnu_hash, hash;
    uint64_t string_bytes;
};

/* glibc's loader writes addresses over the file's values, others leave them. */
static hw_addr dynamic_address(const struct hw_module *module, uint64_t value)
{
    return value >= module->start && value < module->end ? value : value + module->bias;
}

static void dynamic_take(struct dynamic *dynamic, const struct hw_module *module,
                         const Elf64_Dyn *entry)
{
    hw_addr addr = dynamic_address(module, entry->d_un.d_ptr);
    switch (entry->d_tag) {
    case DT_SYMTAB:
        dynamic->symbols = addr;
        break;
    case DT_STRTAB:
        dynamic->strings = addr;
        break;
    case DT_STRSZ:
        dynamic->string_bytes = entry->d_un.d_val;
        break;
    case DT_GNU_HASH:
        dynamic->gnu_hash = addr;
        break;
    case DT_HASH:
        dynamic->hash = addr;
        break;
    default:
        break;
    }
}

static bool dynamic_read(struct hw_image *image, const struct hw_module *module,
                         struct dynamic *ret_dynamic)
{
    Elf64_Ehdr header;
    Elf64_Phdr programs[HW_ELF_PROGRAMS_MAX];
    struct dynamic dynamic = {0};
    if (!hw_elf_memory_headers(image, module->start, &header, programs))
        return false;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        hw_addr at = module->bias + programs[i].p_vaddr;
        Elf64_Dyn entry;
        if (programs[i].p_type != PT_DYNAMIC)
            continue;
        for (unsigned n = 0; n < DYNAMIC_MAX; n++, at += sizeof(entry)) {
            if (!hw_image_read(image, at, &entry, sizeof(entry)) || entry.d_tag == DT_NULL)
                break;
            dynamic_take(&dynamic, module, &entry);
        }
    }
    *ret_dynamic = dynamic;
    return dynamic.symbols && dynamic.strings && (dynamic.gnu_hash || dynamic.hash);
}

/* Symbol number `index`, if it is defined and has this name. */
static bool symbol_matches(struct hw_image *image, const struct hw_module *module,
                           const struct dynamic *dynamic, uint32_t index, const char *name,
                           struct hw_symbol *ret_symbol)
{
    Elf64_Sym symbol;
    size_t length = strlen(name) + 1;
    if (!hw_image_read(image, dynamic->symbols + (uint64_t)index * sizeof(symbol), &symbol,
                       sizeof(symbol)) ||
        symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) == STT_TLS)
        return false;
    const char *text = hw_image_at(image, dynamic->strings + symbol.st_name, length);
    if (!text || memcmp(text, name, length))
        return false;
    *ret_symbol = (struct hw_symbol){module->bias + symbol.st_value, symbol.st_size};
    return true;
}

static bool word_read(struct hw_image *image, hw_addr addr, uint32_t *ret_word)
{
    return hw_image_read(image, addr, ret_word, sizeof(*ret_word));
}

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++)
        hash = hash * 33 + *p;
    return hash;
}

static bool gnu_lookup(struct hw_image *image, const struct hw_module *module,
                       const struct dynamic *dynamic, const char *name,
                       struct hw_symbol *ret_symbol)
{
    struct {
        uint32_t buckets, first, bloom_words, bloom_shift;
    } table;
    uint32_t hash = gnu_hash_of(name), index, chain;
    if (!hw_image_read(image, dynamic->gnu_hash, &table, sizeof(table)) || !table.buckets)
        return false;
    hw_addr buckets = dynamic->gnu_hash + sizeof(table) + (uint64_t)table.bloom_words * 8;
    hw_addr chains = buckets + (uint64_t)table.buckets * 4;
    if (!word_read(image, buckets + (uint64_t)(hash % table.buckets) * 4, &index) ||
        index < table.first)
        return false;
    for (unsigned n = 0; n < CHAIN_MAX; n++, index++) {
        if (!word_read(image, chains + (uint64_t)(index - table.first) * 4, &chain))
            return false;
        if ((chain | 1) == (hash | 1) &&
            symbol_matches(image, module, dynamic, index, name, ret_symbol))
            return true;
        if (chain & 1)
            return false;
    }
    return false;
}

/* The old table's second word is the number of symbols; looking at each needs no hashing. */
static bool plain_lookup(struct hw_image *image, const struct hw_module *module,
                         const struct dynamic *dynamic, const char *name,
                         struct hw_symbol *ret_symbol)
{
    uint32_t count;
    if (!word_read(image, dynamic->hash + 4, &count) || count > CHAIN_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (symbol_matches(image, module, dynamic, i, name, ret_symbol))
            return true;
    return false;
}

bool hw_elf_memory_symbol(struct hw_image *image, const struct hw_module *module, const char *name,
                          struct hw_symbol *ret_symbol)
{
    struct dynamic dynamic;
    if (!dynamic_read(image, module, &dynamic))
        return false;
    return dynamic.gnu_hash ? gnu_lookup(image, module, &dynamic, name, ret_symbol)
                            : plain_lookup(image, module, &dynamic, name, ret_symbol);
}

/* How many symbols there are: none lies behind the longest chain's end. */
static uint32_t gnu_count(struct hw_image *image, const struct dynamic *dynamic)
{
    struct {
        uint32_t buckets, first, bloom_words, bloom_shift;
    } table;
    uint32_t last = 0, index, chain = 0;
    if (!hw_image_read(image, dynamic->gnu_hash, &table, sizeof(table)) || table.buckets > CHAIN_MAX)
        return 0;
    hw_addr buckets = dynamic->gnu_hash + sizeof(table) + (uint64_t)table.bloom_words * 8;
    hw_addr chains = buckets + (uint64_t)table.buckets * 4;
    for (uint32_t i = 0; i < table.buckets; i++)
        if (word_read(image, buckets + (uint64_t)i * 4, &index) && index > last)
            last = index;
    if (last < table.first)
        return table.first;
    while (last < CHAIN_MAX && word_read(image, chains + (uint64_t)(last - table.first) * 4, &chain) &&
           !(chain & 1))
        last++;
    return last + 1;
}

bool hw_elf_memory_symbols(struct hw_image *image, const struct hw_module *module,
                           void (*visit)(void *ctx, const char *name, const struct hw_symbol *symbol),
                           void *ctx)
{
    enum { NAME_MAX_BYTES = 256 };
    struct dynamic dynamic;
    char name[NAME_MAX_BYTES];
    uint32_t count = 0;
    if (!dynamic_read(image, module, &dynamic))
        return false;
    if (dynamic.gnu_hash)
        count = gnu_count(image, &dynamic);
    else
        word_read(image, dynamic.hash + 4, &count);
    for (uint32_t i = 1; i < count && i < CHAIN_MAX; i++) {
        Elf64_Sym symbol;
        if (!hw_image_read(image, dynamic.symbols + (uint64_t)i * sizeof(symbol), &symbol, sizeof(symbol)))
            break;
        if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) == STT_TLS ||
            !hw_image_read_string(image, dynamic.strings + symbol.st_name, name, sizeof(name)))
            continue;
        const struct hw_symbol found = {module->bias + symbol.st_value, symbol.st_size};
        visit(ctx, name, &found);
    }
    return true;
}

static size_t note_padded(uint32_t bytes)
{
    return ((size_t)bytes + 3) & ~(size_t)3;
}

/* The build id among the notes of one segment. */
static size_t notes_search(const unsigned char *notes, size_t bytes, unsigned char *to, size_t max)
{
    while (bytes >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        memcpy(&note, notes, sizeof(note));
        size_t content = sizeof(note) + note_padded(note.n_namesz);
        if (content > bytes || note_padded(note.n_descsz) > bytes - content)
            return 0;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
            !memcmp(notes + sizeof(note), ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) &&
            note.n_descsz <= max) {
            memcpy(to, notes + content, note.n_descsz);
            return note.n_descsz;
        }
        content += note_padded(note.n_descsz);
        notes += content;
        bytes -= content;
    }
    return 0;
}

size_t hw_elf_memory_build_id(struct hw_image *image, const struct hw_module *module,
                              unsigned char *to, size_t max)
{
    Elf64_Ehdr header;
    Elf64_Phdr programs[HW_ELF_PROGRAMS_MAX];
    size_t found = 0;
    if (!hw_elf_memory_headers(image, module->start, &header, programs))
        return 0;
    for (unsigned i = 0; i < header.e_phnum && !found; i++) {
        /* Notes aligned to eight bytes hold properties, not the build id. */
        if (programs[i].p_type != PT_NOTE || programs[i].p_align > 4 ||
            programs[i].p_filesz > NOTES_MAX_BYTES)
            continue;
        const unsigned char *notes =
            hw_image_at(image, module->bias + programs[i].p_vaddr, programs[i].p_filesz);
        if (notes)
            found = notes_search(notes, programs[i].p_filesz, to, max);
    }
    return found;
}
