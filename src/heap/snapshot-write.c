/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Pieces are encoded and packed by a few threads, each with its own buffers, and written in order:
 * a thread that has finished its piece waits for its turn. So the memory in use does not depend on
 * the graph. The head, which holds sizes and checksums, is written last.
 */

#include "base/err.h"
#include "heap/snapshot-columns.h"
#include "heap/snapshot-format.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

enum {
    PACK_LEVEL = 1,
    CHUNK_COUNT = HW_SNAP_COLUMN_COUNT + 2, /* values and padding */
    HEAD_BYTES = HW_SNAP_HEADER_BYTES + (CHUNK_COUNT + 1) * HW_SNAP_ROW_BYTES,
};

struct writer {
    const struct hw_graph *graph;
    const char *path; /* for messages */
    int fd;
    struct hw_snap_head head;
    uint64_t offset;
    XXH3_state_t *checksum; /* of the chunk that is being written */

    pthread_mutex_t lock;
    pthread_cond_t turn_came;
    size_t column;    /* of the next piece to be taken */
    uint64_t element; /* its first */
    uint64_t taken;   /* pieces taken */
    uint64_t written; /* pieces written: whose turn it is */
    bool failed;
    struct hw_err err; /* of whoever failed first */
};

struct job {
    uint64_t number;
    size_t column;
    uint64_t first;
    size_t count;
};

struct worker {
    struct writer *writer;
    ZSTD_CCtx *packer;
    unsigned char *raw;
    unsigned char *packed; /* a piece header, then the frame */
};

/* ---- plain writing ---- */

