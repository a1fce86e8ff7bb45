/* SPDX-License-Identifier: Apache-2.0 */

/* gen-completion bash|zsh|fish: a completion script on standard output, from the tables that the
 * program parses its command line with. */
#include "cli/options.h"

#include <stdio.h>
#include <string.h>

/* Inside single quotes of a shell. */
static void put_quoted(const char *s)
{
    for (; *s; s++)
        if (*s == '\'')
            fputs("'\\''", stdout);
        else if (*s != '\n')
            putchar(*s);
}

static void put_command_names(void)
{
    for (int i = 0; i < HW_COMMAND_COUNT; i++)
        printf("%s%s", i ? " " : "", hw_commands[i].name);
}

static void put_option_names(enum hw_command_id command)
{
    for (size_t i = 0; i < hw_option_count; i++)
        if (hw_option_fits(&hw_options[i], command))
            printf(" --%s%s", hw_options[i].name, hw_options[i].arg ? "=" : "");
}

static void bash_words(void)
{
    for (size_t i = 0; i < hw_option_count; i++) {
        if (hw_options[i].kind != HW_OPTION_CHOICE)
            continue;
        printf("    --%s)\n        COMPREPLY=($(compgen -W '", hw_options[i].name);
        for (size_t n = 0; hw_options[i].words[n]; n++)
            printf("%s%s", n ? " " : "", hw_options[i].words[n]);
        puts("' -- \"$word\"))\n        return ;;");
    }
}

static void put_bash(void)
{
    puts("# bash completion for heapwhy\n"
         "_heapwhy() {\n"
         "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= w\n"
         "    COMPREPLY=()\n"
         "    if [[ $word == '=' ]]; then word=; fi\n"
         "    if [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
         "    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "        if [[ $w != -* ]]; then command=$w; break; fi\n"
         "    done\n"
         "    case $before in");
    bash_words();
    puts("    esac\n    local options=\n    case $command in");
    for (int i = 0; i < HW_COMMAND_COUNT; i++) {
        printf("    %s) options='", hw_commands[i].name);
        put_option_names((enum hw_command_id)i);
        puts("' ;;");
    }
    printf("    *) options='");
    put_option_names(HW_COMMAND_DIAGNOSE);
    puts("' ;;\n    esac\n"
         "    if [[ $word == -* ]]; then\n"
         "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
         "        return\n"
         "    fi");
    printf("    local pids=$(pgrep -f python 2>/dev/null)\n"
           "    if [[ -z $command ]]; then\n"
           "        COMPREPLY=($(compgen -W '");
    put_command_names();
    puts("'\" $pids\" -- \"$word\"))\n"
         "    elif [[ $command == help ]]; then");
    printf("        COMPREPLY=($(compgen -W '");
    put_command_names();
    puts("' -- \"$word\"))\n"
         "    else\n"
         "        compopt -o filenames 2>/dev/null\n"
         "        COMPREPLY=($(compgen -W \"$pids\" -- \"$word\") $(compgen -f -- \"$word\"))\n"
         "    fi\n"
         "}\n"
         "complete -F _heapwhy heapwhy");
}

static void zsh_option(const struct hw_option *option, enum hw_command_id command)
{
    fputs("            '", stdout);
    if (option->letter)
        printf("(-%c --%s)'{-%c,--%s}'", option->letter, option->name, option->letter,
               option->name);
    else
        printf("%s--%s", option->kind == HW_OPTION_TEXTS ? "*" : "", option->name);
    printf("%s[", option->arg && !option->letter ? "=" : "");
    for (const char *s = hw_option_help(option, command); *s; s++)
        printf(*s == '\'' ? "'\\''" : *s == ':' || *s == '[' || *s == ']' ? "\\%c" : "%c", *s);
    putchar(']');
    if (option->arg)
        printf(":%s:", option->arg);
    if (option->kind == HW_OPTION_TEXT)
        fputs("_files", stdout);
    for (size_t i = 0; option->words[i]; i++)
        printf("%s%s%s", i ? " " : "(", option->words[i], option->words[i + 1] ? "" : ")");
    puts("' \\");
}

