/*
 * trim_test.c - how far back the log goes
 */
#include "device.h"

#include "sync/history.h"

#define DAY ((uint64_t)24 * 60 * 60 * 1000)

static void must(sat_status status, const sat_error *err)
{
    if (status != SAT_OK)
        fail_msg("%s", err->message);
}

static void write_at(device *d, const char *sql)
{
    sat_error err = {0};

    device_run(d, "%s", sql);
    must(sat__replica_collect(d->replica, NULL, &err), &err);
}

static sat_status count_entry(const sat_log_entry *entry, void *context,
                              sat_error *err)
{
    (void)entry;
    (void)err;
    ++*(int *)context;
    return SAT_OK;
}

static int log_length(device *d, const char *key)
{
    sat_error err = {0};
    int count = 0;

    must(sat_replica_log(d->replica, key != NULL ? "t" : NULL, key, 0, SIZE_MAX,
                         count_entry, &count, &err),
         &err);
    return count;
}

static void trim(device *d)
{
    sat_error err = {0};

    must(sat__replica_trim(d->replica, &err), &err);
}

static void open_table(device *d, const char *name)
{
    device_open(d, name);
    device_run(d, "CREATE TABLE t(id TEXT PRIMARY KEY, x)");
    device_track(d, "t");
}

static void the_log_is_kept_for_90_days(void **state)
{
    device a;
    sat_error err = {0};

    (void)state;
    open_table(&a, "a");
    write_at(&a, "INSERT INTO t VALUES('a', 1), ('b', 1)");
    test_now_ms += DAY;
    write_at(&a, "UPDATE t SET x = 2 WHERE id = 'a'");
    test_now_ms += 50 * DAY;
    write_at(&a, "UPDATE t SET x = 3 WHERE id = 'a'");
    const int64_t before =
        strtoll(device_get(&a, "SELECT max(g) - 1 FROM sync_groups"), NULL, 10);
    trim(&a);
    assert_string_equal(device_get(&a, "SELECT count(*) FROM sync_history"),
                        "2;");
    assert_int_equal(log_length(&a, NULL), 4);

    /* 2 was replaced 49 days ago, 1 was 99 days ago. */
    test_now_ms += 49 * DAY;
    trim(&a);
    assert_string_equal(device_get(&a, "SELECT count(*) FROM sync_history"),
                        "1;");
    assert_int_equal(log_length(&a, NULL), 1);
    must(sat_replica_revert(a.replica, "t", "a", (uint64_t)before, &err), &err);
    assert_string_equal(device_get(&a, "SELECT * FROM t ORDER BY 1"),
                        "a|2;b|1;");

    test_now_ms += 91 * DAY;
    trim(&a);
    assert_string_equal(device_get(&a, "SELECT count(*) FROM sync_history"),
                        "0;");
    assert_int_equal(log_length(&a, NULL), 0);
    device_close(&a);
}

static void a_conflict_keeps_the_history_of_its_row(void **state)
{
    device a, b;

    (void)state;
    open_table(&a, "a");
    device_open(&b, "b");
    write_at(&a, "INSERT INTO t VALUES('a', 1)");
    device_sync(&a, &b);
    write_at(&a, "UPDATE t SET x = 2");
    write_at(&b, "UPDATE t SET x = 3");
    device_sync(&a, &b);
    test_now_ms += 200 * DAY;
    trim(&a);
    assert_string_equal(device_get(&a, "SELECT count(*) FROM sync_history"),
                        "1;");
    assert_string_equal(device_conflicts(&a), "update:x:2:3;");
    device_close(&a);
    device_close(&b);
}

static void it_merges_after_as_before(void **state)
{
    device a, b;

    (void)state;
    open_table(&a, "a");
    device_open(&b, "b");
    write_at(&a, "INSERT INTO t VALUES('a', 1), ('b', 1)");
    device_sync(&a, &b);
    write_at(&a, "UPDATE t SET x = 2; DELETE FROM t WHERE id = 'b'");
    device_sync(&a, &b);
    test_now_ms += 200 * DAY;
    trim(&a);
    write_at(&a, "UPDATE t SET x = 3 WHERE id = 'a'");
    write_at(&b, "INSERT INTO t VALUES('b', 9)");
    device_sync(&a, &b);
    devices_equal(&a, &b, "SELECT * FROM t ORDER BY 1");
    assert_string_equal(device_get(&a, "SELECT * FROM t ORDER BY 1"),
                        "a|3;b|9;");
    device_close(&a);
    device_close(&b);
}

/* Whatever the pieces, the log read on from place to place is the log. */
typedef struct pieces {
    uint64_t sum;
    int count, left;
} pieces;

static sat_status take_piece(const sat_log_entry *entry, void *context,
                             sat_error *err)
{
    pieces *const all = context;

    (void)err;
    if (all->left-- == 0)
        return SAT_ERR_STOPPED;
    all->count++;
    all->sum = all->sum * 31 + entry->version * 7 + strlen(entry->record_id);
    return SAT_OK;
}

static void the_log_is_read_on_from_any_place(void **state)
{
    device a;
    sat_error err = {0};
    uint64_t sum = 0;

    (void)state;
    open_table(&a, "a");
    write_at(&a, "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM "
                 "c WHERE n < 50) INSERT INTO t SELECT 'n' || n, n FROM c");
    write_at(&a, "UPDATE t SET x = 0 WHERE x % 3 = 0");
    write_at(&a, "DELETE FROM t WHERE x = 0");
    for (int size = 100; size > 0; size -= 33) {
        pieces all = {.left = 0};
        sat__log_place place = {0, 0};
        sat_status status = SAT_ERR_STOPPED;
        while (status == SAT_ERR_STOPPED) {
            all.left = size;
            status = sat__replica_log_from(a.replica, &place, take_piece, &all,
                                           &err);
        }
        must(status, &err);
        assert_int_equal(all.count, 50 + 16 + 16);
        sum = sum == 0 ? all.sum : sum;
        assert_int_equal(all.sum, sum);
    }
    uint64_t unsynced;
    must(sat__replica_unsynced(a.replica, &unsynced, &err), &err);
    assert_int_equal(unsynced, 50 + 16 + 16);
    device_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_is_kept_for_90_days),
        cmocka_unit_test(a_conflict_keeps_the_history_of_its_row),
        cmocka_unit_test(it_merges_after_as_before),
        cmocka_unit_test(the_log_is_read_on_from_any_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
