/*
 * program.h - the program satchel-hub
 */
#ifndef SAT_SRC_HUB_PROGRAM_H
#define SAT_SRC_HUB_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Runs the program; returns its exit code: 0, 1 for a failure, 2 for misuse. */
int hub_main(int argc, char **argv);

/* What it was told, by a file and the command line. */
typedef struct hub_settings {
    char listen[300];
    char data[3000];
    char database[1000];   /* postgresql://…; SQLite under data where empty */
    char blobs[1000];      /* s3://…; a folder under data where empty */
    char blobs_keys[1000]; /* a file with the keys of the S3; may be empty */
    char bus[1000];        /* nats://…; empty where this is the only node */
    char key[1000];        /* the secret of all nodes; hub.key under data */
    char tls_cert[1000], tls_key[1000];
    char origins[8][320];
    unsigned origin_count;
    unsigned threads;
    bool is_pushing_anywhere;        /* to private addresses, too */
    int64_t backup_max, backup_keep; /* of an account; 0: as usual */
    int64_t versions, horizon_days;  /* 0: as usual */
    bool is_tls;          /* a certificate of its own, even on loopback */
    bool is_behind_proxy; /* that speaks TLS; plain beyond loopback too */
    char proxies[8][64];  /* their addresses, beside those of this machine */
    unsigned proxy_count;
    bool logs_json, logs_requests;
    char email[256]; /* what admin lists: of one account alone, … */
    int64_t limit;   /* … this many rows at most, … */
    bool is_json;    /* … as JSON */
} hub_settings;

void hub_settings_default(hub_settings *out);

/* Sets one by its name, as it stands in the file and behind "--". */
SAT_CHECK sat_status hub_settings_set(hub_settings *settings, const char *name,
                                      const char *value, sat_error *err);

/* "name = value" a line, as in an ini file. */
SAT_CHECK sat_status hub_settings_read(hub_settings *settings, const char *path,
                                       sat_error *err);

/* Prints one list of what a hub keeps. */
SAT_CHECK sat_status hub_admin(const hub_settings *settings, const char *what,
                               sat_error *err);

/* Serves until SIGINT or SIGTERM. */
SAT_CHECK sat_status hub_serve(const hub_settings *settings, sat_error *err);

#endif /* SAT_SRC_HUB_PROGRAM_H */
