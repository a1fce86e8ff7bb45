/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64, FIRST_VALUE = 256 };

/* --every when it is not given: a program is often over soon. */
#define EVERY_NS INT64_C(1000000000)
#define PROGRAM_EVERY_NS INT64_C(100000000)

/* getopt's tables for the options of one command, or of all. Mode is what the string of letters
 * begins with: "+" ends at the first word, ":" tells a missing argument from an unknown option. */
struct getopt_tables {
    struct option longs[MAX_OPTIONS + 1];
    char shorts[2 * MAX_OPTIONS + 3];
};

static void fill_tables(struct getopt_tables *tables, enum hw_command_id command, const char *mode)
{
    size_t count = 0, at = strlen(mode);
    memcpy(tables->shorts, mode, at);
    for (size_t i = 0; i < hw_option_count && i < MAX_OPTIONS; i++) {
        const struct hw_option *option = &hw_options[i];
        if (command != HW_COMMAND_NONE && !hw_option_fits(option, command))
            continue;
        int has_arg = option->arg ? required_argument : no_argument;
        tables->longs[count++] = (struct option){option->name, has_arg, NULL, FIRST_VALUE + (int)i};
        if (option->letter)
            tables->shorts[at++] = option->letter;
        if (option->letter && option->arg)
            tables->shorts[at++] = ':';
    }
    tables->longs[count] = (struct option){0};
    tables->shorts[at] = 0;
}

static const struct hw_option *option_of(int value)
{
    if (value >= FIRST_VALUE)
        return &hw_options[value - FIRST_VALUE];
    for (size_t i = 0; i < hw_option_count; i++)
        if (hw_options[i].letter == value)
            return &hw_options[i];
    return NULL;
}

static void *member(struct hw_args *args, const struct hw_option *option)
{
    return (char *)args + option->offset;
}

static bool parse_count(const struct hw_option *option, const char *text, int64_t *ret,
                        struct hw_err *err)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text || *end || n < option->least || n > option->most)
        return hw_err_set(err, HW_ERR_USAGE,
                          "--%s wants a whole number from %" PRId64 " to %" PRId64 ", not '%s'",
                          option->name, option->least, option->most, text);
    *ret = n;
    return true;
}

/* A number and what follows it; false: there is none. Not strtod's other notations: signs,
 * exponents, hexadecimals, infinities. */
static bool parse_number(const char *text, double *ret_number, const char **ret_rest)
{
    size_t digits = strspn(text, "0123456789.");
    char *end;
    *ret_number = strtod(text, &end);
    *ret_rest = end;
    return digits && end == text + digits;
}

/* As one would type it. */
enum { DURATION_BYTES = 32 };
static const char *duration_text(int64_t ns, char text[DURATION_BYTES])
{
    int64_t ms = ns / 1000000;
    bool hours = ms && ms % 3600000 == 0, seconds = ms % 1000 == 0;
    snprintf(text, DURATION_BYTES, "%" PRId64 "%s",
             hours     ? ms / 3600000
             : seconds ? ms / 1000
                       : ms,
             hours     ? "h"
             : seconds ? "s"
                       : "ms");
    return text;
}

/* "500ms", "5s", "1m", "2h", or a number of seconds. */
static bool read_duration(const char *text, double *ret_ns)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"", 1}};
    double n;
    const char *end;
    if (!parse_number(text, &n, &end))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (strcmp(end, units[i].unit) == 0) {
            *ret_ns = n * units[i].seconds * 1e9;
            return true;
        }
    return false;
}

static bool parse_duration(const struct hw_option *option, const char *text, int64_t *ret,
                           struct hw_err *err)
{
    double ns;
    char least[DURATION_BYTES], most[DURATION_BYTES];
    if (read_duration(text, &ns) && ns >= (double)option->least && ns <= (double)option->most) {
        *ret = (int64_t)ns;
        return true;
    }
    return hw_err_set(
        err, HW_ERR_USAGE, "--%s wants a time from %s to %s, such as 500ms, 5s, 1m or 2h, not '%s'",
        option->name, duration_text(option->least, least), duration_text(option->most, most), text);
}

bool hw_window_parse(const char *text, int64_t *ret_from_ns, int64_t *ret_to_ns)
{
    char first[32];
    const char *comma = strchr(text, ',');
    double from, to;
    if (!comma || (size_t)(comma - text) >= sizeof(first))
        return false;
    snprintf(first, sizeof(first), "%.*s", (int)(comma - text), text);
    /* a hundred years of nanoseconds fit into 64 bits, with a date of today */
    if (!read_duration(first, &from) || !read_duration(comma + 1, &to) || to <= from || to > 3e18)
        return false;
    *ret_from_ns = (int64_t)from;
    *ret_to_ns = (int64_t)to;
    return true;
}

