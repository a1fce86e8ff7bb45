/* SPDX-License-Identifier: Apache-2.0 */

/* gen-man DIR VERSION: writes heapwhy.1 and a page for each command to DIR, from the tables that
 * the program parses its command line with. */
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAM = HW_COMMAND_NONE };

/* Hyphens in what is typed must come out as such, and no line of text may begin like a request. */
static void put_text(FILE *page, const char *s)
{
    if (*s == '.' || *s == '\'')
        fputs("\\&", page);
    for (; *s; s++) {
        if (*s == '\\')
            fputs("\\e", page);
        else if (*s == '-')
            fputs("\\-", page);
        else if (*s == '\'')
            fputs("\\(aq", page);
        else if (*s == '\n')
            fputs("\n.PP\n", page);
        else
            fputc(*s, page);
    }
}

static void put_paragraphs(FILE *page, const char *s)
{
    size_t n = strlen(s);
    char *text = strdup(s);
    if (!text)
        exit(EXIT_FAILURE);
    while (n && text[n - 1] == '\n')
        text[--n] = 0;
    put_text(page, text);
    fputc('\n', page);
    free(text);
}

static void put_option(FILE *page, const struct hw_option *option, enum hw_command_id command)
{
    fputs(".TP\n", page);
    if (option->letter)
        fprintf(page, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", page);
    put_text(page, option->name);
    fputs("\\fR", page);
    if (option->arg)
        fprintf(page, "=\\fI%s\\fR", option->arg);
    fputc('\n', page);
    put_text(page, hw_option_help(option, command));
    for (size_t i = 0; option->words[i]; i++)
        fprintf(page, "%s%s", i ? ", " : " One of ", option->words[i]);
    fputs(option->words[0] ? "." : "", page);
    if (option->standard_text)
        fprintf(page, " Default: %s.", option->standard_text);
    fputc('\n', page);
}

static void put_options(FILE *page, int command)
{
    fputs(".SH OPTIONS\n", page);
    for (size_t i = 0; i < hw_option_count; i++)
        if (hw_option_fits(&hw_options[i], (enum hw_command_id)command))
            put_option(page, &hw_options[i], (enum hw_command_id)command);
}

static void put_examples(FILE *page, const struct hw_command *command)
{
    fputs(".SH EXAMPLES\n", page);
    for (size_t i = 0; i < sizeof(command->examples) / sizeof(*command->examples); i++) {
        if (!command->examples[i].line)
            break;
        fputs(".TP\n\\fB", page);
        put_text(page, command->examples[i].line);
        fputs("\\fR\n", page);
        put_text(page, command->examples[i].what);
        fputc('\n', page);
    }
}

static void put_head(FILE *page, const char *name, const char *summary, const char *version)
{
    char upper[64];
    size_t n = 0;
    for (; name[n] && n + 1 < sizeof(upper); n++)
        upper[n] = (char)(name[n] >= 'a' && name[n] <= 'z' ? name[n] - 32 : name[n]);
    upper[n] = 0;
    fprintf(page, ".TH %s 1 \"\" \"heapwhy %s\" \"User Commands\"\n.SH NAME\n", upper, version);
    put_text(page, name);
    fputs(" \\- ", page);
    put_text(page, summary);
    fputs("\n.SH SYNOPSIS\n", page);
}

static void put_status(FILE *page)
{
    fputs(".SH EXIT STATUS\n"
          ".TP\n0\nDone; also when a leak was found.\n"
          ".TP\n1\nFailed; one line on standard error says why.\n"
          ".TP\n2\nWrong usage.\n"
          ".TP\n3\nA leak was found, and \\-\\-exit\\-code was given; or \\fBwatch "
          "\\-\\-until\\-alarm\\fR had an alarm.\n",
          page);
}

static void put_command_page(FILE *page, int id, const char *version)
{
    const struct hw_command *command = &hw_commands[id];
    char name[64];
    snprintf(name, sizeof(name), "heapwhy-%s", command->name);
    put_head(page, name, command->summary, version);
    fprintf(page, "\\fBheapwhy %s\\fR [\\fIOPTION\\fR]... ", command->name);
    put_text(page, command->args);
    fputs("\n.SH DESCRIPTION\n", page);
    put_paragraphs(page, command->about);
    put_options(page, id);
    put_examples(page, command);
    fputs(".SH SEE ALSO\n.BR heapwhy (1)\n", page);
}

static void put_program_page(FILE *page, const char *version)
{
    put_head(page, "heapwhy", "why does the memory of this running Python process grow?", version);
    fputs("\\fBheapwhy\\fR [\\fIOPTION\\fR]... \\fIPID\\fR\n.br\n"
          "\\fBheapwhy\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... \\fIARGUMENT\\fR...\n"
          ".SH DESCRIPTION\n",
          page);
    put_paragraphs(page, hw_commands[HW_COMMAND_DIAGNOSE].about);
    fputs(".SH COMMANDS\n", page);
    for (int i = 0; i < HW_COMMAND_COUNT; i++) {
        fprintf(page, ".TP\n\\fB%s\\fR ", hw_commands[i].name);
        put_text(page, hw_commands[i].args);
        fputc('\n', page);
        put_text(page, hw_commands[i].summary);
        fputs(i == HW_COMMAND_HELP ? ".\n" : "; see \\fB", page);
        if (i != HW_COMMAND_HELP)
            fprintf(page, "heapwhy\\-%s\\fR(1).\n", hw_commands[i].name);
    }
    put_options(page, HW_COMMAND_DIAGNOSE);
    put_examples(page, &hw_commands[HW_COMMAND_DIAGNOSE]);
    put_status(page);
    fputs(".SH ENVIRONMENT\n"
          ".TP\n\\fBNO_COLOR\\fR\nWhen set, no colours unless \\-\\-color=always.\n"
          ".TP\n\\fBCOLUMNS\\fR\nThe width of the terminal.\n"
          ".TP\n\\fBXDG_STATE_HOME\\fR\nWhere \\fBwatch \\-\\-diagnose\\fR keeps its evidence, in "
          "heapwhy; ~/.local/state when not set.\n"
          ".TP\n\\fBTMPDIR\\fR\nWhere \\fBtext\\fR sorts what does not fit into memory.\n",
          page);
}

static void write_page(const char *dir, int id, const char *version)
{
    char path[4096];
    if (id == PROGRAM)
        snprintf(path, sizeof(path), "%s/heapwhy.1", dir);
    else
        snprintf(path, sizeof(path), "%s/heapwhy-%s.1", dir, hw_commands[id].name);
    FILE *page = fopen(path, "w");
    if (page && id == PROGRAM)
        put_program_page(page, version);
    else if (page)
        put_command_page(page, id, version);
    if (!page || ferror(page) || fclose(page)) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("Usage: gen-man DIR VERSION\n", stderr);
        return 2;
    }
    write_page(argv[1], PROGRAM, argv[2]);
    for (int i = 0; i < HW_COMMAND_HELP; i++)
        write_page(argv[1], i, argv[2]);
    return 0;
}
