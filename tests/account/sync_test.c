/*
 * sync_test.c - devices of one account, over a hub
 */
#include "desk.h"
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "store/profile.h"
#include "store/scratch.h"

static stub hub;
static desk a, b, c;

static void open_desk(void **state, desk *d, const char *name)
{
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s", scratch_path(state, "."));
    desk_open(d, folder, name);
}

/* One account with a table, and a second device of it. */
static int two_devices(void **state)
{
    sat_error err = {0};
    if (scratch_setup(state) != 0)
        return 1;
    stub_start(&hub);
    open_desk(state, &a, "laptop");
    open_desk(state, &b, "phone");
    must(sat_account_register(a.profile, hub.url, DESK_EMAIL, DESK_PASSWORD,
                              &err),
         &err);
    (void)desk_sql(&a, "main", "CREATE TABLE t(id TEXT PRIMARY KEY, n, x)");
    desk_track(&a, "main", "t");
    (void)desk_sql(&a, "main",
                   "INSERT INTO t VALUES('a', 1, 'x'), "
                   "('b', 2, 'y')");
    (void)desk_sync(&a);
    desk_login(&b, &a, hub.url);
    (void)desk_sync(&b);
    return 0;
}

static int close_all(void **state)
{
    desk_close(&a);
    desk_close(&b);
    desk_close(&c);
    stub_stop(&hub);
    return scratch_teardown(state);
}

#define ALL "SELECT * FROM t ORDER BY 1"

static void a_second_device_has_everything(void **state)
{
    sat_account account;
    sat_error err = {0};
    (void)state;
    assert_string_equal(desk_sql(&b, "main", ALL), "a|1|x;b|2|y;");
    must(sat_account_show(b.profile, &account, &err), &err);
    assert_string_equal(account.email, DESK_EMAIL);
    assert_int_equal(account.devices, 2);
    must(sat_profile_unlock(b.profile, DESK_PASSWORD, &err), &err);
    must(sat_profile_check_phrase(b.profile, a.phrase, &err), &err);
}

static void edits_flow_both_ways(void **state)
{
    (void)state;
    (void)desk_sql(&b, "main", "UPDATE t SET x = 'z' WHERE id = 'a'");
    (void)desk_sql(&a, "main", "DELETE FROM t WHERE id = 'b'");
    sat_sync_report report = desk_sync(&b);
    assert_int_equal(report.pushed, 1);
    report = desk_sync(&a);
    assert_int_equal(report.pushed, 1);
    assert_int_equal(report.pulled, 1);
    report = desk_sync(&b);
    assert_int_equal(report.pulled, 1);
    assert_string_equal(desk_sql(&a, "main", ALL), "a|1|z;");
    assert_string_equal(desk_sql(&b, "main", ALL), "a|1|z;");
    report = desk_sync(&a);
    assert_int_equal(report.pushed + report.pulled, 0);
}

static void one_cell_on_both_sides_is_a_conflict_as_between_peers(void **state)
{
    (void)state;
    (void)desk_sql(&a, "main", "UPDATE t SET x = 'from a' WHERE id = 'a'");
    (void)desk_sql(&b, "main", "UPDATE t SET x = 'from b' WHERE id = 'a'");
    (void)desk_sync(&a);
    assert_int_equal(desk_sync(&b).conflicts, 1);
    (void)desk_sync(&a);
    assert_int_equal(desk_conflicts(&a, "main"), 1);
    assert_int_equal(desk_conflicts(&b, "main"), 1);
    char shown[64];
    (void)snprintf(shown, sizeof shown, "%s", desk_sql(&a, "main", ALL));
    assert_string_equal(desk_sql(&b, "main", ALL), shown);
}

static void a_third_device_comes_by_the_phrase_alone(void **state)
{
    sat_error err = {0};
    open_desk(state, &c, "tablet");
    const sat_account_credentials with = {.size = sizeof with,
                                          .email = DESK_EMAIL,
                                          .password = DESK_PASSWORD,
                                          .phrase = a.phrase};
    must(sat_account_login(c.profile, hub.url, &with, &err), &err);
    (void)desk_sync(&c);
    assert_string_equal(desk_sql(&c, "main", ALL), "a|1|x;b|2|y;");
    must(sat_account_secret_key(c.profile, c.secret_key, &err), &err);
    assert_string_equal(c.secret_key, a.secret_key);
    (void)desk_sql(&c, "main", "INSERT INTO t VALUES('c', 3, 'new')");
    (void)desk_sync(&c);
    (void)desk_sync(&a);
    assert_string_equal(desk_sql(&a, "main", ALL), "a|1|x;b|2|y;c|3|new;");
}

