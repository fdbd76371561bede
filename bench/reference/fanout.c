/*
 * fanout.c - the least that telling 1,000 sockets takes on this machine
 *
 * One process has two threads that write the same bytes to half of the sockets
 * each, and does nothing else; another hears them with one thread, as the
 * benchmark of the hub does. Prints the 99th percentile, in milliseconds, of
 * the time from the request until each socket was heard.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS 1000
#define WORDS 100
#define WORD_SIZE 1200 /* an item of 300 bytes in the hub's words */

static int accepted[SOCKETS];
static pthread_barrier_t turn;
static char word[WORD_SIZE];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *write_half(void *context)
{
    const int first = *(const int *)context;

    for (;;) {
        pthread_barrier_wait(&turn);
        for (int i = first; i < SOCKETS; i += 2)
            if (send(accepted[i], word, sizeof word, 0) != sizeof word)
                exit(1);
    }
    return NULL;
}

/* Writes to all when a byte comes, until no more do. */
static void serve(int listener, int requests)
{
    static int halves[] = {0, 1};
    pthread_t thread;
    char byte;

    pthread_barrier_init(&turn, NULL, 3);
    for (int i = 0; i < SOCKETS; i++)
        if ((accepted[i] = accept(listener, NULL, NULL)) < 0)
            fail("accept");
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread, NULL, write_half, &halves[i]) != 0)
            fail("pthread_create");
    while (read(requests, &byte, 1) == 1)
        pthread_barrier_wait(&turn);
    exit(0);
}

static int listen_somewhere(struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    *at = (struct sockaddr_in){.sin_family = AF_INET};
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)at, len) != 0 ||
        listen(fd, SOCKETS) != 0 ||
        getsockname(fd, (struct sockaddr *)at, &len) != 0)
        fail("listen");
    return fd;
}

/* Hears one word at each socket, whole. */
static void hear(int epoll, const int *fds, double begin, double *waits)
{
    static char text[65536];
    static size_t got[SOCKETS];
    int left = SOCKETS;

    memset(got, 0, sizeof got);
    while (left > 0) {
        struct epoll_event events[64];
        const int count = epoll_wait(epoll, events, 64, 10000);
        if (count <= 0)
            fail("epoll_wait");
        for (int k = 0; k < count; k++) {
            const unsigned i = events[k].data.u32;
            const ssize_t len = recv(fds[i], text, sizeof text, 0);
            if (len <= 0)
                fail("recv");
            got[i] += (size_t)len;
            if (got[i] == WORD_SIZE) {
                waits[i] = (now() - begin) * 1000;
                left--;
            }
        }
    }
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static double waits[WORDS * SOCKETS];
    static int fds[SOCKETS];
    struct sockaddr_in at;
    int requests[2];
    const int listener = listen_somewhere(&at);
    const int epoll = epoll_create1(0);

    if (pipe(requests) != 0)
        fail("pipe");
    const pid_t child = fork();
    if (child == 0) {
        close(requests[1]);
        serve(listener, requests[0]);
    }
    for (unsigned i = 0; i < SOCKETS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fds[i], (struct sockaddr *)&at, sizeof at) != 0 ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) != 0)
            fail("connect");
    }
    sleep(1);
    for (int w = 0; w < WORDS; w++) {
        usleep(20000);
        const double begin = now();
        if (write(requests[1], "w", 1) != 1)
            fail("write");
        hear(epoll, fds, begin, waits + w * SOCKETS);
    }
    close(requests[1]);
    waitpid(child, NULL, 0);
    qsort(waits, WORDS * SOCKETS, sizeof *waits, by_size);
    printf("%f\n", waits[WORDS * SOCKETS * 99 / 100]);
    return 0;
}
