/*
 * desk.h - devices of one person, and a hub, for benchmarks
 *
 * The hub is the real one, a process of its own on loopback with its default
 * storage. All of it is in one folder, which goes when the program ends.
 */
#ifndef SAT_BENCH_DESK_H
#define SAT_BENCH_DESK_H

#include "bench.h"
#include "satchel/account.h"

#define BENCH_PASSWORD "correct horse battery staple"
#define BENCH_EMAIL "ada@example.org"

typedef struct bench_desk {
    sat_profile *profile;
    char path[512];
    char phrase[SAT_PHRASE_SIZE];
} bench_desk;

/* Makes the folder and starts the hub; its address. */
const char *bench_hub_start(void);

/* Starts a program of the build; its output is read until a line has `word` in
 * it, which is put into `line`. */
void bench_start(char *const arguments[], const char *word, char line[256]);

/* A path in the folder. */
void bench_desk_path(const char *name, char out[512]);

void bench_desk_make(bench_desk *desk, const char *name);
/* The account of the first, and the others into it. */
void bench_desk_register(bench_desk *desk);
void bench_desk_log_in(bench_desk *desk, const bench_desk *of);
/* Seconds that it took. */
double bench_desk_sync(bench_desk *desk, sat_sync_report *report);

#endif /* SAT_BENCH_DESK_H */