static void put_zsh(void)
{
    puts("#compdef heapwhy\n"
         "local -a commands\n"
         "commands=(");
    for (int i = 0; i < HW_COMMAND_COUNT; i++) {
        printf("    '%s:", hw_commands[i].name);
        put_quoted(hw_commands[i].summary);
        puts("'");
    }
    puts(")\n"
         "_heapwhy_target() { _alternative 'pids:process:_pids' 'files:snapshot:_files' }\n"
         "if (( CURRENT == 2 )) && [[ ${words[2]} != -* ]]; then\n"
         "    _describe -t commands 'heapwhy command' commands\n"
         "    _heapwhy_target\n"
         "    return\n"
         "fi\n"
         "case ${words[2]} in");
    for (int i = 1; i <= HW_COMMAND_COUNT; i++) {
        int id = i % HW_COMMAND_COUNT; /* diagnose last: it is also what stands for no command */
        printf("    %s)\n        _arguments -s \\\n", id ? hw_commands[id].name : "*");
        for (size_t n = 0; n < hw_option_count; n++)
            if (hw_option_fits(&hw_options[n], (enum hw_command_id)id))
                zsh_option(&hw_options[n], (enum hw_command_id)id);
        puts(id == HW_COMMAND_HELP ? "            '*:command:->commands'\n"
                                     "        _describe -t commands 'heapwhy command' commands ;;"
                                   : "            '*:target:_heapwhy_target' ;;");
    }
    puts("esac");
}

static void fish_option(const struct hw_option *option)
{
    printf("complete -c heapwhy");
    if ((option->commands & ((1u << HW_COMMAND_COUNT) - 1)) != (1u << HW_COMMAND_COUNT) - 1) {
        const char * or = "";
        printf(" -n '");
        if (option->commands & 1u << HW_COMMAND_DIAGNOSE) {
            printf("not __fish_seen_subcommand_from ");
            for (int i = 0; i < HW_COMMAND_COUNT; i++)
                if (!hw_option_fits(option, (enum hw_command_id)i))
                    printf("%s%s", * or ? " " : "", hw_commands[i].name), or = " ";
        } else {
            printf("__fish_seen_subcommand_from");
            for (int i = 0; i < HW_COMMAND_COUNT; i++)
                if (hw_option_fits(option, (enum hw_command_id)i))
                    printf(" %s", hw_commands[i].name);
        }
        printf("'");
    }
    printf(" -l %s", option->name);
    if (option->letter)
        printf(" -s %c", option->letter);
    if (option->arg)
        printf(option->kind == HW_OPTION_TEXT ? " -r" : " -x");
    for (size_t i = 0; option->words[i]; i++)
        printf("%s%s%s", i ? " " : " -a '", option->words[i], option->words[i + 1] ? "" : "'");
    printf(" -d '");
    put_quoted(option->help);
    puts("'");
}

static void put_fish(void)
{
    puts("# fish completion for heapwhy");
    for (int i = 0; i < HW_COMMAND_COUNT; i++) {
        printf("complete -c heapwhy -n __fish_use_subcommand -a %s -d '", hw_commands[i].name);
        put_quoted(hw_commands[i].summary);
        puts("'");
    }
    puts("complete -c heapwhy -a '(__fish_complete_pids)'");
    for (size_t i = 0; i < hw_option_count; i++)
        fish_option(&hw_options[i]);
}

int main(int argc, char **argv)
{
    const char *shell = argc == 2 ? argv[1] : "";
    if (strcmp(shell, "bash") == 0)
        put_bash();
    else if (strcmp(shell, "zsh") == 0)
        put_zsh();
    else if (strcmp(shell, "fish") == 0)
        put_fish();
    else {
        fputs("Usage: gen-completion bash|zsh|fish\n", stderr);
        return 2;
    }
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
