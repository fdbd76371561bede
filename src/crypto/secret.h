/*
 * secret.h - memory that keeps secrets
 *
 * Keys that outlive a call live in memory from sat__secret_new(): locked
 * against swapping, left out of core dumps, between guard pages, and wiped when
 * it is freed. Keys of one call live in AUTO variables, which are wiped too.
 */
#ifndef SAT_SRC_CRYPTO_SECRET_H
#define SAT_SRC_CRYPTO_SECRET_H

#include <stdbool.h>

#include "base/scope.h"

/* Overwrites `len` bytes with zeros, whatever the optimiser thinks of it. */
void sat__wipe(void *secret, size_t len);

/* Whether two secrets are equal, in a time that depends on `len` alone. */
SAT_CHECK bool sat__equal_secret(const void *a, const void *b, size_t len);

/* Guarded memory of `size` zero bytes, or NULL where it is refused. */
SAT_CHECK void *sat__secret_new(size_t size);

/* Wipes and releases it; NULL is allowed and does nothing. */
void sat__secret_free(void *secret);

/*
 * Makes this process one that other processes of the same user can not read
 * (ptrace, /proc/PID/mem) and that leaves no core dump. For programs; a library
 * does not decide that for the process it was loaded into.
 */
SAT_CHECK sat_status sat__process_harden(sat_error *err);

#endif /* SAT_SRC_CRYPTO_SECRET_H */
