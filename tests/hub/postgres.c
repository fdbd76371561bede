/*
 * postgres.c - initdb and postgres in a folder that goes with the test
 */
#include "postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[200], programs[100];
static pid_t server;
static size_t file_max = RLIM_INFINITY; /* of its files */

/* Where Debian keeps the newest one's programs. */
static void find_programs(void)
{
    for (int version = 30; version > 10; version--) {
        (void)snprintf(programs, sizeof programs, "/usr/lib/postgresql/%d/bin",
                       version);
        if (access(programs, X_OK) == 0)
            return;
    }
    fail_msg("PostgreSQL is not installed: run scripts/setup");
}

/* PostgreSQL refuses root. */
static void drop_root(void)
{
    const struct passwd *const user = getpwnam("postgres");

    if (geteuid() != 0 || user == NULL)
        return;
    if (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
        _exit(126);
}

static pid_t run(const char *program, char *const arguments[])
{
    char path[200];
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child > 0)
        return child;
    (void)snprintf(path, sizeof path, "%s/%s", programs, program);
    const struct rlimit limit = {file_max, RLIM_INFINITY};
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    drop_root();
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    const int nowhere = open("/dev/null", O_WRONLY);
    (void)dup2(nowhere, 1);
    (void)dup2(nowhere, 2);
    (void)chdir("/");
    (void)execv(path, arguments);
    _exit(127);
}

static void stop(void)
{
    char command[300];

    (void)kill(server, SIGQUIT);
    (void)waitpid(server, NULL, 0);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    (void)(system(command) == 0);
}

static void make_cluster(void)
{
    char data[300];
    int status;

    (void)snprintf(data, sizeof data, "%s/db", folder);
    char *const arguments[] = {
        "initdb",    "-D",    data, "-U",   "postgres",
        "-A",        "trust", "-E", "UTF8", "--locale=C.UTF-8",
        "--no-sync", NULL};
    const pid_t child = run("initdb", arguments);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static PGconn *connect_to(const char *database)
{
    char address[400];

    (void)snprintf(address, sizeof address,
                   "host=%s user=postgres dbname=%s connect_timeout=5", folder,
                   database);
    return PQconnectdb(address);
}

static void start_server(void);

static void start(void)
{
    const char *const temporary = getenv("TMPDIR");
    const struct passwd *const user = getpwnam("postgres");

    find_programs();
    (void)snprintf(folder, sizeof folder, "%s/satchel-pg-XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    assert_non_null(mkdtemp(folder));
    if (geteuid() == 0 && user != NULL)
        assert_int_equal(chown(folder, user->pw_uid, user->pw_gid), 0);
    make_cluster();
    (void)atexit(stop);
    start_server();
}

static void start_server(void)
{
    char data[300], sockets[300];

    (void)snprintf(data, sizeof data, "%s/db", folder);
    (void)snprintf(sockets, sizeof sockets, "-cunix_socket_directories=%s",
                   folder);
    char *const arguments[] = {"postgres", "-D",
                               data,       "-clisten_addresses=",
                               sockets,    "-cmax_connections=200",
                               NULL};
    server = run("postgres", arguments);
    for (int i = 0; i < 200; i++) {
        PGconn *const pg = connect_to("postgres");
        const bool is_up = PQstatus(pg) == CONNECTION_OK;
        PQfinish(pg);
        if (is_up)
            return;
        (void)usleep(50000);
    }
    fail_msg("PostgreSQL does not start");
}

void postgres_stop(void)
{
    (void)kill(server, SIGQUIT);
    (void)waitpid(server, NULL, 0);
}

void postgres_start(void)
{
    start_server();
}

void postgres_limit(size_t bytes)
{
    char words[400];

    if (server == 0) /* there is something to limit */
        postgres_database(words, sizeof words);
    postgres_stop();
    file_max = bytes;
    postgres_start();
}

void postgres_url(char *address, size_t size)
{
    char words[400];

    postgres_database(words, sizeof words);
    (void)snprintf(address, size, "postgresql:///%s?host=%s&user=postgres",
                   strstr(words, "dbname=") + strlen("dbname="), folder);
}

void postgres_database(char *address, size_t size)
{
    static int count;
    char sql[100];

    if (server == 0)
        start();
    (void)snprintf(sql, sizeof sql, "CREATE DATABASE town%d", ++count);
    PGconn *const pg = connect_to("postgres");
    PGresult *const result = PQexec(pg, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        fail_msg("%s", PQerrorMessage(pg));
    PQclear(result);
    PQfinish(pg);
    (void)snprintf(address, size, "host=%s user=postgres dbname=town%d", folder,
                   count);
}
