/*
 * manual.c - the commands' part of the manual page, from the table
 */
#include <stdio.h>

#include "cli/help.h"

/* Text for man(7): a hyphen that is typed is a minus, a backslash is spelled.
 */
static void print_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '-')
            (void)fputs("\\-", stdout);
        else if (*text == '\\')
            (void)fputs("\\e", stdout);
        else
            (void)putchar(*text);
    }
}

static void print_option(const cli_option *option)
{
    (void)fputs(".TP\n.B ", stdout);
    print_text("--");
    print_text(option->name);
    if (option->argument != NULL)
        (void)printf(" \\fI%s\\fR", option->argument);
    (void)putchar('\n');
    print_text(option->help);
    (void)puts(".");
}

static void print_command(const cli_command *command)
{
    (void)fputs(".SS satchel ", stdout);
    print_text(command->name);
    if (command->operands != NULL)
        (void)putchar(' ');
    print_text(command_operands(command));
    (void)putchar('\n');
    print_text(command->summary);
    (void)puts(".");
    if (command->details != NULL) {
        print_text(command->details);
        (void)putchar('\n');
    }
    for (const cli_option *at = command->options; at->name != NULL; at++)
        print_option(at);
}

void cli_print_manual(void)
{
    (void)puts(".SH OPTIONS\nThese may stand before or after the command.");
    for (const cli_option *at = cli_global_options; at->name != NULL; at++)
        print_option(at);
    (void)puts(".SH COMMANDS");
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at))
        print_command(at);
}
