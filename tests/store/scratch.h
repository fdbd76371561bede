/*
 * scratch.h - a folder that is there for one test
 */
#ifndef SAT_TESTS_STORE_SCRATCH_H
#define SAT_TESTS_STORE_SCRATCH_H

#include <stddef.h>

#include "base/buf.h"

#define SCRATCH_PATH_MAX 512

/* A test that has such a folder. */
#define SCRATCH_TEST(test)                                                     \
    cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

/* Makes the folder of this test; for cmocka's setup. *state is its path. */
int scratch_setup(void **state);

/* Removes it with everything in it; for cmocka's teardown. */
int scratch_teardown(void **state);

/* The path of `name` in the folder. Good until the 8th call after this one. */
const char *scratch_path(void **state, const char *name);

/* What the file holds; a missing one fails the test. The caller clears it. */
sat_buf scratch_read(const char *path);
void scratch_write(const char *path, const void *data, size_t len);

/* Runs a shell command and returns its exit status. */
int scratch_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What a shell command writes to stdout. The caller clears it. */
sat_buf scratch_output(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif /* SAT_TESTS_STORE_SCRATCH_H */
