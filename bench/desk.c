/*
 * desk.c - devices of one person, and a hub, for benchmarks
 */
#include "desk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/fs.h"

#define PROGRAMS_MAX 8

static char folder[400];
static char url[128];
static pid_t programs[PROGRAMS_MAX];
static size_t program_count;

static void stop(void)
{
    while (program_count > 0) {
        const pid_t program = programs[--program_count];
        (void)kill(program, SIGTERM);
        (void)waitpid(program, NULL, 0);
    }
    (void)!sat__fs_remove_tree(folder, NULL);
}

void bench_start(char *const arguments[], const char *word, char line[256])
{
    sat_error err = {0};
    int out[2];
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", SAT_BUILD_DIR, arguments[0]);
    const pid_t child =
        program_count < PROGRAMS_MAX && pipe(out) == 0 ? fork() : -1;
    if (child < 0)
        bench_must(SAT_ERR_IO, &err);
    if (child == 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        (void)execv(path, arguments);
        _exit(127);
    }
    programs[program_count++] = child;
    (void)close(out[1]);
    FILE *const lines = fdopen(out[0], "r");
    do
        if (fgets(line, 256, lines) == NULL)
            bench_must(SAT_ERR_OFFLINE, &err);
    while (strstr(line, word) == NULL);
}

const char *bench_hub_start(void)
{
    sat_error err = {0};
    char data[512], line[256];
    char *const arguments[] = {"satchel-hub", "serve",  "--listen",
                               "127.0.0.1:0", "--data", data,
                               NULL};
    (void)snprintf(folder, sizeof folder, "%s/bench-desk-%ld", SAT_BUILD_DIR,
                   (long)getpid());
    bench_must(sat__fs_make_folder(folder, &err), &err);
    (void)atexit(stop);
    bench_desk_path("hub", data);
    bench_start(arguments, "http", line);
    (void)sscanf(strstr(line, "http"), "%127s", url);
    return url;
}

void bench_desk_path(const char *name, char out[512])
{
    (void)snprintf(out, 512, "%s/%s", folder, name);
}

void bench_desk_make(bench_desk *desk, const char *name)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    sat_error err = {0};
    options.device_name = name;
    bench_desk_path(name, desk->path);
    bench_must(sat_profile_init(desk->path, sat_env_system(), &options,
                                BENCH_PASSWORD, desk->phrase, &desk->profile,
                                &err),
               &err);
}

void bench_desk_register(bench_desk *desk)
{
    sat_error err = {0};
    bench_must(sat_account_register(desk->profile, url, BENCH_EMAIL,
                                    BENCH_PASSWORD, &err),
               &err);
}

void bench_desk_log_in(bench_desk *desk, const bench_desk *of)
{
    sat_error err = {0};
    char key[SAT_SECRET_KEY_TEXT];
    const sat_account_credentials with = {.size = sizeof with,
                                          .email = BENCH_EMAIL,
                                          .password = BENCH_PASSWORD,
                                          .secret_key = key};
    bench_must(sat_account_secret_key(of->profile, key, &err), &err);
    bench_must(sat_account_login(desk->profile, url, &with, &err), &err);
}

double bench_desk_sync(bench_desk *desk, sat_sync_report *report)
{
    sat_error err = {0};
    const double start = bench_now();
    bench_must(sat_hub_sync(desk->profile, NULL, NULL, report, &err), &err);
    return bench_now() - start;
}
