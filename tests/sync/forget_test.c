/*
 * forget_test.c - deletions are forgotten, and nothing rises from the dead
 */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define YEAR_MS (UINT64_C(365) * 24 * 3600 * 1000)
#define MARKS "SELECT count(*) FROM sync_away WHERE why = 0"

static void must(sat_status st, const sat_error *err)
{
    if (st != SAT_OK)
        fail_msg("%s: %s", sat_status_name(st), err->message);
}

static void set_members(device *d, device *const *list, size_t count)
{
    uint8_t ids[8][SAT_DEVICE_ID_SIZE];
    sat_error err = {0};

    for (size_t i = 0; i < count; i++)
        memcpy(ids[i], list[i]->id, sizeof ids[i]);
    must(sat__replica_set_members(d->replica, "test", ids[0], count, &err),
         &err);
}

static uint64_t forget(device *d)
{
    uint64_t count;
    sat_error err = {0};

    must(sat__replica_forget(d->replica, &count, &err), &err);
    return count;
}

/* All know what all know. */
static void meet_all(trio *t)
{
    for (int round = 0; round < 2; round++) {
        device_sync(&t->a, &t->b);
        device_sync(&t->b, &t->c);
        device_sync(&t->a, &t->c);
    }
}

static void members_of_trio(trio *t)
{
    device *const list[] = {&t->a, &t->b, &t->c};
    for (int i = 0; i < 3; i++)
        set_members(list[i], list, 3);
}

/* ---- when marks go ---- */

static void marks_go_once_all_members_have_seen_them(void **state)
{
    trio t;
    (void)state;
    trio_open(&t, TABLE_T, ROWS_T);
    device_sync(&t.a, &t.c);
    device_run(&t.a, "INSERT INTO t VALUES('c', 3, 'z')");
    meet_all(&t);
    device_run(&t.a, "DELETE FROM t WHERE id = 'c'");
    device_sync(&t.a, &t.b);
    test_now_ms += YEAR_MS;
    assert_int_equal(forget(&t.a), 0); /* nobody said who is a member */
    members_of_trio(&t);
    assert_int_equal(forget(&t.a), 0); /* c has not seen it */
    assert_string_equal(device_get(&t.a, MARKS), "1;");
    meet_all(&t);
    assert_int_equal(forget(&t.a), 1);
    assert_int_equal(forget(&t.a), 0);
    assert_string_equal(device_get(&t.a, MARKS), "0;");
    assert_string_equal(device_get(&t.a, "SELECT count(*) FROM sync_history"),
                        "0;");
    /* b still has its mark, and both go on. */
    device_run(&t.b, "UPDATE t SET qty = 7");
    meet_all(&t);
    assert_string_equal(device_get(&t.a, MARKS), "0;");
    devices_equal(&t.a, &t.b, QUERY_T);
    devices_equal(&t.a, &t.c, QUERY_T);
    trio_close(&t);
}

static void young_marks_stay_for_the_log(void **state)
{
    trio t;
    (void)state;
    trio_open(&t, TABLE_T, NULL);
    members_of_trio(&t);
    device_run(&t.a, "INSERT INTO t VALUES('c', 3, 'z')");
    meet_all(&t);
    test_now_ms += YEAR_MS;
    device_run(&t.a, "DELETE FROM t");
    meet_all(&t);
    assert_int_equal(forget(&t.a), 0);
    trio_close(&t);
}

/* b saw the deletion and has an update beside it, which a has not seen: what it
 * reports is more than a knows. */
static void a_report_that_is_ahead_keeps_the_marks(void **state)
{
    trio t;
    sat_error err = {0};
    AUTO(sat_buf) known = SAT_BUF_INIT;
    (void)state;
    trio_open(&t, TABLE_T, NULL);
    device_run(&t.a, "INSERT INTO t VALUES('c', 3, 'z')");
    meet_all(&t);
    set_members(&t.a, (device *[]){&t.b}, 1);
    device_run(&t.a, "DELETE FROM t");
    device_run(&t.b, "UPDATE t SET qty = 4");
    device_pull(&t.b, &t.a, 1000);
    must(sat__replica_knowledge(t.b.replica, &known, &err), &err);
    must(sat__replica_report(t.a.replica, t.b.id, buf_view(&known), &err),
         &err);
    test_now_ms += YEAR_MS;
    assert_int_equal(forget(&t.a), 0);
    device_sync(&t.a, &t.b);
    assert_int_equal(forget(&t.a), 0);
    devices_equal(&t.a, &t.b, QUERY_T);
    assert_string_equal(device_get(&t.a, QUERY_T), "c|4|z;");
    trio_close(&t);
}

