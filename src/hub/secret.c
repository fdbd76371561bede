/*
 * secret.c - a file that only the hub's user reads
 */
#include "hub/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/error.h"
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

sat_status hub_secret_open(const sat_env *env, const char *folder,
                           uint8_t out[HUB_SECRET_SIZE], sat_error *err)
{
    char path[3100];

    (void)snprintf(path, sizeof path, "%s/hub.key", folder);
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
