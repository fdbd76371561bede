/*
 * pair.h - two devices of one person, with real profiles, and a clock to set
 *
 * The profiles are made once for the group; each test works on copies of them.
 */
#ifndef SAT_TESTS_SETTINGS_PAIR_H
#define SAT_TESTS_SETTINGS_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "satchel/profile.h"
#include "sync/replica.h"

typedef struct pair {
    char folder[64];
    sat_profile *one, *two;
} pair;

#define PAIR_TEST(test)                                                        \
    cmocka_unit_test_setup_teardown(test, pair_setup, pair_teardown)

int pair_make(void **state);
int pair_remove(void **state);
int pair_setup(void **state);
int pair_teardown(void **state);

/* What the clocks of both show. */
extern uint64_t pair_now_ms;

/* Both take what the other has in the vault `account`. */
void pair_sync(pair *p);

/* How many conflicts are open in the vault `account`. */
uint64_t pair_conflicts(sat_profile *profile);

/* Ends the test unless `status` is SAT_OK. */
void must(sat_status status, const sat_error *err);

#endif /* SAT_TESTS_SETTINGS_PAIR_H */
