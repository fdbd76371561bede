/*
 * progress.c - how far long work is, and how it is stopped
 */
#include "cli/progress.h"

#include <signal.h>
#include <stdio.h>

#define BAR_WIDTH 40

static volatile sig_atomic_t is_stopping;

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopping = 1;
}

void cli_watch_signals(void)
{
    struct sigaction action = {.sa_handler = stop};

    action.sa_flags = (int)SA_RESETHAND; /* a second signal ends the process */

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool cli_is_stopping(void)
{
    return is_stopping != 0;
}

void cli_progress_begin(cli_progress *progress, const cli_run *cli,
                        const char *what)
{
    *progress = (cli_progress){
        what, !cli->json && !cli->quiet && isatty(STDERR_FILENO), -1};
    cli_watch_signals();
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->what == NULL)
        return; /* it never began */
    if (progress->is_shown && progress->percent >= 0)
        (void)fputs("\r\033[K", stderr);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
}

static void draw(const cli_progress *progress)
{
    const int filled = progress->percent * BAR_WIDTH / 100;

    (void)fprintf(stderr, "\r%s [", progress->what);
    for (int i = 0; i < BAR_WIDTH; i++)
        (void)fputc(i < filled ? '#' : '.', stderr);
    (void)fprintf(stderr, "] %3d %%", progress->percent);
}

int cli_progress_step(uint64_t done, uint64_t total, void *context)
{
    cli_progress *const progress = context;
    const double share = total > 0 ? (double)done / (double)total : 0;
    const int percent = (int)(share * 100);

    if (progress->is_shown && percent != progress->percent) {
        progress->percent = percent;
        draw(progress);
    }
    return !cli_is_stopping();
}
