/*
 * cases_identity_test.c - cases 27 and 29 to 35: keys, copies, clocks, cuts
 */
#include "cases.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TABLES_FAMILY                                                          \
    "CREATE TABLE p(id INTEGER PRIMARY KEY, name);"                            \
    "CREATE TABLE k(id TEXT PRIMARY KEY, p REFERENCES p(id))"
#define QUERY_FAMILY                                                           \
    "SELECT 'p', id, name FROM p UNION ALL SELECT 'k', id, p FROM k "          \
    "ORDER BY 1, 2"

static void must(sat_status st, const sat_error *err)
{
    if (st != SAT_OK)
        fail_msg("%s: %s", sat_status_name(st), err->message);
}

static void resolve(device *d, sat_resolution how)
{
    sat_error err = {0};
    must(
        sat_replica_resolve(d->replica, device_conflict_id(d), how, NULL, &err),
        &err);
}

static void case_27_a_held_row_and_its_children_get_a_free_key(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLES_FAMILY, NULL);
        trio_write(&t,
                   "INSERT INTO p VALUES(1, 'from a');"
                   "INSERT INTO k VALUES('ka', 1)",
                   "INSERT INTO p VALUES(1, 'from b');"
                   "INSERT INTO k VALUES('kb', 1)");
        trio_meet(&t, merge_way_number(k), QUERY_FAMILY);
        assert_string_equal(device_get(&t.a, QUERY_FAMILY),
                            "k|ka|1;k|kb|1;p|1|from a;");
        assert_string_equal(device_kinds(&t.a), "insert:;");
        resolve(k < 2 ? &t.a : &t.b, SAT_RESOLVE_REKEY);
        device_sync(&t.a, &t.b);
        assert_string_equal(device_get(&t.a, QUERY_FAMILY),
                            "k|ka|1;k|kb|2;p|1|from a;p|2|from b;");
        assert_string_equal(device_kinds(&t.a), "");
        devices_equal(&t.a, &t.b, QUERY_FAMILY);
        trio_join(&t, QUERY_FAMILY);
        device_run(&t.c, "UPDATE p SET name = 'next' WHERE id = 2");
        device_sync(&t.c, &t.a);
        assert_string_equal(device_get(&t.a, QUERY_FAMILY),
                            "k|ka|1;k|kb|2;p|1|from a;p|2|next;");
        trio_close(&t);
    }
}

/* The copy is opened by another device; both write, and all meet. */
static void case_29_a_copy_goes_on_as_another_device(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        device_run(&t.a, "UPDATE t SET qty = 5 WHERE id = 'a'");
        device_collect(&t.a);
        device_close(&t.c);
        device_copy(&t.c, "c", &t.a);
        trio_write(&t, "UPDATE t SET qty = 6 WHERE id = 'a'", "SELECT 1");
        device_run(&t.c, "UPDATE t SET qty = 7 WHERE id = 'b'");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        device_sync(&t.c, &t.b);
        device_sync(&t.a, &t.b);
        device_sync(&t.c, &t.a);
        assert_string_equal(device_get(&t.b, QUERY_T), "a|6|x;b|7|y;");
        devices_equal(&t.a, &t.b, QUERY_T);
        devices_equal(&t.a, &t.c, QUERY_T);
        trio_close(&t);
    }
}

/* Yesterday's backup is copied over the vault, and written to. */
static void case_29_a_backup_that_was_put_back(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        device_make_vault(&t.a);
        device_save(&t.a);
        trio_write(&t, "UPDATE t SET qty = 5 WHERE id = 'a'", "SELECT 1");
        device_sync(&t.a, &t.b);
        device_restore(&t.a);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|1|x;b|2|y;");
        test_now_ms += 1000;
        device_run(&t.a, "UPDATE t SET name = 'late' WHERE id = 'a'");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|5|late;b|2|y;");
        assert_string_equal(device_kinds(&t.a), "");
        trio_join(&t, QUERY_T);
        trio_close(&t);
    }
}

