/*
 * cli.h - the command line: what a command is, and what it is given
 *
 * The program is a table of commands (commands_*.c). Everything that a person
 * or a shell can learn about a command stands in its row, and help, the manual
 * page and the completions are printed from there. A command is a function of
 * its own file; it writes results to stdout and returns a status, which becomes
 * the exit code, and an error, which becomes the complaint.
 */
#ifndef SAT_SRC_CLI_CLI_H
#define SAT_SRC_CLI_CLI_H

#include <stdbool.h>

#include "base/error.h"
#include "base/scope.h"
#include "satchel/env.h"

typedef struct cli_run cli_run;

/* One long option: a flag, or with an argument. */
typedef struct cli_option {
    const char *name;
    const char *argument; /* what help calls it; NULL makes it a flag */
    const char *help;     /* one line, without a full stop */
} cli_option;

#define CLI_OPTIONS_MAX 8 /* of one command, the ending row included */
#define CLI_ANY (-1)      /* any number of operands */

typedef struct cli_command {
    const char *title;    /* above the first row of a table, else NULL */
    const char *name;     /* one word, or group and word: "vault list" */
    const char *operands; /* as in "TABLE [KEY]", or NULL */
    int least, most;      /* how many operands; most may be CLI_ANY */
    const char *summary;  /* one line, without a full stop */
    const char *details;  /* sentences for `help COMMAND`, or NULL */
    sat_status (*run)(cli_run *cli, sat_error *err);
    cli_option options[CLI_OPTIONS_MAX]; /* ends with a row without a name */
    const struct cli_command *next;      /* in a nameless row: the next table */
} cli_command;

/* The operands as text, empty where there are none. */
static inline const char *command_operands(const cli_command *command)
{
    return command->operands != NULL ? command->operands : "";
}

/* All commands, in the order in which help shows them; NULL after the last. */
const cli_command *cli_command_first(void);
const cli_command *cli_command_next(const cli_command *command);

/* The options that every command takes, before or after its name. */
extern const cli_option cli_global_options[];

/* One run of the program. It stays on the thread that made it. */
struct cli_run {
    const sat_env *env;
    const cli_command *command;
    const char *profile; /* --profile, or NULL */
    const char *vault;   /* --vault, "main" by default */
    const char *password_file;
    bool json, quiet;
    bool wants_help, wants_version;
    bool conflicts_pending; /* the exit code says so after success */
    const char *values[CLI_OPTIONS_MAX]; /* of the command's options */
    int count;
    char **operands;
    char hint[160]; /* what to do next when this fails, or "" */
};

/* The exit codes, as documented. */
enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,
    CLI_MISUSED = 2,
    CLI_LOCKED = 3,
    CLI_DENIED = 4,
    CLI_OFFLINE = 5,
    CLI_CONFLICTS = 6,
    CLI_DAMAGED = 7
};

/* Runs the program; returns its exit code. */
int cli_main(int argc, char **argv);

/*
 * Reads the command line into `cli`, which starts zeroed. Misuse fails with
 * SAT_ERR_INVALID. argv is permuted: options first.
 */
SAT_CHECK sat_status cli_parse(cli_run *cli, int argc, char **argv,
                               sat_error *err);

/* The command of exactly that name, or NULL. */
const cli_command *cli_command_find(const char *name);

/* Whether `word` is the first of two in some command's name. */
bool cli_is_group(const char *word);

/* Whether the command's option `name` was given; its argument, or NULL. */
bool cli_flag(const cli_run *cli, const char *name);
const char *cli_value(const cli_run *cli, const char *name);

/* The value of option `name`, a positive number, or `otherwise`. */
SAT_CHECK sat_status cli_number(const cli_run *cli, const char *name,
                                uint64_t otherwise, uint64_t *out,
                                sat_error *err);

/* The value of option `name`, a size as in 50MB or 1GiB, in bytes; 0 where the
 * option is absent. */
SAT_CHECK sat_status cli_size(const cli_run *cli, const char *name,
                              uint64_t *out, sat_error *err);

/* The value of option `name`, a duration as in 30s, 5m, 24h, 7d, in
 * milliseconds; 0 where the option is absent. */
SAT_CHECK sat_status cli_duration(const cli_run *cli, const char *name,
                                  uint64_t *out_ms, sat_error *err);

/* The value of option `name`, a date or how long ago, in milliseconds since
 * 1970; 0 where the option is absent. */
SAT_CHECK sat_status cli_moment(const cli_run *cli, const char *name,
                                uint64_t *out_ms, sat_error *err);

/* Reads a positive number; `what` names it. */
SAT_CHECK sat_status cli_parse_number(const char *text, const char *what,
                                      uint64_t *out, sat_error *err);

/* Says what to do next, should the command fail. */
void cli_hint(cli_run *cli, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prints the failure to stderr, as JSON where asked. */
void cli_complain(const cli_run *cli, const sat_error *err);

/* The exit code of a command that returned `status`. */
int cli_exit_code(sat_status status);

/* A result in words: a line on stdout, unless --json or --quiet. */
void cli_say(const cli_run *cli, const char *format, ...) PRINTF_LIKE(2, 3);

/* The result of a command that returns nothing: {} with --json. */
SAT_CHECK sat_status cli_print_done(const cli_run *cli, sat_error *err);

/* Fails where stdout did not take everything, as a full disk does. */
SAT_CHECK sat_status cli_flush(sat_error *err);

#endif /* SAT_SRC_CLI_CLI_H */
