/*
 * options.c - reading the command line
 *
 * Options may stand anywhere: those of every command before or after its name,
 * its own behind it. The words that name the command are found first, since
 * they decide which options there are; then everything that follows is read at
 * once.
 */
#include <getopt.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/spelling.h"

#define GLOBALS_MAX 8
#define OPTIONS_MAX (GLOBALS_MAX + CLI_OPTIONS_MAX)

enum { PROFILE, VAULT, PASSWORD_FILE, JSON, QUIET, HELP, VERSION };

const cli_option cli_global_options[] = {
    [PROFILE] = {"profile", "DIR", "use the profile in DIR"},
    [VAULT] = {"vault", "NAME", "use the vault NAME instead of main"},
    [PASSWORD_FILE] = {"password-file", "FILE",
                       "read the password from the first line of FILE"},
    [JSON] = {"json", NULL, "print results and errors as JSON"},
    [QUIET] = {"quiet", NULL, "print nothing but what was asked for"},
    [HELP] = {"help", NULL, "explain the command"},
    [VERSION] = {"version", NULL, "print the version"},
    {NULL, NULL, NULL},
};

static void set_global(cli_run *cli, int at, const char *value)
{
    switch (at) {
    case PROFILE:
        cli->profile = value;
        break;
    case VAULT:
        cli->vault = value;
        break;
    case PASSWORD_FILE:
        cli->password_file = value;
        break;
    case JSON:
        cli->json = true;
        break;
    case QUIET:
        cli->quiet = true;
        break;
    case HELP:
        cli->wants_help = true;
        break;
    default:
        cli->wants_version = true;
        break;
    }
}

static struct option as_getopt(const cli_option *option, int value)
{
    return (struct option){option->name,
                           option->argument != NULL ? required_argument
                                                    : no_argument,
                           NULL, value};
}

/* The global options and those of `command`, if not NULL, for getopt_long():
 * global ones as 1, 2, …, the command's from GLOBALS_MAX on. */
static void gather_options(const cli_command *command, struct option *out)
{
    for (int i = 0; cli_global_options[i].name != NULL; i++)
        *out++ = as_getopt(&cli_global_options[i], 1 + i);
    for (int i = 0; command != NULL && command->options[i].name != NULL; i++)
        *out++ = as_getopt(&command->options[i], GLOBALS_MAX + i);
    *out = (struct option){0};
}

static sat_status refuse(cli_run *cli, char code, const char *word,
                         sat_error *err)
{
    if (cli->command != NULL)
        cli_hint(cli, "'satchel help %s' lists its options",
                 cli->command->name);
    else
        cli_hint(cli, "'satchel help' lists the options");
    return sat__fail(err, SAT_ERR_INVALID,
                     code == ':' ? "the option '%s' needs a value"
                                 : "there is no option '%s', or not so",
                     word);
}

/* What is left of the command line; words[0] was read before. */
typedef struct cli_line {
    int count;
    char **words;
} cli_line;

/*
 * Reads the options behind words[0]: up to the first operand where
 * `is_leading`, else all, moving the operands behind them. words[0] is then the
 * last word that was read.
 */
static sat_status read_options(cli_run *cli, cli_line *line, bool is_leading,
                               sat_error *err)
{
    const char *const order = is_leading ? "+:" : ":";
    struct option options[OPTIONS_MAX + 1];
    int code;

    gather_options(cli->command, options);
    opterr = 0;
    optind = 0; /* getopt_long() begins anew, in this order */
    while ((code = getopt_long(line->count, line->words, order, options,
                               NULL)) != -1) {
        if (code == '?' || code == ':')
            return refuse(cli, (char)code, line->words[optind - 1], err);
        if (code >= GLOBALS_MAX)
            cli->values[code - GLOBALS_MAX] = optarg != NULL ? optarg : "";
        else
            set_global(cli, code - 1, optarg);
    }
    line->count -= optind - 1;
    line->words += optind - 1;
    return SAT_OK;
}

