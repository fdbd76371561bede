/*
 * counter_test.c - columns whose concurrent changes add up
 */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static void must(sat_status st, const sat_error *err)
{
    if (st != SAT_OK)
        fail_msg("%s: %s", sat_status_name(st), err->message);
}

static void declare(device *d, const char *column)
{
    sat_error err = {0};
    must(sat_replica_set_counter(d->replica, "t", column, &err), &err);
}

/* Row ('a', 1, 'x') on both, written by a; qty counts, as only a declares. */
static void trio_count(trio *t)
{
    trio_open(t, TABLE_T, NULL);
    declare(&t->a, "qty");
    device_run(&t->a, "INSERT INTO t VALUES('a', 1, 'x')");
    device_sync(&t->a, &t->b);
    device_sync(&t->a, &t->b);
}

static void case_12_a_counter_adds_both(void **state)
{
    (void)state;
    for (int i = 0; i < MERGE_WAYS; i++) {
        trio t;
        trio_count(&t);
        trio_write(&t, "UPDATE t SET qty = qty + 1",
                   "UPDATE t SET qty = qty + 1");
        trio_meet(&t, merge_way_number(i), QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|3|x;");
        assert_string_equal(device_kinds(&t.a), "");
        trio_join(&t, QUERY_T);
        device_run(&t.c, "UPDATE t SET qty = qty - 10");
        device_run(&t.a, "UPDATE t SET qty = qty + 100, name = 'y'");
        device_run(&t.a, "UPDATE t SET qty = qty + 1");
        for (int round = 0; round < 2; round++) {
            device_sync(&t.b, &t.c);
            device_sync(&t.a, &t.b);
        }
        assert_string_equal(device_get(&t.a, QUERY_T), "a|94|y;");
        devices_equal(&t.a, &t.b, QUERY_T);
        devices_equal(&t.a, &t.c, QUERY_T);
        trio_close(&t);
    }
}

static void imported_values_are_added_to(void **state)
{
    trio t;
    (void)state;
    trio_open(&t, TABLE_T, ROWS_T);
    declare(&t.a, "qty");
    declare(&t.b, "qty");
    trio_write(&t, "UPDATE t SET qty = qty + 5", "UPDATE t SET qty = qty * 10");
    trio_meet(&t, merge_way_number(0), QUERY_T);
    assert_string_equal(device_get(&t.a, QUERY_T), "a|15|x;b|25|y;");
    assert_string_equal(device_kinds(&t.a), "");
    trio_join(&t, QUERY_T);
    trio_close(&t);
}

static void an_addition_meets_a_deletion_as_an_update_does(void **state)
{
    (void)state;
    for (int i = 0; i < MERGE_WAYS; i++) {
        trio t;
        sat_error err = {0};
        trio_count(&t);
        device_run(&t.b, "UPDATE t SET qty = qty + 10");
        device_sync(&t.a, &t.b);
        device_sync(&t.a, &t.b);
        trio_write(&t, "DELETE FROM t", "UPDATE t SET qty = qty + 1");
        trio_meet(&t, merge_way_number(i), QUERY_T);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|12|x;");
        assert_string_equal(device_kinds(&t.a), "delete:;");
        trio_join(&t, QUERY_T);
        /* Deciding for the row keeps the sum; adding goes on. */
        device_run(&t.c, "UPDATE t SET qty = qty + 100");
        must(sat_replica_resolve(t.b.replica, device_conflict_id(&t.b),
                                 SAT_RESOLVE_LOCAL, NULL, &err),
             &err);
        device_sync(&t.b, &t.c);
        device_sync(&t.a, &t.b);
        device_sync(&t.a, &t.c);
        assert_string_equal(device_get(&t.a, QUERY_T), "a|112|x;");
        assert_string_equal(device_kinds(&t.a), "");
        devices_equal(&t.a, &t.c, QUERY_T);
        device_run(&t.a, "DELETE FROM t");
        device_sync(&t.a, &t.b);
        assert_string_equal(device_get(&t.b, QUERY_T), "");
        trio_close(&t);
    }
}

static void a_device_that_was_put_back_adds_under_another_name(void **state)
{
    trio t;
    (void)state;
    trio_count(&t);
    device_make_vault(&t.b);
    device_run(&t.b, "UPDATE t SET qty = qty + 10");
    device_sync(&t.a, &t.b);
    device_save(&t.b);
    device_run(&t.b, "UPDATE t SET qty = qty + 100");
    device_sync(&t.a, &t.b);
    device_restore(&t.b);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|11|x;");
    device_run(&t.b, "UPDATE t SET qty = qty + 1000");
    device_sync(&t.a, &t.b);
    device_sync(&t.a, &t.b);
    assert_string_equal(device_get(&t.a, QUERY_T), "a|1111|x;");
    devices_equal(&t.a, &t.b, QUERY_T);
    trio_join(&t, QUERY_T);
    trio_close(&t);
}

static void what_is_no_integer_is_written_as_ever(void **state)
{
    trio t;
    (void)state;
    trio_count(&t);
    device_run(&t.b, "UPDATE t SET qty = qty + 4");
    device_sync(&t.a, &t.b);
    device_sync(&t.a, &t.b);
    device_run(&t.a, "UPDATE t SET qty = NULL");
    device_sync(&t.a, &t.b);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|NULL|x;");
    device_run(&t.b, "UPDATE t SET qty = 7");
    device_sync(&t.a, &t.b);
    assert_string_equal(device_get(&t.a, QUERY_T), "a|7|x;");
    device_run(&t.a, "UPDATE t SET qty = 1.5");
    device_sync(&t.a, &t.b);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|1.5|x;");
    device_run(&t.b, "UPDATE t SET qty = 9223372036854775807");
    device_sync(&t.a, &t.b);
    trio_write(&t, "UPDATE t SET qty = qty - 1", "UPDATE t SET qty = qty - 1");
    trio_meet(&t, merge_way_number(1), QUERY_T);
    assert_string_equal(device_get(&t.a, QUERY_T), "a|9223372036854775805|x;");
    trio_close(&t);
}

static void decisions_and_reverts_set_the_sum(void **state)
{
    trio t;
    sat_error err = {0};
    (void)state;
    trio_count(&t);
    device_run(&t.b, "UPDATE t SET qty = qty + 4");
    device_sync(&t.a, &t.b);
    device_sync(&t.a, &t.b);
    trio_write(&t, "UPDATE t SET qty = NULL", "UPDATE t SET qty = 'many'");
    trio_meet(&t, merge_way_number(0), QUERY_T);
    assert_string_equal(device_kinds(&t.a), "update:qty;");
    device_run(&t.b, "UPDATE t SET name = 'z'");
    must(sat_replica_resolve(t.a.replica, device_conflict_id(&t.a),
                             SAT_RESOLVE_DATA, "50", &err),
         &err);
    device_sync(&t.a, &t.b);
    device_sync(&t.a, &t.b);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|50|z;");
    device_run(&t.b, "UPDATE t SET qty = qty + 1");
    device_collect(&t.b);
    const char *const version =
        device_get(&t.b, "SELECT max(g) FROM sync_groups");
    device_run(&t.b, "UPDATE t SET qty = qty + 1");
    device_sync(&t.a, &t.b);
    device_run(&t.a, "UPDATE t SET qty = qty + 1");
    device_sync(&t.a, &t.b);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|53|z;");
    must(sat_replica_revert(t.b.replica, "t", "a", strtoull(version, NULL, 10),
                            &err),
         &err);
    assert_string_equal(device_get(&t.b, QUERY_T), "a|51|z;");
    device_sync(&t.a, &t.b);
    devices_equal(&t.a, &t.b, QUERY_T);
    trio_close(&t);
}

static sat_status add_data(const sat_log_entry *entry, void *context,
                           sat_error *err)
{
    sat__buf_put_text(context, entry->data);
    return sat__buf_status(context, err);
}

static void the_log_tells_what_it_came_to(void **state)
{
    trio t;
    sat_error err = {0};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    (void)state;
    trio_count(&t);
    device_run(&t.b, "UPDATE t SET qty = qty + 4");
    device_sync(&t.a, &t.b);
    device_run(&t.a, "UPDATE t SET qty = qty + 2");
    must(sat_replica_log(t.a.replica, "t", NULL, 0, SIZE_MAX, add_data, &text,
                         &err),
         &err);
    assert_non_null(strstr(sat__buf_text(&text),
                           "{\"id\":\"a\",\"qty\":1,\"name\":\"x\"}"));
    assert_non_null(strstr(sat__buf_text(&text), "{\"qty\":5}"));
    assert_non_null(strstr(sat__buf_text(&text), "{\"qty\":7}"));
    trio_close(&t);
}

static void only_what_can_count_is_declared(void **state)
{
    static const struct {
        const char *column;
        sat_status status;
    } tries[] = {{"id", SAT_ERR_INVALID},     {"u", SAT_ERR_INVALID},
                 {"s", SAT_ERR_INVALID},      {"name", SAT_ERR_INVALID},
                 {"none", SAT_ERR_NOT_FOUND}, {"n", SAT_OK}};
    device d;
    (void)state;
    device_open(&d, "d");
    device_run(&d, "CREATE TABLE t(id INTEGER PRIMARY KEY, u INTEGER UNIQUE, "
                   "s INTEGER, e INTEGER, name TEXT, n INTEGER, CHECK(s <= "
                   "e))");
    device_track(&d, "t");
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        sat_error err = {0};
        assert_int_equal(
            sat_replica_set_counter(d.replica, "t", tries[i].column, &err),
            tries[i].status);
    }
    assert_string_equal(
        device_get(&d, "SELECT name FROM sync_columns WHERE counter"), "n;");
    device_close(&d);
}

