/*
 * profile_fixture.c - a profile for every test, made once
 */
#include "store/profile_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void *folder; /* of the group */
static char phrase[SAT_PHRASE_SIZE];

int fixture_make(void **state)
{
    sat_profile_options options = SAT_PROFILE_INIT;
    sat_profile *profile = NULL;
    options.device_name = "laptop";
    (void)state;
    if (scratch_setup(&folder) != 0 ||
        sat_profile_init(scratch_path(&folder, "profile"), sat_env_system(),
                         &options, FIXTURE_PASSWORD, phrase, &profile,
                         NULL) != SAT_OK)
        return -1;
    sat_profile_close(profile);
    return 0;
}

int fixture_remove(void **state)
{
    (void)state;
    return scratch_teardown(&folder);
}

int fixture_setup(void **state)
{
    if (scratch_setup(state) != 0)
        return -1;
    return scratch_run("cp -a '%s' '%s'", scratch_path(&folder, "profile"),
                       (const char *)*state);
}

const char *fixture_path(void **state)
{
    return scratch_path(state, "profile");
}

const char *fixture_phrase(void)
{
    return phrase;
}

sat_profile *fixture_open(void **state)
{
    sat_profile *profile = NULL;
    assert_int_equal(
        sat_profile_open(fixture_path(state), sat_env_system(), &profile, NULL),
        SAT_OK);
    return profile;
}

sat_profile *fixture_unlocked(void **state)
{
    sat_profile *const profile = fixture_open(state);
    assert_int_equal(sat_profile_unlock_phrase(profile, phrase, NULL), SAT_OK);
    return profile;
}