static void imported_rows_keep_their_marks(void **state)
{
    trio t;
    (void)state;
    trio_open(&t, TABLE_T, ROWS_T);
    device_sync(&t.a, &t.c);
    members_of_trio(&t);
    device_run(&t.a, "DELETE FROM t WHERE id = 'a'");
    meet_all(&t);
    test_now_ms += YEAR_MS;
    const char *const marks = device_get(&t.a, MARKS " AND b = 0");
    (void)forget(&t.a);
    assert_string_equal(device_get(&t.a, MARKS), marks);
    trio_close(&t);
}

/* ---- row 32 ---- */

/*
 * c is put back to before a row was deleted, and edits. a and b have forgotten
 * the deletion: what c has not seen is in no table of theirs.
 */
static void return_late(trio *t)
{
    trio_open(t, TABLE_T, NULL);
    device_run(&t->a, "INSERT INTO t VALUES('a', 1, 'x'), ('b', 2, 'y'), "
                      "('untouched', 3, 'z')");
    meet_all(t);
    device_make_vault(&t->c);
    members_of_trio(t);
    device_save(&t->c);
    device_run(&t->a, "DELETE FROM t WHERE id <> 'b'");
    meet_all(t);
    test_now_ms += YEAR_MS;
    assert_int_equal(forget(&t->a), 2);
    assert_int_equal(forget(&t->b), 2);
    device_restore(&t->c);
    device_run(&t->c, "UPDATE t SET name = 'unsent' WHERE id <> 'untouched'");
    device_run(&t->c, "INSERT INTO t VALUES('new', 4, 'w')");
}

#define GONE "delete::{\"id\":\"a\",\"qty\":1,\"name\":\"unsent\"}:null;"

static void check_returned(trio *t)
{
    static const char rows[] = "b|2|unsent;new|4|w;";
    device *const list[] = {&t->a, &t->b, &t->c};
    for (int i = 0; i < 3; i++) {
        assert_string_equal(device_get(list[i], QUERY_T), rows);
        device_is_sound(list[i]);
    }
    assert_string_equal(device_conflicts(&t->a), "");
    assert_string_equal(device_conflicts(&t->b), "");
    assert_string_equal(device_conflicts(&t->c), GONE);
}

static void settle_trio(trio *t, size_t rows)
{
    device *const list[] = {&t->a, &t->b, &t->c};
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 3; k++)
                if (i != k)
                    assert_true(device_take(list[i], list[k], rows));
}

static void case_32_it_pulls_first(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= 1000; rows += 999) {
        trio t;
        sat_error err = {0};
        return_late(&t);
        assert_int_equal(device_try_pull(&t.c, &t.a, rows, false, &err),
                         SAT_ERR_CONFLICT);
        assert_non_null(strstr(err.message, "start afresh"));
        assert_string_equal(device_get(&t.c, "SELECT count(*) FROM t"), "4;");
        assert_true(device_take(&t.c, &t.a, rows));
        settle_trio(&t, rows);
        check_returned(&t);
        trio_close(&t);
    }
}

static void case_32_others_pull_first(void **state)
{
    trio t;
    sat_error err = {0};
    (void)state;
    return_late(&t);
    assert_int_equal(device_try_pull(&t.a, &t.c, 1000, false, &err),
                     SAT_ERR_CONFLICT);
    assert_non_null(strstr(err.message, "start afresh"));
    assert_int_equal(device_try_pull(&t.b, &t.c, 1, true, &err),
                     SAT_ERR_CONFLICT);
    assert_false(device_take(&t.b, &t.c, 1000));
    assert_string_equal(device_get(&t.a, QUERY_T), "b|2|y;");
    assert_true(device_take(&t.c, &t.b, 1000));
    settle_trio(&t, 1000);
    check_returned(&t);
    trio_close(&t);
}