/* Two vaults of one device go on side by side. */
static void case_29_a_vault_and_its_copy(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        device twin;
        trio_open(&t, TABLE_T, ROWS_T);
        device_make_vault(&t.a);
        device_copy(&twin, "a-twin", &t.a);
        device_run(&twin, "UPDATE t SET qty = 7 WHERE id = 'b'");
        trio_write(&t, "UPDATE t SET qty = 5 WHERE id = 'a'",
                   "UPDATE t SET name = 'z' WHERE id = 'b'");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        device_sync(&twin, &t.b);
        device_sync(&t.a, &t.b);
        devices_equal(&t.a, &twin, QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|5|x;b|7|z;");
        trio_join(&t, QUERY_T);
        device_close(&twin);
        trio_close(&t);
    }
}

static void case_29_a_vacuum_moves_no_row(void **state)
{
    trio t;
    (void)state;

    trio_open(&t, TABLE_T, ROWS_T);
    device_run(&t.a, "INSERT INTO t VALUES('c', 3, 'z'); DELETE FROM t WHERE "
                     "id = 'b'; UPDATE t SET qty = 4 WHERE id = 'c'; VACUUM");
    device_reopen(&t.a);
    device_run(&t.a, "VACUUM; UPDATE t SET qty = 5 WHERE id = 'c'; VACUUM");
    trio_meet(&t, merge_way_number(0), QUERY_T);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|1|x;c|5|z;");
    trio_close(&t);
}

#define YEARS_73 (73ULL * 365 * 24 * 3600 * 1000)
#define ONE_DAY (24ULL * 3600 * 1000)

/* What knows of the write from 2099 wins over it; nothing else notices. */
static void case_30_a_clock_at_2099_for_one_write(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        t.a.ahead_ms = YEARS_73;
        device_run(&t.a, "UPDATE t SET qty = 5 WHERE id = 'a'");
        device_collect(&t.a);
        t.a.ahead_ms = 0;
        device_sync(&t.a, &t.b);
        trio_write(&t, "UPDATE t SET qty = 7 WHERE id = 'b'",
                   "UPDATE t SET qty = 6; UPDATE t SET name = 'b'");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|6|b;b|6|b;");
        assert_string_equal(device_kinds(&t.a), "update:qty;");
        trio_join(&t, QUERY_T);
        device_run(&t.c, "UPDATE t SET qty = 8 WHERE id = 'a'");
        device_sync(&t.c, &t.a);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|8|b;b|6|b;");
        trio_close(&t);
    }
}

static void case_30_two_devices_a_day_apart(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, TABLE_T, ROWS_T);
        t.a.ahead_ms = ONE_DAY;
        trio_write(&t, "UPDATE t SET qty = 5", "UPDATE t SET name = 'b'");
        trio_meet(&t, merge_way_number(k), QUERY_T);
        test_now_ms += 1000;
        device_run(&t.b, "UPDATE t SET qty = 6, name = 'c' WHERE id = 'a'");
        device_sync(&t.a, &t.b);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|6|c;b|5|b;");
        assert_string_equal(device_kinds(&t.a), "");
        trio_join(&t, QUERY_T);
        trio_close(&t);
    }
}

/* ---- pages, one by one ---- */

#define PAGES_MAX 64

typedef struct pages {
    sat_buf page[PAGES_MAX];
    size_t count;
} pages;

static void pages_read(pages *out, device *to, device *from, size_t rows)
{
    const sat__page_limits limits = {1 << 20, rows};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO(sat_buf) cursor = SAT_BUF_INIT;
    sat_error err = {0};

    *out = (pages){.count = 0};
    must(sat__replica_knowledge(to->replica, &base, &err), &err);
    do {
        AUTO(sat_buf) next = SAT_BUF_INIT;
        assert_true(out->count < PAGES_MAX);
        must(sat__replica_read(from->replica, buf_view(&base),
                               buf_view(&cursor), &limits,
                               &out->page[out->count++], &next, &err),
             &err);
        sat__buf_clear(&cursor);
        sat__buf_put(&cursor, next.data, next.len);
    } while (cursor.len > 0);
}

