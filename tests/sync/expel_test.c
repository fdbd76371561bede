/*
 * expel_test.c - what a device wrote after it was revoked counts nowhere
 *
 * A revokes X. C has met X meanwhile, or meets it later, and then A: whatever
 * way it goes, A and C end alike, with nothing of X beyond what A had of it.
 */
#include "cases.h"

typedef struct four {
    device a, c, x, d;
} four;

static void four_open(four *f)
{
    device_open(&f->a, "a");
    device_open(&f->c, "c");
    device_open(&f->x, "x");
    device_open(&f->d, "d");
    device_run(&f->a, "%s; %s", TABLE_T, ROWS_T);
    device_track(&f->a, "t");
    device_pull(&f->c, &f->a, 100);
    device_pull(&f->x, &f->a, 100);
}

static void four_close(four *f)
{
    device_close(&f->a);
    device_close(&f->c);
    device_close(&f->x);
    device_close(&f->d);
}

/* What A says of X as it revokes it. */
static void leave(device *who, sat__arena *arena, const device *x,
                  sat__departure *out)
{
    assert_int_equal(
        sat__replica_dots_of(who->replica, x->id, arena, out, NULL), SAT_OK);
    assert_int_equal(sat__replica_expel(who->replica, out, 1, NULL), SAT_OK);
}

static void hear(device *who, const sat__departure *of)
{
    sat_error err = {0};
    if (sat__replica_expel(who->replica, of, 1, &err) != SAT_OK)
        fail_msg("%s", err.message);
}

/* Whether `to` takes what `from` has, as devices that meet do. */
static bool takes(device *to, device *from, size_t rows)
{
    const sat__page_limits limits = {1 << 20, rows};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO(sat_buf) cursor = SAT_BUF_INIT;
    sat__apply_report report;
    bool complete = false;

    assert_int_equal(sat__replica_knowledge(to->replica, &base, NULL), SAT_OK);
    while (!complete) {
        AUTO(sat_buf) page = SAT_BUF_INIT;
        AUTO(sat_buf) next = SAT_BUF_INIT;
        assert_int_equal(sat__replica_read(from->replica, buf_view(&base),
                                           buf_view(&cursor), &limits, &page,
                                           &next, NULL),
                         SAT_OK);
        assert_int_equal(sat__replica_stage(to->replica, from->id,
                                            buf_view(&page), &complete, NULL),
                         SAT_OK);
        sat__buf_clear(&cursor);
        sat__buf_put(&cursor, next.data, next.len);
    }
    const sat_status st =
        sat__replica_check_sender(to->replica, from->id, NULL);
    if (st == SAT_OK)
        assert_int_equal(
            sat__replica_apply(to->replica, from->id, &report, NULL), SAT_OK);
    else
        assert_int_equal(st, SAT_ERR_CONFLICT);
    return st == SAT_OK;
}

static void write_late(device *x)
{
    device_run(x, "UPDATE t SET qty = 66, name = 'late' WHERE id = 'a'; "
                  "INSERT INTO t VALUES('late', 6, 'late'); "
                  "DELETE FROM t WHERE id = 'b'");
}

static void late_changes_do_not_come_through_a_third_device(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure gone;
    four f;
    (void)state;
    four_open(&f);
    device_run(&f.x, "UPDATE t SET qty = 5 WHERE id = 'a'");
    device_pull(&f.a, &f.x, 100);
    leave(&f.a, &arena, &f.x, &gone);
    write_late(&f.x);
    device_pull(&f.c, &f.x, 100); /* it has not heard of it */
    assert_string_equal(device_get(&f.c, QUERY_T), "a|66|late;late|6|late;");
    assert_false(takes(&f.a, &f.c, 1));
    device_pull(&f.a, &f.c, 1); /* nor from a hub, that does not ask */
    assert_string_equal(device_get(&f.a, QUERY_T), "a|5|x;b|2|y;");
    hear(&f.c, &gone);
    assert_string_equal(device_get(&f.c, QUERY_T), "a|1|x;b|2|y;");
    assert_false(takes(&f.c, &f.x, 100)); /* nor from itself any more */
    device_pull(&f.d, &f.c, 100);         /* which says nothing for now */
    assert_true(takes(&f.a, &f.c, 100));
    assert_string_equal(device_get(&f.a, QUERY_T), "a|5|x;b|2|y;");
    device_sync(&f.a, &f.c);
    devices_equal(&f.a, &f.c, QUERY_T);
    assert_string_equal(device_get(&f.a, QUERY_T), "a|5|x;b|2|y;");
    assert_string_equal(device_conflicts(&f.a), "");
    device_sync(&f.d, &f.c);
    devices_equal(&f.d, &f.a, QUERY_T);
    four_close(&f);
}

static void who_heard_first_takes_what_counts_and_no_more(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure gone;
    four f;
    (void)state;
    four_open(&f);
    device_run(&f.x, "UPDATE t SET qty = 5 WHERE id = 'a'");
    device_pull(&f.a, &f.x, 100);
    leave(&f.a, &arena, &f.x, &gone);
    write_late(&f.x);
    hear(&f.c, &gone);
    assert_false(takes(&f.c, &f.x, 1));
    assert_string_equal(device_get(&f.c, QUERY_T), "a|1|x;b|2|y;");
    device_sync(&f.a, &f.c);
    devices_equal(&f.a, &f.c, QUERY_T);
    four_close(&f);
}

