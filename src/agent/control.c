/*
 * control.c - the folder, the lock and the socket of an agent
 *
 * The address of a socket has room for 107 bytes, and a profile may be deeper
 * than that. So both sides open the folder first and name the socket by that
 * descriptor; it is also what is checked, and can not be exchanged meanwhile.
 */
#include "agent/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <jansson.h>

#include "net/body.h"
#include "satchel/agent.h"

#define FOLDER "agent"
#define BACKLOG 16
#define PATIENCE_MS 600000 /* for an answer, such as the end of a sync */

/* ---- the folder ---- */

static sat_status check_folder(int folder, const char *path, sat_error *err)
{
    struct stat about;

    if (fstat(folder, &about) != 0)
        return sat__fail_os(err, errno, "can not look at '%s'", path);
    if (about.st_uid != geteuid())
        return sat__fail(err, SAT_ERR_DENIED,
                         "'%s' belongs to another user, and so does the agent "
                         "in it",
                         path);
    if ((about.st_mode & 077) != 0)
        return sat__fail(err, SAT_ERR_DENIED,
                         "others may write or look into '%s'; 'chmod 700' it",
                         path);
    return SAT_OK;
}

static sat_status open_folder(const char *profile, bool make, int *out,
                              sat_error *err)
{
    char path[SAT_PATH_SIZE + 8];

    (void)snprintf(path, sizeof path, "%s/" FOLDER, profile);
    if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
        return sat__fail_os(err, errno, "can not make the folder '%s'", path);
    AUTO_FD int folder =
        open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 && errno == EACCES)
        return sat__fail(err, SAT_ERR_DENIED, "'%s' belongs to another user",
                         path);
    if (folder < 0)
        return sat__fail_os(err, errno, "can not open '%s'", path);
    TRY(check_folder(folder, path, err));
    *out = folder;
    folder = -1;
    return SAT_OK;
}

sat_status sat__control_path(const char *profile, const char *name, char *out,
                             size_t size, sat_error *err)
{
    AUTO_FD int folder = -1;

    TRY(open_folder(profile, true, &folder, err));
    const int len = snprintf(out, size, "%s/" FOLDER "/%s", profile, name);
    return len > 0 && (size_t)len < size
               ? SAT_OK
               : sat__fail(err, SAT_ERR_LIMIT, "the path is too long");
}

static sat_status refuse_second(int lock, sat_error *err)
{
    char pid[16] = "";

    if (pread(lock, pid, sizeof pid - 1, 0) <= 0)
        pid[0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return sat__fail(err, SAT_ERR_BUSY,
                     "an agent runs for this profile already%s%s",
                     pid[0] != '\0' ? ", as process " : "", pid);
}

sat_status sat__control_lock(const char *profile, int *lock, sat_error *err)
{
    AUTO_FD int folder = -1;
    char pid[16];

    TRY(open_folder(profile, true, &folder, err));
    AUTO_FD int fd =
        openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return sat__fail_os(err, errno, "can not open '%s/" FOLDER "/lock'",
                            profile);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK
                   ? refuse_second(fd, err)
                   : sat__fail_os(err, errno, "can not lock the agent");
    const int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, pid, (size_t)len) != len)
        return sat__fail_os(err, errno, "can not write the agent's lock");
    *lock = fd;
    fd = -1;
    return SAT_OK;
}

/* ---- the socket ---- */

static struct sockaddr_un socket_in(int folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof address.sun_path,
                   "/proc/self/fd/%d/socket", folder);
    return address;
}

sat_status sat__control_listen(const char *profile, int *fd, sat_error *err)
{
    AUTO_FD int folder = -1;

    TRY(open_folder(profile, true, &folder, err));
    const struct sockaddr_un address = socket_in(folder);
    AUTO_FD int listener =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlinkat(folder, "socket", 0);
    if (listener < 0 ||
        bind(listener, (const struct sockaddr *)&address, sizeof address) !=
            0 ||
        listen(listener, BACKLOG) != 0)
        return sat__fail_os(err, errno, "can not listen in '%s/" FOLDER "'",
                            profile);
    *fd = listener;
    listener = -1;
    return SAT_OK;
}