static void pages_clear(pages *p)
{
    for (size_t k = 0; k < p->count; k++)
        sat__buf_clear(&p->page[k]);
}

static sat_status stage(device *to, const device *from, const sat_buf *page)
{
    bool complete;
    sat_error err = {0};
    const sat_status st = sat__replica_stage(to->replica, from->id,
                                             buf_view(page), &complete, &err);
    assert_true(st == SAT_OK || err.message[0] != 0);
    return st;
}

static sat_status apply(device *to, const device *from)
{
    sat__apply_report report;
    sat_error err = {0};
    return sat__replica_apply(to->replica, from->id, &report, &err);
}

/* Applies the pages in a process of its own, which is killed on the way. */
static void apply_and_die(device *to, const device *from)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* Whatever runs when the second is over, nothing is committed. */
        (void)alarm(1);
        device_reopen(to);
        for (;;) {
            (void)sqlite3_exec(to->own, "BEGIN IMMEDIATE", NULL, NULL, NULL);
            (void)apply(to, from);
            (void)sqlite3_exec(to->own, "ROLLBACK", NULL, NULL, NULL);
        }
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void case_31_a_great_transaction_cut_and_killed_midway(void **state)
{
    trio t;
    pages p;
    (void)state;

    trio_open(&t, TABLE_T, ROWS_T);
    device_run(&t.a, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                     "FROM n WHERE i < 100000) INSERT INTO t SELECT 'n' || i, "
                     "i, 'name ' || i FROM n");
    pages_read(&p, &t.b, &t.a, 5000);
    assert_true(p.count >= 20);
    for (size_t k = 0; k < 10; k++)
        assert_int_equal(stage(&t.b, &t.a, &p.page[k]), SAT_OK);
    device_reopen(&t.b);
    assert_int_equal(apply(&t.b, &t.a), SAT_ERR_INVALID);
    for (size_t k = 10; k < p.count; k++)
        assert_int_equal(stage(&t.b, &t.a, &p.page[k]), SAT_OK);
    apply_and_die(&t.b, &t.a);
    device_reopen(&t.b);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|1|x;b|2|y;");
    assert_int_equal(apply(&t.b, &t.a), SAT_OK);
    assert_string_equal(device_get(&t.b, "SELECT count(*), sum(qty) FROM t"),
                        "100002|5000050003;");
    device_is_sound(&t.b);
    pages_clear(&p);
    trio_close(&t);
}

/* While it was away, rows were deleted and others changed. */
static void case_32_a_device_that_returns_late(void **state)
{
    (void)state;

    for (int k = 0; k < MERGE_WAYS; k++) {
        const merge_way way = merge_way_number(k);
        trio t;
        trio_open(&t, TABLE_T, ROWS_T ", ('c', 3, 'z'), ('d', 4, 'w')");
        device_sync(&t.b, &t.c);
        trio_write(&t, "DELETE FROM t WHERE id IN ('a', 'b')",
                   "UPDATE t SET name = 'b' WHERE id = 'c'");
        device_sync(&t.a, &t.b);
        device_sync(&t.a, &t.b);
        device_run(&t.c, "UPDATE t SET qty = 9 WHERE id IN ('b', 'c');"
                         "DELETE FROM t WHERE id = 'd'");
        if (way.b_first)
            device_pull(&t.c, &t.b, way.rows);
        device_pull(&t.a, &t.c, way.rows);
        device_pull(&t.c, &t.a, way.rows);
        device_pull(&t.b, &t.c, way.rows);
        assert_string_equal(device_get(&t.a, QUERY_T), "b|9|y;c|9|b;");
        assert_string_equal(device_kinds(&t.a), "delete:;");
        devices_equal(&t.a, &t.c, QUERY_T);
        devices_equal(&t.a, &t.b, QUERY_T);
        trio_close(&t);
    }
}

