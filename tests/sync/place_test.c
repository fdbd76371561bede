/*
 * place_test.c - a table without rowids fares as one that has them
 *
 * Two devices write the same random statements to a table with rowids and to
 * one without, meet, and go on. Both tables must show the same, always, and
 * have the same conflicts.
 */
#include <stdio.h>

#include "cases.h"

#define COLUMNS "(k TEXT COLLATE NOCASE, j INT, u UNIQUE, x, PRIMARY KEY(j, k))"

typedef struct chance {
    uint64_t state;
} chance;

static unsigned below(chance *c, unsigned n)
{
    c->state = c->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(c->state >> 33) % n;
}

/* "%s" stands for the table. In what order a statement comes upon rows differs,
 * so one that may evict changes one row. */
static const char *const statements[] = {
    "INSERT OR IGNORE INTO %s VALUES('%c', %d, %d, %d)",
    "INSERT OR REPLACE INTO %s VALUES('%c', %d, %d, %d)",
    "REPLACE INTO %s(k, j, x) SELECT '%c', %d, %d + 10 * %d",
    "INSERT OR IGNORE INTO %s VALUES('%c', %d, %d, %d) ON CONFLICT(j, k) DO "
    "UPDATE SET x = x + 1",
    "UPDATE OR IGNORE %s SET k = '%c', j = %d WHERE u = %d + 0 * %d",
    "UPDATE OR REPLACE %s SET k = '%c', j = %d WHERE u = %d + 0 * %d",
    "UPDATE OR REPLACE %s SET x = unicode('%c') + %d, u = %d WHERE u = %d",
    "UPDATE OR REPLACE %s SET j = j + 1, u = u + 1 WHERE k = '%c' AND j = %d + "
    "0 * %d * %d",
    "UPDATE %s SET x = unicode('%c') WHERE j = %d AND u <> %d + 0 * %d",
    "UPDATE OR IGNORE %s SET k = upper(k) WHERE k <> '%c' OR j = %d + %d * %d",
    "DELETE FROM %s WHERE k = '%c' OR j = %d * %d + %d",
    "DELETE FROM %s WHERE k = '%c' AND j >= 0 * %d * %d * %d",
};

static void write_one(device *d, chance *c)
{
    const unsigned which = below(c, sizeof statements / sizeof *statements);
    const char key = (char)((below(c, 3) == 0 ? 'A' : 'a') + (int)below(c, 4));
    const int j = (int)below(c, 3);
    const int u = (int)below(c, 6);
    const int x = (int)below(c, 9);
    char sql[300];

    for (int k = 0; k < 2; k++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(sql, sizeof sql, statements[which], k == 0 ? "t" : "w",
                       key, j, u, x);
#pragma GCC diagnostic pop
        device_run(d, "%s", sql);
    }
}

static void write_some(device *d, chance *c)
{
    const unsigned count = 1 + below(c, 5);
    const bool is_whole = below(c, 2) == 0;

    if (is_whole)
        device_run(d, "BEGIN");
    for (unsigned k = 0; k < count; k++) {
        if (is_whole && below(c, 5) == 0) {
            device_run(d, "SAVEPOINT s");
            write_one(d, c);
            device_run(d, "ROLLBACK TO s; RELEASE s");
        }
        write_one(d, c);
        if (!is_whole && below(c, 4) == 0)
            device_collect(d);
    }
    if (is_whole)
        device_run(d, "COMMIT");
    test_now_ms += 1000;
    device_collect(d);
}

static const char *differences(device *d)
{
    return device_get(d, "SELECT 't', * FROM (SELECT * FROM t EXCEPT SELECT * "
                         "FROM w) UNION ALL SELECT 'w', * FROM (SELECT * FROM w"
                         " EXCEPT SELECT * FROM t) UNION ALL SELECT name, c, "
                         "kind, count(*), 0 FROM sync_open JOIN sync_tables "
                         "USING(t) GROUP BY c, kind HAVING sum(name = 't') <> "
                         "sum(name = 'w')");
}

static void run_seed(uint64_t seed)
{
    chance c = {seed * 7919 + 1};
    device a, b;

    device_open(&a, "a");
    device_open(&b, "b");
    device_run(&a, "CREATE TABLE t" COLUMNS "; CREATE TABLE w" COLUMNS
                   " WITHOUT ROWID");
    if (seed % 2 == 0)
        write_some(&a, &c);
    device_track(&a, "t");
    device_track(&a, "w");
    device_sync(&a, &b);
    for (int round = 0; round < 4; round++) {
        write_some(&a, &c);
        write_some(&b, &c);
        device_sync(&a, &b);
        if (*differences(&a) != 0 || *differences(&b) != 0)
            fail_msg("seed %llu, round %d: %s", (unsigned long long)seed, round,
                     differences(&a));
        devices_equal(&a, &b, "SELECT * FROM w ORDER BY 1, 2");
        assert_string_equal(
            device_get(&a, "SELECT count(*) FROM sync_place_2 AS p WHERE NOT "
                           "EXISTS(SELECT 1 FROM w WHERE (j, k) = "
                           "(p.sync_k1, p.sync_k2))"),
            "0;");
    }
    device_is_sound(&a);
    device_close(&a);
    device_close(&b);
}

static void tables_fare_alike(void **state)
{
    const char *const asked = getenv("SATCHEL_SEEDS");
    const uint64_t count = asked != NULL ? strtoull(asked, NULL, 10) : 60;

    (void)state;
    for (uint64_t seed = 1; seed <= count; seed++)
        run_seed(seed);
}

/* The cascade comes to the row itself, before triggers know its new key. */
static void check_own_parent(const char *key)
{
    device a, b;

    device_open(&a, "a");
    device_open(&b, "b");
    device_run(&a,
               "CREATE TABLE t(k %s, p REFERENCES t(k) ON UPDATE CASCADE, x)",
               key);
    device_run(&a, "CREATE TABLE w(k INT PRIMARY KEY, p REFERENCES w(k) ON "
                   "UPDATE CASCADE, x) WITHOUT ROWID");
    for (int i = 0; i < 2; i++)
        device_run(&a,
                   "INSERT INTO %s VALUES(1, 1, 'own'), (2, 1, 'other'), "
                   "(3, NULL, 'none')",
                   i == 0 ? "t" : "w");
    device_track(&a, "t");
    device_track(&a, "w");
    device_sync(&a, &b);
    device_run(&a, "PRAGMA foreign_keys = ON");
    device_run(&a, "UPDATE t SET k = 9 WHERE k = 1");
    device_run(&a, "UPDATE w SET k = 9 WHERE k = 1");
    device_sync(&a, &b);
    for (int i = 0; i < 2; i++)
        assert_string_equal(device_get(&b, i == 0
                                               ? "SELECT * FROM t ORDER BY k"
                                               : "SELECT * FROM w ORDER BY k"),
                            "2|9|other;3|NULL|none;9|9|own;");
    assert_string_equal(device_conflicts(&b), "");
    device_close(&a);
    device_close(&b);
}

static void a_row_that_is_its_own_parent_changes_its_key(void **state)
{
    (void)state;
    check_own_parent("INTEGER PRIMARY KEY");
    check_own_parent("INT PRIMARY KEY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_is_its_own_parent_changes_its_key),
        cmocka_unit_test(tables_fare_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
