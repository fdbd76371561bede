/*
 * path.c - the paths of settings: keys joined by dots
 */
#include "settings/path.h"

#include "base/cbor.h"
#include "satchel/settings.h"

static sat_status bad(sat_error *err, const char *why)
{
    return sat__fail(err, SAT_ERR_INVALID,
                     "the path of a setting %s; it is keys joined by dots",
                     why);
}

/* The length of the key at `path`, up to a dot or the end; 0 where it is no
 * key. */
static size_t key_length(const char *path)
{
    size_t at = 0;

    while (path[at] != '\0' && path[at] != '.') {
        if (path[at] == '\\' && path[++at] != '.' && path[at] != '\\')
            return 0;
        at++;
    }
    return at;
}

sat_status sat__path_check(const char *path, sat_error *err)
{
    const size_t len = strlen(path);

    if (len == 0)
        return bad(err, "is empty");
    if (len > SAT_SETTING_PATH_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the path of a setting has %zu bytes, more than %d",
                         len, SAT_SETTING_PATH_MAX);
    if (!sat__utf8_valid((const uint8_t *)path, len))
        return bad(err, "is not UTF-8");
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
            return bad(err, "has control characters");
    size_t depth = 0;
    for (const char *at = path; at != NULL; depth++) {
        const size_t key = key_length(at);
        if (key == 0)
            return bad(err, "has an empty key, or a stray backslash");
        at = at[key] == '.' ? at + key + 1 : NULL;
    }
    if (depth > SAT_SETTING_DEPTH_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "the path of a setting has %zu keys, more than %d",
                         depth, SAT_SETTING_DEPTH_MAX);
    return SAT_OK;
}

void sat__path_append(sat_buf *path, const char *key)
{
    if (path->len > 0)
        sat__buf_put_byte(path, '.');
    for (; *key != '\0'; key++) {
        if (*key == '.' || *key == '\\')
            sat__buf_put_byte(path, '\\');
        sat__buf_put_byte(path, (uint8_t)*key);
    }
}

const char *sat__path_next(const char *path, sat_buf *key)
{
    key->len = 0;
    for (; *path != '\0' && *path != '.'; path++) {
        if (*path == '\\' && path[1] != '\0')
            path++;
        sat__buf_put_byte(key, (uint8_t)*path);
    }
    return *path == '.' ? path + 1 : NULL;
}

bool sat__path_is_within(const char *path, const char *top)
{
    const size_t len = strlen(top);

    return len == 0 || (strncmp(path, top, len) == 0 &&
                        (path[len] == '\0' || path[len] == '.'));
}

size_t sat__path_parent(const char *path, size_t len)
{
    while (len > 0) {
        size_t escapes = 0;
        len--;
        while (escapes < len && path[len - 1 - escapes] == '\\')
            escapes++;
        if (path[len] == '.' && escapes % 2 == 0)
            return len;
    }
    return 0;
}