static void case_33_a_writer_without_foreign_keys(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLES_FAMILY,
        .rows = "INSERT INTO p VALUES(1, 'one'); INSERT INTO k VALUES('k', 1)",
        .a = "PRAGMA foreign_keys = OFF; INSERT INTO k VALUES('bad', 99);"
             "INSERT INTO k VALUES('good', 1)",
        .b = "INSERT INTO p VALUES(2, 'two'); INSERT INTO k VALUES('b', 2)",
        .query = QUERY_FAMILY,
        .expect = "k|b|2;k|good|1;k|k|1;p|1|one;p|2|two;",
        .conflicts = "foreign_key:;",
        .next = "INSERT INTO p VALUES(99, 'late')",
        .next_expect =
            "k|b|2;k|bad|99;k|good|1;k|k|1;p|1|one;p|2|two;p|99|late;",
    });
}

static void case_34_messages_doubled_and_reordered(void **state)
{
    trio t;
    pages p;
    (void)state;

    trio_open(&t, TABLE_T, ROWS_T);
    device_run(&t.a, "INSERT INTO t VALUES('c', 3, ''), ('d', 4, '')");
    device_collect(&t.a);
    device_run(&t.a, "DELETE FROM t WHERE id = 'a'");
    pages_read(&p, &t.b, &t.a, 1);
    assert_true(p.count >= 3);
    assert_int_equal(stage(&t.b, &t.a, &p.page[1]), SAT_ERR_CONFLICT);
    assert_int_equal(stage(&t.b, &t.a, &p.page[0]), SAT_OK);
    assert_int_equal(stage(&t.b, &t.a, &p.page[0]), SAT_OK);
    assert_int_equal(stage(&t.b, &t.a, &p.page[2]), SAT_ERR_CONFLICT);
    assert_int_equal(apply(&t.b, &t.a), SAT_ERR_INVALID);
    for (size_t k = 1; k < p.count; k++) {
        assert_int_equal(stage(&t.b, &t.a, &p.page[k]), SAT_OK);
        assert_int_equal(stage(&t.b, &t.a, &p.page[k]), SAT_OK);
    }
    assert_int_equal(apply(&t.b, &t.a), SAT_OK);
    devices_equal(&t.a, &t.b, QUERY_T);
    assert_string_equal(device_get(&t.b, QUERY_T), "b|2|y;c|3|;d|4|;");
    pages_clear(&p);
    trio_close(&t);
}

/* An old pull, played again after the device has moved on, changes nothing. */
static void case_34_messages_replayed(void **state)
{
    trio t;
    pages p;
    (void)state;

    trio_open(&t, TABLE_T, ROWS_T);
    device_run(&t.a, "INSERT INTO t VALUES('c', 3, '');"
                     "UPDATE t SET qty = 5 WHERE id = 'a'");
    pages_read(&p, &t.b, &t.a, 1);
    device_sync(&t.a, &t.b);
    device_run(&t.b, "DELETE FROM t WHERE id = 'c';"
                     "UPDATE t SET qty = 6 WHERE id = 'a'");
    device_sync(&t.a, &t.b);
    for (int again = 0; again < 2; again++) {
        for (size_t k = 0; k < p.count; k++)
            assert_int_equal(stage(&t.b, &t.a, &p.page[k]), SAT_OK);
        assert_int_equal(apply(&t.b, &t.a), SAT_OK);
        assert_string_equal(device_get(&t.b, QUERY_T), "a|6|x;b|2|y;");
        devices_equal(&t.a, &t.b, QUERY_T);
    }
    pages_clear(&p);
    trio_close(&t);
}

