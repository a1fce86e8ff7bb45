/* SPDX-License-Identifier: Apache-2.0 */
#include "image/residence.h"

#include "base/err.h"
#include "base/vec.h"
#include "image/source.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VMAS_MAX = 1 << 20, WORD_BITS = 64 };
/* Larger mappings, 128 GiB, are reservations: their pages are not looked at one by one. */
#define PAGES_MAX ((uint64_t)1 << 25)

static uint64_t vma_pages(const struct hw_vma *vma)
{
    return (vma->end - vma->start) / HW_PAGE_BYTES;
}

/* ---- smaps ---- */

/* "start-end perms offset major:minor inode   path" */
static bool head_parse(struct hw_residence *residence, const char *line, struct hw_vma *ret_vma)
{
    unsigned long long start, end, inode;
    char perms[5];
    int at = 0;
    if (sscanf(line, "%llx-%llx %4s %*x %*x:%*x %llu%n", &start, &end, perms, &inode, &at) < 4 ||
        !at || start >= end || strlen(perms) != 4)
        return false;
    const char *path = line + at + strspn(line + at, " ");
    *ret_vma = (struct hw_vma){
        .start = start,
        .end = end,
        .inode = inode,
        .prot = (perms[0] == 'r' ? HW_PROT_READ : 0u) | (perms[1] == 'w' ? HW_PROT_WRITE : 0u) |
                (perms[2] == 'x' ? HW_PROT_EXEC : 0u) | (perms[3] == 's' ? HW_PROT_SHARED : 0u),
        .path = hw_arena_strndup(&residence->arena, path, strcspn(path, "\n"))};
    return ret_vma->path != NULL;
}