static bool write_all(struct writer *writer, const unsigned char *data, size_t bytes,
                      struct hw_err *err)
{
    while (bytes) {
        ssize_t n = write(writer->fd, data, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return hw_err_sys(err, HW_ERR_IO, n ? errno : ENOSPC, "cannot write %.200s",
                              writer->path);
        data += n;
        bytes -= (size_t)n;
        writer->offset += (uint64_t)n;
    }
    return true;
}

static struct hw_snap_row *begin_chunk(struct writer *writer, const char *tag, uint32_t codec)
{
    struct hw_snap_row *row = &writer->head.rows[writer->head.row_count++];
    *row = (struct hw_snap_row){.codec = codec, .offset = writer->offset};
    strncpy(row->tag, tag, HW_SNAP_TAG_BYTES);
    XXH3_64bits_reset(writer->checksum);
    row->checksum = XXH3_64bits_digest(writer->checksum);
    return row;
}

static bool write_chunk(struct writer *writer, struct hw_snap_row *row, const unsigned char *data,
                        size_t bytes, struct hw_err *err)
{
    row->stored_bytes += bytes;
    XXH3_64bits_update(writer->checksum, data, bytes);
    row->checksum = XXH3_64bits_digest(writer->checksum);
    return write_all(writer, data, bytes, err);
}

/* ---- pieces ---- */

/* How many elements from first on make one piece. */
static size_t piece_count(const struct hw_snap_column *column, const struct hw_graph *graph,
                          uint64_t first, uint64_t total)
{
    uint64_t left = total - first;
    size_t max = left < HW_SNAP_PIECE_ELEMENTS_MAX ? left : HW_SNAP_PIECE_ELEMENTS_MAX;
    if (!column->bound)
        return max;
    size_t bytes = 0, count = 0;
    while (count < max && (bytes += column->bound(graph, first + count)) <= HW_SNAP_PIECE_RAW_MAX)
        count++;
    return count;
}

/* The next piece in the order of the file; false: none is left. Wants the lock. */
static bool take_job(struct writer *writer, struct job *ret_job)
{
    for (; writer->column < HW_SNAP_COLUMN_COUNT; writer->column++, writer->element = 0) {
        const struct hw_snap_column *column = hw_snap_columns[writer->column];
        uint64_t total = column->count(writer->graph);
        if (writer->element == total)
            continue;
        size_t count = piece_count(column, writer->graph, writer->element, total);
        *ret_job = (struct job){writer->taken++, writer->column, writer->element, count};
        writer->element += count;
        return true;
    }
    return false;
}

/* Leaves header and frame in worker->packed. */
static bool pack_piece(struct worker *worker, const struct job *job,
                       struct hw_snap_piece *ret_piece, struct hw_err *err)
{
    const unsigned char *end = hw_snap_columns[job->column]->encode(
        worker->writer->graph, job->first, job->count, worker->raw);
    size_t raw_bytes = (size_t)(end - worker->raw);
    size_t bytes = ZSTD_compressCCtx(worker->packer, worker->packed + HW_SNAP_PIECE_HEADER_BYTES,
                                     HW_SNAP_PIECE_STORED_MAX, worker->raw, raw_bytes, PACK_LEVEL);
    if (ZSTD_isError(bytes))
        return hw_err_no_memory(err);
    *ret_piece = (struct hw_snap_piece){(uint32_t)raw_bytes, (uint32_t)bytes, (uint32_t)job->count};
    hw_snap_piece_put(*ret_piece, worker->packed);
    return true;
}

/* Columns without elements have a row too. */
static void begin_columns_before(struct writer *writer, size_t column)
{
    while (writer->head.row_count < column)
        begin_chunk(writer, hw_snap_columns[writer->head.row_count]->tag, HW_SNAP_PIECES);
}

static bool write_piece(struct writer *writer, const struct job *job, struct hw_snap_piece piece,
                        const unsigned char *data, struct hw_err *err)
{
    begin_columns_before(writer, job->column + 1);
    struct hw_snap_row *row = &writer->head.rows[job->column];
    row->raw_bytes += piece.raw_bytes;
    row->elements += piece.elements;
    return write_chunk(writer, row, data, HW_SNAP_PIECE_HEADER_BYTES + piece.stored_bytes, err);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct writer *writer = worker->writer;
    struct job job;
    pthread_mutex_lock(&writer->lock);
    while (!writer->failed && take_job(writer, &job)) {
        pthread_mutex_unlock(&writer->lock);
        struct hw_snap_piece piece;
        struct hw_err err = HW_ERR_INIT;
        bool packed = pack_piece(worker, &job, &piece, &err);
        pthread_mutex_lock(&writer->lock);
        while (!writer->failed && writer->written != job.number)
            pthread_cond_wait(&writer->turn_came, &writer->lock);
        if (!writer->failed &&
            !(packed && write_piece(writer, &job, piece, worker->packed, &err))) {
            writer->failed = true;
            writer->err = err;
        }
        writer->written++;
        pthread_cond_broadcast(&writer->turn_came);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* ---- threads ---- */

static bool worker_init(struct worker *worker, struct writer *writer)
{
    worker->writer = writer;
    worker->packer = ZSTD_createCCtx();
    worker->raw = malloc(HW_SNAP_PIECE_RAW_MAX);
    worker->packed = malloc(HW_SNAP_PIECE_HEADER_BYTES + HW_SNAP_PIECE_STORED_MAX);
    return worker->packer && worker->raw && worker->packed;
}

static void worker_deinit(struct worker *worker)
{
    ZSTD_freeCCtx(worker->packer);
    free(worker->raw);
    free(worker->packed);
}

/* Signals stay with the caller's threads. */
static bool start_thread(pthread_t *thread, struct worker *worker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !error;
}

/* More than one thread is a luxury: without memory or threads for it, fewer do the work. */
static bool write_columns(struct writer *writer, struct hw_err *err)
{
    struct worker workers[HW_SNAP_THREAD_MAX] = {0};
    pthread_t threads[HW_SNAP_THREAD_MAX];
    unsigned wanted = hw_snap_thread_count(writer->graph), running = 1;
    bool ok = worker_init(&workers[0], writer);
    if (ok) {
        while (running < wanted && worker_init(&workers[running], writer) &&
               start_thread(&threads[running], &workers[running]))
            running++;
        work(&workers[0]);
        for (unsigned i = 1; i < running; i++)
            pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i < HW_SNAP_THREAD_MAX; i++)
        worker_deinit(&workers[i]);
    if (!ok)
        return hw_err_no_memory(err);
    if (writer->failed && err)
        *err = writer->err;
    begin_columns_before(writer, HW_SNAP_COLUMN_COUNT);
    return !writer->failed;
}

/* ---- the file ---- */

static bool write_values(struct writer *writer, struct hw_err *err)
{
    const struct hw_buf *packed = &writer->graph->values.packed;
    struct hw_snap_row *row = begin_chunk(writer, HW_SNAP_VALUES_TAG, HW_SNAP_PLAIN);
    row->raw_bytes = row->elements = packed->len;
    return write_chunk(writer, row, packed->data, packed->len, err);
}

/* Makes the file so long that it may unpack to as much as it does. */
static bool write_pad(struct writer *writer, struct hw_err *err)
{
    static const unsigned char zeros[4096];
    uint64_t raw_bytes = 0, bytes = 0;
    for (uint32_t i = 0; i < writer->head.row_count; i++)
        raw_bytes += writer->head.rows[i].raw_bytes;
    if (raw_bytes / HW_SNAP_RAW_PER_BYTE > writer->offset)
        bytes = (raw_bytes - writer->offset * HW_SNAP_RAW_PER_BYTE) / (HW_SNAP_RAW_PER_BYTE - 1);
    struct hw_snap_row *row = begin_chunk(writer, HW_SNAP_PAD_TAG, HW_SNAP_PLAIN);
    row->raw_bytes = row->elements = bytes;
    for (size_t n; bytes; bytes -= n) {
        n = bytes < sizeof(zeros) ? bytes : sizeof(zeros);
        if (!write_chunk(writer, row, zeros, n, err))
            return false;
    }
    return true;
}

static bool write_head(struct writer *writer, struct hw_err *err)
{
    unsigned char head[HEAD_BYTES];
    unsigned char end[HW_SNAP_END_BYTES];
    writer->head.file_bytes = writer->offset + HW_SNAP_END_BYTES;
    hw_snap_head_put(&writer->head, head);
    hw_snap_end_put(&writer->head, end);
    if (!write_all(writer, end, sizeof(end), err))
        return false;
    if (lseek(writer->fd, 0, SEEK_SET) != 0)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot write %.200s", writer->path);
    return write_all(writer, head, sizeof(head), err);
}

static bool write_file(struct writer *writer, struct hw_err *err)
{
    static const unsigned char room[HEAD_BYTES];
    const struct hw_graph *graph = writer->graph;
    writer->head.major = HW_SNAP_MAJOR;
    writer->head.minor = HW_SNAP_MINOR;
    writer->head.node_count = graph->node_count;
    writer->head.object_count = graph->object_count;
    writer->head.edge_count = graph->edge_count;
    if (!write_all(writer, room, sizeof(room), err) || !write_columns(writer, err) ||
        !write_values(writer, err) || !write_pad(writer, err) || !write_head(writer, err))
        return false;
    if (fsync(writer->fd) < 0)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot write %.200s", writer->path);
    return true;
}

/* ---- names ---- */

/* What to rename to: a symbolic link stays one, its file is replaced. */
static bool final_path(const char *path, char ret[PATH_MAX], struct hw_err *err)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        if (strlen(path) >= PATH_MAX || errno != ENOENT)
            return hw_err_sys(err, hw_snap_err_code(errno), errno, "cannot write %.200s", path);
        strcpy(ret, path);
        return true;
    }
    if (!S_ISREG(st.st_mode))
        return hw_snap_not_regular(err, &st, "write", path);
    return realpath(path, ret) || hw_err_sys(err, HW_ERR_IO, errno, "cannot write %.200s", path);
}

/* The file while it is written. It has no name where the file system can do that, so that nothing
 * is left behind when we are killed. */
struct temporary {
    int fd;
    char dir[PATH_MAX];       /* ends in a slash; "": the current one */
    char name[PATH_MAX + 32]; /* "": none yet */
};

static void give_up(struct temporary *temporary)
{
    if (temporary->fd >= 0)
        close(temporary->fd);
    if (temporary->name[0])
        unlink(temporary->name);
}

/* Creates the temporary file in the directory of path, 0600. */
static bool open_temporary(struct temporary *temporary, const char *path, struct hw_err *err)
{
    const char *slash = strrchr(path, '/');
    int dir_bytes = slash ? (int)(slash - path) + 1 : 0;
    temporary->name[0] = 0;
    snprintf(temporary->dir, sizeof(temporary->dir), "%.*s", dir_bytes, path);
    /* A name is given through /proc: without privileges there is no other way. */
    temporary->fd = access("/proc/self/fd", X_OK) == 0
                        ? open(dir_bytes ? temporary->dir : ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
                               S_IRUSR | S_IWUSR)
                        : -1;
    if (temporary->fd < 0) {
        snprintf(temporary->name, sizeof(temporary->name), "%s.heapwhy-XXXXXX", temporary->dir);
        temporary->fd = mkostemp(temporary->name, O_CLOEXEC);
        if (temporary->fd < 0)
            temporary->name[0] = 0;
    }
    if (temporary->fd >= 0 && fchmod(temporary->fd, S_IRUSR | S_IWUSR) == 0)
        return true;
    hw_err_sys(err, hw_snap_err_code(errno), errno, "cannot create a file beside %.200s", path);
    give_up(temporary);
    return false;
}

/* rename() wants a name, and link() does not replace. */
static bool name_temporary(struct temporary *temporary)
{
    enum { ATTEMPTS = 1000 }; /* names that somebody else's leftovers may have */
    char self[64];
    if (temporary->name[0])
        return true;
    snprintf(self, sizeof(self), "/proc/self/fd/%d", temporary->fd);
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        snprintf(temporary->name, sizeof(temporary->name), "%s.heapwhy-%d-%u", temporary->dir,
                 (int)getpid(), i);
        if (linkat(AT_FDCWD, self, AT_FDCWD, temporary->name, AT_SYMLINK_FOLLOW) == 0)
            return true;
        if (errno != EEXIST)
            break;
    }
    temporary->name[0] = 0;
    return false;
}