/* The factor of a unit that begins text: "M", "MB", "MiB", ""; moves text behind it. */
static double take_unit(const char **text)
{
    static const char letters[] = "kMGT";
    const char *known = **text ? strchr(letters, **text == 'K' ? 'k' : **text) : NULL;
    double base = 1000, factor = 1;
    if (known) {
        ++*text;
        if (**text == 'i') {
            base = 1024;
            ++*text;
        }
        for (const char *p = letters; p <= known; p++)
            factor *= base;
    }
    *text += **text == 'B';
    return factor;
}

static bool parse_size(const struct hw_option *option, const char *text, int64_t *ret,
                       struct hw_err *err)
{
    double n = 0;
    const char *rest;
    if (parse_number(text, &n, &rest)) {
        n *= take_unit(&rest);
        if (!*rest && n >= (double)option->least && n < (double)option->most) {
            *ret = (int64_t)n;
            return true;
        }
    }
    bool is_large = n >= (double)option->most;
    return hw_err_set(err, HW_ERR_USAGE,
                      "--%s wants a size of %s %" PRId64
                      " bytes, such as 500M, 1.5G or 64MiB, not '%s'",
                      option->name, is_large ? "less than" : "at least",
                      is_large ? option->most : option->least, text);
}

static bool parse_rate(const struct hw_option *option, const char *text, int64_t *ret,
                       struct hw_err *err)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"/s", 1}, {"", 1}, {"/m", 60}, {"/min", 60}, {"/h", 3600}, {"/d", 86400}};
    double n;
    const char *rest;
    bool plain = parse_number(text, &n, &rest);
    n *= plain ? take_unit(&rest) : 0;
    for (size_t i = 0; plain && i < sizeof(units) / sizeof(*units); i++)
        if (strcmp(rest, units[i].unit) == 0 && n / units[i].seconds >= (double)option->least &&
            n / units[i].seconds < (double)option->most) {
            *ret = (int64_t)(n / units[i].seconds);
            return true;
        }
    return hw_err_set(err, HW_ERR_USAGE,
                      "--%s wants bytes in a time, such as 1M/s, 500k/min or 20M/h, not '%s'",
                      option->name, text);
}

static bool parse_choice(const struct hw_option *option, const char *text, int64_t *ret,
                         struct hw_err *err)
{
    char words[128] = "";
    for (size_t i = 0; option->words[i]; i++) {
        if (strcmp(option->words[i], text) == 0) {
            *ret = (int64_t)i;
            return true;
        }
        size_t used = strlen(words);
        snprintf(words + used, sizeof(words) - used, "%s%s", i ? ", " : "", option->words[i]);
    }
    return hw_err_set(err, HW_ERR_USAGE, "--%s wants one of %s, not '%s'", option->name, words,
                      text);
}

static bool add_text(const struct hw_option *option, const char *text, struct hw_texts *texts,
                     struct hw_err *err)
{
    if (!*text)
        return hw_err_set(err, HW_ERR_USAGE, "--%s wants a name", option->name);
    if (texts->count == HW_TEXTS_MAX)
        return hw_err_set(err, HW_ERR_USAGE, "--%s is given more than %d times", option->name,
                          HW_TEXTS_MAX);
    texts->items[texts->count++] = text;
    return true;
}

static bool store(struct hw_args *args, const struct hw_option *option, char *text,
                  struct hw_err *err)
{
    void *to = member(args, option);
    switch (option->kind) {
    case HW_OPTION_FLAG:
        *(bool *)to = true;
        return true;
    case HW_OPTION_COUNT:
        return parse_count(option, text, to, err);
    case HW_OPTION_DURATION:
        return parse_duration(option, text, to, err);
    case HW_OPTION_SIZE:
        return parse_size(option, text, to, err);
    case HW_OPTION_RATE:
        return parse_rate(option, text, to, err);
    case HW_OPTION_CHOICE:
        return parse_choice(option, text, to, err);
    case HW_OPTION_TEXT:
        *(const char **)to = text;
        return *text || hw_err_set(err, HW_ERR_USAGE, "--%s wants a name", option->name);
    case HW_OPTION_TEXTS:
        return add_text(option, text, to, err);
    }
    return false;
}

static void set_standards(struct hw_args *args)
{
    *args = (struct hw_args){.command = HW_COMMAND_NONE};
    for (size_t i = 0; i < hw_option_count; i++)
        if (hw_options[i].kind >= HW_OPTION_COUNT && hw_options[i].kind <= HW_OPTION_CHOICE)
            *(int64_t *)member(args, &hw_options[i]) = hw_options[i].standard;
}

static bool is_number(const char *s)
{
    return *s && s[strspn(s, "0123456789")] == 0;
}

