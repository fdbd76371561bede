/*
 * round_test.c - through items, replicas come to hold what pages would give
 * them
 */
#include "shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static shelf s;
static device a, b, c;
static uint64_t seen[3];

static int open_all(void **state)
{
    (void)state;
    shelf_open(&s);
    device_open(&a, "a");
    device_open(&b, "b");
    device_open(&c, "c");
    memset(seen, 0, sizeof seen);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    device_close(&a);
    device_close(&b);
    device_close(&c);
    shelf_close(&s);
    return 0;
}

static device *const devices[] = {&a, &b, &c};

/* A device meets the shelf as it would a hub: first it takes, then it gives. */
static void meet(int at)
{
    if (s.sequence > seen[at])
        shelf_pull(&s, devices[at], &seen[at], 50);
    (void)shelf_push(&s, devices[at]);
    seen[at] = s.sequence;
}

static const char all[] = "SELECT * FROM t ORDER BY 1, 2, 3";

static void make_table(void)
{
    device_run(&a, "CREATE TABLE t(id TEXT PRIMARY KEY, n UNIQUE, x)");
    device_track(&a, "t");
    device_run(&a, "INSERT INTO t VALUES('a', 1, 'x'), ('b', 2, 'y')");
}

static void a_row_arrives_and_an_edit_goes_back(void **state)
{
    (void)state;
    make_table();
    meet(0);
    meet(1);
    assert_string_equal(device_get(&b, all), "a|1|x;b|2|y;");
    device_run(&b, "UPDATE t SET x = 'z' WHERE id = 'a'");
    device_run(&b, "DELETE FROM t WHERE id = 'b'");
    meet(1);
    meet(0);
    assert_string_equal(device_get(&a, all), "a|1|z;");
    devices_equal(&a, &b, all);
}

static void what_did_not_change_is_not_sent(void **state)
{
    (void)state;
    make_table();
    assert_int_equal(shelf_push(&s, &a), 4); /* schema, table, two rows */
    assert_int_equal(shelf_push(&s, &a), 0);
    device_run(&a, "UPDATE t SET x = 'z' WHERE id = 'a'");
    assert_int_equal(shelf_push(&s, &a), 1);
}

static void an_edit_of_one_cell_on_each_side_is_one_conflict(void **state)
{
    (void)state;
    make_table();
    meet(0);
    meet(1);
    device_run(&a, "UPDATE t SET x = 'from a' WHERE id = 'a'");
    assert_int_equal(sat__replica_collect(a.replica, NULL, NULL), SAT_OK);
    test_now_ms += 1000;
    device_run(&b, "UPDATE t SET x = 'from b' WHERE id = 'a'");
    meet(0);
    meet(1);
    meet(0);
    meet(2);
    assert_string_equal(device_get(&c, all), "a|1|from b;b|2|y;");
    assert_string_equal(device_conflicts(&a),
                        "update:x:\"from a\":\"from b\";");
    devices_equal(&a, &b, all);
    devices_equal(&a, &c, all);
    sat_error err = {0};
    assert_int_equal(sat_replica_resolve(a.replica, device_conflict_id(&a),
                                         SAT_RESOLVE_LOCAL, NULL, &err),
                     SAT_OK);
    meet(0);
    meet(1);
    meet(2);
    assert_string_equal(device_conflicts(&c), "");
    devices_equal(&a, &b, all);
    devices_equal(&a, &c, all);
}

/* An imported row is passed on whole by whoever has it. */
static void imported_rows_go_on_from_any_device(void **state)
{
    (void)state;
    device d;
    device_run(&a, "CREATE TABLE t(id TEXT PRIMARY KEY, n UNIQUE, x)");
    device_run(&a, "INSERT INTO t VALUES('a', 1, 'x'), ('b', 2, 'y')");
    device_track(&a, "t");
    meet(0);
    device_run(&a, "UPDATE t SET x = 'z' WHERE id = 'b'");
    meet(0);
    meet(1);
    device_open(&d, "d");
    device_pull(&d, &b, 1000);
    assert_string_equal(device_get(&d, all), "a|1|x;b|2|z;");
    devices_equal(&b, &d, all);
    devices_equal(&a, &d, all);
    device_close(&d);
}

