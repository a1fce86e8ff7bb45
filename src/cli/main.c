/* SPDX-License-Identifier: Apache-2.0 */

/*
 * heapwhy, the program: reads the command line, runs one command, and turns what came of it into an
 * exit status.
 *
 *     0    done            1    failed, one line on standard error says why
 *     2    wrong usage     3    diagnose --exit-code found a leak, watch --until-alarm had an alarm
 *     128 + n              ended by signal n (130: Ctrl-C, 143: SIGTERM, 141: nobody reads on)
 */
#include "cli/help.h"
#include "cli/run.h"
#include "tell/text.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SIGNAL = 128 };

static volatile int stop_signal;

static void on_signal(int signal_number)
{
    stop_signal = signal_number;
}

/* No SA_RESTART: whatever waits must come back and look at the flag. */
static void catch_signals(void)
{
    static const int stopping[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}, old;
    for (size_t i = 0; i < sizeof(stopping) / sizeof(*stopping); i++)
        if (sigaction(stopping[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(stopping[i], &action, NULL);
    /* A write to a closed pipe must not kill us while we hold a process. */
    signal(SIGPIPE, SIG_IGN);
}

/* Columns of large heaps come and go, of different sizes: as mappings of their own they leave no
 * holes behind. Without this the C library keeps all below 32 MB in one piece. */
static void return_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

/* Otherwise the first file we open would become standard output. */
static void occupy_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

/* What the user says counts for pipes and files too; 0: nothing. */
static long wanted_width(void)
{
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    return width > 0 ? width : 0;
}

static unsigned output_width(bool terminal)
{
    struct winsize size;
    long width = wanted_width();
    if (!width && terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    return width <= 0 ? HW_OUT_WIDTH : width < 40 ? 40 : width > 1000 ? 1000 : (unsigned)width;
}

static bool wants_color(int64_t when, bool terminal)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (when != HW_COLOR_AUTO)
        return when == HW_COLOR_ALWAYS;
    return terminal && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

static void init_out(struct hw_out *out, const struct hw_args *args)
{
    bool terminal = isatty(STDOUT_FILENO);
    *out = (struct hw_out){.fd = STDOUT_FILENO,
                           .json = args->json,
                           .terminal = terminal || wanted_width(),
                           .color = wants_color(args->color, terminal) && !args->json,
                           .width = output_width(terminal),
                           .cancel = &stop_signal};
}

static void complain(const char *message)
{
    struct hw_buf line = {0};
    hw_buf_puts(&line, "heapwhy: ");
    hw_text_escape(&line, message);
    fprintf(stderr, "%s\n", hw_buf_str(&line));
    hw_buf_deinit(&line);
}

static int wrong_usage(enum hw_command_id command, const char *message)
{
    struct hw_out out = {.fd = STDERR_FILENO, .width = HW_OUT_WIDTH};
    complain(message);
    hw_help_usage(&out, command);
    if (command == HW_COMMAND_NONE)
        hw_out_puts(&out, "heapwhy --help says more.\n");
    else
        hw_out_printf(&out, "heapwhy help %s says more.\n", hw_commands[command].name);
    hw_out_finish(&out);
    return EXIT_USAGE;
}

/* The exit status after the last byte was written, or could not be. */
static int finish_out(struct hw_out *out, int status)
{
    char message[200];
    if (hw_out_finish(out))
        return status;
    if (out->sys_errno == EPIPE)
        return EXIT_SIGNAL + SIGPIPE;
    if (out->sys_errno == ECANCELED && stop_signal)
        return EXIT_SIGNAL + stop_signal;
    snprintf(message, sizeof(message), "cannot write the output: %s", strerror(out->sys_errno));
    complain(message);
    return EXIT_FAILED;
}

static bool cmd_help(struct hw_run *run, struct hw_err *err)
{
    enum hw_command_id command = HW_COMMAND_NONE;
    if (run->args->word_count) {
        command = hw_command_find(run->args->words[0]);
        if (command == HW_COMMAND_NONE) {
            err->code = HW_ERR_USAGE;
            snprintf(err->msg, sizeof(err->msg), "there is no command '%s'", run->args->words[0]);
            return false;
        }
    }
    hw_help_tell(&run->out, command);
    return true;
}

static int run_command(struct hw_run *run)
{
    static bool (*const commands[HW_COMMAND_COUNT])(struct hw_run *, struct hw_err *) = {
        [HW_COMMAND_DIAGNOSE] = hw_cmd_diagnose,
        [HW_COMMAND_SNAPSHOT] = hw_cmd_snapshot,
        [HW_COMMAND_TYPES] = hw_cmd_types,
        [HW_COMMAND_DIFF] = hw_cmd_diff,
        [HW_COMMAND_HOLDERS] = hw_cmd_holders,
        [HW_COMMAND_OWNERS] = hw_cmd_owners,
        [HW_COMMAND_PATHS] = hw_cmd_paths,
        [HW_COMMAND_SHOW] = hw_cmd_show,
        [HW_COMMAND_MEMORY] = hw_cmd_memory,
        [HW_COMMAND_GC] = hw_cmd_gc,
        [HW_COMMAND_AUDIT] = hw_cmd_audit,
        [HW_COMMAND_SITES] = hw_cmd_sites,
        [HW_COMMAND_ALLOCATIONS] = hw_cmd_allocations,
        [HW_COMMAND_LINES] = hw_cmd_lines,
        [HW_COMMAND_FLAME] = hw_cmd_flame,
        [HW_COMMAND_EXPORT] = hw_cmd_export,
        [HW_COMMAND_RUN] = hw_cmd_run,
        [HW_COMMAND_ATTACH] = hw_cmd_attach,
        [HW_COMMAND_DETACH] = hw_cmd_detach,
        [HW_COMMAND_RETAINED] = hw_cmd_retained,
        [HW_COMMAND_TREE] = hw_cmd_tree,
        [HW_COMMAND_CYCLES] = hw_cmd_cycles,
        [HW_COMMAND_RESOURCES] = hw_cmd_resources,
        [HW_COMMAND_TEXT] = hw_cmd_text,
        [HW_COMMAND_WATCH] = hw_cmd_watch,
        [HW_COMMAND_PLOT] = hw_cmd_plot,
        [HW_COMMAND_CHECK] = hw_cmd_check,
        [HW_COMMAND_HELP] = cmd_help,
    };
    struct hw_err err = HW_ERR_INIT;
    bool ok = commands[run->args->command](run, &err);
    hw_progress_clear(&run->progress);
    if (ok)
        return finish_out(&run->out, run->status);
    hw_out_deinit(&run->out);
    if (stop_signal)
        return EXIT_SIGNAL + stop_signal;
    if (err.code == HW_ERR_USAGE)
        return wrong_usage(run->args->command, err.msg);
    complain(err.msg);
    return run->status ? run->status : EXIT_FAILED;
}

static int run_args(const struct hw_args *args)
{
    struct hw_run run = {.args = args, .cancel = &stop_signal};
    init_out(&run.out, args);
    hw_progress_init(&run.progress);
    run.capture = (struct hw_capture_options){.freeze = (enum hw_freeze)args->freeze,
                                              .no_values = args->no_values,
                                              .progress = hw_progress_report,
                                              .progress_ctx = &run.progress,
                                              .cancel = &stop_signal};
    if (args->version)
        hw_out_printf(&run.out, "heapwhy %s\n", hw_version());
    else if (args->help)
        hw_help_tell(&run.out, args->command);
    else
        return run_command(&run);
    return finish_out(&run.out, EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    struct hw_args args;
    struct hw_err err = HW_ERR_INIT;
    occupy_standard_files();
    return_freed_memory();
    /* For the width of characters alone; numbers are always written with a point. */
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "");
    catch_signals();
    if (!hw_args_parse(&args, argc, argv, &err))
        return wrong_usage(args.command, err.msg);
    return run_args(&args);
}
