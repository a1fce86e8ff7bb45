/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/line-sort.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

void hw_line_sort_init(struct hw_line_sort *sort)
{
    *sort = (struct hw_line_sort){.run_bytes = HW_LINE_SORT_RUN_BYTES, .fd = -1};
}

void hw_line_sort_deinit(struct hw_line_sort *sort)
{
    if (sort->fd >= 0)
        close(sort->fd);
    hw_buf_deinit(&sort->lines);
    hw_buf_deinit(&sort->starts);
    hw_buf_deinit(&sort->runs);
}

static size_t line_bytes(const char *line)
{
    return (size_t)((const char *)rawmemchr(line, '\n') - line);
}

/* A shorter line comes before a longer one that begins with it, as in the C locale. */
static int compare_lines(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);
    return order ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_starts(const void *a, const void *b, void *lines)
{
    const char *x = (const char *)lines + *(const uint32_t *)a;
    const char *y = (const char *)lines + *(const uint32_t *)b;
    return compare_lines(x, line_bytes(x), y, line_bytes(y));
}

static void sort_run(struct hw_line_sort *sort)
{
    if (sort->starts.len)
        qsort_r(sort->starts.data, sort->starts.len / sizeof(uint32_t), sizeof(uint32_t),
                compare_starts, sort->lines.data);
}

static bool open_file(struct hw_line_sort *sort, struct hw_err *err)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    if (!dir || !*dir)
        dir = "/tmp";
    sort->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (sort->fd >= 0)
        return true;
    /* Some file systems have no unnamed files: make a name and drop it at once. */
    if (snprintf(path, sizeof(path), "%s/heapwhy-XXXXXX", dir) < (int)sizeof(path))
        sort->fd = mkostemp(path, O_CLOEXEC);
    if (sort->fd < 0)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot make a temporary file in %s", dir);
    unlink(path);
    return true;
}

static bool write_file(struct hw_line_sort *sort, const void *data, size_t bytes,
                       struct hw_err *err)
{
    const char *at = data;
    while (bytes) {
        ssize_t n = write(sort->fd, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hw_err_sys(err, HW_ERR_IO, errno, "cannot write a temporary file");
        at += n;
        bytes -= (size_t)n;
        sort->file_bytes += (size_t)n;
    }
    return true;
}

/* Calls write for the sorted lines of the open run, copied together into larger pieces. */
static bool spill_run(struct hw_line_sort *sort, struct hw_err *err)
{
    struct hw_line_run run = {sort->file_bytes, 0};
    struct hw_buf piece = {0};
    const uint32_t *starts = (const uint32_t *)sort->starts.data;
    bool ok = sort->fd >= 0 || open_file(sort, err);
    sort_run(sort);
    for (size_t i = 0; ok && i < sort->starts.len / sizeof(*starts); i++) {
        const char *line = (const char *)sort->lines.data + starts[i];
        hw_buf_put(&piece, line, line_bytes(line) + 1);
        if (piece.len >= 16 * READ_BYTES) {
            ok = write_file(sort, piece.data, piece.len, err);
            hw_buf_clear(&piece);
        }
    }
    if (ok && !hw_buf_ok(&piece))
        ok = hw_err_no_memory(err);
    ok = ok && write_file(sort, piece.data, piece.len, err);
    hw_buf_deinit(&piece);
    run.end = sort->file_bytes;
    hw_buf_put(&sort->runs, &run, sizeof(run));
    hw_buf_clear(&sort->lines);
    hw_buf_clear(&sort->starts);
    return ok && (hw_buf_ok(&sort->runs) || hw_err_no_memory(err));
}

bool hw_line_sort_add(struct hw_line_sort *sort, const char *line, size_t bytes, struct hw_err *err)
{
    if (sort->lines.len + bytes + 1 > sort->run_bytes && sort->lines.len && !spill_run(sort, err))
        return false;
    uint32_t start = (uint32_t)sort->lines.len;
    hw_buf_put(&sort->lines, line, bytes);
    hw_buf_putc(&sort->lines, '\n');
    hw_buf_put(&sort->starts, &start, sizeof(start));
    return (hw_buf_ok(&sort->lines) && hw_buf_ok(&sort->starts)) || hw_err_no_memory(err);
}

/* One run while merging: data[at, len) is read and not yet written. */
struct head {
    struct hw_line_run left; /* still in the file */
    char *data;
    size_t at, len, capacity;
    const char *line; /* the least line of the run; NULL: the run is empty */
    size_t bytes;     /* without newline */
};

static bool refill(struct head *head, int fd, struct hw_err *err)
{
    memmove(head->data, head->data + head->at, head->len - head->at);
    head->len -= head->at;
    head->at = 0;
    if (head->len == head->capacity) {
        char *data = realloc(head->data, 2 * head->capacity);
        if (!data)
            return hw_err_no_memory(err);
        head->data = data;
        head->capacity *= 2;
    }
    size_t want = head->capacity - head->len;
    if (want > head->left.end - head->left.offset)
        want = (size_t)(head->left.end - head->left.offset);
    ssize_t n = pread(fd, head->data + head->len, want, (off_t)head->left.offset);
    if (n <= 0)
        return hw_err_sys(err, HW_ERR_IO, n ? errno : EIO, "cannot read a temporary file");
    head->len += (size_t)n;
    head->left.offset += (size_t)n;
    return true;
}

static bool advance(struct head *head, int fd, struct hw_err *err)
{
    if (head->line)
        head->at += head->bytes + 1;
    for (;;) {
        const char *line = head->data + head->at;
        const char *end = memchr(line, '\n', head->len - head->at);
        head->line = end ? line : NULL;
        head->bytes = end ? (size_t)(end - line) : 0;
        if (end || head->left.offset == head->left.end)
            return true;
        if (!refill(head, fd, err))
            return false;
    }
}

static bool is_less(const struct head *a, const struct head *b)
{
    if (!a->line || !b->line)
        return a->line && !b->line;
    return compare_lines(a->line, a->bytes, b->line, b->bytes) < 0;
}

/* heap[at] may be too large for its place: moves it down. */
static void sift(struct head **heap, size_t count, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (is_less(heap[child], heap[least]))
                least = child;
        if (least == at)
            return;
        struct head *swap = heap[at];
        heap[at] = heap[least];
        heap[least] = swap;
        at = least;
    }
}