void sat__control_remove(const char *profile)
{
    AUTO_FD int folder = -1;

    if (open_folder(profile, false, &folder, NULL) == SAT_OK)
        (void)unlinkat(folder, "socket", 0);
}

bool sat__control_is_ours(int fd)
{
    struct ucred other;
    socklen_t len = sizeof other;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &other, &len) == 0 &&
           other.uid == geteuid();
}

/* ---- asking ---- */

static sat_status no_agent(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOT_FOUND, "no agent runs for this profile");
}

static sat_status connect_to(const char *profile, int *out, sat_error *err)
{
    AUTO_FD int folder = -1;

    const sat_status st = open_folder(profile, false, &folder, err);
    if (st != SAT_OK && st != SAT_ERR_DENIED)
        return no_agent(err);
    TRY(st);
    const struct sockaddr_un address = socket_in(folder);
    AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sat__fail_os(err, errno, "can not make a socket");
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return errno == ENOENT || errno == ECONNREFUSED
                   ? no_agent(err)
                   : sat__fail_os(err, errno, "can not reach the agent");
    if (!sat__control_is_ours(fd))
        return sat__fail(err, SAT_ERR_DENIED,
                         "the agent's socket is of another user");
    *out = fd;
    fd = -1;
    return SAT_OK;
}

static sat_status send_line(int fd, const char *line, sat_error *err)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    size_t sent = 0;

    sat__buf_put_text(&text, line);
    sat__buf_put_byte(&text, '\n');
    TRY(sat__buf_status(&text, err));
    while (sent < text.len) {
        const ssize_t put =
            send(fd, text.data + sent, text.len - sent, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR)
            return sat__fail_os(err, errno, "can not ask the agent");
        sent += put > 0 ? (size_t)put : 0;
    }
    return SAT_OK;
}

static sat_status receive_line(int fd, sat_buf *out, sat_error *err)
{
    while (out->len == 0 || out->data[out->len - 1] != '\n') {
        struct pollfd ready = {fd, POLLIN, 0};
        const int any = poll(&ready, 1, PATIENCE_MS);
        if (any == 0 || out->len > SAT_CONTROL_ANSWER_MAX)
            return sat__fail(err, SAT_ERR_BUSY, "the agent does not answer");
        if (any < 0)
            return sat__fail_os(err, errno, "can not wait for the agent");
        if (!sat__buf_reserve(out, 4096))
            return sat__buf_status(out, err);
        const ssize_t got = read(fd, out->data + out->len, 4096);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return sat__fail(err, SAT_ERR_NOT_FOUND,
                             "the agent ended before it answered");
        if (got < 0 && errno != EINTR)
            return sat__fail_os(err, errno, "can not read from the agent");
        out->len += got > 0 ? (size_t)got : 0;
    }
    out->len--;
    return SAT_OK;
}

/* What the agent refused, as it said. */
static sat_status check_refusal(const char *answer, sat_error *err)
{
    AUTO_JSON json_t *value = NULL;
    json_int_t status;
    const char *message;

    TRY(sat__body_read(SAT_BODY_JSON, bytes_of(answer, strlen(answer)), &value,
                       err));
    if (json_unpack(value, "{s:{s:I, s:s}}", "error", "status", &status,
                    "message", &message) != 0)
        return SAT_OK;
    return sat__fail(err,
                     status > 0 && status <= SAT_ERR_UNSUPPORTED
                         ? (sat_status)status
                         : SAT_ERR_CORRUPT,
                     "%s", message);
}

sat_status sat_agent_ask(const char *path, const char *question,
                         sat_agent_answer_fn *each, void *context,
                         sat_error *err)
{
    AUTO_FD int fd = -1;
    AUTO(sat_buf) answer = SAT_BUF_INIT;

    if (strchr(question, '\n') != NULL ||
        strlen(question) >= SAT_CONTROL_LINE_MAX)
        return sat__fail(err, SAT_ERR_INVALID,
                         "a question is a line of less than %d bytes",
                         SAT_CONTROL_LINE_MAX);
    TRY(connect_to(path, &fd, err));
    TRY(send_line(fd, question, err));
    TRY(receive_line(fd, &answer, err));
    TRY(check_refusal(sat__buf_text(&answer), err));
    return each(sat__buf_text(&answer), context, err);
}
