/* SPDX-License-Identifier: Apache-2.0 */
#include "image/proc.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"
#include "image/arch.h"
#include "image/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    MAPS_MAX_BYTES = 256 << 20,
    STATUS_MAX_BYTES = 64 << 10,
    SEGMENTS_MAX = 1 << 20,
    THREADS_MAX = 1 << 17,
    CAP_SYS_PTRACE_BIT = 19,
};

/* The kernel gives no size beforehand. */
int hw_proc_file_read(const char *path, size_t max_bytes, struct hw_buf *ret_buf)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    struct hw_buf buf = {.max_bytes = max_bytes};
    ssize_t n = 0;
    int error = 0;
    do {
        unsigned char *to = hw_buf_reserve(&buf, 16 << 10);
        if (!to) {
            error = EFBIG;
            break;
        }
        n = read(fd, to, 16 << 10);
        if (n > 0)
            buf.len += (size_t)n;
        else if (n < 0 && errno != EINTR)
            error = errno;
    } while (n > 0 || (n < 0 && !error));
    close(fd);
    if (!error && !*hw_buf_str(&buf))
        error = ESRCH;
    if (error)
        hw_buf_deinit(&buf);
    else
        *ret_buf = buf;
    return error;
}

/* The text behind "\nKEY:" and its blanks, or "". */
static const char *status_field(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n')
            line++;
        if (!strncmp(line, key, length) && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    }
    return "";
}

static pid_t last_number(const char *field)
{
    long value = 0;
    char *end;
    for (const char *p = field; *p && *p != '\n'; p = end) {
        long number = strtol(p, &end, 10);
        if (end == p)
            break;
        value = number;
    }
    return (pid_t)value;
}

static pid_t number_of(const char *text, const char *key)
{
    return (pid_t)strtol(status_field(text, key), NULL, 10);
}

bool hw_proc_status_read(pid_t pid, struct hw_proc_status *ret_status)
{
    char path[64];
    struct hw_buf buf;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    if (hw_proc_file_read(path, STATUS_MAX_BYTES, &buf))
        return false;
    const char *text = hw_buf_str(&buf);
    struct hw_proc_status s = {.state = status_field(text, "State")[0]};
    s.tgid = number_of(text, "Tgid");
    s.ppid = number_of(text, "PPid");
    s.tracer = number_of(text, "TracerPid");
    s.seccomp = (unsigned)number_of(text, "Seccomp");
    s.ns_pid = last_number(status_field(text, "NSpid"));
    s.has_memory = *status_field(text, "VmSize") != 0;
    sscanf(status_field(text, "Uid"), "%u %u %u", &s.uid, &s.euid, &s.suid);
    sscanf(status_field(text, "Gid"), "%u %u %u", &s.gid, &s.egid, &s.sgid);
    hw_buf_deinit(&buf);
    *ret_status = s;
    return true;
}

/* ---- mappings ---- */

struct maps_line {
    struct hw_segment segment;
    bool readable;
};

/* Device memory is not read: for some drivers a read has effects. */
static bool path_is_memory(const char *path, size_t length)
{
    static const char *const skipped[] = {"[vvar", "[vsyscall]"};
    for (size_t i = 0; i < sizeof(skipped) / sizeof(*skipped); i++)
        if (length >= strlen(skipped[i]) && !strncmp(path, skipped[i], strlen(skipped[i])))
            return false;
    if (length < 5 || strncmp(path, "/dev/", 5))
        return true;
    return !strncmp(path, "/dev/shm/", 9) || !strncmp(path, "/dev/zero", 9);
}

/* Cuts off the kernel's mark of an unlinked file and undoes its escape of line ends. */
static const char *path_clean(struct hw_arena *arena, const char *raw, size_t length,
                              bool *ret_deleted)
{
    static const char mark[] = " (deleted)";
    size_t mark_length = sizeof(mark) - 1;
    *ret_deleted = length > mark_length && !memcmp(raw + length - mark_length, mark, mark_length);
    char *path = hw_arena_strndup(arena, raw, *ret_deleted ? length - mark_length : length);
    if (!path)
        return NULL;
    char *to = path;
    for (const char *from = path; *from; to++) {
        bool escaped = !strncmp(from, "\\012", 4);
        *to = escaped ? '\n' : *from;
        from += escaped ? 4 : 1;
    }
    *to = 0;
    return path;
}

/* Parses "start-end perms offset major:minor inode path". False: not such a line. path is left out.
 */
