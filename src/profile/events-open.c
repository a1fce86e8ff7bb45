/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/err.h"
#include "profile/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of it, or what the file has. A file that is being written may still grow. */
static ssize_t read_at_most(int fd, void *to, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        ssize_t n = read(fd, (char *)to + done, bytes - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (!n)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* A device or a pipe could block for ever. */
static int open_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

bool hw_recording_is(const char *path)
{
    char magic[sizeof(HW_RECORDING_MAGIC) - 1];
    int fd = open_file(path);
    bool is = fd >= 0 && read_at_most(fd, magic, sizeof(magic)) == sizeof(magic) &&
              memcmp(magic, HW_RECORDING_MAGIC, sizeof(magic)) == 0;
    if (fd >= 0)
        close(fd);
    return is;
}

/* ---- the head ---- */

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./=:,@%+";
    return *word && word[strspn(word, plain)] == 0;
}

static void quote(struct hw_buf *buf, const char *word)
{
    if (is_plain(word)) {
        hw_buf_puts(buf, word);
        return;
    }
    hw_buf_putc(buf, '\'');
    for (; *word; word++)
        if (*word == '\'')
            hw_buf_puts(buf, "'\\''");
        else
            hw_buf_putc(buf, *word);
    hw_buf_putc(buf, '\'');
}

/* words: each ended by a NUL, the last by the end, too. */
static const char *spell_command(struct hw_arena *arena, const char *words, size_t bytes)
{
    struct hw_buf buf = {0};
    char *copy = hw_arena_strndup(arena, words, bytes);
    for (size_t at = 0; copy && at < bytes; at += strlen(copy + at) + 1) {
        if (at)
            hw_buf_putc(&buf, ' ');
        quote(&buf, copy + at);
    }
    const char *text = copy && hw_buf_ok(&buf) ? hw_arena_strdup(arena, hw_buf_str(&buf)) : NULL;
    hw_buf_deinit(&buf);
    return text;
}

static bool read_head(struct hw_events *events, const char *path, struct hw_err *err)
{
    struct hw_recording_head *head = &events->head;
    if (read_at_most(events->fd, head, sizeof(*head)) != sizeof(*head) ||
        memcmp(head->magic, HW_RECORDING_MAGIC, sizeof(head->magic)) != 0)
        return hw_err_set(err, HW_ERR_CORRUPT, "%s is no recording", path);
    if (head->version != HW_RECORDING_VERSION)
        return hw_err_set(err, HW_ERR_TOO_NEW,
                          "%s is a recording of version %u, this heapwhy reads version %d", path,
                          head->version, HW_RECORDING_VERSION);
    size_t words = head->head_bytes - sizeof(*head);
    if (head->head_bytes < sizeof(*head) || words > HW_EVENTS_COMMAND_MAX_BYTES ||
        head->began_unix_ns > HW_EVENTS_BEGAN_NS_MAX || head->rate_bytes > HW_EVENTS_RATE_MAX)
        return hw_err_set(err, HW_ERR_CORRUPT, "the head of the recording %s is damaged", path);
    char *command = malloc(words + 1);
    if (!command)
        return hw_err_no_memory(err);
    bool is_whole = read_at_most(events->fd, command, words) == (ssize_t)words;
    events->command = is_whole ? spell_command(&events->arena, command, words) : NULL;
    free(command);
    events->rate_bytes = head->rate_bytes;
    events->chunk_at = head->head_bytes;
    if (!is_whole)
        return hw_err_set(err, HW_ERR_CORRUPT, "the recording %s ends within its head", path);
    return events->command || hw_err_no_memory(err);
}

/* ---- chunks ---- */

bool hw_events_chunk(struct hw_events *events)
{
    struct hw_recording_chunk head;
    if (read_at_most(events->fd, &head, sizeof(head)) != sizeof(head) || !head.bytes)
        return false;
    if (head.bytes > HW_RECORDING_CHUNK_MAX_BYTES || head.began_ns > HW_EVENTS_NS_MAX)
        return hw_events_damaged(events, "a chunk of %u bytes", head.bytes);
    if (read_at_most(events->fd, events->chunk, head.bytes) != (ssize_t)head.bytes)
        return false;
    memset(events->chunk + head.bytes, 0, HW_EVENTS_PADDING);
    events->chunk_at += events->chunk_bytes + sizeof(head);
    events->chunk_bytes = head.bytes;
    events->at = events->chunk;
    events->end = events->chunk + head.bytes;
    events->chunk_ns = head.began_ns;
    events->chunk_events = head.events;
    return true;
}

/* ---- life ---- */

bool hw_events_open(struct hw_events *events, const char *path, struct hw_err *err)
{
    *events = (struct hw_events){.fd = open_file(path)};
    if (events->fd < 0)
        return hw_err_sys(err, errno == ENOENT ? HW_ERR_NOT_FOUND : HW_ERR_IO, errno,
                          "cannot read %s", path);
    posix_fadvise(events->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    events->chunk = calloc(1, HW_RECORDING_CHUNK_MAX_BYTES + HW_EVENTS_PADDING);
    events->at = events->end = events->chunk;
    bool ok = (events->chunk && hw_events_begin(events)) || hw_err_no_memory(err);
    if (ok && read_head(events, path, err))
        return true;
    hw_events_close(events);
    return false;
}

void hw_events_close(struct hw_events *events)
{
    if (events->fd >= 0)
        close(events->fd);
    free(events->chunk);
    free(events->texts);
    free(events->sites);
    free(events->threads);
    free(events->rows);
    hw_pairs_deinit(&events->thread_ids);
    hw_pairs_deinit(&events->row_keys);
    hw_arena_deinit(&events->arena);
    events->fd = -1;
}
