/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HW_CLI_OPTIONS_H
#define HW_CLI_OPTIONS_H

/*
 * The command line as data. One table of options and one of commands; parsing, --help, the manual
 * pages and the shells' completions all follow from them. To add an option: a member in struct
 * hw_args, a row in options.c.
 */

#include "heapwhy.h"

enum hw_command_id {
    HW_COMMAND_DIAGNOSE,
    HW_COMMAND_SNAPSHOT,
    HW_COMMAND_TYPES,
    HW_COMMAND_DIFF,
    HW_COMMAND_HOLDERS,
    HW_COMMAND_OWNERS,
    HW_COMMAND_PATHS,
    HW_COMMAND_SHOW,
    HW_COMMAND_MEMORY,
    HW_COMMAND_GC,
    HW_COMMAND_RETAINED,
    HW_COMMAND_TREE,
    HW_COMMAND_CYCLES,
    HW_COMMAND_RESOURCES,
    HW_COMMAND_AUDIT,
    HW_COMMAND_SITES,
    HW_COMMAND_ALLOCATIONS,
    HW_COMMAND_LINES,
    HW_COMMAND_FLAME,
    HW_COMMAND_EXPORT,
    HW_COMMAND_RUN,
    HW_COMMAND_ATTACH,
    HW_COMMAND_DETACH,
    HW_COMMAND_TEXT,
    HW_COMMAND_WATCH,
    HW_COMMAND_PLOT,
    HW_COMMAND_CHECK,
    HW_COMMAND_HELP,
    HW_COMMAND_COUNT,
    HW_COMMAND_NONE = HW_COMMAND_COUNT,
};

struct hw_example {
    const char *line; /* as typed */
    const char *what; /* one sentence */
};

struct hw_command {
    const char *name;
    const char *args; /* as in the usage line */
    unsigned min_args, max_args;
    const char *summary; /* completes "heapwhy NAME: ..." */
    const char *about;   /* paragraphs, separated by newlines */
    struct hw_example examples[6];
};
extern const struct hw_command hw_commands[HW_COMMAND_COUNT];

/* The arguments of an option that may be given several times. */
enum { HW_TEXTS_MAX = 256 };
struct hw_texts {
    const char *items[HW_TEXTS_MAX];
    size_t count;
};

/* What was asked for. Numbers have their option's unit; choices are indices into its words. */
struct hw_args {
    enum hw_command_id command;
    bool help, version, json, ndjson, exit_code, no_values, all, watch_cycles, module, every, allow_seccomp;
    bool leaks, allocated, temporary, over_time, cumulative, imports;
    bool children, diagnose, until_alarm, ascii, peak, stacked, no_functions;
    int64_t snapshots; /* 0: not given */
    int64_t interval_ns, limit, objects, watch_ns, depth;
    int64_t freeze, color, sort, by;
    int64_t place; /* enum hw_allocations_by */
    int64_t merge, format; /* enum hw_merge, enum hw_export_format */
    int64_t rss_bytes, growth_rate; /* 0: not given */
    int64_t rate_bytes, timeout_ns;
    int64_t every_ns, for_ns, warm_up_ns, keep, keep_bytes;
    const char *save, *output, *rules, *exec, *title, *window, *function; /* NULL: not given */
    struct hw_texts ignore;
    char **words; /* what is neither command nor option */
    size_t word_count;
    char **program; /* of watch: what stands behind "--", NULL at the end; NULL: nothing */
};
enum hw_color { HW_COLOR_AUTO, HW_COLOR_ALWAYS, HW_COLOR_NEVER };
enum hw_merge { HW_MERGE_LINE, HW_MERGE_FUNCTION };
enum hw_export_format { HW_EXPORT_COLLAPSED, HW_EXPORT_SPEEDSCOPE, HW_EXPORT_PPROF };
enum { HW_LIMIT_DEFAULT = -1 }; /* each command has its own */

enum hw_option_kind {
    HW_OPTION_FLAG,     /* bool */
    HW_OPTION_COUNT,    /* int64_t */
    HW_OPTION_DURATION, /* int64_t, nanoseconds; written 500ms, 5s, 1m, 2h */
    HW_OPTION_SIZE,     /* int64_t, bytes; written 500M, 1.5G, 64KiB */
    HW_OPTION_RATE,     /* int64_t, bytes a second; written 1M/s, 20M/h */
    HW_OPTION_CHOICE,   /* int64_t, index into words */
    HW_OPTION_TEXT,     /* const char * */
    HW_OPTION_TEXTS,    /* struct hw_texts: may be given several times */
};

struct hw_option {
    const char *name;
    char letter; /* 0: has none */
    enum hw_option_kind kind;
    const char *arg;           /* name of the argument in help texts; NULL for flags */
    size_t offset;             /* of the member in struct hw_args */
    int64_t least, most;       /* counts, durations, sizes, rates: the range */
    int64_t standard;          /* the value when not given */
    const char *standard_text; /* the same for help texts; NULL: none */
    const char *words[8];      /* of a choice, NULL at the end */
    uint32_t commands;         /* bits: 1 << enum hw_command_id */
    const char *help;          /* one sentence */
};
extern const struct hw_option hw_options[];
extern const size_t hw_option_count;

/* Where an option means something else in some commands than its row says. */
struct hw_option_help {
    const char *name;  /* of the option */
    uint32_t commands; /* bits, as in the option's row */
    const char *help;
};
extern const struct hw_option_help hw_option_helps[];
extern const size_t hw_option_help_count;

/* What the option means in this command. */
const char *hw_option_help(const struct hw_option *option, enum hw_command_id command);

static inline bool hw_option_fits(const struct hw_option *option, enum hw_command_id command)
{
    return option->commands >> command & 1;
}

/* Fails with HW_ERR_USAGE; args->command then says whose usage line to print. argv is reordered.
 * A first word that is a number means diagnose. */
bool hw_args_parse(struct hw_args *args, int argc, char **argv, struct hw_err *err);

/* "0,20.5", "5m,1h": two durations, the second is longer. */
bool hw_window_parse(const char *text, int64_t *ret_from_ns, int64_t *ret_to_ns);

/* HW_COMMAND_NONE when there is no such command. */
enum hw_command_id hw_command_find(const char *name);

#endif
