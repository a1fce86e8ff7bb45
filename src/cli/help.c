/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { OPTION_COLUMN = 24, SUMMARY_COLUMN = 13 };

static void put_title(struct hw_out *out, const char *title)
{
    hw_out_puts(out, "\n");
    hw_out_style(out, HW_STYLE_TITLE);
    hw_out_puts(out, title);
    hw_out_style(out, HW_STYLE_PLAIN);
    hw_out_puts(out, "\n");
}

/* Paragraphs are separated by newlines. */
static void put_paragraphs(struct hw_out *out, const char *text)
{
    char line[2048];
    while (*text) {
        size_t n = strcspn(text, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)n, text);
        hw_out_puts(out, "\n");
        hw_out_wrap(out, 0, 0, line);
        text += n + (text[n] == '\n');
    }
}

static void put_option(struct hw_out *out, const struct hw_option *option,
                       enum hw_command_id command)
{
    char left[64], help[512];
    char letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(left, sizeof(left), "  %s--%s%s%s", letter, option->name, option->arg ? "=" : "",
             option->arg ? option->arg : "");
    hw_out_printf(out, "%-*s", OPTION_COLUMN, left);
    int used = snprintf(help, sizeof(help), "%s", hw_option_help(option, command));
    for (size_t i = 0; option->words[i]; i++)
        used += snprintf(help + used, sizeof(help) - (size_t)used, "%s%s", i ? ", " : " One of ",
                         option->words[i]);
    used += snprintf(help + used, sizeof(help) - (size_t)used, "%s", option->words[0] ? "." : "");
    if (option->standard_text)
        snprintf(help + used, sizeof(help) - (size_t)used, " Default: %s.", option->standard_text);
    hw_out_wrap(out, OPTION_COLUMN, OPTION_COLUMN, help);
}

static void put_examples(struct hw_out *out, const struct hw_command *command)
{
    put_title(out, "Examples");
    for (size_t i = 0; i < sizeof(command->examples) / sizeof(*command->examples); i++) {
        const struct hw_example *example = &command->examples[i];
        if (!example->line)
            break;
        hw_out_puts(out, "  ");
        hw_out_wrap(out, 2, 6, example->line);
        hw_out_puts(out, "      ");
        hw_out_wrap(out, 6, 6, example->what);
    }
}

static void help_command(struct hw_out *out, enum hw_command_id command)
{
    size_t column = strlen("heapwhy : ") + strlen(hw_commands[command].name);
    hw_out_printf(out, "heapwhy %s: ", hw_commands[command].name);
    hw_out_wrap(out, column, 0, hw_commands[command].summary);
    put_paragraphs(out, hw_commands[command].about);
    put_title(out, "Options");
    for (size_t i = 0; i < hw_option_count; i++)
        if (hw_option_fits(&hw_options[i], command))
            put_option(out, &hw_options[i], command);
    put_examples(out, &hw_commands[command]);
}

static void help_program(struct hw_out *out)
{
    hw_out_puts(out, "Why does the memory of this running Python process grow?\n");
    put_title(out, "Commands");
    for (int i = 0; i < HW_COMMAND_COUNT; i++) {
        hw_out_printf(out, "  %-*s", SUMMARY_COLUMN - 2, hw_commands[i].name);
        hw_out_wrap(out, SUMMARY_COLUMN, SUMMARY_COLUMN, hw_commands[i].summary);
    }
    put_examples(out, &hw_commands[HW_COMMAND_DIAGNOSE]);
    hw_out_puts(out, "\nheapwhy help COMMAND says more about one of them.\n");
}

void hw_help_usage(struct hw_out *out, enum hw_command_id command)
{
    if (command == HW_COMMAND_NONE)
        hw_out_puts(out, "Usage: heapwhy [COMMAND] [OPTION]... PID\n");
    else
        hw_out_printf(out, "Usage: heapwhy %s [OPTION]... %s\n", hw_commands[command].name,
                      hw_commands[command].args);
}

void hw_help_tell(struct hw_out *out, enum hw_command_id command)
{
    hw_help_usage(out, command);
    hw_out_puts(out, "\n");
    if (command == HW_COMMAND_NONE)
        help_program(out);
    else
        help_command(out, command);
}
