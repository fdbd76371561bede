/*
 * place.c - which kind of place a path means
 */
#include "backup/place.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* The device remembers what it brought to a place, under this id. */
static sat_status identify(const char *path, sat__place *place, sat_error *err)
{
    uint8_t digest[SAT_SHA256_SIZE];
    AUTO_FREE char *real = realpath(path, NULL);
    if (real == NULL)
        return sat__fail_os(err, errno, "cannot find '%s'", path);
    sat__sha256(bytes_of(real, strlen(real)), digest);
    sat__hex_format(digest, 16, place->id);
    return SAT_OK;
}

sat_status sat__place_read_file(int fd, uint8_t *out, size_t len,
                                sat_error *err)
{
    while (len > 0) {
        const ssize_t got = read(fd, out, len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sat__fail_os(err, errno, "cannot read an object");
        if (got == 0)
            return sat__fail(err, SAT_ERR_CORRUPT, "an object ends too early");
        out += got;
        len -= (size_t)got;
    }
    return SAT_OK;
}

bool sat__place_is_hub(const char *where)
{
    return strcmp(where, SAT_PLACE_HUB) == 0 ||
           strncmp(where, "http://", 7) == 0 ||
           strncmp(where, "https://", 8) == 0;
}

sat_status sat__place_open(const char *where, const sat__place_access *access,
                           sat__place_use use, sat__place *out, sat_error *err)
{
    const sat_env *const env = access->env;
    AUTO(sat__place) place = {.calls = NULL};
    struct stat info;
    const size_t len = strlen(where);
    const bool is_there = stat(where, &info) == 0;
    if (len == 0)
        return sat__fail(err, SAT_ERR_INVALID, "the place has no name");
    if (sat__place_is_hub(where))
        return sat__place_open_hub(where, access, out, err);
    if (use == SAT__PLACE_READ && !is_there)
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         "there is no backup: '%s' does not exist", where);
    if (is_there ? S_ISDIR(info.st_mode) : where[len - 1] == '/')
        TRY(sat__place_open_folder(where, env, use, &place, err));
    else
        TRY(sat__place_open_file(where, env, use, &place, err));
    TRY(identify(where, &place, err));
    *out = place;
    place.calls = NULL;
    return SAT_OK;
}