static void a_vault_of_its_own_name_comes_along(void **state)
{
    sat_error err = {0};
    (void)state;
    must(sat_vault_create(a.profile, "work", &err), &err);
    (void)desk_sql(&a, "work", "CREATE TABLE w(id INTEGER PRIMARY KEY, s)");
    desk_track(&a, "work", "w");
    (void)desk_sql(&a, "work", "INSERT INTO w VALUES(1, 'task')");
    (void)desk_sync(&a);
    (void)desk_sync(&b);
    assert_string_equal(desk_sql(&b, "work", "SELECT * FROM w"), "1|task;");
}

static void a_hub_that_is_away_costs_nothing(void **state)
{
    (void)state;
    stub_pause(&hub);
    (void)desk_sql(&a, "main", "INSERT INTO t VALUES('c', 3, 'offline')");
    (void)desk_sync_fails(&a, SAT_ERR_OFFLINE);
    (void)desk_sql(&b, "main", "UPDATE t SET n = 9 WHERE id = 'b'");
    (void)desk_sync_fails(&b, SAT_ERR_OFFLINE);
    stub_resume(&hub);
    (void)desk_sync(&a);
    (void)desk_sync(&b);
    (void)desk_sync(&a);
    assert_string_equal(desk_sql(&a, "main", ALL), "a|1|x;b|9|y;c|3|offline;");
    assert_string_equal(desk_sql(&b, "main", ALL), "a|1|x;b|9|y;c|3|offline;");
}

static void a_session_that_ran_out_is_renewed(void **state)
{
    (void)state;
    for (size_t i = 0; i < hub.token_count; i++)
        hub.tokens[i].access[0] = 0;
    (void)desk_sync(&a);
    (void)desk_sync(&b);
}

static void pulls_in_many_parts_are_one(void **state)
{
    (void)state;
    hub.pull_limit = 7;
    (void)desk_sql(&a, "main",
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                   "FROM n WHERE i < 300) INSERT INTO t SELECT 'k' || i, i, "
                   "hex(randomblob(i)) FROM n");
    (void)desk_sync(&a);
    assert_int_equal(desk_sync(&b).pulled, 300);
    assert_string_equal(desk_sql(&b, "main", "SELECT count(*), sum(n) FROM t"),
                        "302|45153;");
}

static bool has(const sat_buf *where, const void *what, size_t len)
{
    return memmem(where->data, where->len, what, len) != NULL;
}

/* Raw, in hexadecimal, in UTF-16, and in base64 at each of three offsets. */
static void nothing_says(const sat_buf *where, const char *word)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
                                 "rstuvwxyz0123456789+/";
    const size_t len = strlen(word);
    char text[256];
    for (size_t i = 0; i < len; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", (unsigned char)word[i]);
    assert_false(has(where, word, len));
    assert_false(has(where, text, 2 * len));
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = word[i];
        text[2 * i + 1] = 0;
    }
    assert_false(has(where, text, 2 * len - 1));
    for (size_t skip = 0; skip < 3; skip++) {
        size_t used = 0;
        for (size_t i = skip; i + 3 <= len; i += 3) {
            const uint32_t three = (uint32_t)(uint8_t)word[i] << 16 |
                                   (uint32_t)(uint8_t)word[i + 1] << 8 |
                                   (uint8_t)word[i + 2];
            for (int k = 18; k >= 0; k -= 6)
                text[used++] = digits[three >> k & 63];
        }
        assert_false(has(where, text, used));
    }
}

static void the_hub_learns_no_word(void **state)
{
    static const char *const words[] = {"treatment", "diagnosis", "secretword",
                                        "workvaultname", "patients"};
    sat_error err = {0};
    (void)state;
    must(sat_vault_create(a.profile, "workvaultname", &err), &err);
    (void)desk_sql(&a, "main",
                   "CREATE TABLE patients(treatment TEXT PRIMARY "
                   "KEY, diagnosis)");
    desk_track(&a, "main", "patients");
    (void)desk_sql(&a, "main",
                   "INSERT INTO patients VALUES('secretword', 'secretword')");
    (void)desk_sync(&a);
    (void)desk_sync(&b);
    assert_true(hub.traffic.len > 10000);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        nothing_says(&hub.traffic, words[i]);
    nothing_says(&hub.traffic, DESK_PASSWORD);
    nothing_says(&hub.traffic, a.secret_key);
}

static void a_wrong_password_changes_nothing(void **state)
{
    sat_account_credentials with = {.size = sizeof with,
                                    .email = DESK_EMAIL,
                                    .password = "wrong",
                                    .secret_key = a.secret_key};
    sat_error err = {0};
    sat_account account;
    open_desk(state, &c, "tablet");
    assert_int_equal(sat_account_login(c.profile, hub.url, &with, &err),
                     SAT_ERR_AUTH);
    with.password = DESK_PASSWORD;
    with.secret_key = c.secret_key;
    assert_int_equal(sat_account_login(c.profile, hub.url, &with, &err),
                     SAT_ERR_AUTH);
    assert_int_equal(sat_account_show(c.profile, &account, &err),
                     SAT_ERR_NOT_FOUND);
    with.secret_key = a.secret_key;
    must(sat_account_login(c.profile, hub.url, &with, &err), &err);
}

