/*
 * secret.c - libsodium's guarded memory, under names of our own
 */
#include "crypto/secret.h"

#include <errno.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/error.h"

/* libsodium must know the page size and the processor before all else. */
__attribute__((constructor)) static void start_sodium(void)
{
    if (sodium_init() < 0)
        abort(); /* a system without randomness can keep no secret */
}

void sat__wipe(void *secret, size_t len)
{
    sodium_memzero(secret, len);
}

bool sat__equal_secret(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

void *sat__secret_new(size_t size)
{
    void *const secret = sodium_malloc(size);
    if (secret != NULL)
        memset(secret, 0, size);
    return secret;
}

void sat__secret_free(void *secret)
{
    sodium_free(secret);
}

sat_status sat__process_harden(sat_error *err)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return sat__fail_os(err, errno, "cannot turn core dumps off");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return sat__fail_os(err, errno,
                            "cannot close this process to debuggers");
    return SAT_OK;
}