/* ---- many random runs ---- */

#define DEVICES 3

static unsigned roll(uint64_t *chance, unsigned sides)
{
    *chance = *chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*chance >> 33) % sides;
}

static void run_once(uint64_t seed)
{
    static const char *const names[] = {"a", "b", "c"};
    device d[DEVICES];
    uint64_t chance = seed * 0x9e3779b97f4a7c15u;
    int64_t sum = 0;
    char expected[64];
    for (int i = 0; i < DEVICES; i++) {
        device_open(&d[i], names[i]);
        device_run(&d[i], TABLE_T);
        device_track(&d[i], "t");
    }
    declare(&d[0], "qty");
    device_run(&d[0], "INSERT INTO t VALUES('a', 0, 'x')");
    for (int i = 1; i < DEVICES; i++)
        device_pull(&d[i], &d[0], 10);
    for (int i = 0; i < 60; i++) {
        device *const one = &d[roll(&chance, DEVICES)];
        device *const other = &d[roll(&chance, DEVICES)];
        test_now_ms += 10;
        switch (roll(&chance, 6)) {
        case 0:
        case 1: {
            const int more = (int)roll(&chance, 2000) - 1000;
            device_run(one, "UPDATE t SET qty = qty + %d", more);
            sum += more;
            break;
        }
        case 2:
            device_run(one, "UPDATE t SET name = 'n%d'", i);
            break;
        default:
            if (one != other)
                device_pull(one, other, 1);
        }
    }
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < DEVICES; i++)
            for (int k = 0; k < DEVICES; k++)
                if (i != k)
                    device_pull(&d[i], &d[k], 10);
    (void)snprintf(expected, sizeof expected, "%lld;", (long long)sum);
    for (int i = 0; i < DEVICES; i++) {
        if (strcmp(device_get(&d[i], "SELECT qty FROM t"), expected) != 0)
            fail_msg("run %llu: %s, not %s", (unsigned long long)seed,
                     device_get(&d[i], "SELECT qty FROM t"), expected);
        device_is_sound(&d[i]);
    }
    for (int i = 0; i < DEVICES; i++)
        device_close(&d[i]);
}

static void sums_are_right_in_random_runs(void **state)
{
    const char *const asked = getenv("SAT_COUNTER_RUNS");
    const uint64_t runs = asked != NULL ? strtoull(asked, NULL, 10) : 40;
    (void)state;
    for (uint64_t seed = 1; seed <= runs; seed++)
        run_once(seed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_12_a_counter_adds_both),
        cmocka_unit_test(imported_values_are_added_to),
        cmocka_unit_test(an_addition_meets_a_deletion_as_an_update_does),
        cmocka_unit_test(a_device_that_was_put_back_adds_under_another_name),
        cmocka_unit_test(what_is_no_integer_is_written_as_ever),
        cmocka_unit_test(decisions_and_reverts_set_the_sum),
        cmocka_unit_test(the_log_tells_what_it_came_to),
        cmocka_unit_test(only_what_can_count_is_declared),
        cmocka_unit_test(sums_are_right_in_random_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
