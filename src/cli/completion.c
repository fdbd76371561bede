/*
 * completion.c - completions for bash, zsh and fish, from the table
 *
 * In bash and zsh one function completes: a list of commands, for each group a
 * list of its second words, for each command its options; otherwise files.
 */
#include <stdio.h>

#include "cli/help.h"

typedef struct word_list {
    const char *separator;
    bool is_begun;
} word_list;

static void print_word(word_list *list, const char *prefix, const char *word,
                       size_t len)
{
    (void)printf("%s%s%.*s", list->is_begun ? list->separator : "", prefix,
                 (int)len, word);
    list->is_begun = true;
}

/* Whether this row is the first whose name begins with its first word. */
static bool is_first_of_group(const cli_command *command)
{
    const size_t len = strcspn(command->name, " ");

    return command->title != NULL ||
           strncmp(command[-1].name, command->name, len) != 0 ||
           (command[-1].name[len] != ' ' && command[-1].name[len] != '\0');
}

static void print_first_words(const char *separator)
{
    word_list list = {separator, false};

    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at))
        if (is_first_of_group(at))
            print_word(&list, "", at->name, strcspn(at->name, " "));
}

/* The second words of the group that begins with row `first`. */
static void print_second_words(const cli_command *first, const char *separator)
{
    const size_t len = strcspn(first->name, " ");
    word_list list = {separator, false};

    for (const cli_command *at = first;
         at->name != NULL && strncmp(at->name, first->name, len + 1) == 0; at++)
        print_word(&list, "", at->name + len + 1, strlen(at->name + len + 1));
}

static void print_options(word_list *list, const cli_option *options)
{
    for (; options->name != NULL; options++)
        print_word(list, "--", options->name, strlen(options->name));
}

/* Patterns of every option that takes an argument, as in "--vault|--since". */
static void print_options_with_argument(void)
{
    word_list list = {"|", false};

    for (const cli_option *at = cli_global_options; at->name != NULL; at++)
        if (at->argument != NULL)
            print_word(&list, "--", at->name, strlen(at->name));
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at))
        for (const cli_option *option = at->options; option->name != NULL;
             option++)
            if (option->argument != NULL)
                print_word(&list, "--", option->name, strlen(option->name));
}

/* Two shell functions: the words that may follow, and the options. */
static void print_functions(void)
{
    (void)fputs("_satchel_words() {\n    case $1 in\n    '') echo '", stdout);
    print_first_words(" ");
    (void)puts("' ;;");
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at)) {
        const size_t len = strcspn(at->name, " ");
        if (at->name[len] == '\0' || !is_first_of_group(at))
            continue;
        (void)printf("    %.*s) echo '", (int)len, at->name);
        print_second_words(at, " ");
        (void)puts("' ;;");
    }
    (void)puts("    esac\n}\n\n_satchel_options() {\n    case $1 in");
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at)) {
        word_list list = {" ", false};
        if (at->options[0].name == NULL)
            continue;
        (void)printf("    '%s'|'%s '*) echo '", at->name, at->name);
        print_options(&list, at->options);
        (void)puts("' ;;");
    }
    (void)fputs("    esac\n    echo '", stdout);
    word_list list = {" ", false};
    print_options(&list, cli_global_options);
    (void)puts("'\n}\n");
}

/* Gathers the operands before the cursor; arrays count from 0, or 1 in zsh. */
static void print_gathering(const char *words, int first, const char *cursor)
{
    (void)printf("    local -a given\n    local i\n"
                 "    for ((i = %d; i < %s; i++)); do\n"
                 "        case ${%s[i]} in\n        ",
                 first, cursor, words);
    print_options_with_argument();
    (void)printf(") ((i++)) ;;\n        -*) ;;\n"
                 "        *) given+=(\"${%s[i]}\") ;;\n"
                 "        esac\n    done\n",
                 words);
}

static void print_bash(void)
{
    (void)puts("# bash completion for satchel\n");
    print_functions();
    (void)puts("_satchel() {\n    local cur=${COMP_WORDS[COMP_CWORD]} words");
    print_gathering("COMP_WORDS", 1, "COMP_CWORD");
    (void)puts("    words=$(_satchel_words \"${given[*]}\")\n"
               "    [[ $cur == -* ]] && "
               "words=$(_satchel_options \"${given[*]}\")\n"
               "    if [[ -n $words ]]; then\n"
               "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
               "    else\n"
               "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
               "    fi\n"
               "}\n\ncomplete -o filenames -F _satchel satchel");
}

static void print_zsh(void)
{
    (void)puts("#compdef satchel\n");
    print_functions();
    (void)puts("_satchel() {\n    local cur=${words[CURRENT]} offered");
    print_gathering("words", 2, "CURRENT");
    (void)puts("    offered=$(_satchel_words \"${given[*]}\")\n"
               "    [[ $cur == -* ]] && "
               "offered=$(_satchel_options \"${given[*]}\")\n"
               "    if [[ -n $offered ]]; then\n"
               "        compadd -- ${=offered}\n"
               "    else\n"
               "        _files\n"
               "    fi\n"
               "}\n\n_satchel \"$@\"");
}

/* A text in single quotes, as fish reads it. */
static void print_quoted(const char *text)
{
    (void)putchar('\'');
    for (; *text != '\0'; text++)
        (void)printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    (void)putchar('\'');
}

static void print_fish_option(const cli_option *option, const char *condition)
{
    (void)printf("complete -c satchel %s-l %s %s-d ", condition, option->name,
                 option->argument != NULL ? "-r " : "");
    print_quoted(option->help);
    (void)putchar('\n');
}

static void print_fish_command(const cli_command *command)
{
    const int len = (int)strcspn(command->name, " ");
    const bool has_two = command->name[len] != '\0';
    char condition[96];

    if (is_first_of_group(command)) {
        (void)printf("complete -c satchel -f -n __fish_use_subcommand "
                     "-a %.*s -d ",
                     len, command->name);
        print_quoted(command->summary);
        (void)putchar('\n');
    }
    (void)snprintf(condition, sizeof condition,
                   "-n '__fish_seen_subcommand_from %.*s' ", len,
                   command->name);
    if (has_two) {
        (void)printf("complete -c satchel -f %s-a %s -d ", condition,
                     command->name + len + 1);
        print_quoted(command->summary);
        (void)putchar('\n');
    }
    for (const cli_option *at = command->options; at->name != NULL; at++)
        print_fish_option(at, condition);
}

static void print_fish(void)
{
    (void)puts("# fish completion for satchel\n");
    for (const cli_option *at = cli_global_options; at->name != NULL; at++)
        print_fish_option(at, "");
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at))
        print_fish_command(at);
}

bool cli_print_completion(const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return false;
    return true;
}