static void what_others_wrote_upon_late_changes_stays(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure gone;
    four f;
    (void)state;
    four_open(&f);
    leave(&f.a, &arena, &f.x, &gone);
    write_late(&f.x);
    device_pull(&f.c, &f.x, 100);
    test_now_ms += 1000;
    device_run(&f.c, "UPDATE t SET name = 'mine' WHERE id = 'a'");
    device_run(&f.a, "UPDATE t SET qty = 9 WHERE id = 'b'");
    hear(&f.c, &gone);
    device_sync(&f.a, &f.c);
    devices_equal(&f.a, &f.c, QUERY_T);
    assert_string_equal(device_get(&f.a, QUERY_T), "a|1|mine;b|9|y;");
    device_pull(&f.d, &f.c, 1);
    device_sync(&f.d, &f.a);
    devices_equal(&f.a, &f.d, QUERY_T);
    four_close(&f);
}

static void another_life_of_the_device_counts_nothing(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure gone;
    four f;
    (void)state;
    four_open(&f);
    leave(&f.a, &arena, &f.x, &gone);
    assert_int_equal(sat__replica_renew(f.x.replica, NULL), SAT_OK);
    write_late(&f.x);
    device_pull(&f.a, &f.x, 100);
    assert_string_equal(device_get(&f.a, QUERY_T), "a|1|x;b|2|y;");
    four_close(&f);
}

static void of_two_last_dots_the_greater_counts(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure early, later;
    four f;
    (void)state;
    four_open(&f);
    leave(&f.a, &arena, &f.x, &early);
    device_run(&f.x, "UPDATE t SET qty = 5 WHERE id = 'a'");
    device_pull(&f.c, &f.x, 100);
    leave(&f.c, &arena, &f.x, &later);
    hear(&f.a, &later);
    hear(&f.c, &early);
    device_sync(&f.a, &f.c);
    devices_equal(&f.a, &f.c, QUERY_T);
    assert_string_equal(device_get(&f.a, QUERY_T), "a|5|x;b|2|y;");
    four_close(&f);
}

static void who_is_let_in_again_is_taken_again(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure gone;
    four f;
    (void)state;
    four_open(&f);
    leave(&f.a, &arena, &f.x, &gone);
    write_late(&f.x);
    assert_false(takes(&f.a, &f.x, 100));
    assert_int_equal(sat__replica_expel(f.a.replica, NULL, 0, NULL), SAT_OK);
    assert_true(takes(&f.a, &f.x, 100));
    device_sync(&f.a, &f.x);
    devices_equal(&f.a, &f.x, QUERY_T);
    assert_string_equal(device_get(&f.a, QUERY_T), "a|66|late;late|6|late;");
    four_close(&f);
}

/* Under other keys, as who was revoked and is let in again. */
static void come_back(device *x)
{
    x->id[0] ^= 0x40;
    device_reopen(x);
}

static void who_comes_back_brings_what_was_not_sent(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure gone;
    four f;
    (void)state;
    four_open(&f);
    leave(&f.a, &arena, &f.x, &gone);
    write_late(&f.x);
    come_back(&f.x);
    device_run(&f.x, "INSERT INTO t VALUES('new', 7, 'new')");
    hear(&f.x, &gone);
    assert_string_equal(device_get(&f.x, QUERY_T),
                        "a|66|late;late|6|late;new|7|new;");
    assert_true(takes(&f.a, &f.x, 1));
    assert_string_equal(device_get(&f.a, QUERY_T),
                        "a|66|late;late|6|late;new|7|new;");
    hear(&f.c, &gone);
    device_sync(&f.c, &f.a);
    device_sync(&f.a, &f.x);
    devices_equal(&f.a, &f.x, QUERY_T);
    devices_equal(&f.c, &f.a, QUERY_T);
    assert_string_equal(device_conflicts(&f.a), "");
    device_run(&f.a, "UPDATE t SET qty = 8 WHERE id = 'late'");
    device_sync(&f.x, &f.a);
    devices_equal(&f.x, &f.a, QUERY_T);
    four_close(&f);
}

static void it_stands_beside_what_others_wrote_meanwhile(void **state)
{
    AUTO(sat__arena) arena = {0};
    sat__departure gone;
    four f;
    (void)state;
    four_open(&f);
    leave(&f.a, &arena, &f.x, &gone);
    hear(&f.c, &gone);
    write_late(&f.x);
    device_collect(&f.x); /* which is when its edits have their time */
    test_now_ms += 1000;
    device_run(&f.a, "UPDATE t SET qty = 77 WHERE id = 'a'");
    device_run(&f.c, "UPDATE t SET name = 'kept' WHERE id = 'b'");
    device_sync(&f.a, &f.c);
    come_back(&f.x);
    hear(&f.x, &gone);
    device_sync(&f.x, &f.a);
    device_sync(&f.c, &f.x);
    devices_equal(&f.a, &f.x, QUERY_T);
    devices_equal(&f.a, &f.c, QUERY_T);
    assert_string_equal(device_get(&f.a, QUERY_T),
                        "a|77|late;b|2|kept;late|6|late;");
    assert_string_equal(
        device_conflicts(&f.a),
        "delete::{\"id\":\"b\",\"qty\":2,\"name\":\"kept\"}:null;"
        "update:qty:77:66;");
    four_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_back_brings_what_was_not_sent),
        cmocka_unit_test(it_stands_beside_what_others_wrote_meanwhile),
        cmocka_unit_test(late_changes_do_not_come_through_a_third_device),
        cmocka_unit_test(who_heard_first_takes_what_counts_and_no_more),
        cmocka_unit_test(what_others_wrote_upon_late_changes_stays),
        cmocka_unit_test(another_life_of_the_device_counts_nothing),
        cmocka_unit_test(who_is_let_in_again_is_taken_again),
        cmocka_unit_test(of_two_last_dots_the_greater_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