static void field_parse(struct hw_vma *vma, const char *line)
{
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {
        {"Rss:", offsetof(struct hw_vma, rss_bytes)},
        {"Swap:", offsetof(struct hw_vma, swap_bytes)},
        {"AnonHugePages:", offsetof(struct hw_vma, huge_bytes)},
        {"ShmemPmdMapped:", offsetof(struct hw_vma, huge_bytes)},
        {"FilePmdMapped:", offsetof(struct hw_vma, huge_bytes)},
        {"Shared_Hugetlb:", offsetof(struct hw_vma, hugetlb_bytes)},
        {"Private_Hugetlb:", offsetof(struct hw_vma, hugetlb_bytes)},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        if (!strncmp(line, fields[i].name, strlen(fields[i].name)))
            *(uint64_t *)((char *)vma + fields[i].offset) +=
                strtoull(line + strlen(fields[i].name), NULL, 10) * 1024;
}

static bool vma_add(struct hw_residence *residence, const struct hw_vma *vma)
{
    /* The list may change while it is read: the first answer stands. */
    if (residence->count && residence->vmas[residence->count - 1].end > vma->start)
        return true;
    struct hw_vma *vmas = hw_vec_grow(residence->vmas, &residence->capacity, residence->count + 1,
                                      sizeof(*vmas));
    if (!vmas)
        return false;
    residence->vmas = vmas;
    residence->vmas[residence->count++] = *vma;
    return true;
}

static bool smaps_read(struct hw_residence *residence, pid_t pid, struct hw_err *err)
{
    char path[64], *line = NULL;
    size_t capacity = 0;
    bool ok = true;
    snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
    FILE *file = fopen(path, "re");
    struct hw_vma vma;
    /* Lines of fields begin with a capital letter, those of mappings with a number. */
    while (ok && file && getline(&line, &capacity, file) > 0 && residence->count < VMAS_MAX) {
        if (head_parse(residence, line, &vma))
            ok = vma_add(residence, &vma);
        else if (residence->count)
            field_parse(&residence->vmas[residence->count - 1], line);
    }
    free(line);
    if (file)
        fclose(file);
    return ok || hw_err_no_memory(err);
}

static void status_read(struct hw_residence *residence, pid_t pid)
{
    char path[64], *line = NULL;
    size_t capacity = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    while (file && getline(&line, &capacity, file) > 0) {
        if (!strncmp(line, "VmRSS:", 6))
            residence->kernel_rss_bytes = strtoull(line + 6, NULL, 10) * 1024;
        else if (!strncmp(line, "VmPTE:", 6))
            residence->page_table_bytes = strtoull(line + 6, NULL, 10) * 1024;
    }
    free(line);
    if (file)
        fclose(file);
}

bool hw_residence_read(pid_t pid, struct hw_residence *ret_residence, struct hw_err *err)
{
    *ret_residence = (struct hw_residence){0};
    status_read(ret_residence, pid);
    hw_cgroup_read(pid, &ret_residence->cgroup);
    if (smaps_read(ret_residence, pid, err))
        return true;
    hw_residence_deinit(ret_residence);
    return false;
}

void hw_residence_deinit(struct hw_residence *residence)
{
    for (size_t i = 0; i < residence->count; i++)
        free(residence->vmas[i].present);
    free(residence->vmas);
    hw_arena_deinit(&residence->arena);
    *residence = (struct hw_residence){0};
}

struct hw_vma *hw_residence_find(const struct hw_residence *residence, hw_addr addr)
{
    size_t low = 0, high = residence->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (residence->vmas[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == residence->count || residence->vmas[low].start > addr)
        return NULL;
    return &residence->vmas[low];
}

/* ---- pages ---- */

/* One word a page; bit 63: present. */
static bool pages_read(struct hw_vma *vma, int pagemap)
{
    enum { AT_ONCE = 4096 };
    uint64_t words[AT_ONCE], pages = vma_pages(vma), first = vma->start / HW_PAGE_BYTES;
    vma->present = calloc(pages / WORD_BITS + 1, sizeof(*vma->present));
    for (uint64_t i = 0; vma->present && i < pages;) {
        size_t want = pages - i < AT_ONCE ? pages - i : AT_ONCE;
        ssize_t n = pread(pagemap, words, want * sizeof(*words),
                          (off_t)((first + i) * sizeof(*words)));
        if (n < (ssize_t)sizeof(*words)) {
            free(vma->present);
            vma->present = NULL;
            return true;
        }
        for (size_t k = 0; k < (size_t)n / sizeof(*words); k++, i++)
            vma->present[i / WORD_BITS] |= (words[k] >> 63) << i % WORD_BITS;
    }
    return vma->present != NULL;
}

/* Private memory as it was at the freeze; the rest as the process had it before. */
static void vma_settle(struct hw_vma *vma, const struct hw_residence *before)
{
    const struct hw_vma *was = hw_residence_find(before, vma->start);
    if (vma->inode && was && was->start == vma->start && was->end == vma->end) {
        vma->rss_bytes = was->rss_bytes;
        vma->huge_bytes = was->huge_bytes;
    }
    if (was && was->start == vma->start && was->end == vma->end)
        vma->swap_bytes = was->swap_bytes;
}

bool hw_residence_settle(struct hw_residence *residence, pid_t frozen, struct hw_err *err)
{
    struct hw_residence now = {.kernel_rss_bytes = residence->kernel_rss_bytes,
                               .page_table_bytes = residence->page_table_bytes,
                               .cgroup = residence->cgroup};
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/pagemap", frozen);
    int pagemap = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = smaps_read(&now, frozen, err);
    for (size_t i = 0; ok && i < now.count; i++) {
        struct hw_vma *vma = &now.vmas[i];
        vma_settle(vma, residence);
        if (!vma->inode && vma->rss_bytes && pagemap >= 0 && vma_pages(vma) <= PAGES_MAX)
            ok = pages_read(vma, pagemap) || hw_err_no_memory(err);
    }
    if (pagemap >= 0)
        close(pagemap);
    if (!ok) {
        hw_residence_deinit(&now);
        return false;
    }
    hw_residence_deinit(residence);
    *residence = now;
    return true;
}

static uint64_t pages_count(const struct hw_vma *vma, uint64_t first, uint64_t last)
{
    uint64_t count = 0;
    for (uint64_t i = first; i <= last;) {
        uint64_t word = vma->present[i / WORD_BITS] >> i % WORD_BITS;
        uint64_t here = WORD_BITS - i % WORD_BITS;
        if (last - i + 1 < here) {
            here = last - i + 1;
            word &= (UINT64_C(1) << here) - 1;
        }
        count += (uint64_t)__builtin_popcountll(word);
        i += here;
    }
    return count;
}

static bool page_is_present(const struct hw_vma *vma, uint64_t page)
{
    return vma->present[page / WORD_BITS] >> page % WORD_BITS & 1;
}

/* All pages that [low, high) touches, less what of the first and the last lies outside. */
static uint64_t vma_bytes(const struct hw_vma *vma, hw_addr low, hw_addr high)
{
    uint64_t first = (low - vma->start) / HW_PAGE_BYTES;
    uint64_t last = (high - 1 - vma->start) / HW_PAGE_BYTES;
    uint64_t bytes = pages_count(vma, first, last) * HW_PAGE_BYTES;
    if (page_is_present(vma, first))
        bytes -= low % HW_PAGE_BYTES;
    if (page_is_present(vma, last))
        bytes -= (HW_PAGE_BYTES - high % HW_PAGE_BYTES) % HW_PAGE_BYTES;
    return bytes;
}

uint64_t hw_residence_bytes(const struct hw_residence *residence, hw_addr addr, uint64_t bytes)
{
    uint64_t sum = 0;
    hw_addr end = addr + bytes < addr ? UINT64_MAX : addr + bytes;
    for (const struct hw_vma *vma = hw_residence_find(residence, addr);
         vma && vma < residence->vmas + residence->count && vma->start < end; vma++) {
        hw_addr low = addr > vma->start ? addr : vma->start;
        hw_addr high = end < vma->end ? end : vma->end;
        if (vma->present && low < high)
            sum += vma_bytes(vma, low, high);
    }
    return sum;
}
