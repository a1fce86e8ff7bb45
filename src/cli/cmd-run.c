/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/recording.h"
#include "base/err.h"
#include "cli/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_NOT_RUN = 126, STATUS_NOT_FOUND = 127 }; /* as shells, env and nohup have them */

/* Beside the program in the Python package and in the build; else where libraries are installed. */
static const char *const agent_places[] = {"libheapwhy-agent.so", "src/agent/libheapwhy-agent.so",
                                           HW_AGENT_INSTALLED};

bool hw_run_find_agent(char path[PATH_MAX], struct hw_err *err)
{
    char own[PATH_MAX], tried[2 * PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
    own[n > 0 ? n : 0] = 0;
    char *slash = strrchr(own, '/');
    if (slash)
        *slash = 0;
    for (size_t i = 0; i < sizeof(agent_places) / sizeof(agent_places[0]); i++) {
        snprintf(tried, sizeof(tried), "%s/%s", own, agent_places[i]);
        if (realpath(tried, path))
            return true;
    }
    return hw_err_set(
        err, HW_ERR_NOT_FOUND,
        "libheapwhy-agent.so is not where heapwhy was installed (%s): install heapwhy again", own);
}

/* The loader splits the variable at spaces and colons. What stands there already is loaded, too. */
static bool preload(const char *agent, struct hw_err *err)
{
    const char *others = getenv("LD_PRELOAD");
    struct hw_buf all = {0};
    if (strpbrk(agent, " :"))
        return hw_err_set(err, HW_ERR_UNSUPPORTED,
                          "the loader cannot load %s, because of the space or colon in its path",
                          agent);
    hw_buf_puts(&all, agent);
    if (others && *others)
        hw_buf_printf(&all, ":%s", others);
    bool ok = hw_buf_ok(&all) && setenv("LD_PRELOAD", hw_buf_str(&all), 1) == 0;
    hw_buf_deinit(&all);
    return ok || hw_err_no_memory(err);
}

/* One that says itself who runs it is a program. */
static bool has_own_interpreter(const char *path)
{
    char begin[2] = "";
    FILE *file = strchr(path, '/') && access(path, X_OK) == 0 ? fopen(path, "re") : NULL;
    size_t n = file ? fread(begin, 1, sizeof(begin), file) : 0;
    if (file)
        fclose(file);
    return n == sizeof(begin) && begin[0] == '#' && begin[1] == '!';
}

static bool is_script(const char *word)
{
    const char *dot = strrchr(word, '.');
    return dot && strcmp(dot, ".py") == 0 && !has_own_interpreter(word);
}

/* script.py and -m module are Python's, all else is a program. */
static char **command_of(const struct hw_args *args)
{
    char **argv = calloc(args->word_count + 3, sizeof(*argv));
    size_t n = 0;
    if (!argv)
        return NULL;
    if (args->module || is_script(args->words[0]))
        argv[n++] = "python3";
    if (args->module)
        argv[n++] = "-m";
    memcpy(argv + n, args->words, args->word_count * sizeof(*argv));
    return argv;
}

/* ---- the recording ---- */

/* The program changes its directory when it likes. The directory of the file must be there. */
static bool make_absolute(const char *file, char path[PATH_MAX], struct hw_err *err)
{
    char folder[PATH_MAX], real[PATH_MAX];
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - file) + 1 : 1,
             slash ? file : ".");
    if (!realpath(folder, real) || access(real, W_OK | X_OK) != 0)
        return hw_err_sys(err, HW_ERR_IO, errno, "cannot write %s", file);
    int n = snprintf(path, PATH_MAX, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
    if (!*name || n >= PATH_MAX)
        return hw_err_set(err, HW_ERR_USAGE, "%s is no name for a file", file);
    return true;
}

/* The agent writes only to a file that is not there. One that is there makes room when it is a
 * recording, or empty; nothing else than a file does. */
static bool make_room(const char *path, struct hw_err *err)
{
    char magic[sizeof(HW_RECORDING_MAGIC) - 1];
    struct stat st;
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return hw_err_set(err, HW_ERR_USAGE, "%s is %s: a recording needs a file of its own", path,
                          S_ISDIR(st.st_mode) ? "a directory" : "no file");
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT || hw_err_sys(err, HW_ERR_IO, errno, "cannot write %s", path);
    size_t n = fread(magic, 1, sizeof(magic), file);
    bool failed = ferror(file);
    fclose(file);
    if (failed || (n && (n < sizeof(magic) || memcmp(magic, HW_RECORDING_MAGIC, n) != 0)))
        return hw_err_set(err, HW_ERR_USAGE,
                          "%s is there and no recording: it stays as it is; name another one",
                          path);
    return unlink(path) == 0 || hw_err_sys(err, HW_ERR_IO, errno, "cannot replace %s", path);
}

/* PROGRAM-PID.hwrec for --every without -o: this process becomes the program. */
static void name_file(const struct hw_args *args, char name[NAME_MAX])
{
    const char *slash = strrchr(args->words[0], '/');
    snprintf(name, NAME_MAX, "%.200s-%d.hwrec", slash ? slash + 1 : args->words[0], (int)getpid());
}

static bool set_number(const char *variable, long long value)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld", value);
    return setenv(variable, text, 1) == 0;
}

/* What an outer heapwhy run has set is not for this program. */
static bool set_recording(const struct hw_args *args, struct hw_err *err)
{
    char name[NAME_MAX] = "", path[PATH_MAX];
    unsetenv("HEAPWHY_AGENT_FILE");
    unsetenv("HEAPWHY_AGENT_EVERY");
    if (!args->output && !args->every)
        return true;
    if (!args->output)
        name_file(args, name);
    if (!make_absolute(args->output ? args->output : name, path, err) || !make_room(path, err))
        return false;
    if (!args->output)
        fprintf(stderr, "heapwhy: every allocation is recorded to %s\n", name);
    return (setenv("HEAPWHY_AGENT_FILE", path, 1) == 0 &&
            set_number("HEAPWHY_AGENT_PID", getpid()) &&
            (!args->every || set_number("HEAPWHY_AGENT_EVERY", 1))) ||
           hw_err_no_memory(err);
}

bool hw_cmd_run(struct hw_run *run, struct hw_err *err)
{
    char agent[PATH_MAX];
    if (!hw_run_find_agent(agent, err) || !preload(agent, err) || !set_recording(run->args, err))
        return false;
    char **argv = command_of(run->args);
    if (!argv || !set_number("HEAPWHY_AGENT", run->args->rate_bytes)) {
        free(argv);
        return hw_err_no_memory(err);
    }
    execvp(argv[0], argv);
    int error = errno;
    run->status = error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN;
    hw_err_sys(err, error == ENOENT ? HW_ERR_NOT_FOUND : HW_ERR_IO, error, "cannot run %s",
               argv[0]);
    free(argv);
    return false;
}
