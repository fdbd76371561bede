/*
 * test_env.h - an environment whose random bytes are the same in every run
 */
#ifndef SAT_TESTS_CRYPTO_TEST_ENV_H
#define SAT_TESTS_CRYPTO_TEST_ENV_H

#include "base/buf.h"
#include "satchel/env.h"

/* Whether a sanitizer has taken malloc() and the signals for itself. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_IS_SANITIZED 1
#elif defined(__clang__)
#define TEST_IS_SANITIZED                                                      \
    (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define TEST_IS_SANITIZED 0
#endif

/* Each call to its random() continues where the last one stopped. */
const sat_env *test_env(void);

static inline sat_bytes text_bytes(const char *text)
{
    return bytes_of(text, strlen(text));
}

#endif /* SAT_TESTS_CRYPTO_TEST_ENV_H */
