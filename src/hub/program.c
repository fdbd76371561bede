/*
 * program.c - the command line of satchel-hub
 */
#include "hub/program.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"

static const char usage[] =
    "usage: satchel-hub serve [OPTION...]\n"
    "       satchel-hub admin LIST [OPTION...]\n"
    "\n"
    "serve: a hub, until it is stopped; prints its address first.\n"
    "\n"
    "  --config FILE        settings, 'name = value' a line, named as below\n"
    "  --listen ADDR:PORT   where (127.0.0.1:7441); port 0 is any\n"
    "  --data DIR           what it keeps ($XDG_DATA_HOME/satchel-hub)\n"
    "  --database URL       postgresql://… (SQLite, under --data); with a\n"
    "                       password in --config FILE alone\n"
    "  --blobs URL          s3://BUCKET[/PREFIX]?endpoint=https://…\n"
    "                       [&public=https://…][&region=…] (a folder under\n"
    "                       --data)\n"
    "  --blobs-keys FILE    access-key = … and secret-key = … of that S3\n"
    "                       (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)\n"
    "  --bus URL            nats://HOST:PORT, where the other nodes are\n"
    "  --key FILE           the secret that all nodes share (hub.key under\n"
    "                       --data; made where it is not there)\n"
    "  --origin URL         an address that people type; may come again\n"
    "  --threads N          event loops (one for each processor)\n"
    "  --backup-max SIZE    of a backup (50MB)\n"
    "  --backup-keep N      backups of an account that are kept (2)\n"
    "  --versions N         of an item that are kept, the last one too (50)\n"
    "  --horizon DAYS       that deletions are said; who was away longer\n"
    "                       starts afresh (90)\n"
    "  --tls                TLS 1.3 by its own key, on loopback too\n"
    "  --tls-cert FILE      TLS 1.3 by this certificate chain, in PEM,\n"
    "  --tls-key FILE       and its key\n"
    "  --behind-proxy       plain beyond loopback: a proxy on this machine\n"
    "                       speaks TLS, and says in X-Forwarded-For who asks\n"
    "  --proxy ADDR         the same of a proxy elsewhere; may come again\n"
    "  --push-private       pushes to private addresses, too\n"
    "  --log text|json      lines of its log, on stderr (text)\n"
    "  --log-requests       one for each request, too; routes, never ids\n"
    "\n"
    "admin: what --data or --database has, and never contents. LIST is\n"
    "\n"
    "  users                accounts, their devices, vaults and bytes\n"
    "  mfa                  authenticator entries: state, times, devices\n"
    "  audit                what happened, the newest first\n"
    "  sessions             who is logged in, from where\n"
    "  stats                how much there is of everything\n"
    "  token                what reads /metrics from another machine\n"
    "\n"
    "  --email E            of one account alone\n"
    "  --limit N            this many rows at most (1000)\n"
    "  --json               one JSON value instead of a table\n"
    "\n"
    "  --help               prints this\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"listen", required_argument, NULL, 's'},
    {"data", required_argument, NULL, 's'},
    {"database", required_argument, NULL, 's'},
    {"blobs", required_argument, NULL, 's'},
    {"blobs-keys", required_argument, NULL, 's'},
    {"bus", required_argument, NULL, 's'},
    {"key", required_argument, NULL, 's'},
    {"origin", required_argument, NULL, 's'},
    {"threads", required_argument, NULL, 's'},
    {"backup-max", required_argument, NULL, 's'},
    {"backup-keep", required_argument, NULL, 's'},
    {"versions", required_argument, NULL, 's'},
    {"horizon", required_argument, NULL, 's'},
    {"tls", no_argument, NULL, 'f'},
    {"tls-cert", required_argument, NULL, 's'},
    {"tls-key", required_argument, NULL, 's'},
    {"behind-proxy", no_argument, NULL, 'f'},
    {"push-private", no_argument, NULL, 'f'},
    {"log", required_argument, NULL, 's'},
    {"log-requests", no_argument, NULL, 'f'},
    {"proxy", required_argument, NULL, 's'},
    {"email", required_argument, NULL, 'e'},
    {"limit", required_argument, NULL, 'l'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Every user of a machine reads the arguments of its programs. */
static sat_status refuse_secret(const char *name, const char *value,
                                sat_error *err)
{
    const char *const host = strstr(value, "://");
    const char *const at = host != NULL ? strrchr(host, '@') : NULL;
    const bool has_password =
        (at != NULL &&
         memchr(host + 3, ':', (size_t)(at - host - 3)) != NULL) ||
        strstr(value, "password=") != NULL;

    if (!has_password)
        return SAT_OK;
    return sat__fail(
        err, SAT_ERR_INVALID,
        "'--%s' has a password, which every user of this machine could read "
        "there; put '%s = …' into a file that only the hub's user reads, and "
        "say --config FILE%s",
        name, name,
        strcmp(name, "database") == 0 ? " (or use PGPASSFILE)" : "");
}

static sat_status take_option(hub_settings *settings, int kind,
                              const char *name, sat_error *err)
{
    switch (kind) {
    case 'c':
        return hub_settings_read(settings, optarg, err);
    case 's':
        TRY(refuse_secret(name, optarg, err));
        return hub_settings_set(settings, name, optarg, err);
    case 'f':
        return hub_settings_set(settings, name, "yes", err);
    case 'e':
        (void)snprintf(settings->email, sizeof settings->email, "%s", optarg);
        return SAT_OK;
    case 'l':
        settings->limit = strtoll(optarg, NULL, 10);
        return settings->limit > 0
                   ? SAT_OK
                   : sat__fail(err, SAT_ERR_INVALID,
                               "'--limit %s' is no number of rows", optarg);
    case 'j':
        settings->is_json = true;
        return SAT_OK;
    default:
        return sat__fail(err, SAT_ERR_INVALID, "see satchel-hub --help");
    }
}

/* Reads the options; *wants_help is all there is to do then. */
static sat_status parse(int argc, char **argv, hub_settings *out,
                        bool *wants_help, sat_error *err)
{
    int kind, at = 0;

    hub_settings_default(out);
    *wants_help = false;
    while ((kind = getopt_long(argc, argv, "", options, &at)) != -1) {
        *wants_help = kind == 'h';
        if (*wants_help)
            return SAT_OK;
        TRY(take_option(out, kind, kind == '?' ? "" : options[at].name, err));
    }
    if (optind == argc)
        return sat__fail(err, SAT_ERR_INVALID,
                         "what is to be done? see satchel-hub --help");
    return SAT_OK;
}

/* Does what the words behind the options say. */
static sat_status command(const hub_settings *settings, int count, char **words,
                          sat_error *err)
{
    if (strcmp(words[0], "serve") == 0 && count == 1)
        return hub_serve(settings, err);
    if (strcmp(words[0], "admin") == 0 && count == 2)
        return hub_admin(settings, words[1], err);
    return sat__fail(err, SAT_ERR_INVALID,
                     "'%s' is not said so; see satchel-hub --help", words[0]);
}

static sat_status run(int argc, char **argv, sat_error *err)
{
    hub_settings settings;
    bool wants_help;

    TRY(sat__process_harden(err));
    TRY(parse(argc, argv, &settings, &wants_help, err));
    if (wants_help) {
        (void)fputs(usage, stdout);
        return SAT_OK;
    }
    return command(&settings, argc - optind, argv + optind, err);
}

int hub_main(int argc, char **argv)
{
    sat_error err = {0};

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    const sat_status status = run(argc, argv, &err);
    if (status == SAT_OK && fflush(stdout) == 0)
        return 0;
    (void)fprintf(stderr, "satchel-hub: %s\n",
                  status != SAT_OK ? err.message : "cannot write to stdout");
    return status == SAT_ERR_INVALID ? 2 : 1;
}