static void a_column_that_came_later_reaches_older_schemas(void **state)
{
    (void)state;
    make_table();
    meet(0);
    meet(1);
    device_run(&a, "ALTER TABLE t ADD COLUMN later");
    device_run(&a, "INSERT INTO t VALUES('c', 3, 'w', 'new')");
    device_run(&b, "INSERT INTO t VALUES('d', 4, 'v')");
    meet(0);
    meet(1);
    meet(0);
    meet(2);
    device_run(&b, "ALTER TABLE t ADD COLUMN later");
    meet(1);
    meet(0);
    meet(1);
    assert_string_equal(device_get(&b, all),
                        "a|1|x|NULL;b|2|y|NULL;c|3|w|new;d|4|v|NULL;");
    assert_string_equal(device_get(&a, all), device_get(&b, all));
}

/* ---- random edits ---- */

static uint64_t dice;

static unsigned roll(unsigned below)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice >> 33) % below;
}

static void edit(device *d)
{
    static const char *const values[] = {
        "NULL", "1", "-0.0", "9e999", "x'00ff'", "'text'", "'Zürich'"};
    const unsigned key = roll(12);

    test_now_ms += roll(3000);
    switch (roll(5)) {
    case 0:
        device_run(d, "DELETE FROM t WHERE id = 'k%u'", key);
        break;
    case 1:
        device_run(d, "UPDATE t SET n = NULL, x = %s WHERE id = 'k%u'",
                   values[roll(7)], key);
        break;
    case 2:
        device_run(d, "UPDATE OR REPLACE t SET n = %u WHERE id = 'k%u'",
                   roll(8), key);
        break;
    default:
        device_run(d, "INSERT OR REPLACE INTO t VALUES('k%u', %u, %s)", key,
                   roll(8), values[roll(7)]);
    }
}

static void random_edits_end_as_by_pages(void **state)
{
    (void)state;
    for (dice = 1; dice <= 40;) {
        const uint64_t seed = dice;
        device d;
        open_all(NULL);
        device_open(&d, "d");
        device_run(&a, "CREATE TABLE t(id TEXT PRIMARY KEY, n UNIQUE, x)");
        for (int i = 0; i < 5; i++)
            edit(&a);
        device_track(&a, "t");
        for (int at = 0; at < 3; at++)
            meet(at);
        for (int round = 0; round < 60; round++) {
            const unsigned who = roll(3);
            if (roll(4) == 0)
                meet((int)who);
            else
                edit(devices[who]);
        }
        for (int at = 0; at < 6; at++)
            meet(at % 3);
        meet(0);
        devices_equal(&a, &b, all);
        devices_equal(&a, &c, all);
        device_pull(&d, &b, 7);
        devices_equal(&a, &d, all);
        device_close(&d);
        close_all(NULL);
        dice = seed + 1;
    }
}

/* ---- a real database ---- */

static void a_music_shop_arrives_whole(void **state)
{
    (void)state;
    sqlite3_stmt *tables = NULL;
    device_run(&a, "ATTACH %Q AS plain", SAT_TEST_DATA "/data/chinook.sqlite");
    sqlite3_close(NULL);
    assert_int_equal(
        sqlite3_prepare_v2(a.app,
                           "SELECT name, sql FROM plain.sqlite_master WHERE "
                           "type = 'table' AND name NOT LIKE 'sqlite%'",
                           -1, &tables, NULL),
        SQLITE_OK);
    device_run(&a, "PRAGMA foreign_keys = OFF");
    while (sqlite3_step(tables) == SQLITE_ROW) {
        device_run(&a, "%s", sqlite3_column_text(tables, 1));
        device_run(&a, "INSERT INTO main.\"%w\" SELECT * FROM plain.\"%w\"",
                   sqlite3_column_text(tables, 0),
                   sqlite3_column_text(tables, 0));
    }
    (void)sqlite3_finalize(tables);
    device_run(&a, "DETACH plain");
    device_track(&a, NULL);
    meet(0);
    meet(1);
    device_run(&b, "UPDATE Artist SET Name = 'AC⚡DC' WHERE ArtistId = 1");
    device_run(&b, "DELETE FROM InvoiceLine WHERE InvoiceLineId % 7 = 0");
    meet(1);
    meet(2);
    meet(0);
    device_pull(&a, &b, 1000);
    static const char *const queries[] = {
        "SELECT count(*), group_concat(Name) FROM (SELECT Name FROM Artist "
        "ORDER BY ArtistId)",
        "SELECT count(*), sum(UnitPrice), sum(Bytes), min(Name), max(Name) "
        "FROM Track",
        "SELECT count(*), sum(InvoiceId), sum(TrackId) FROM InvoiceLine",
        "SELECT count(*), sum(PlaylistId * TrackId) FROM PlaylistTrack",
        "SELECT group_concat(FirstName || ReportsTo) FROM Employee"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        devices_equal(&a, &b, queries[i]);
        devices_equal(&a, &c, queries[i]);
    }
    assert_string_equal(device_get(&c, "SELECT count(*) FROM Track"), "3503;");
}

