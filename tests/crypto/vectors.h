/*
 * vectors.h - published test vectors, case by case
 */
#ifndef SAT_TESTS_CRYPTO_VECTORS_H
#define SAT_TESTS_CRYPTO_VECTORS_H

#include <jansson.h>

#include "base/buf.h"

/* Reads tests/vectors/PATH; the caller releases it with json_decref(). */
json_t *vectors_load(const char *path);

/* A field's text, and a field's hexadecimal digits as bytes. */
const char *vectors_text(const json_t *object, const char *field);
sat_buf vectors_bytes(const json_t *object, const char *field);
size_t vectors_number(const json_t *object, const char *field);

/* One case of Wycheproof: the group it stands in, and itself. */
typedef void vectors_case_fn(const json_t *group, const json_t *test);

/*
 * Calls `check` for each case of tests/vectors/wycheproof/NAME_test.json, and
 * fails unless there were as many as the file says.
 */
void vectors_each(const char *name, vectors_case_fn *check);

/* Whether the case must pass; must be refused; or may do either. */
bool vectors_is_valid(const json_t *test);
bool vectors_is_acceptable(const json_t *test);

/* Fails the test with the case's number and comment unless `holds`. */
void vectors_expect(const json_t *test, bool holds);

#endif /* SAT_TESTS_CRYPTO_VECTORS_H */