/* close() reports what the disk refused late on some network file systems. */
static bool put_in_place(struct temporary *temporary, const char *path)
{
    if (!name_temporary(temporary))
        return false;
    int fd = temporary->fd;
    temporary->fd = -1;
    return close(fd) == 0 && rename(temporary->name, path) == 0;
}

/* Makes the rename last. The file is whole already: where a directory cannot be synced, so be it.
 */
static void sync_dir_of(const char *path)
{
    char copy[PATH_MAX];
    int fd = open(dirname(strcpy(copy, path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static bool save(struct writer *writer, const char *path, struct hw_err *err)
{
    struct temporary temporary;
    if (!open_temporary(&temporary, path, err))
        return false;
    writer->fd = temporary.fd;
    bool ok = write_file(writer, err);
    if (ok && !put_in_place(&temporary, path))
        ok = hw_err_sys(err, HW_ERR_IO, errno, "cannot write %.200s", writer->path);
    if (ok)
        sync_dir_of(path);
    else
        give_up(&temporary);
    return ok;
}

bool hw_snapshot_save(const struct hw_graph *graph, const char *path, struct hw_err *err)
{
    char final[PATH_MAX];
    if (graph->values.open_count)
        return hw_err_set(err, HW_ERR_USAGE, "the graph is not finished: values are still open");
    if (!final_path(path, final, err))
        return false;
    struct writer writer = {
        .graph = graph,
        .path = path,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .turn_came = PTHREAD_COND_INITIALIZER,
    };
    writer.checksum = XXH3_createState();
    bool ok = writer.checksum ? save(&writer, final, err) : hw_err_no_memory(err);
    XXH3_freeState(writer.checksum);
    return ok;
}
