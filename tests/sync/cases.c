/*
 * cases.c - trying a case in every way
 */
#include "cases.h"

#include <stdlib.h>
#include <string.h>

#include "sync/value.h"

static void must(sat_status st, const sat_error *err)
{
    if (st != SAT_OK)
        fail_msg("%s: %s", sat_status_name(st), err->message);
}

void device_collect(device *d)
{
    sat_error err = {0};
    must(sat__replica_collect(d->replica, NULL, &err), &err);
}

typedef struct kinds {
    char *line[1000];
    size_t count;
} kinds;

static sat_status add_kind(const sat_conflict *c, void *context, sat_error *err)
{
    kinds *const list = context;
    (void)err;
    assert_true(list->count < 1000);
    if (strcmp(c->status, "open") == 0)
        list->line[list->count++] =
            sqlite3_mprintf("%s:%s;", c->kind, c->column ? c->column : "");
    return SAT_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *device_kinds(device *d)
{
    static sat_buf texts[4];
    static size_t turn;
    sat_buf *const text = &texts[turn++ % 4];
    kinds list = {.count = 0};
    sat_error err = {0};

    must(sat_replica_conflicts(d->replica, NULL, 1000, add_kind, &list, &err),
         &err);
    qsort(list.line, list.count, sizeof *list.line, by_text);
    sat__buf_clear(text);
    for (size_t i = 0; i < list.count; i++) {
        sat__buf_put_text(text, list.line[i]);
        sqlite3_free(list.line[i]);
    }
    return sat__buf_text(text);
}

void device_is_sound(device *d)
{
    assert_string_equal(device_get(d, "PRAGMA integrity_check"), "ok;");
    assert_string_equal(device_get(d, "PRAGMA foreign_key_check"), "");
}

/* Not as text: same type and same bits of every value. */
static void values_equal(device *a, device *b, const char *query)
{
    sqlite3_stmt *left = NULL;
    sqlite3_stmt *right = NULL;

    assert_int_equal(sqlite3_prepare_v2(a->app, query, -1, &left, NULL), 0);
    assert_int_equal(sqlite3_prepare_v2(b->app, query, -1, &right, NULL), 0);
    while (sqlite3_step(left) == SQLITE_ROW) {
        assert_int_equal(sqlite3_step(right), SQLITE_ROW);
        for (int k = 0; k < sqlite3_column_count(left); k++) {
            const sat__value x = sat__value_column(left, k);
            const sat__value y = sat__value_column(right, k);
            assert_true(sat__value_same(&x, &y));
        }
    }
    assert_int_equal(sqlite3_step(right), SQLITE_DONE);
    (void)sqlite3_finalize(left);
    (void)sqlite3_finalize(right);
}

static void pair_is_equal(device *a, device *b, const char *query)
{
    if (query == NULL)
        return;
    devices_equal(a, b, query);
    values_equal(a, b, query);
}

merge_way merge_way_number(int number)
{
    return (merge_way){.b_first = number & 1, .rows = number & 2 ? 1 : 1000};
}

void trio_open(trio *t, const char *schema, const char *rows)
{
    sat_error err = {0};

    device_open(&t->a, "a");
    device_open(&t->b, "b");
    device_open(&t->c, "c");
    device_run(&t->a, "%s", schema);
    must(sat_replica_track(t->a.replica, NULL, &err), &err);
    if (rows != NULL)
        device_run(&t->a, "%s", rows);
    device_sync(&t->a, &t->b);
}

void trio_close(trio *t)
{
    device_close(&t->a);
    device_close(&t->b);
    device_close(&t->c);
}

void trio_write(trio *t, const char *a, const char *b)
{
    test_now_ms += 1000;
    device_run(&t->a, "%s", a);
    device_collect(&t->a);
    test_now_ms += 1000;
    device_run(&t->b, "%s", b);
    device_collect(&t->b);
}

static int64_t groups_of(device *d)
{
    return strtoll(device_get(d, "SELECT count(*) FROM sync_groups"), NULL, 10);
}

void trio_meet(trio *t, merge_way way, const char *query)
{
    device *const first = way.b_first ? &t->b : &t->a;
    device *const second = way.b_first ? &t->a : &t->b;

    device_pull(second, first, way.rows);
    device_pull(first, second, way.rows);
    pair_is_equal(first, second, query);
    const int64_t left = groups_of(first);
    const int64_t right = groups_of(second);
    device_pull(first, second, way.rows);
    device_pull(second, first, way.rows);
    pair_is_equal(first, second, query);
    assert_int_equal(groups_of(first), left);
    assert_int_equal(groups_of(second), right);
}

void trio_join(trio *t, const char *query)
{
    device_pull(&t->c, &t->a, 7);
    pair_is_equal(&t->a, &t->c, query);
    device_pull(&t->b, &t->c, 7);
    pair_is_equal(&t->b, &t->c, query);
    device_is_sound(&t->a);
    device_is_sound(&t->b);
    device_is_sound(&t->c);
}

static void expect(device *d, const char *query, const char *rows,
                   const char *conflicts)
{
    assert_string_equal(device_get(d, query), rows);
    assert_string_equal(device_kinds(d), conflicts != NULL ? conflicts : "");
}

/* The next change goes to B, and from there to the third. */
static void check_next(trio *t, const merge_case *c, const char *query)
{
    test_now_ms += 1000;
    device_run(&t->a, "%s", c->next);
    device_pull(&t->b, &t->a, 1000);
    device_pull(&t->c, &t->b, 1000);
    pair_is_equal(&t->a, &t->b, query);
    pair_is_equal(&t->a, &t->c, query);
    device_is_sound(&t->c);
    if (c->next_expect != NULL)
        expect(&t->c, query, c->next_expect, c->next_conflicts);
}

static void check_ways(const merge_case *c)
{
    const char *const query = c->query != NULL ? c->query : QUERY_T;

    for (int k = 0; k < MERGE_WAYS; k++) {
        trio t;
        trio_open(&t, c->schema, c->rows);
        trio_write(&t, c->a, c->b);
        trio_meet(&t, merge_way_number(k), query);
        expect(&t.a, query, c->expect, c->conflicts);
        trio_join(&t, query);
        if (c->next != NULL)
            check_next(&t, c, query);
        trio_close(&t);
    }
}

/* What holds for the common table holds for one that has no rowids. */
void merge_check(const merge_case *c)
{
    merge_case placed = *c;

    check_ways(c);
    placed.schema = TABLE_T " WITHOUT ROWID";
    if (strcmp(c->schema, TABLE_T) == 0)
        check_ways(&placed);
}