/* ---- sealing ---- */

static void an_item_opens_in_its_own_place_only(void **state)
{
    (void)state;
    static const uint8_t id[32] = {1}, other[32] = {2}, device_id[32] = {3};
    sat__item_place place = {id, item_keys_now(s.keys)->id, 5, device_id};
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat_buf) out = SAT_BUF_INIT;
    sat_error err = {0};
    assert_int_equal(sat__item_seal(sat_env_system(), s.press, s.keys, &place,
                                    bytes_of("content", 7), &sealed, &err),
                     SAT_OK);
    assert_int_equal(sealed.len, 256 + SAT_SEAL_OVERHEAD);
    assert_int_equal(sat__item_unseal(s.press, s.keys, &place,
                                      buf_view(&sealed), &out, &err),
                     SAT_OK);
    assert_memory_equal(out.data, "content", 7);
    const sat__item_place wrong[] = {
        {other, place.epoch, 5, device_id},
        {id, place.epoch, 4, device_id},
        {id, place.epoch, 5, other},
    };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sat__item_unseal(s.press, s.keys, &wrong[i],
                                          buf_view(&sealed), &out, &err),
                         SAT_ERR_AUTH);
    place.epoch = other;
    assert_int_equal(sat__item_unseal(s.press, s.keys, &place,
                                      buf_view(&sealed), &out, &err),
                     SAT_ERR_DENIED);
    place.epoch = item_keys_now(s.keys)->id;
    s.keys->vault[0] ^= 1;
    assert_int_equal(sat__item_unseal(s.press, s.keys, &place,
                                      buf_view(&sealed), &out, &err),
                     SAT_ERR_AUTH);
    s.keys->vault[0] ^= 1;
    for (size_t at = 0; at < sealed.len; at += 13) {
        sealed.data[at] ^= 1;
        assert_int_not_equal(sat__item_unseal(s.press, s.keys, &place,
                                              buf_view(&sealed), &out, &err),
                             SAT_OK);
        sealed.data[at] ^= 1;
    }
}

static void sizes_say_little(void **state)
{
    (void)state;
    assert_int_equal(sat__padded(1), 256);
    assert_int_equal(sat__padded(256), 256);
    assert_int_equal(sat__padded(257), 272);
    assert_int_equal(sat__padded(1000), 1024);
    assert_int_equal(sat__padded(1025), 1088);
    size_t sizes = 0;
    for (size_t len = 1, last = 0; len <= 1 << 20; len++) {
        const size_t padded = sat__padded(len);
        assert_true(padded >= len);
        assert_true(len <= 256 || padded - len <= len * 12 / 100);
        sizes += padded != last;
        last = padded;
    }
    assert_in_range(sizes, 150, 300);
}

static void content_of_any_size_comes_back(void **state)
{
    (void)state;
    static const uint8_t id[32] = {1};
    const sat__item_place place = {id, item_keys_now(s.keys)->id, 1, id};
    for (size_t len = 0; len < 3000; len = len * 5 / 4 + 1) {
        AUTO(sat_buf) content = SAT_BUF_INIT;
        AUTO(sat_buf) sealed = SAT_BUF_INIT;
        AUTO(sat_buf) out = SAT_BUF_INIT;
        sat_error err = {0};
        for (size_t i = 0; i < len; i++)
            sat__buf_put_byte(&content, len % 2 ? 'x' : (uint8_t)roll(256));
        assert_int_equal(sat__item_seal(sat_env_system(), s.press, s.keys,
                                        &place, buf_view(&content), &sealed,
                                        &err),
                         SAT_OK);
        assert_int_equal(sat__item_unseal(s.press, s.keys, &place,
                                          buf_view(&sealed), &out, &err),
                         SAT_OK);
        assert_true(bytes_equal(buf_view(&content), buf_view(&out)));
        assert_int_equal(sealed.len - SAT_SEAL_OVERHEAD,
                         len % 2 ? 256 : sat__padded(5 + len));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_arrives_and_an_edit_goes_back),
        TEST(what_did_not_change_is_not_sent),
        TEST(an_edit_of_one_cell_on_each_side_is_one_conflict),
        TEST(imported_rows_go_on_from_any_device),
        TEST(a_column_that_came_later_reaches_older_schemas),
        cmocka_unit_test(random_edits_end_as_by_pages),
        TEST(a_music_shop_arrives_whole),
        TEST(an_item_opens_in_its_own_place_only),
        TEST(sizes_say_little),
        TEST(content_of_any_size_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