/* The option that getopt stumbled over, as typed. */
static bool wrong_option(char **argv, int what, enum hw_command_id command, struct hw_err *err)
{
    char letter[3] = {'-', (char)optopt, 0};
    bool is_letter = optopt > 0 && optopt < FIRST_VALUE;
    const char *typed = is_letter ? letter : argv[optind - 1];
    if (what == ':')
        return hw_err_set(err, HW_ERR_USAGE, "%s wants an argument", typed);
    if (optopt >= FIRST_VALUE)
        return hw_err_set(err, HW_ERR_USAGE, "--%s takes no argument", option_of(optopt)->name);
    if (command != HW_COMMAND_NONE)
        return hw_err_set(err, HW_ERR_USAGE, "%s does not know the option %s",
                          hw_commands[command].name, typed);
    return hw_err_set(err, HW_ERR_USAGE, "unknown option %s", typed);
}

/* Walks over leading options to the first word. Returns its place in argv, argc when there is
 * none, 0 after an error. */
static int find_first_word(struct hw_args *args, int argc, char **argv, struct hw_err *err)
{
    struct getopt_tables tables;
    int value;
    fill_tables(&tables, HW_COMMAND_NONE, "+:");
    optind = 0;
    opterr = 0;
    while ((value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
        if (value == '?' || value == ':') {
            wrong_option(argv, value, HW_COMMAND_NONE, err);
            return 0;
        }
        if (!store(args, option_of(value), optarg, err))
            return 0;
    }
    return optind;
}

/* The place of "--", which getopt would swallow; argc: there is none. */
static int find_program(int argc, char **argv)
{
    int at = 1;
    while (at < argc && strcmp(argv[at], "--") != 0)
        at++;
    return at;
}

static bool parse_options(struct hw_args *args, int argc, char **argv, struct hw_err *err)
{
    struct getopt_tables tables;
    int value;
    if (args->command == HW_COMMAND_WATCH) {
        int at = find_program(argc, argv);
        args->program = at + 1 < argc ? argv + at + 1 : NULL;
        argc = at;
    }
    /* of run, the options of the program are not ours */
    fill_tables(&tables, args->command, args->command == HW_COMMAND_RUN ? "+:" : ":");
    optind = 0;
    while ((value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
        if (value == '?' || value == ':')
            return wrong_option(argv, value, args->command, err);
        if (!store(args, option_of(value), optarg, err))
            return false;
    }
    args->words = argv + optind;
    args->word_count = (size_t)(argc - optind);
    return true;
}

static bool check_words(const struct hw_args *args, struct hw_err *err)
{
    const struct hw_command *command = &hw_commands[args->command];
    if (args->program && args->word_count)
        return hw_err_set(err, HW_ERR_USAGE,
                          "%s wants either a program behind -- or '%s', not both", command->name,
                          args->words[0]);
    if (args->program)
        return true;
    if (args->word_count < command->min_args)
        return hw_err_set(err, HW_ERR_USAGE, "%s wants %s", command->name, command->args);
    if (args->word_count > command->max_args)
        return hw_err_set(err, HW_ERR_USAGE, "%s does not know what to do with '%s'", command->name,
                          args->words[command->max_args]);
    return true;
}

/* Takes the command's name out of argv; a number stays and means diagnose. */
static bool take_command(struct hw_args *args, int *argc, char **argv, int at, struct hw_err *err)
{
    args->command = hw_command_find(argv[at]);
    if (args->command != HW_COMMAND_NONE) {
        memmove(argv + at, argv + at + 1, (size_t)(*argc - at) * sizeof(*argv));
        --*argc;
        return true;
    }
    if (is_number(argv[at])) {
        args->command = HW_COMMAND_DIAGNOSE;
        return true;
    }
    return hw_err_set(err, HW_ERR_USAGE, "there is no command '%s'", argv[at]);
}

bool hw_args_parse(struct hw_args *args, int argc, char **argv, struct hw_err *err)
{
    set_standards(args);
    int at = find_first_word(args, argc, argv, err);
    if (!at)
        return false;
    if (args->help || args->version)
        return true;
    if (at >= argc)
        return hw_err_set(err, HW_ERR_USAGE, "a process id or a command is missing");
    if (!take_command(args, &argc, argv, at, err) || !parse_options(args, argc, argv, err))
        return false;
    if (!args->every_ns)
        args->every_ns = args->program ? PROGRAM_EVERY_NS : EVERY_NS;
    return args->help || args->version || check_words(args, err);
}

enum hw_command_id hw_command_find(const char *name)
{
    int id = 0;
    while (id < HW_COMMAND_COUNT && strcmp(hw_commands[id].name, name) != 0)
        id++;
    return (enum hw_command_id)id;
}
