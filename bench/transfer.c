/*
 * transfer.c - a profile of 50 MB, from the scan of its code until it is ready
 *
 * The hub is the real one, a process of its own on loopback with its default
 * storage. The old device has shown its code before the clock starts; nobody
 * loses time by typing the digits.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope.h"
#include "bench.h"
#include "satchel/account.h"
#include "satchel/file.h"
#include "satchel/transfer.h"
#include "store/fs.h"
#include "store/vault.h"

#define ROWS 20000
#define FILES 12
#define FILE_SIZE ((size_t)4 << 20) /* with the rows, 50 MB and a little */
#define ROUNDS 3
#define PASSWORD "correct horse battery staple"

static char folder[400];
static char url[128];
static pid_t hub;
static sat_error err;

/* What one side tells the other, as a person does. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static char code[SAT_TRANSFER_CODE_SIZE]; /* guarded by lock */
static char digits[16];                   /* likewise */

static void say(char *to, size_t size, const char *text)
{
    SCOPED_LOCK(&lock);
    (void)snprintf(to, size, "%s", text);
    (void)pthread_cond_broadcast(&told);
}

static void hear(const char *from, char *out, size_t size)
{
    SCOPED_LOCK(&lock);
    while (from[0] == 0)
        (void)pthread_cond_wait(&told, &lock);
    (void)snprintf(out, size, "%s", from);
}

static void start_hub(void)
{
    int out[2];
    char data[512], line[256] = "";

    (void)snprintf(data, sizeof data, "%s/hub", folder);
    if (pipe(out) != 0 || (hub = fork()) < 0)
        bench_must(SAT_ERR_IO, &err);
    if (hub == 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        (void)execl(SAT_BUILD_DIR "/satchel-hub", "satchel-hub", "serve",
                    "--listen", "127.0.0.1:0", "--data", data, (char *)NULL);
        _exit(127);
    }
    (void)close(out[1]);
    FILE *const lines = fdopen(out[0], "r");
    while (strstr(line, "http") == NULL)
        if (fgets(line, sizeof line, lines) == NULL)
            bench_must(SAT_ERR_OFFLINE, &err);
    (void)sscanf(strstr(line, "http"), "%127s", url);
}

static void stop(void)
{
    if (hub > 0) {
        (void)kill(hub, SIGTERM);
        (void)waitpid(hub, NULL, 0);
    }
    (void)!sat__fs_remove_tree(folder, NULL);
}

/* ---- the old device ---- */

static void fill_rows(sat_profile *profile)
{
    sat_replica *replica;
    sqlite3 *db;

    bench_must(sat__vault_open(profile, "main", 0, &db, &err), &err);
    bench_run(db, BENCH_TABLE);
    bench_must(sat_replica_open(profile, "main", &replica, &err), &err);
    bench_must(sat_replica_track(replica, "t", &err), &err);
    sat_replica_close(replica);
    bench_run(db, "BEGIN");
    bench_insert(db, BENCH_RANDOM, 0, ROWS);
    bench_run(db, "COMMIT");
    (void)sqlite3_close_v2(db);
}

/* As media are: nothing of it can be compressed. */
static void fill_files(sat_profile *profile)
{
    const sat_env *const env = sat_env_system();
    uint8_t *const bytes = malloc(FILE_SIZE);
    char path[512];

    (void)snprintf(path, sizeof path, "%s/picture", folder);
    for (int i = 0; i < FILES && bytes != NULL; i++) {
        char id[SAT_FILE_ID_SIZE];
        FILE *const file = fopen(path, "wb");
        env->random(env->context, bytes, FILE_SIZE);
        if (file == NULL || fwrite(bytes, 1, FILE_SIZE, file) != FILE_SIZE ||
            fclose(file) != 0)
            bench_must(SAT_ERR_IO, &err);
        bench_must(sat_file_add(profile, "main", path, NULL, id, &err), &err);
    }
    free(bytes);
}

static sat_profile *make(void)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    char path[512], phrase[SAT_PHRASE_SIZE];
    sat_profile *profile;

    options.device_name = "old";
    (void)snprintf(path, sizeof path, "%s/old", folder);
    bench_must(sat_profile_init(path, sat_env_system(), &options, PASSWORD,
                                phrase, &profile, &err),
               &err);
    fill_rows(profile);
    fill_files(profile);
    bench_must(
        sat_account_register(profile, url, "ada@example.org", PASSWORD, &err),
        &err);
    return profile;
}

static sat_status note_code(void *context, const sat_transfer_news *news,
                            sat_error *why)
{
    (void)context;
    (void)why;
    if (news->state == SAT_TRANSFER_QR_DISPLAYED)
        say(code, sizeof code, news->code);
    return SAT_OK;
}

static sat_status type_digits(void *context, const char *device_name,
                              char out[32], sat_error *why)
{
    (void)context;
    (void)device_name;
    (void)why;
    hear(digits, out, 32);
    return SAT_OK;
}

static void *send_all(void *profile)
{
    sat_transfer_options options = SAT_TRANSFER_INIT;
    sat_error why = {0};

    options.news = note_code;
    options.digits = type_digits;
    bench_must(sat_transfer_send(profile, &options, &why), &why);
    return NULL;
}

/* ---- the new one ---- */

static sat_status note_digits(void *context, const sat_transfer_news *news,
                              sat_error *why)
{
    (void)context;
    (void)why;
    if (news->digits != NULL)
        say(digits, sizeof digits, news->digits);
    return SAT_OK;
}

static double move(sat_profile *profile, int round)
{
    sat_transfer_options options = SAT_TRANSFER_INIT;
    char path[512], scanned[SAT_TRANSFER_CODE_SIZE];
    sat_backup received;
    pthread_t sender;

    code[0] = digits[0] = 0;
    if (pthread_create(&sender, NULL, send_all, profile) != 0)
        bench_must(SAT_ERR_IO, &err);
    hear(code, scanned, sizeof scanned);
    (void)snprintf(path, sizeof path, "%s/new%d", folder, round);
    options.news = note_digits;
    options.password = PASSWORD;
    options.device_name = "new";
    const double start = bench_now();
    bench_must(sat_transfer_receive(path, sat_env_system(), scanned, &options,
                                    &received, &err),
               &err);
    const double took = bench_now() - start;
    (void)pthread_join(sender, NULL);
    return took;
}

int main(void)
{
    double times[ROUNDS];

    (void)snprintf(folder, sizeof folder, "%s/bench-transfer-%ld",
                   SAT_BUILD_DIR, (long)getpid());
    bench_must(sat__fs_make_folder(folder, &err), &err);
    (void)atexit(stop);
    start_hub();
    sat_profile *const profile = make();
    for (int i = 0; i < ROUNDS; i++)
        times[i] = move(profile, i);
    bench_report_value("a profile of 50 MB, from scan to ready",
                       bench_median(times, ROUNDS), "s", 2, BENCH_AT_MOST);
    bench_report_value("memory of both devices meanwhile",
                       bench_peak_memory() / 1e6, "MB", 200, BENCH_AT_MOST);
    sat_profile_close(profile);
    return 0;
}
