/*
 * help.c - what the table of commands says about itself, to a person
 */
#include "cli/help.h"

#include <stdio.h>

#define TEXT_WIDTH 78
#define USE_WIDTH 34

void cli_print_version(void)
{
    (void)puts("satchel " SAT_VERSION);
}

/* "--name ARGUMENT" as it is typed. */
static void format_option(const cli_option *option, char *out, size_t size)
{
    if (option->argument != NULL)
        (void)snprintf(out, size, "--%s %s", option->name, option->argument);
    else
        (void)snprintf(out, size, "--%s", option->name);
}

static void print_options(const cli_option *options)
{
    char spelled[64];

    for (; options->name != NULL; options++) {
        format_option(options, spelled, sizeof spelled);
        (void)printf("  %-26s %s\n", spelled, options->help);
    }
}

/* Prints sentences, broken between words. */
static void print_wrapped(const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        const size_t len = strcspn(text, " ");
        if (column > 0 && column + 1 + len > TEXT_WIDTH) {
            (void)putchar('\n');
            column = 0;
        }
        column +=
            (size_t)printf("%s%.*s", column > 0 ? " " : "", (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
    (void)putchar('\n');
}

static void print_row(const cli_command *command)
{
    char use[96];

    const int len = snprintf(use, sizeof use, "%s %s", command->name,
                             command_operands(command));
    if (command->title != NULL)
        (void)printf("\n%s:\n", command->title);
    (void)printf("  %-*s", USE_WIDTH, use);
    if (len > USE_WIDTH)
        (void)printf("\n  %-*s", USE_WIDTH, "");
    (void)printf(" %s\n", command->summary);
}

void cli_print_overview(void)
{
    (void)puts("satchel keeps databases and files encrypted on your devices, "
               "and in step.\n\n"
               "usage: satchel [OPTION]... COMMAND [ARGUMENT]...");
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at))
        print_row(at);
    (void)puts("\nOptions of every command:");
    print_options(cli_global_options);
    (void)puts("\n'satchel help COMMAND' says more about one of them.");
}

void cli_print_command(const cli_command *command)
{
    const bool has_options = command->options[0].name != NULL;

    (void)printf("usage: satchel %s%s%s%s\n\n", command->name,
                 has_options ? " [OPTION]..." : "",
                 command->operands != NULL ? " " : "",
                 command_operands(command));
    (void)printf("%s.\n", command->summary);
    if (command->details != NULL) {
        (void)putchar('\n');
        print_wrapped(command->details);
    }
    if (has_options) {
        (void)puts("\nOptions:");
        print_options(command->options);
    }
}