/* A device that joined meanwhile knows the deletions, and has no marks. */
static void case_32_it_meets_a_third_that_joined_meanwhile(void **state)
{
    trio t;
    device d;
    (void)state;
    return_late(&t);
    device_open(&d, "d");
    device_run(&d, TABLE_T);
    device_track(&d, "t");
    device_pull(&d, &t.a, 1000);
    assert_false(device_take(&d, &t.c, 1000));
    assert_true(device_take(&t.c, &d, 1000));
    assert_true(device_take(&d, &t.c, 1000));
    settle_trio(&t, 1000);
    check_returned(&t);
    assert_string_equal(device_get(&d, QUERY_T), "b|2|unsent;new|4|w;");
    device_close(&d);
    trio_close(&t);
}

/* c was revoked before the deletion, and comes back under other keys. */
static void case_32_it_was_revoked_meanwhile(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure gone;
    trio t;
    sat_error err = {0};
    (void)state;
    trio_open(&t, TABLE_T, NULL);
    device_run(&t.a, "INSERT INTO t VALUES('a', 1, 'x'), ('b', 2, 'y'), "
                     "('untouched', 3, 'z')");
    meet_all(&t);
    must(sat__replica_dots_of(t.a.replica, t.c.id, &arena, &gone, &err), &err);
    for (int i = 0; i < 2; i++) {
        device *const one = i == 0 ? &t.a : &t.b;
        must(sat__replica_expel(one->replica, &gone, 1, &err), &err);
        set_members(one, (device *[]){&t.a, &t.b}, 2);
    }
    device_run(&t.c, "UPDATE t SET name = 'unsent' WHERE id <> 'untouched'; "
                     "INSERT INTO t VALUES('new', 4, 'w')");
    device_run(&t.a, "DELETE FROM t WHERE id <> 'b'");
    device_sync(&t.a, &t.b);
    test_now_ms += YEAR_MS;
    assert_int_equal(forget(&t.a), 2);
    assert_int_equal(forget(&t.b), 2);
    device_collect(&t.c);
    t.c.id[0] ^= 0x40;
    device_reopen(&t.c);
    must(sat__replica_expel(t.c.replica, &gone, 1, &err), &err);
    assert_true(device_take(&t.c, &t.a, 1000));
    settle_trio(&t, 1000);
    check_returned(&t);
    trio_close(&t);
}

