/*
 * scan.c - running satchel-scan
 */
#include "store/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#define PROGRAM "satchel-scan"

/* Its exit codes, as in src/satchel-scan.c. */
enum { SCAN_OK = 0, SCAN_NO_CODE = 3, SCAN_SEVERAL = 4, SCAN_NO_IMAGE = 5 };

typedef struct child {
    pid_t pid; /* 0 where there is none */
    int to, from;
} child;

static void child_close(child *c)
{
    if (c->to >= 0)
        (void)close(c->to);
    if (c->from >= 0)
        (void)close(c->from);
    if (c->pid > 0) {
        (void)kill(c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
    }
}

DEFINE_AUTO(child, child_close);

/* Beside the program that runs, as in a build; else where it is installed. */
static void find_program(char out[4096])
{
    const ssize_t len = readlink("/proc/self/exe", out, 4000);

    if (len > 0) {
        out[len] = '\0';
        char *const slash = strrchr(out, '/');
        (void)snprintf(slash + 1, 64, PROGRAM);
        if (access(out, X_OK) == 0)
            return;
    }
    (void)snprintf(out, 4096, "%s/" PROGRAM, SAT_LIBEXEC);
}

static sat_status spawn(child *out, sat_error *err)
{
    posix_spawn_file_actions_t actions;
    char path[4096];
    char *argv[] = {PROGRAM, NULL}, *environment[] = {NULL};
    int in[2], result[2];

    find_program(path);
    if (pipe2(in, O_CLOEXEC) != 0)
        return sat__fail_os(err, errno, "can not make a pipe");
    out->to = in[1];
    AUTO_FD int theirs_in = in[0];
    if (pipe2(result, O_CLOEXEC) != 0)
        return sat__fail_os(err, errno, "can not make a pipe");
    out->from = result[0];
    AUTO_FD int theirs_out = result[1];
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, theirs_in, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, theirs_out, 1);
    const int refused =
        posix_spawn(&out->pid, path, &actions, NULL, argv, environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (refused == 0)
        return SAT_OK;
    out->pid = 0;
    if (refused == ENOENT)
        return sat__fail(err, SAT_ERR_UNSUPPORTED,
                         "images can not be scanned: '%s' is not installed",
                         path);
    return sat__fail_os(err, refused, "can not run '%s'", path);
}

/* Writes without a signal to us where the other end is gone. */
static bool feed(child *c, sat_bytes *image)
{
    sigset_t pipe_signal, before;
    const struct timespec now = {0, 0};

    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    const ssize_t put = write(c->to, image->data, image->len);
    if (put < 0 && errno == EPIPE)
        (void)sigtimedwait(&pipe_signal, NULL, &now);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (put < 0)
        return errno == EINTR || errno == EAGAIN;
    image->data += put;
    image->len -= (size_t)put;
    return true;
}

/* Gives the image and takes the answer, whichever can go on. */
static sat_status talk(child *c, sat_bytes image, sat_buf *out, sat_error *err)
{
    const size_t before = out->len;

    (void)fcntl(c->to, F_SETFL, O_NONBLOCK);
    for (;;) {
        uint8_t data[4096];
        struct pollfd fds[] = {{c->from, POLLIN, 0}, {c->to, POLLOUT, 0}};
        if (poll(fds, c->to >= 0 ? 2 : 1, -1) < 0 && errno != EINTR)
            return sat__fail_os(err, errno, "can not wait for " PROGRAM);
        if (c->to >= 0 && fds[1].revents != 0 &&
            (!feed(c, &image) || image.len == 0)) {
            (void)close(c->to);
            c->to = -1;
        }
        if (fds[0].revents == 0)
            continue;
        const ssize_t got = read(c->from, data, sizeof data);
        if (got == 0)
            return sat__buf_status(out, err);
        if (got > 0)
            sat__buf_put(out, data, (size_t)got);
        if (out->len - before > SAT_SCAN_DATA_MAX)
            return sat__fail(err, SAT_ERR_LIMIT, "the QR code says too much");
    }
}

static sat_status judge(int status, sat_error *err)
{
    switch (WIFEXITED(status) ? WEXITSTATUS(status) : -1) {
    case SCAN_OK:
        return SAT_OK;
    case SCAN_NO_CODE:
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "there is no QR code in the image");
    case SCAN_SEVERAL:
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "there are several QR codes in the image");
    case SCAN_NO_IMAGE:
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "this is not a PNG image, or a damaged or very large "
                         "one");
    default:
        return sat__fail(err, SAT_ERR_CORRUPT, "the image can not be read");
    }
}

sat_status sat__scan_image(sat_bytes image, sat_buf *out, sat_error *err)
{
    AUTO(child) c = {0, -1, -1};
    const size_t before = out->len;
    int status;

    TRY(spawn(&c, err));
    TRY(talk(&c, image, out, err));
    while (waitpid(c.pid, &status, 0) < 0)
        if (errno != EINTR)
            return sat__fail_os(err, errno, "can not wait for " PROGRAM);
    c.pid = 0;
    const sat_status st = judge(status, err);
    if (st != SAT_OK)
        out->len = before;
    return st;
}

sat_status sat__scan_file(const char *path, sat_buf *out, sat_error *err)
{
    AUTO_FD int file = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(sat_buf) image = SAT_BUF_INIT;
    ssize_t got = -1;

    while (file >= 0 && sat__buf_reserve(&image, 65536) &&
           (got = read(file, image.data + image.len, 65536)) > 0) {
        image.len += (size_t)got;
        if (image.len > SAT_SCAN_IMAGE_MAX)
            return sat__fail(err, SAT_ERR_LIMIT, "'%s' is too large", path);
    }
    if (file < 0 || got < 0)
        return sat__fail_os(err, errno, "can not read '%s'", path);
    return sat__scan_image(buf_view(&image), out, err);
}
