/*
 * nats.c - nats-server on a port that was free
 */
#include "nats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char url[40];
static pid_t server;
static struct sockaddr_in place = {.sin_family = AF_INET};

static void find_port(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof place;

    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&place, &len), 0);
    (void)close(fd);
    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%u",
                   ntohs(place.sin_port));
}

static bool is_up(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_there =
        connect(fd, (struct sockaddr *)&place, sizeof place) == 0;

    (void)close(fd);
    return is_there;
}

static void run_server(void)
{
    char port[8];
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)snprintf(port, sizeof port, "%u", ntohs(place.sin_port));
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(nowhere, 1);
    (void)dup2(nowhere, 2);
    (void)execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port,
                 NULL);
    _exit(127);
}

void nats_stop(void)
{
    if (server == 0)
        return;
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    server = 0;
}

void nats_start(void)
{
    server = fork();
    assert_true(server >= 0);
    if (server == 0)
        run_server();
    for (int i = 0; i < 400; i++) {
        if (is_up())
            return;
        (void)usleep(25000);
    }
    fail_msg("nats-server does not start: run scripts/setup test");
}

void nats_hang(void)
{
    (void)kill(server, SIGSTOP);
}

void nats_go_on(void)
{
    (void)kill(server, SIGCONT);
}

const char *nats_url(void)
{
    if (url[0] == 0) {
        find_port();
        (void)atexit(nats_stop);
    }
    if (server == 0)
        nats_start();
    return url;
}
