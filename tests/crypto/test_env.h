/*
 * test_env.h - an environment whose random bytes are the same in every run
 */
#ifndef SAT_TESTS_CRYPTO_TEST_ENV_H
#define SAT_TESTS_CRYPTO_TEST_ENV_H

#include "base/buf.h"
#include "satchel/env.h"

/* Each call to its random() continues where the last one stopped. */
const sat_env *test_env(void);

static inline sat_bytes text_bytes(const char *text)
{
    return bytes_of(text, strlen(text));
}

#endif /* SAT_TESTS_CRYPTO_TEST_ENV_H */
