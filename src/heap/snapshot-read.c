/* SPDX-License-Identifier: Apache-2.0 */
#include "heap/snapshot-read.h"

#include "base/err.h"
#include "heap/snapshot-columns.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

/* ---- the file ---- */

/* Every complaint about a file names it. The inner message says the rest. */
static bool blame(const struct hw_snap_file *file, const struct hw_err *inner, struct hw_err *err)
{
    if (inner->code == HW_ERR_CORRUPT || inner->code == HW_ERR_TOO_NEW)
        return hw_err_set(err, inner->code, "cannot read %.200s: %.300s", file->path, inner->msg);
    if (err)
        *err = *inner;
    return false;
}

static bool blame_chunk(const struct hw_snap_file *file, const struct hw_snap_row *row,
                        const struct hw_err *inner, struct hw_err *err)
{
    if (inner->code == HW_ERR_CORRUPT)
        return hw_err_set(err, inner->code,
                          "cannot read %.200s: it is damaged: chunk %s at offset %llu: %.300s",
                          file->path, row->tag, (unsigned long long)row->offset, inner->msg);
    return blame(file, inner, err);
}

static bool read_at(const struct hw_snap_file *file, uint64_t offset, unsigned char *out,
                    size_t bytes, struct hw_err *err)
{
    while (bytes) {
        ssize_t n = pread(file->fd, out, bytes, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hw_err_sys(err, HW_ERR_IO, errno, "cannot read %.200s", file->path);
        if (!n)
            return hw_err_set(err, HW_ERR_CORRUPT,
                              "cannot read %.200s: it became shorter meanwhile", file->path);
        out += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool read_head(struct hw_snap_file *file, uint64_t file_bytes, struct hw_err *err)
{
    unsigned char data[HW_SNAP_HEAD_MAX_BYTES], end[HW_SNAP_END_BYTES];
    size_t bytes = file_bytes < sizeof(data) ? file_bytes : sizeof(data);
    struct hw_err inner = HW_ERR_INIT;
    if (!read_at(file, 0, data, bytes, err))
        return false;
    if (!hw_snap_head_get(data, file_bytes, &file->head, &inner))
        return blame(file, &inner, err);
    if (!read_at(file, file_bytes - sizeof(end), end, sizeof(end), err))
        return false;
    return hw_snap_end_get(&file->head, end, &inner) || blame(file, &inner, err);
}

bool hw_snap_file_open(struct hw_snap_file *file, const char *path, struct hw_err *err)
{
    struct stat st;
    file->path = path;
    /* A named pipe must not hold us up. */
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd < 0)
        return hw_err_sys(err, hw_snap_err_code(errno), errno, "cannot read %.200s", path);
    bool ok = true;
    if (fstat(file->fd, &st) < 0)
        ok = hw_err_sys(err, HW_ERR_IO, errno, "cannot read %.200s", path);
    else if (!S_ISREG(st.st_mode))
        ok = hw_snap_not_regular(err, &st, "read", path);
    if (ok && read_head(file, (uint64_t)st.st_size, err))
        return true;
    hw_snap_file_close(file);
    return false;
}

void hw_snap_file_close(struct hw_snap_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

bool hw_snap_row_is_known(const struct hw_snap_row *row)
{
    for (size_t i = 0; i < HW_SNAP_COLUMN_COUNT; i++)
        if (strcmp(hw_snap_columns[i]->tag, row->tag) == 0)
            return true;
    return strcmp(row->tag, HW_SNAP_VALUES_TAG) == 0 || strcmp(row->tag, HW_SNAP_PAD_TAG) == 0;
}

static const struct hw_snap_row *find_row(const struct hw_snap_file *file, const char *tag)
{
    for (uint32_t i = 0; i < file->head.row_count; i++)
        if (strcmp(file->head.rows[i].tag, tag) == 0)
            return &file->head.rows[i];
    return NULL;
}

static bool find_needed_row(const struct hw_snap_file *file, const char *tag, uint32_t codec,
                            const struct hw_snap_row **ret_row, struct hw_err *err)
{
    const struct hw_snap_row *row = find_row(file, tag);
    if (!row)
        return hw_err_set(err, HW_ERR_CORRUPT,
                          "cannot read %.200s: it is damaged: it has no chunk %s", file->path, tag);
    struct hw_err inner = HW_ERR_INIT;
    if (row->codec != codec) {
        hw_err_set(&inner, HW_ERR_CORRUPT, "it is packed in an unknown way");
        return blame_chunk(file, row, &inner, err);
    }
    *ret_row = row;
    return true;
}

bool hw_snap_file_chunk(const struct hw_snap_file *file, const struct hw_snap_row *row,
                        unsigned char **ret_data, struct hw_err *err)
{
    unsigned char *data = malloc(row->stored_bytes ? row->stored_bytes : 1);
    if (!data)
        return hw_err_no_memory(err);
    struct hw_err inner = HW_ERR_INIT;
    if (!read_at(file, row->offset, data, row->stored_bytes, err)) {
        free(data);
        return false;
    }
    if (XXH3_64bits(data, row->stored_bytes) != row->checksum) {
        free(data);
        hw_err_set(&inner, HW_ERR_CORRUPT, "its checksum does not match");
        return blame_chunk(file, row, &inner, err);
    }
    *ret_data = data;
    return true;
}

/* ---- pieces ---- */

struct piece {
    struct hw_snap_piece size;
    const unsigned char *stored;
    uint64_t first;
};

/* Work on the pieces of one column, shared by a few threads. */
struct task {
    const struct hw_snap_column *column;
    struct hw_graph *graph;
    const struct piece *pieces;
    size_t piece_count;
    atomic_size_t next;
    atomic_int failed; /* enum hw_err_code */
};

static enum hw_err_code decode_piece(const struct task *task, const struct piece *piece,
                                     ZSTD_DCtx *unpacker, unsigned char *raw)
{
    size_t bytes = ZSTD_decompressDCtx(unpacker, raw, piece->size.raw_bytes, piece->stored,
                                       piece->size.stored_bytes);
    if (ZSTD_isError(bytes) || bytes != piece->size.raw_bytes)
        return HW_ERR_CORRUPT;
    struct hw_bytes in = hw_bytes_of(raw, bytes);
    if (task->column->decode(task->graph, piece->first, piece->size.elements, &in))
        return HW_OK;
    return in.failed ? HW_ERR_CORRUPT : HW_ERR_NO_MEMORY;
}

static void *work(void *arg)
{
    struct task *task = arg;
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    unsigned char *raw = malloc(HW_SNAP_PIECE_RAW_MAX);
    size_t number;
    if (!unpacker || !raw)
        atomic_store(&task->failed, HW_ERR_NO_MEMORY);
    while (!atomic_load(&task->failed) &&
           (number = atomic_fetch_add(&task->next, 1)) < task->piece_count) {
        enum hw_err_code code = decode_piece(task, &task->pieces[number], unpacker, raw);
        if (code)
            atomic_store(&task->failed, (int)code);
    }
    free(raw);
    ZSTD_freeDCtx(unpacker);
    return NULL;
}

static unsigned start_threads(struct task *task, pthread_t threads[HW_SNAP_THREAD_MAX])
{
    unsigned wanted = task->column->parallel ? hw_snap_thread_count(task->graph) : 1, count = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (count + 1 < wanted && count + 1 < task->piece_count &&
           !pthread_create(&threads[count], NULL, work, task))
        count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return count;
}

static bool run_task(struct task *task, struct hw_err *err)
{
    pthread_t threads[HW_SNAP_THREAD_MAX];
    unsigned count = start_threads(task, threads);
    work(task);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    switch (atomic_load(&task->failed)) {
    case HW_OK:
        return true;
    case HW_ERR_CORRUPT:
        return hw_err_set(err, HW_ERR_CORRUPT, "its content makes no sense");
    default:
        return hw_err_no_memory(err);
    }
}

/* Finds the pieces of a chunk; their sums must be what the row says. */
static bool find_pieces(const struct hw_snap_row *row, const unsigned char *data,
                        struct piece **ret_pieces, size_t *ret_count, struct hw_err *err)
{
    struct hw_bytes in = hw_bytes_of(data, row->stored_bytes);
    struct hw_buf found = {0};
    uint64_t raw_bytes = 0, elements = 0;
    bool ok = true;
    while (ok && hw_bytes_left(&in)) {
        struct piece piece = {.first = elements};
        ok = hw_snap_piece_get(&in, &piece.size);
        piece.stored = hw_bytes_take(&in, piece.size.stored_bytes);
        raw_bytes += piece.size.raw_bytes;
        elements += piece.size.elements;
        ok = ok && piece.stored;
        hw_buf_put(&found, &piece, sizeof(piece));
    }
    ok = ok && raw_bytes == row->raw_bytes && elements == row->elements;
    if (ok && hw_buf_ok(&found)) {
        *ret_count = found.len / sizeof(struct piece);
        *ret_pieces = (struct piece *)(void *)found.data;
        return true;
    }
    hw_buf_deinit(&found);
    return ok ? hw_err_no_memory(err)
              : hw_err_set(err, HW_ERR_CORRUPT, "its pieces do not fit together");
}

static bool decode_column(const struct hw_snap_column *column, const struct hw_snap_row *row,
                          const unsigned char *data, struct hw_graph *graph, struct hw_err *err)
{
    struct piece *pieces = NULL;
    struct task task = {.column = column, .graph = graph};
    if (!find_pieces(row, data, &pieces, &task.piece_count, err))
        return false;
    task.pieces = pieces;
    bool ok = column->prepare(graph, row->elements, err) && run_task(&task, err) &&
              (!column->finish || column->finish(graph, err));
    free(pieces);
    return ok;
}

/* ---- the graph ---- */

static bool load_column(const struct hw_snap_file *file, const struct hw_snap_column *column,
                        struct hw_graph *graph, struct hw_err *err)
{
    const struct hw_snap_row *row;
    unsigned char *data;
    struct hw_err inner = HW_ERR_INIT;
    if (column->optional && !find_row(file, column->tag))
        return true;
    if (!find_needed_row(file, column->tag, HW_SNAP_PIECES, &row, err) ||
        !hw_snap_file_chunk(file, row, &data, err))
        return false;
    bool ok = decode_column(column, row, data, graph, &inner);
    free(data);
    return ok || blame_chunk(file, row, &inner, err);
}

static bool load_values(const struct hw_snap_file *file, struct hw_graph *graph, struct hw_err *err)
{
    const struct hw_snap_row *row;
    struct hw_values *values = &graph->values;
    if (!find_needed_row(file, HW_SNAP_VALUES_TAG, HW_SNAP_PLAIN, &row, err) ||
        !hw_snap_file_chunk(file, row, &values->packed.data, err))
        return false;
    values->packed.len = values->packed.capacity = row->stored_bytes;
    const struct hw_value_block *last = values->blocks + values->block_count;
    uint64_t bytes = values->block_count ? last[-1].offset + last[-1].bytes : 0;
    if (bytes == row->stored_bytes)
        return true;
    struct hw_err inner = HW_ERR_INIT;
    hw_err_set(&inner, HW_ERR_CORRUPT, "it is not as long as its index says");
    return blame_chunk(file, row, &inner, err);
}

static bool load(const struct hw_snap_file *file, struct hw_graph *graph, struct hw_err *err)
{
    graph->node_count = file->head.node_count;
    graph->object_count = file->head.object_count;
    graph->edge_count = file->head.edge_count;
    for (size_t i = 0; i < HW_SNAP_COLUMN_COUNT; i++)
        if (!load_column(file, hw_snap_columns[i], graph, err))
            return false;
    struct hw_err inner = HW_ERR_INIT;
    return load_values(file, graph, err) &&
           (hw_graph_validate(graph, &inner) || blame(file, &inner, err));
}

bool hw_snap_file_load(const struct hw_snap_file *file, struct hw_graph **ret_graph,
                       struct hw_err *err)
{
    struct hw_graph *graph = hw_graph_create();
    if (!graph)
        return hw_err_no_memory(err);
    if (!load(file, graph, err)) {
        hw_graph_destroy(graph);
        return false;
    }
    *ret_graph = graph;
    return true;
}

bool hw_snapshot_load(const char *path, struct hw_graph **ret_graph, struct hw_err *err)
{
    struct hw_snap_file file;
    if (!hw_snap_file_open(&file, path, err))
        return false;
    bool ok = hw_snap_file_load(&file, ret_graph, err);
    hw_snap_file_close(&file);
    if (ok)
        hw_graph_enlist(*ret_graph);
    return ok;
}

bool hw_snapshot_facts(const char *path, struct hw_facts *ret_facts, struct hw_err *err)
{
    struct hw_snap_file file;
    struct hw_graph *graph = hw_graph_create();
    if (!graph)
        return hw_err_no_memory(err);
    bool ok = hw_snap_file_open(&file, path, err);
    if (ok) {
        ok = load_column(&file, &hw_snap_facts, graph, err);
        *ret_facts = graph->facts;
        hw_snap_file_close(&file);
    }
    hw_graph_destroy(graph);
    return ok;
}
