/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/command.h"

#include "watch/procfile.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static bool is_interpreter(const char *command)
{
    return strncmp(base_of(command), "python", 6) == 0 || strncmp(base_of(command), "pypy", 4) == 0;
}

/* Goes to the next string; NULL at the end. */
static const char *next_of(const char *at, const char *end)
{
    at += strlen(at) + 1;
    return at < end ? at : NULL;
}

/* Options of python that take the next argument: python(1). */
static bool takes_argument(const char *option)
{
    return strcmp(option, "-W") == 0 || strcmp(option, "-X") == 0 ||
           strcmp(option, "--check-hash-based-pycs") == 0;
}

static void script_of(const char *at, const char *end, char *to, size_t max)
{
    const char *interpreter = at;
    for (at = next_of(at, end); at; at = next_of(at, end)) {
        size_t last = strlen(at);
        const char *next = next_of(at, end);
        if (at[0] != '-' || !at[1]) {
            snprintf(to, max, "%s", base_of(at));
            return;
        }
        /* Letters can be joined: -Im http.server. The rest after -c and -m is the program's. */
        if (at[1] != '-' && at[last - 1] == 'm' && next) {
            snprintf(to, max, "-m %s", next);
            return;
        }
        if (at[1] != '-' && at[last - 1] == 'c') {
            snprintf(to, max, "-c");
            return;
        }
        if (takes_argument(at) && next)
            at = next;
    }
    snprintf(to, max, "%s", base_of(interpreter));
}

void hw_command_script(const char *argv, size_t bytes, char *to, size_t max)
{
    to[0] = 0;
    if (!bytes || !*argv)
        return;
    if (is_interpreter(argv))
        script_of(argv, argv + bytes, to, max);
    else
        snprintf(to, max, "%s", base_of(argv));
}

void hw_command_read(int dir, struct hw_command *ret_command)
{
    char argv[4096];
    struct hw_procfile_stat stat;
    *ret_command = (struct hw_command){.name = ""};
    if (hw_procfile_stat(dir, "stat", &stat))
        memcpy(ret_command->name, stat.name, sizeof(stat.name));
    ssize_t bytes = hw_procfile_read(dir, "cmdline", argv, sizeof(argv));
    if (bytes > 0)
        hw_command_script(argv, (size_t)bytes, ret_command->script, sizeof(ret_command->script));
}