static sat_status refuse_command(cli_run *cli, const char *name, sat_error *err)
{
    const char *const similar = cli_similar_command(name);

    if (similar != NULL)
        cli_hint(cli, "did you mean 'satchel %s'?", similar);
    else
        cli_hint(cli, "'satchel help' lists the commands");
    return sat__fail(err, SAT_ERR_INVALID, "there is no command '%s'", name);
}

/* Reads the next word, which there must be. */
static const char *next_word(cli_line *line)
{
    line->count--;
    return *++line->words;
}

/* Finds a command of `group`; without a second word it is the group's list. */
static sat_status find_in_group(cli_run *cli, const char *group, cli_line *line,
                                sat_error *err)
{
    char name[64];

    TRY(read_options(cli, line, true, err));
    const bool has_word = line->count > 1;
    (void)snprintf(name, sizeof name, "%s %s", group,
                   has_word ? next_word(line) : "list");
    cli->command = cli_command_find(name);
    if (cli->command != NULL)
        return SAT_OK;
    if (has_word)
        return refuse_command(cli, name, err);
    cli_hint(cli, "'satchel help %s' lists them", group);
    return sat__fail(err, SAT_ERR_INVALID, "'%s' needs a second word", group);
}

static sat_status find_command(cli_run *cli, cli_line *line, sat_error *err)
{
    const char *const word = next_word(line);

    if (cli_is_group(word))
        return find_in_group(cli, word, line, err);
    cli->command = cli_command_find(word);
    return cli->command != NULL ? SAT_OK : refuse_command(cli, word, err);
}

static sat_status check_operands(cli_run *cli, sat_error *err)
{
    const cli_command *const command = cli->command;

    if (cli->count >= command->least &&
        (command->most == CLI_ANY || cli->count <= command->most))
        return SAT_OK;
    cli_hint(cli, "usage: satchel %s%s%s%s", command->name,
             command->options[0].name != NULL ? " [OPTION]..." : "",
             command_operands(command)[0] != 0 ? " " : "",
             command_operands(command));
    if (cli->count < command->least)
        return sat__fail(err, SAT_ERR_INVALID, "'%s' needs more: %s",
                         command->name, command_operands(command));
    return sat__fail(err, SAT_ERR_INVALID, "'%s' does not take '%s'",
                     command->name, cli->operands[command->most]);
}

/* --json counts even where the rest of the line can not be read. */
static bool has_json_option(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

sat_status cli_parse(cli_run *cli, int argc, char **argv, sat_error *err)
{
    cli_line line = {argc, argv};

    cli->vault = "main";
    cli->json = has_json_option(argc, argv);
    TRY(read_options(cli, &line, true, err));
    if (cli->wants_help || cli->wants_version)
        return SAT_OK;
    if (line.count == 1) {
        cli_hint(cli, "'satchel help' lists the commands");
        return sat__fail(err, SAT_ERR_INVALID, "a command is missing");
    }
    TRY(find_command(cli, &line, err));
    TRY(read_options(cli, &line, false, err));
    cli->count = line.count - 1;
    cli->operands = line.words + 1;
    return cli->wants_help ? SAT_OK : check_operands(cli, err);
}

const cli_command *cli_command_first(void)
{
    return cli_device_commands;
}

const cli_command *cli_command_next(const cli_command *command)
{
    return command[1].name != NULL ? command + 1 : command[1].next;
}

const cli_command *cli_command_find(const char *name)
{
    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at))
        if (strcmp(at->name, name) == 0)
            return at;
    return NULL;
}

bool cli_is_group(const char *word)
{
    const size_t len = strlen(word);

    for (const cli_command *at = cli_command_first(); at != NULL;
         at = cli_command_next(at))
        if (strncmp(at->name, word, len) == 0 && at->name[len] == ' ')
            return true;
    return false;
}
