/*
 * program_admin.c - satchel-hub admin
 *
 * Reads what a hub keeps, whether one runs over it or not.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "hub/admin.h"
#include "hub/metrics.h"
#include "hub/program.h"
#include "hub/secret.h"

/* A hub that is looked at is not made. */
static sat_status open_storage(const hub_settings *settings, hub_storage *out,
                               sat_error *err)
{
    char path[3100];

    if (settings->database[0] != 0)
        return hub_storage_postgres(settings->database, out, err);
    (void)snprintf(path, sizeof path, "%s/hub.db", settings->data);
    if (access(path, R_OK) != 0)
        return sat__fail_os(err, errno,
                            "there is no hub under '%s'; say --data DIR or "
                            "--database URL",
                            settings->data);
    return hub_storage_sqlite(path, out, err);
}

static sat_status print_token(const hub_settings *settings, bool is_json,
                              sat_error *err)
{
    uint8_t secret[HUB_SECRET_SIZE];
    char token[HUB_METRICS_TOKEN_SIZE], path[3100];

    if (settings->key[0] != 0)
        (void)snprintf(path, sizeof path, "%s", settings->key);
    else
        (void)snprintf(path, sizeof path, "%s/hub.key", settings->data);
    if (access(path, R_OK) != 0)
        return sat__fail_os(err, errno,
                            "there is no hub's key at '%s'; say --data DIR or "
                            "--key FILE",
                            path);
    TRY(hub_secret_open(sat_env_system(), path, secret, err));
    hub_metrics_token(secret, token);
    sat__wipe(secret, sizeof secret);
    (void)printf(is_json ? "{\"token\":\"%s\"}\n" : "%s\n", token);
    sat__wipe(token, sizeof token);
    return SAT_OK;
}

sat_status hub_admin(const hub_settings *settings, const char *what,
                     sat_error *err)
{
    AUTO(hub_storage) storage = {.self = NULL};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    const hub_admin_options options = {
        .email = settings->email[0] != 0 ? settings->email : NULL,
        .limit = settings->limit,
        .is_json = settings->is_json};

    if (strcmp(what, "token") == 0)
        return print_token(settings, settings->is_json, err);
    TRY(open_storage(settings, &storage, err));
    TRY(hub_admin_list(&storage, what, &options, &text, err));
    (void)fwrite(text.data, 1, text.len, stdout);
    return SAT_OK;
}
