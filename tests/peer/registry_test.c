/*
 * registry_test.c - who may sync is what the signed chain says
 */
#include "peer/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "site.h"

typedef struct fixture {
    sqlite3 *db;
    sat__identity *own, *other;
    uint8_t own_id[SAT_DEVICE_ID_SIZE], other_id[SAT_DEVICE_ID_SIZE];
    sat__registry *registry;
} fixture;

static sat_status reopen(fixture *f)
{
    sat__registry_close(f->registry);
    f->registry = NULL;
    return sat__registry_open(f->db, sat_env_system(), f->own, &f->registry,
                              NULL);
}

static void fixture_open(fixture *f)
{
    assert_int_equal(sqlite3_open(":memory:", &f->db), SQLITE_OK);
    assert_int_equal(sat__identity_generate(sat_env_system(), &f->own, NULL),
                     SAT_OK);
    assert_int_equal(sat__identity_generate(sat_env_system(), &f->other, NULL),
                     SAT_OK);
    sat__device_id(sat__identity_principal(f->own)->sign, f->own_id);
    site_found(f->db, f->own);
    sat__device_id(sat__identity_principal(f->other)->sign, f->other_id);
    assert_int_equal(reopen(f), SAT_OK);
    assert_int_equal(sat__registry_register(f->registry,
                                            sat__identity_principal(f->other),
                                            "other", NULL),
                     SAT_OK);
}

static void fixture_close(fixture *f)
{
    sat__registry_close(f->registry);
    (void)sqlite3_close_v2(f->db);
    sat__identity_free(f->own);
    sat__identity_free(f->other);
}

DEFINE_AUTO(fixture, fixture_close);

static sat__known_device look(fixture *f)
{
    sat__known_device device;

    assert_int_equal(
        sat__registry_find(f->registry, f->other_id, &device, NULL), SAT_OK);
    return device;
}

static void run(fixture *f, const char *sql)
{
    assert_int_equal(sqlite3_exec(f->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void a_device_goes_from_known_to_authorised_to_revoked(void **state)
{
    AUTO(fixture) f = {.db = NULL};

    (void)state;
    fixture_open(&f);
    assert_false(look(&f).is_authorized);
    assert_int_equal(
        sat__registry_authorize(f.registry, f.other_id, true, NULL), SAT_OK);
    assert_int_equal(reopen(&f), SAT_OK);
    assert_true(look(&f).is_authorized && look(&f).is_admin);
    assert_int_equal(
        sat__registry_authorize(f.registry, f.other_id, false, NULL),
        SAT_ERR_CONFLICT);
    assert_int_equal(sat__registry_revoke(f.registry, f.other_id, NULL),
                     SAT_OK);
    assert_int_equal(reopen(&f), SAT_OK);
    assert_true(look(&f).is_revoked && !look(&f).is_authorized);
    assert_int_equal(
        sat__registry_authorize(f.registry, f.other_id, false, NULL),
        SAT_ERR_CONFLICT);
}

static void a_chain_that_was_touched_opens_nothing(void **state)
{
    static const char *const harm[] = {
        "UPDATE sync_chain SET link = zeroblob(10) WHERE s = 2",
        ("UPDATE sync_chain SET link = CAST(substr(link, 1, length(link) - 1) "
         "|| 'x' AS BLOB) WHERE s = 1"),
        "UPDATE sync_chain SET link = x'' WHERE s = 3",
        "DELETE FROM sync_chain WHERE s = 1",
        "DELETE FROM sync_chain WHERE s = 2",
        "UPDATE sync_chain SET s = 10 WHERE s = 2",
        "DELETE FROM sync_chain",
    };

    (void)state;
    for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
        AUTO(fixture) f = {.db = NULL};
        fixture_open(&f);
        assert_int_equal(
            sat__registry_authorize(f.registry, f.other_id, true, NULL),
            SAT_OK);
        assert_int_equal(sat__registry_revoke(f.registry, f.other_id, NULL),
                         SAT_OK);
        run(&f, harm[i]);
        assert_int_equal(reopen(&f), SAT_ERR_AUTH);
    }
}

static void another_devices_chain_opens_nothing(void **state)
{
    AUTO(fixture) f = {.db = NULL};
    sat__registry *registry = NULL;

    (void)state;
    fixture_open(&f);
    assert_int_equal(
        sat__registry_open(f.db, sat_env_system(), f.other, &registry, NULL),
        SAT_ERR_AUTH);
}

static void strangers_fill_no_more_than_their_room(void **state)
{
    AUTO(fixture) f = {.db = NULL};
    sat__principal keys = {{0}, {1}};
    sat_status status = SAT_OK;
    int count = 1;

    (void)state;
    fixture_open(&f);
    while (status == SAT_OK && count <= SAT_PEERS_MAX + 1) {
        keys.sign[0] = (uint8_t)count;
        keys.sign[1] = (uint8_t)(count >> 8);
        status = sat__registry_register(f.registry, &keys, "x", NULL);
        count += status == SAT_OK;
    }
    assert_int_equal(status, SAT_ERR_FULL);
    assert_int_equal(count, SAT_PEERS_MAX);
    assert_int_equal(sat__registry_register(f.registry,
                                            sat__identity_principal(f.other),
                                            "again", NULL),
                     SAT_OK);
    assert_string_equal(look(&f).name, "again");
}

static void names_are_fit_to_be_shown(void **state)
{
    AUTO(fixture) f = {.db = NULL};
    const sat__principal keys = {{1}, {1}};
    static const char *const bad[] = {"", "a\nb", "\x1b[2J", "\xff", "a\x7f"};

    (void)state;
    fixture_open(&f);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(
            sat__registry_register(f.registry, &keys, bad[i], NULL),
            SAT_ERR_INVALID);
}

static void keys_once_seen_never_change(void **state)
{
    AUTO(fixture) f = {.db = NULL};

    (void)state;
    fixture_open(&f);
    sat__principal keys = *sat__identity_principal(f.other);
    keys.exchange[0] ^= 1;
    assert_int_equal(sat__registry_register(f.registry, &keys, "other", NULL),
                     SAT_ERR_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_goes_from_known_to_authorised_to_revoked),
        cmocka_unit_test(a_chain_that_was_touched_opens_nothing),
        cmocka_unit_test(another_devices_chain_opens_nothing),
        cmocka_unit_test(strangers_fill_no_more_than_their_room),
        cmocka_unit_test(keys_once_seen_never_change),
        cmocka_unit_test(names_are_fit_to_be_shown),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