/* ---- deletions that all have seen ---- */

static uint64_t later(void *context)
{
    const uint64_t day = 24 * 60 * 60 * 1000;
    return sat_env_system()->wall(sat_env_system()->context) +
           *(const uint64_t *)context * day;
}

static uint64_t days;
static sat_env far_off;

/* Both live so many days later. */
static void wait_days(uint64_t count)
{
    days = count;
    far_off = *sat_env_system();
    far_off.wall = later;
    far_off.context = &days;
    a.profile->env = &far_off;
    b.profile->env = &far_off;
}

static size_t dropped_items(void)
{
    size_t count = 0;
    for (size_t i = 0; i < hub.vaults[1].count; i++)
        count += hub.vaults[1].items[i].data.len == 0;
    return count;
}

#define MARKS                                                                  \
    "SELECT (SELECT count(*) FROM sync_away), (SELECT count(*) FROM "          \
    "sync_undropped)"

/* 'b' is deleted, on both devices, and both have said so. */
static void delete_everywhere(void)
{
    (void)desk_sql(&a, "main", "DELETE FROM t WHERE id = 'b'");
    (void)desk_sync(&a);
    (void)desk_sync(&b);
    (void)desk_sync(&a);
    assert_string_equal(desk_sql(&a, "main", MARKS), "1|0;");
}

static void what_all_have_forgotten_is_dropped_at_the_hub(void **state)
{
    delete_everywhere();
    wait_days(89);
    (void)desk_sync(&a);
    assert_int_equal(dropped_items(), 0);
    wait_days(91);
    (void)desk_sync(&a);
    assert_int_equal(dropped_items(), 1);
    assert_string_equal(desk_sql(&a, "main", MARKS), "0|0;");
    (void)desk_sync(&b);
    assert_string_equal(desk_sql(&b, "main", MARKS), "0|0;");
    const char *const items = "SELECT count(*) FROM sync_hub_items";
    assert_string_equal(desk_sql(&a, "main", items),
                        desk_sql(&b, "main", items));
    open_desk(state, &c, "tablet");
    desk_login(&c, &a, hub.url);
    (void)desk_sync(&c);
    assert_string_equal(desk_sql(&c, "main", ALL), "a|1|x;");
    (void)desk_sql(&c, "main", "UPDATE t SET x = 'y'");
    (void)desk_sync(&c);
    (void)desk_sync(&b);
    assert_string_equal(desk_sql(&b, "main", ALL), "a|1|y;");
}

/* Puts the files of b's profile back, or keeps them. */
static void copy_profile(bool back)
{
    char command[2400];
    (void)snprintf(command, sizeof command, "rm -rf %s%s && cp -a %s%s %s%s",
                   b.path, back ? "" : ".old", b.path, back ? ".old" : "",
                   b.path, back ? "" : ".old");
    assert_int_equal(system(command), 0); /* NOLINT: a test's own paths */
}

static void a_device_from_before_a_forgotten_deletion_starts_afresh(
    void **state)
{
    sat_error err = {0};
    (void)state;
    (void)desk_sql(&b, "main", "UPDATE t SET n = 5 WHERE id = 'a'");
    copy_profile(false);
    delete_everywhere();
    wait_days(91);
    (void)desk_sync(&a);
    assert_int_equal(dropped_items(), 1);
    desk_close(&b);
    copy_profile(true);
    must(sat_profile_open(b.path, sat_env_system(), &b.profile, &err), &err);
    must(sat_profile_unlock(b.profile, DESK_PASSWORD, &err), &err);
    b.profile->env = &far_off;
    assert_string_equal(desk_sql(&b, "main", ALL), "a|5|x;b|2|y;");
    (void)desk_sync(&b);
    assert_string_equal(desk_sql(&b, "main", ALL), "a|5|x;");
    (void)desk_sync(&a);
    assert_string_equal(desk_sql(&a, "main", ALL), "a|5|x;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, two_devices, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_device_has_everything),
        TEST(edits_flow_both_ways),
        TEST(one_cell_on_both_sides_is_a_conflict_as_between_peers),
        TEST(a_third_device_comes_by_the_phrase_alone),
        TEST(a_vault_of_its_own_name_comes_along),
        TEST(a_hub_that_is_away_costs_nothing),
        TEST(a_session_that_ran_out_is_renewed),
        TEST(pulls_in_many_parts_are_one),
        TEST(the_hub_learns_no_word),
        TEST(what_all_have_forgotten_is_dropped_at_the_hub),
        TEST(a_device_from_before_a_forgotten_deletion_starts_afresh),
        TEST(a_wrong_password_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