static bool maps_line_parse(const char *line, struct maps_line *ret_line, int *ret_path_at)
{
    unsigned long long start, end, offset, inode;
    unsigned dev_major, dev_minor;
    char perms[5];
    int at = 0;
    if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu%n", &start, &end, perms, &offset, &dev_major,
               &dev_minor, &inode, &at) < 7 ||
        !at || strlen(perms) != 4 || start >= end)
        return false;
    *ret_line = (struct maps_line){.readable = perms[0] == 'r'};
    ret_line->segment = (struct hw_segment){
        .start = start,
        .end = end,
        .file_offset = offset,
        .device = inode ? makedev(dev_major, dev_minor) : 0,
        .inode = inode,
        .prot = (perms[0] == 'r' ? HW_PROT_READ : 0u) | (perms[1] == 'w' ? HW_PROT_WRITE : 0u) |
                (perms[2] == 'x' ? HW_PROT_EXEC : 0u) | (perms[3] == 's' ? HW_PROT_SHARED : 0u)};
    *ret_path_at = at + (int)strspn(line + at, " ");
    return true;
}

/* The kernel keeps some neighbours apart that are one to us. */
static bool segments_merge(struct hw_segment *before, const struct hw_segment *next)
{
    if (before->end != next->start || before->prot != next->prot || before->inode || next->inode ||
        *before->path || *next->path)
        return false;
    before->end = next->end;
    return true;
}

static bool segments_append(struct hw_segment **segments, size_t *count, size_t *capacity,
                            const struct hw_segment *next)
{
    if (*count && segments_merge(&(*segments)[*count - 1], next))
        return true;
    if (*count && (*segments)[*count - 1].end > next->start)
        return true; /* the list changed while it was read: the first answer stands */
    struct hw_segment *grown = hw_vec_grow(*segments, capacity, *count + 1, sizeof(*grown));
    if (!grown)
        return false;
    *segments = grown;
    (*segments)[(*count)++] = *next;
    return true;
}

/* Neighbouring lines of one file share one copy of its path. */
static const char *path_of(struct hw_arena *arena, const struct hw_segment *before, const char *raw,
                           size_t length, bool *ret_deleted)
{
    *ret_deleted = false;
    if (!length)
        return "";
    if (before && strlen(before->path) == length && !before->deleted &&
        !memcmp(before->path, raw, length))
        return before->path;
    return path_clean(arena, raw, length, ret_deleted);
}

static bool maps_parse(struct hw_arena *arena, const char *text, struct hw_segment **segments,
                       size_t *count)
{
    size_t capacity = 0;
    for (const char *line = text; *line && *count < SEGMENTS_MAX;) {
        size_t length = strcspn(line, "\n");
        struct maps_line parsed;
        int path_at;
        if (maps_line_parse(line, &parsed, &path_at) && parsed.readable &&
            path_is_memory(line + path_at, length - (size_t)path_at)) {
            struct hw_segment *segment = &parsed.segment;
            segment->path = path_of(arena, *count ? &(*segments)[*count - 1] : NULL, line + path_at,
                                    length - (size_t)path_at, &segment->deleted);
            if (!segment->path || !segments_append(segments, count, &capacity, segment))
                return false;
        }
        line += length + (line[length] == '\n');
    }
    return true;
}

bool hw_proc_maps_read(struct hw_image *image, pid_t pid, struct hw_segment **ret_segments,
                       size_t *ret_count, struct hw_err *err)
{
    char path[64];
    struct hw_buf buf;
    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    int error = hw_proc_file_read(path, MAPS_MAX_BYTES, &buf);
    if (error == EACCES || error == EPERM)
        return hw_proc_explain_denied(pid, error, err);
    if (error == ENOENT || error == ESRCH)
        return hw_err_set(err, HW_ERR_GONE, "process %d exited while it was being read", pid);
    if (error)
        return hw_err_sys(err, HW_ERR_IO, error, "cannot read %s", path);
    struct hw_segment *segments = NULL;
    size_t count = 0;
    bool ok = maps_parse(hw_image_arena(image), hw_buf_str(&buf), &segments, &count);
    hw_buf_deinit(&buf);
    if (!ok) {
        free(segments);
        return hw_err_no_memory(err);
    }
    *ret_segments = segments;
    *ret_count = count;
    return true;
}

static hw_addr syscall_in(struct hw_image *image, const struct hw_segment *segment)
{
    enum { SEARCH_MAX = 4 << 20 };
    uint64_t bytes = segment->end - segment->start;
    if (bytes > SEARCH_MAX)
        bytes = SEARCH_MAX;
    const unsigned char *code = hw_image_at(image, segment->start, bytes);
    size_t at = code ? hw_arch_syscall_find(code, bytes) : SIZE_MAX;
    return at == SIZE_MAX ? 0 : segment->start + at;
}