static void case_34_messages_of_another_version_or_broken(void **state)
{
    trio t;
    pages p;
    (void)state;

    trio_open(&t, TABLE_T, ROWS_T);
    device_run(&t.a, "INSERT INTO t VALUES('c', 3, '')");
    pages_read(&p, &t.b, &t.a, 1000);
    assert_int_equal(p.count, 1);
    p.page[0].data[1]++; /* the version follows the head of the array */
    assert_int_equal(stage(&t.b, &t.a, &p.page[0]), SAT_ERR_VERSION);
    p.page[0].data[1] -= 1;
    p.page[0].len--;
    assert_int_equal(stage(&t.b, &t.a, &p.page[0]), SAT_ERR_CORRUPT);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|1|x;b|2|y;");
    device_sync(&t.a, &t.b);
    devices_equal(&t.a, &t.b, QUERY_T);
    pages_clear(&p);
    trio_close(&t);
}

static void case_35_a_trigger_that_keeps_the_time_of_change(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_T
        "; ALTER TABLE t ADD COLUMN updated DEFAULT 0;"
        "CREATE TRIGGER touch AFTER UPDATE ON t WHEN NEW.updated IS "
        "OLD.updated BEGIN UPDATE t SET updated = updated + 1 WHERE id = "
        "NEW.id; END",
        .rows = "INSERT INTO t(id, qty, name) VALUES('a', 1, 'x')",
        .a = "UPDATE t SET qty = 5",
        .b = "UPDATE t SET name = 'z'",
        .expect = "a|5|z|1;",
        .next = "UPDATE t SET qty = 6",
        .next_expect = "a|6|z|2;",
    });
}

#define TABLE_NOTE                                                             \
    "CREATE TABLE note(id INTEGER PRIMARY KEY, body, edits DEFAULT 0);"        \
    "CREATE VIRTUAL TABLE f USING fts5(body, content = note,"                  \
    " content_rowid = id);"                                                    \
    "CREATE TRIGGER f_insert AFTER INSERT ON note BEGIN"                       \
    " INSERT INTO f(rowid, body) VALUES(NEW.id, NEW.body); END;"               \
    "CREATE TRIGGER f_delete AFTER DELETE ON note BEGIN"                       \
    " INSERT INTO f(f, rowid, body) VALUES('delete', OLD.id, OLD.body); END;"  \
    "CREATE TRIGGER f_update AFTER UPDATE ON note BEGIN"                       \
    " INSERT INTO f(f, rowid, body) VALUES('delete', OLD.id, OLD.body);"       \
    " INSERT INTO f(rowid, body) VALUES(NEW.id, NEW.body); END;"
#define ROWS_NOTE                                                              \
    "INSERT INTO note(id, body) VALUES(1, 'red fox'), (2, 'blue whale'),"      \
    " (3, 'green frog')"

static void case_35_a_full_text_index_kept_by_triggers(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_NOTE,
        .rows = ROWS_NOTE,
        .a = "UPDATE note SET body = 'red panda' WHERE id = 1;"
             "INSERT INTO note(id, body) VALUES(4, 'red deer')",
        .b = "DELETE FROM note WHERE id = 2;"
             "UPDATE note SET body = 'red frog' WHERE id = 3",
        .query = "SELECT rowid, body FROM f WHERE f MATCH 'red OR blue OR fox' "
                 "ORDER BY rowid",
        .expect = "1|red panda;3|red frog;4|red deer;",
        .next = "UPDATE note SET body = 'blue ' || id",
        .next_expect = "1|blue 1;3|blue 3;4|blue 4;",
    });
}

