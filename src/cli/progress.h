/*
 * progress.h - how far long work is, and how it is stopped
 *
 * Between begin and end, Ctrl-C does not end the process: it makes the next
 * call of cli_progress_step() ask the work to stop, which leaves things as they
 * were. A second Ctrl-C ends the process at once.
 */
#ifndef SAT_SRC_CLI_PROGRESS_H
#define SAT_SRC_CLI_PROGRESS_H

#include "cli/cli.h"

typedef struct cli_progress {
    const char *what;
    bool is_shown; /* there is a terminal to draw on */
    int percent;   /* as it was drawn last */
} cli_progress;

void cli_progress_begin(cli_progress *progress, const cli_run *cli,
                        const char *what);
void cli_progress_end(cli_progress *progress);
DEFINE_AUTO(cli_progress, cli_progress_end);

/* A sat_progress_fn; `context` is the cli_progress. */
int cli_progress_step(uint64_t done, uint64_t total, void *context);

/* Whether the person, or the system, asked this process to stop. */
bool cli_is_stopping(void);

/* Lets SIGINT and SIGTERM be seen by cli_is_stopping(). */
void cli_watch_signals(void);

#endif /* SAT_SRC_CLI_PROGRESS_H */