hw_addr hw_proc_syscall_find(struct hw_image *image)
{
    hw_addr found = 0;
    for (size_t i = 0; i < image->segment_count && !found; i++)
        if (!strcmp(image->segments[i].path, "[vdso]"))
            found = syscall_in(image, &image->segments[i]);
    for (size_t i = 0; i < image->segment_count && !found; i++)
        if (image->segments[i].prot & HW_PROT_EXEC)
            found = syscall_in(image, &image->segments[i]);
    return found;
}

/* ---- threads ---- */

static void thread_name_read(pid_t pid, pid_t tid, char *to, size_t bytes)
{
    char path[64];
    struct hw_buf buf;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
    if (hw_proc_file_read(path, 256, &buf))
        return;
    snprintf(to, bytes, "%.*s", (int)strcspn(hw_buf_str(&buf), "\n"), hw_buf_str(&buf));
    hw_buf_deinit(&buf);
}

bool hw_proc_threads_list(pid_t pid, struct hw_thread **ret_threads, size_t *ret_count,
                          struct hw_err *err)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return hw_err_set(err, HW_ERR_GONE, "process %d exited while it was being read", pid);
    struct hw_thread *threads = NULL;
    size_t count = 0, capacity = 0;
    bool ok = true;
    for (struct dirent *entry; ok && count < THREADS_MAX && (entry = readdir(dir));) {
        pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (tid <= 0)
            continue;
        struct hw_thread *grown = hw_vec_grow(threads, &capacity, count + 1, sizeof(*threads));
        if (!(ok = grown != NULL))
            break;
        threads = grown;
        threads[count] = (struct hw_thread){.tid = tid};
        thread_name_read(pid, tid, threads[count].name, sizeof(threads[count].name));
        count++;
    }
    closedir(dir);
    if (!ok) {
        free(threads);
        return hw_err_no_memory(err);
    }
    *ret_threads = threads;
    *ret_count = count;
    return true;
}

/* ---- permission ---- */

static bool have_ptrace_capability(void)
{
    struct hw_buf buf;
    if (hw_proc_file_read("/proc/self/status", STATUS_MAX_BYTES, &buf))
        return false;
    unsigned long long caps = strtoull(status_field(hw_buf_str(&buf), "CapEff"), NULL, 16);
    hw_buf_deinit(&buf);
    return caps >> CAP_SYS_PTRACE_BIT & 1;
}

static int yama_scope(void)
{
    struct hw_buf buf;
    if (hw_proc_file_read("/proc/sys/kernel/yama/ptrace_scope", 64, &buf))
        return 0;
    int scope = atoi(hw_buf_str(&buf));
    hw_buf_deinit(&buf);
    return scope;
}

bool hw_proc_explain_denied(pid_t pid, int errno_value, struct hw_err *err)
{
    struct hw_proc_status status;
    uid_t we = geteuid();
    int scope = yama_scope();
    if (!hw_proc_status_read(pid, &status))
        return hw_err_set(err, HW_ERR_GONE, "process %d exited while it was being read", pid);
    if (scope >= 3)
        return hw_err_set(err, HW_ERR_PERMISSION,
                          "kernel.yama.ptrace_scope is 3 on this machine: nobody may read another "
                          "process until it is booted with a lower value");
    if (have_ptrace_capability())
        return hw_err_sys(
            err, HW_ERR_PERMISSION, errno_value,
            "the kernel refuses access to process %d although we hold CAP_SYS_PTRACE; "
            "it is in another user namespace or a security module forbids it",
            pid);
    if (status.uid != we || status.euid != we || status.suid != we)
        return hw_err_set(err, HW_ERR_PERMISSION,
                          "process %d belongs to user id %u and we run as user id %u without "
                          "CAP_SYS_PTRACE; try: sudo heapwhy %d",
                          pid, status.euid, we, pid);
    if (scope > 0)
        return hw_err_set(err, HW_ERR_PERMISSION,
                          "kernel.yama.ptrace_scope is %d, so only a process with CAP_SYS_PTRACE "
                          "may read process %d; try: sudo heapwhy %d",
                          scope, pid, pid);
    return hw_err_set(err, HW_ERR_PERMISSION,
                      "process %d has more rights than we have (it is not dumpable, holds "
                      "capabilities, or has another group), and we lack CAP_SYS_PTRACE; "
                      "try: sudo heapwhy %d",
                      pid, pid);
}