static void case_32_what_was_kept_comes_back_if_asked(void **state)
{
    static const struct {
        sat_resolution how;
        const char *json, *rows;
    } ways[] = {
        {SAT_RESOLVE_LOCAL, NULL, "a|1|unsent;b|2|unsent;new|4|w;"},
        {SAT_RESOLVE_REMOTE, NULL, "b|2|unsent;new|4|w;"},
        {SAT_RESOLVE_DATA, "{\"qty\": 9}", "a|9|unsent;b|2|unsent;new|4|w;"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        trio t;
        sat_error err = {0};
        return_late(&t);
        assert_true(device_take(&t.c, &t.a, 1000));
        must(sat_replica_resolve(t.c.replica, device_conflict_id(&t.c),
                                 ways[i].how, ways[i].json, &err),
             &err);
        settle_trio(&t, 1000);
        assert_string_equal(device_conflicts(&t.c), "");
        assert_string_equal(device_get(&t.c, QUERY_T), ways[i].rows);
        devices_equal(&t.a, &t.c, QUERY_T);
        devices_equal(&t.b, &t.c, QUERY_T);
        trio_close(&t);
    }
}

/* d is no member that a and b knew of, and held an update: it is no return, the
 * update wins as ever, and the row is whole. */
static void an_unknown_members_update_brings_the_whole_row(void **state)
{
    trio t;
    device d;
    sat_error err = {0};
    (void)state;
    trio_open(&t, TABLE_T, NULL);
    device_open(&d, "d");
    device_run(&d, TABLE_T);
    device_track(&d, "t");
    device_run(&t.a, "INSERT INTO t VALUES('a', 1, 'x')");
    meet_all(&t);
    device_pull(&d, &t.a, 1000);
    device_run(&d, "UPDATE t SET qty = 2");
    device_run(&t.a, "DELETE FROM t");
    meet_all(&t);
    set_members(&t.a, (device *[]){&t.b, &t.c}, 2);
    device_pull(&d, &t.c, 1000);
    test_now_ms += YEAR_MS;
    assert_int_equal(forget(&t.a), 1);
    device_pull(&t.c, &d, 1000);
    assert_string_equal(device_get(&t.c, QUERY_T), "a|2|x;");
    assert_int_equal(device_try_pull(&t.a, &t.c, 1000, false, &err),
                     SAT_ERR_CONFLICT);
    assert_string_equal(device_get(&t.a, QUERY_T), "");
    assert_true(device_take(&t.a, &t.c, 1000));
    assert_string_equal(device_get(&t.a, QUERY_T), "a|2|x;");
    assert_string_equal(
        device_conflicts(&t.a), /* which deleted it */
        "delete::null:{\"id\":\"a\",\"qty\":2,\"name\":\"x\"};");
    assert_string_equal(
        device_conflicts(&t.c),
        "delete::{\"id\":\"a\",\"qty\":2,\"name\":\"x\"}:null;");
    device_close(&d);
    trio_close(&t);
}

/* Should the sender forget between two pages, the pull begins anew. */
static void a_pull_from_the_start_begins_again_when_something_goes(void **state)
{
    const sat__page_limits one = {1 << 20, 1};
    trio t;
    sat_error err = {0};
    AUTO(sat_buf) page = SAT_BUF_INIT;
    AUTO(sat_buf) next = SAT_BUF_INIT;
    AUTO(sat_buf) second = SAT_BUF_INIT;
    AUTO(sat_buf) end = SAT_BUF_INIT;
    bool complete;
    device d;
    (void)state;
    trio_open(&t, TABLE_T, NULL);
    members_of_trio(&t);
    device_run(&t.a, "INSERT INTO t VALUES('a', 1, 'x'), ('b', 2, 'y')");
    meet_all(&t);
    device_run(&t.a, "DELETE FROM t WHERE id = 'a'");
    meet_all(&t);
    test_now_ms += YEAR_MS;
    device_open(&d, "d");
    must(sat__replica_read(t.a.replica, bytes_of(NULL, 0), bytes_of(NULL, 0),
                           &one, &page, &next, &err),
         &err);
    must(
        sat__replica_stage(d.replica, t.a.id, buf_view(&page), &complete, &err),
        &err);
    assert_int_equal(forget(&t.a), 1);
    must(sat__replica_read(t.a.replica, bytes_of(NULL, 0), buf_view(&next),
                           &one, &second, &end, &err),
         &err);
    assert_int_equal(sat__replica_stage(d.replica, t.a.id, buf_view(&second),
                                        &complete, &err),
                     SAT_ERR_CONFLICT);
    device_pull(&d, &t.a, 1);
    devices_equal(&d, &t.a, QUERY_T);
    device_close(&d);
    trio_close(&t);
}

/* ---- many random runs ---- */

#define KEYS 12
#define DEVICES 3

typedef struct run {
    uint64_t chance;
    device d[DEVICES];
    bool is_saved[DEVICES];
    bool is_doomed[KEYS]; /* somebody forgot its deletion */
    bool is_late[KEYS];   /* written on a device that was put back */
    bool was_back[DEVICES];
    int next;
} run;

static unsigned roll(run *r, unsigned sides)
{
    r->chance = r->chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(r->chance >> 33) % sides;
}

static bool has_mark(device *d, int key)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   MARKS " AND instr(state, CAST('key%02d' AS BLOB)) > 0", key);
    return strcmp(device_get(d, sql), "0;") != 0;
}

static void forget_some(run *r, device *d)
{
    bool before[KEYS];
    for (int key = 0; key < KEYS; key++)
        before[key] = has_mark(d, key);
    test_now_ms += YEAR_MS;
    (void)forget(d);
    for (int key = 0; key < KEYS; key++)
        r->is_doomed[key] =
            r->is_doomed[key] || (before[key] && !has_mark(d, key));
}

static void write_some(run *r, int number)
{
    device *const d = &r->d[number];
    const int key = (int)roll(r, KEYS);
    switch (roll(r, 4)) {
    case 0:
    case 1:
        if (r->next < KEYS)
            device_run(d, "INSERT INTO t VALUES('key%02d', 1, 'x')", r->next++);
        return;
    case 2:
        device_run(d, "UPDATE t SET qty = %d WHERE id = 'key%02d'",
                   (int)roll(r, 1000), key);
        r->is_late[key] = r->is_late[key] || r->was_back[number];
        return;
    default:
        device_run(d, "DELETE FROM t WHERE id = 'key%02d'", key);
    }
}

