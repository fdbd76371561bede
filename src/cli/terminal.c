/*
 * terminal.c - asking the person at the terminal
 *
 * While a hidden line is typed, the terminal hands over every key at once and
 * raises no signals: Ctrl-C arrives as a character, and whichever way the
 * question ends, the terminal is put back as it was.
 */
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>

enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, DELETE = 127 };

static void show(int tty, const char *text)
{
    const ssize_t written = write(tty, text, strlen(text));
    (void)written; /* a terminal that hung up ends the read that follows */
}

static bool hide_typing(int tty, struct termios *before)
{
    if (tcgetattr(tty, before) != 0)
        return false;
    struct termios hidden = *before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    hidden.c_cc[VMIN] = 1;
    hidden.c_cc[VTIME] = 0;
    return tcsetattr(tty, TCSAFLUSH, &hidden) == 0;
}

/* Reads one key; false when the terminal has gone. */
static bool read_key(int tty, char *key)
{
    ssize_t got;

    do
        got = read(tty, key, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

/* A character that was deleted takes its continuation bytes along. */
static size_t without_last(const char *text, size_t len)
{
    while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
        len--;
    return len > 0 ? len - 1 : 0;
}

static sat_status read_line(int tty, char *out, size_t size, sat_error *err)
{
    size_t len = 0;
    char key;

    while (read_key(tty, &key)) {
        if (key == '\n' || key == '\r') {
            out[len] = '\0';
            return SAT_OK;
        }
        if (key == CTRL_C || (key == CTRL_D && len == 0))
            break;
        if (key == BACKSPACE || key == DELETE)
            len = without_last(out, len);
        else if (key == CTRL_U)
            len = 0;
        else if (len + 1 == size)
            return sat__fail(err, SAT_ERR_LIMIT,
                             "that is longer than %zu bytes", size - 1);
        else
            out[len++] = key;
    }
    return sat__fail(err, SAT_ERR_STOPPED, "stopped, nothing was changed");
}

sat_status cli_ask_hidden(const char *question, char *out, size_t size,
                          sat_error *err)
{
    AUTO_FD int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before;

    if (tty < 0 || !hide_typing(tty, &before))
        return sat__fail(err, SAT_ERR_LOCKED,
                         "there is no terminal to ask for the %s", question);
    show(tty, question);
    show(tty, ": ");
    const sat_status status = read_line(tty, out, size, err);
    show(tty, "\n");
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    return status;
}

bool cli_confirm(const cli_run *cli, const char *question)
{
    AUTO_FD int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    char answer[16];

    if (cli_flag(cli, "yes"))
        return true;
    if (tty < 0)
        return false;
    show(tty, question);
    show(tty, " [y/N] ");
    const ssize_t got = read(tty, answer, sizeof answer);
    return got > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}