static bool merge_heads(struct hw_line_sort *sort, struct head **heap, size_t count,
                        struct hw_out *out, struct hw_err *err)
{
    for (size_t i = count; i-- > 0;)
        sift(heap, count, i);
    while (heap[0]->line && hw_out_ok(out)) {
        hw_out_put(out, heap[0]->line, heap[0]->bytes + 1);
        if (!advance(heap[0], sort->fd, err))
            return false;
        sift(heap, count, 0);
    }
    return true;
}

static bool merge_runs(struct hw_line_sort *sort, struct hw_out *out, struct hw_err *err)
{
    const struct hw_line_run *runs = (const struct hw_line_run *)sort->runs.data;
    size_t count = sort->runs.len / sizeof(*runs);
    struct head *heads = calloc(count, sizeof(*heads));
    struct head **heap = calloc(count, sizeof(struct head *));
    bool ok = (heads && heap) || hw_err_no_memory(err);
    for (size_t i = 0; ok && i < count; i++) {
        heap[i] = &heads[i];
        heads[i] = (struct head){.left = runs[i], .capacity = READ_BYTES};
        heads[i].data = malloc(READ_BYTES);
        ok = heads[i].data ? advance(&heads[i], sort->fd, err) : hw_err_no_memory(err);
    }
    ok = ok && merge_heads(sort, heap, count, out, err);
    for (size_t i = 0; heads && i < count; i++)
        free(heads[i].data);
    free(heads);
    free(heap);
    return ok;
}

static void write_run(struct hw_line_sort *sort, struct hw_out *out)
{
    const uint32_t *starts = (const uint32_t *)sort->starts.data;
    sort_run(sort);
    for (size_t i = 0; i < sort->starts.len / sizeof(*starts) && hw_out_ok(out); i++) {
        const char *line = (const char *)sort->lines.data + starts[i];
        hw_out_put(out, line, line_bytes(line) + 1);
    }
}

bool hw_line_sort_finish(struct hw_line_sort *sort, struct hw_out *out, struct hw_err *err)
{
    if (sort->runs.len == 0) {
        write_run(sort, out);
        return true;
    }
    if (sort->lines.len && !spill_run(sort, err))
        return false;
    hw_buf_deinit(&sort->lines);
    hw_buf_deinit(&sort->starts);
    return merge_runs(sort, out, err);
}