static void finish(run *r)
{
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < DEVICES; i++)
            for (int k = 0; k < DEVICES; k++)
                if (i != k)
                    (void)device_take(&r->d[i], &r->d[k], 3);
}

static void step(run *r)
{
    const int number = (int)roll(r, DEVICES);
    device *const d = &r->d[number];
    test_now_ms += 1000;
    switch (roll(r, 14)) {
    case 0:
        device_collect(d); /* else it is written by the next life again */
        device_save(d);
        r->is_saved[number] = true;
        return;
    case 1:
        if (r->is_saved[number] && roll(r, 3) == 0) {
            device_restore(d);
            r->was_back[number] = true;
        }
        return;
    case 2:
    case 3:
        forget_some(r, d);
        return;
    case 12:
        finish(r);
        forget_some(r, d);
        return;
    case 4:
    case 5:
    case 6:
    case 7:
        write_some(r, number);
        return;
    default:
        (void)device_take(d, &r->d[(number + 1 + (int)roll(r, 2)) % DEVICES],
                          1 + roll(r, 4));
    }
}

static void check(run *r, uint64_t seed)
{
    for (int i = 0; i < DEVICES; i++) {
        device_is_sound(&r->d[i]);
        if (strcmp(device_get(&r->d[i], QUERY_T),
                   device_get(&r->d[0], QUERY_T)) != 0)
            fail_msg("run %llu: device %d differs: %s, not %s",
                     (unsigned long long)seed, i, device_get(&r->d[i], QUERY_T),
                     device_get(&r->d[0], QUERY_T));
    }
    for (int key = 0; key < KEYS; key++) {
        char sql[100];
        (void)snprintf(sql, sizeof sql,
                       "SELECT count(*) FROM t WHERE id = 'key%02d'", key);
        if (r->is_doomed[key] && !r->is_late[key] &&
            strcmp(device_get(&r->d[0], sql), "0;") != 0)
            fail_msg("run %llu: key%02d rose from the dead",
                     (unsigned long long)seed, key);
    }
}

static void nothing_rises_from_the_dead_in_random_runs(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    const char *const asked = getenv("SAT_FORGET_RUNS");
    const uint64_t runs = asked != NULL ? strtoull(asked, NULL, 10) : 25;
    int doomed = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= runs; seed++) {
        run r = {.chance = seed * 0x9e3779b97f4a7c15u};
        test_now_ms = 1000000;
        device *const list[] = {&r.d[0], &r.d[1], &r.d[2]};
        for (int i = 0; i < DEVICES; i++) {
            device_open(&r.d[i], names[i]);
            device_run(&r.d[i], TABLE_T);
            device_track(&r.d[i], "t");
            device_make_vault(&r.d[i]);
            set_members(&r.d[i], list, DEVICES);
        }
        for (int i = 0; i < 120; i++)
            step(&r);
        finish(&r);
        check(&r, seed);
        for (int key = 0; key < KEYS; key++)
            doomed += r.is_doomed[key];
        for (int i = 0; i < DEVICES; i++)
            device_close(&r.d[i]);
    }
    assert_true(doomed > (int)runs); /* or the runs show nothing */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_go_once_all_members_have_seen_them),
        cmocka_unit_test(young_marks_stay_for_the_log),
        cmocka_unit_test(a_report_that_is_ahead_keeps_the_marks),
        cmocka_unit_test(imported_rows_keep_their_marks),
        cmocka_unit_test(case_32_it_pulls_first),
        cmocka_unit_test(case_32_others_pull_first),
        cmocka_unit_test(case_32_it_meets_a_third_that_joined_meanwhile),
        cmocka_unit_test(case_32_it_was_revoked_meanwhile),
        cmocka_unit_test(case_32_what_was_kept_comes_back_if_asked),
        cmocka_unit_test(an_unknown_members_update_brings_the_whole_row),
        cmocka_unit_test(
            a_pull_from_the_start_begins_again_when_something_goes),
        cmocka_unit_test(nothing_rises_from_the_dead_in_random_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