/* One trigger must fire for what was merged, the other must not. */
static void case_35_both_kinds_of_trigger_on_one_table(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema =
            TABLE_NOTE "CREATE TRIGGER touch AFTER UPDATE OF body ON note "
                       "BEGIN UPDATE note SET edits = edits + 1 WHERE id "
                       "= NEW.id; END",
        .rows = ROWS_NOTE,
        .a = "UPDATE note SET body = 'red panda' WHERE id = 1;"
             "UPDATE note SET body = 'red whale' WHERE id = 2",
        .b = "UPDATE note SET body = 'red frog' WHERE id = 3;"
             "UPDATE note SET id = 20 WHERE id = 2",
        .query = "SELECT id, note.body, edits FROM f JOIN note ON f.rowid = id "
                 "WHERE f MATCH 'red' ORDER BY id",
        .expect = "1|red panda|1;3|red frog|1;20|red whale|1;",
        .next = "UPDATE note SET body = 'blue' WHERE id = 1",
        .next_expect = "3|red frog|1;20|red whale|1;",
    });
}

/* Triggers that can not be held back are off for their own table alone. */
static void case_35_an_index_beside_triggers_that_refuse(void **state)
{
    (void)state;
    merge_check(&(merge_case){
        .schema = TABLE_NOTE
        "CREATE TABLE rule(id INTEGER PRIMARY KEY, x);"
        "CREATE TRIGGER guard BEFORE DELETE ON rule WHEN OLD.id = 1 "
        "BEGIN SELECT RAISE(ABORT, 'no'); END;"
        "CREATE TABLE recent(id INTEGER PRIMARY KEY, x);"
        "CREATE TRIGGER few AFTER INSERT ON recent BEGIN "
        "DELETE FROM recent WHERE id <= NEW.id - 2; END",
        .rows = ROWS_NOTE "; INSERT INTO rule VALUES(1, 'a'), (2, 'b');"
                          "INSERT INTO recent VALUES(1, 'a'), (2, 'b')",
        .a = "UPDATE note SET body = 'red panda' WHERE id = 1;"
             "UPDATE rule SET x = 'c'; INSERT INTO recent VALUES(3, 'c');"
             "INSERT INTO note(id, body) VALUES(4, 'red deer')",
        .b = "DELETE FROM note WHERE id = 2; DELETE FROM rule WHERE id = 2;"
             "UPDATE note SET body = 'red frog' WHERE id = 3",
        .query = "SELECT rowid, body FROM f WHERE f MATCH 'red OR blue OR fox' "
                 "UNION ALL SELECT id, x FROM recent UNION ALL SELECT id, x "
                 "FROM rule ORDER BY 1, 2",
        .expect = "1|c;1|red panda;2|b;2|c;3|c;3|red frog;4|red deer;",
        .conflicts = "delete:;",
        .next = "UPDATE note SET body = 'blue ' || id; UPDATE recent SET x = 7",
    });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_27_a_held_row_and_its_children_get_a_free_key),
        cmocka_unit_test(case_29_a_copy_goes_on_as_another_device),
        cmocka_unit_test(case_29_a_backup_that_was_put_back),
        cmocka_unit_test(case_29_a_vault_and_its_copy),
        cmocka_unit_test(case_29_a_vacuum_moves_no_row),
        cmocka_unit_test(case_30_a_clock_at_2099_for_one_write),
        cmocka_unit_test(case_30_two_devices_a_day_apart),
        cmocka_unit_test(case_31_a_great_transaction_cut_and_killed_midway),
        cmocka_unit_test(case_32_a_device_that_returns_late),
        cmocka_unit_test(case_33_a_writer_without_foreign_keys),
        cmocka_unit_test(case_34_messages_doubled_and_reordered),
        cmocka_unit_test(case_34_messages_replayed),
        cmocka_unit_test(case_34_messages_of_another_version_or_broken),
        cmocka_unit_test(case_35_a_trigger_that_keeps_the_time_of_change),
        cmocka_unit_test(case_35_a_full_text_index_kept_by_triggers),
        cmocka_unit_test(case_35_both_kinds_of_trigger_on_one_table),
        cmocka_unit_test(case_35_an_index_beside_triggers_that_refuse),
    };
    return cmocka_run_group_tests_name("cases of identity", tests, NULL, NULL);
}
