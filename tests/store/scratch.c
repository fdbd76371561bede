/*
 * scratch.c - a folder that is there for one test
 */
#include "store/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

int scratch_setup(void **state)
{
    char *const path = strdup(SAT_BUILD_DIR "/scratch.XXXXXX");
    if (path == NULL || mkdtemp(path) == NULL)
        return -1;
    *state = path;
    return 0;
}

int scratch_teardown(void **state)
{
    const int failed = scratch_run("rm -rf '%s'", (const char *)*state);
    free(*state);
    return failed;
}

const char *scratch_path(void **state, const char *name)
{
    static char paths[8][SCRATCH_PATH_MAX];
    static unsigned turn;
    char *const path = paths[turn++ % 8];
    (void)snprintf(path, SCRATCH_PATH_MAX, "%s/%s", (const char *)*state, name);
    return path;
}

static sat_buf read_all(FILE *file)
{
    sat_buf all = SAT_BUF_INIT;
    uint8_t part[4096];
    size_t got;
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        sat__buf_put(&all, part, got);
    assert_false(all.failed);
    return all;
}

sat_buf scratch_read(const char *path)
{
    FILE *const file = fopen(path, "rb");
    assert_non_null(file);
    const sat_buf all = read_all(file);
    assert_int_equal(fclose(file), 0);
    return all;
}

void scratch_write(const char *path, const void *data, size_t len)
{
    FILE *const file = fopen(path, "wb");
    assert_non_null(file);
    if (len > 0)
        assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

int scratch_run(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return system(command);
}

sat_buf scratch_output(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    FILE *const pipe = popen(command, "r");
    assert_non_null(pipe);
    const sat_buf all = read_all(pipe);
    assert_int_equal(pclose(pipe), 0);
    return all;
}
