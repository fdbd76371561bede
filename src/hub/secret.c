/*
 * secret.c - a file that only the hub's user reads
 */
#include "hub/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/hash.h"
#include "crypto/labels.h"

/* The file is whole from the moment it has its name. */
static sat_status make_secret(const sat_env *env, const char *path,
                              sat_error *err)
{
    char fresh[3200];
    uint8_t secret[HUB_SECRET_SIZE];

    (void)snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    (void)unlink(fresh);
    AUTO_FD int fd =
        open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return sat__fail_os(err, errno, "cannot make '%s'", fresh);
    env->random(env->context, secret, sizeof secret);
    const bool is_written =
        write(fd, secret, sizeof secret) == (ssize_t)sizeof secret &&
        fsync(fd) == 0;
    sat__wipe(secret, sizeof secret);
    /* Of two that make it at once, the first one's stands. */
    if (!is_written || (link(fresh, path) != 0 && errno != EEXIST)) {
        const int code = errno;
        (void)unlink(fresh);
        return sat__fail_os(err, code, "cannot write '%s'", path);
    }
    (void)unlink(fresh);
    return SAT_OK;
}

sat_status hub_secret_open(const sat_env *env, const char *path,
                           uint8_t out[HUB_SECRET_SIZE], sat_error *err)
{
    if (access(path, F_OK) != 0)
        TRY(make_secret(env, path, err));
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sat__fail_os(err, errno, "cannot read '%s'", path);
    uint8_t more;
    if (read(fd, out, HUB_SECRET_SIZE) != HUB_SECRET_SIZE ||
        read(fd, &more, 1) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "'%s' is not a hub's key: bring it back from a copy",
                         path);
    return SAT_OK;
}

/* ---- whose storage it is ---- */

typedef struct owner {
    int64_t ours, theirs; /* what can be told of a secret */
} owner;

static sat_status find_owner(hub_db *db, void *context, sat_error *err)
{
    owner *const o = context;
    AUTO(hub_rows) rows = HUB_ROWS_INIT;

    TRY(hub_exec(db, NULL, err,
                 "INSERT INTO hub_meta(name, value) VALUES('secret', $1)"
                 " ON CONFLICT DO NOTHING",
                 "i", o->ours));
    TRY(hub_query(db, &rows, err,
                  "SELECT value FROM hub_meta WHERE name = 'secret'", ""));
    if (HUB_NEXT(&rows, err))
        o->theirs = hub_int(&rows, 0);
    return SAT_OK;
}

sat_status hub_secret_check(const uint8_t secret[HUB_SECRET_SIZE],
                            const hub_storage *storage, sat_error *err)
{
    static const char what[] = "whose storage this is";
    uint8_t hash[32];
    owner o = {.theirs = 0};

    sat__hmac(SAT_SHA256, bytes_of(secret, HUB_SECRET_SIZE),
              bytes_of(what, sizeof what - 1), hash);
    o.ours = (int64_t)(bytes_get_u64(hash) >> 1);
    TRY(storage->write(storage->self, find_owner, &o, err));
    return o.ours == o.theirs
               ? SAT_OK
               : sat__fail(err, SAT_ERR_INVALID,
                           "the database belongs to a hub with another "
                           "secret: give this node the hub.key of the others");
}

sat_status hub_secret_identity(const uint8_t secret[HUB_SECRET_SIZE],
                               sat__identity **out, sat_error *err)
{
    AUTO(sat__sign_seed) sign = {{0}};
    AUTO(sat__exchange_key) exchange = {{0}};

    sat__derive(bytes_of(secret, HUB_SECRET_SIZE), SAT_LABEL_HUB_IDENTITY,
                sign.bytes);
    sat__derive(bytes_of(sign.bytes, 32), SAT_LABEL_HUB_IDENTITY,
                exchange.bytes);
    return sat__identity_of(&sign, &exchange, out, err);
}
