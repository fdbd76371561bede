/*
 * profile_fixture.h - a profile for every test, made once
 *
 * Making a profile takes as long as guessing a password shall take, so one is
 * made for the group, and each test works on a copy of it.
 */
#ifndef SAT_TESTS_STORE_PROFILE_FIXTURE_H
#define SAT_TESTS_STORE_PROFILE_FIXTURE_H

#include "store/profile.h"
#include "store/scratch.h"

#define FIXTURE_PASSWORD "correct horse battery staple"

#define PROFILE_TEST(test)                                                     \
    cmocka_unit_test_setup_teardown(test, fixture_setup, scratch_teardown)

/* For the group: makes the profile, and removes it. */
int fixture_make(void **state);
int fixture_remove(void **state);

/* For a test: a scratch folder with a copy of the profile. */
int fixture_setup(void **state);

const char *fixture_path(void **state);
const char *fixture_phrase(void);

/* The copy, locked; and unlocked, by the phrase, which is quick. The caller
 * closes it. */
sat_profile *fixture_open(void **state);
sat_profile *fixture_unlocked(void **state);

#endif /* SAT_TESTS_STORE_PROFILE_FIXTURE_H */
