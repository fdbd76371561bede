/*
 * sync_test.c - two devices meet over TLS and end with the same rows
 */
#include <stdio.h>
#include <time.h>

#include "net/body.h"
#include "site.h"

#define TABLE "CREATE TABLE notes(id TEXT PRIMARY KEY, body TEXT, n INTEGER)"

static void make_tables(site *s)
{
    sat_error err = {0};

    site_run(s, TABLE);
    must(sat_replica_track(s->peer.replica, "notes", &err), &err);
}

static void rows_cross_in_both_directions(void **state)
{
    AUTO(site) a = {0};
    AUTO(site) b = {0};
    AUTO(line) l = {0};
    char url[256];

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    make_tables(&a);
    make_tables(&b);
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    site_run(&a, "INSERT INTO notes VALUES('x', 'from a', 1)");
    site_run(&b, "INSERT INTO notes VALUES('y', 'from b', 2)");
    line_open(&l, &b, url);
    sat__peer_report report = site_sync(&l);
    assert_int_equal(report.pulled, 1);
    assert_int_equal(report.pushed, 1);
    assert_int_equal(report.conflicts, 0);
    assert_int_equal(site_get(&a, "SELECT count(*) FROM notes"), 2);
    assert_int_equal(site_get(&b, "SELECT count(*) FROM notes"), 2);
    report = site_sync(&l);
    assert_int_equal(report.pulled, 0);
    assert_int_equal(report.pushed, 0);
}

static const sat__account_state *account_of(site *s)
{
    const sat__account_state *state = NULL;
    sat_error err = {0};

    must(sat__ledger_chain(sat__registry_ledger(s->peer.registry), NULL, &state,
                           &err),
         &err);
    return state;
}

static bool is_member(site *of, const site *who)
{
    sat__id id;

    memcpy(id.bytes, who->peer.id, sizeof id.bytes);
    const sat__account_principal *const found =
        sat__account_find(account_of(of), &id);
    return found != NULL && !found->is_removed;
}

static sat__master_key master_of(site *s)
{
    sat__master_key master;
    sat_error err = {0};

    must(sat__ledger_master(sat__registry_ledger(s->peer.registry), &master,
                            &err),
         &err);
    return master;
}

static void who_joins_goes_over_to_the_account(void **state)
{
    AUTO(site) a = {.path = ""};
    AUTO(site) b = {.path = ""};
    AUTO(line) l = {.call = {.nonce = ""}};
    char url[256];

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    line_open(&l, &b, url);
    (void)site_sync(&l);
    assert_true(is_member(&b, &a) && is_member(&b, &b));
    const sat__master_key ours = master_of(&a), theirs = master_of(&b);
    assert_memory_equal(&ours, &theirs, sizeof ours);
}

/* c was let in by a, and b hears of it; b lets d in, and a hears of that. */
static void links_reach_every_device(void **state)
{
    AUTO(site) a = {.path = ""};
    AUTO(site) b = {.path = ""};
    AUTO(site) c = {.path = ""};
    AUTO(site) d = {.path = ""};
    AUTO(line) from_b = {.call = {.nonce = ""}};
    sat_error err = {0};
    char url[256], url_b[256];

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    site_open(&c, "c");
    site_open(&d, "d");
    site_serve(&a, url);
    site_serve(&b, url_b);
    site_befriend(&b, &a, url);
    line_open(&from_b, &b, url);
    (void)site_sync(&from_b);
    site_befriend(&c, &a, url);
    site_befriend(&d, &b, url_b);
    (void)site_sync(&from_b);
    assert_true(is_member(&b, &c) && is_member(&a, &d));

    const sat__master_key before = master_of(&a);
    must(sat__registry_revoke(a.peer.registry, d.peer.id, &err), &err);
    (void)site_sync(&from_b);
    assert_false(is_member(&b, &d));
    const sat__master_key after = master_of(&a), theirs = master_of(&b);
    assert_memory_not_equal(&before, &after, sizeof after);
    assert_memory_equal(&theirs, &after, sizeof after);
}

static void another_account_is_not_entered_unasked(void **state)
{
    AUTO(site) a = {.path = ""};
    AUTO(site) b = {.path = ""};
    AUTO(site) c = {.path = ""};
    AUTO(line) l = {.call = {.nonce = ""}};
    AUTO(line) again = {.call = {.nonce = ""}};
    sat__peer_report report;
    sat_error err = {0};
    char url[256], url_c[256];

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    site_open(&c, "c");
    site_serve(&a, url);
    site_serve(&c, url_c);
    site_befriend(&b, &a, url);
    line_open(&l, &b, url);
    (void)site_sync(&l);
    /* b is in an account with a: it does not leave it for c's. */
    site_befriend(&b, &c, url_c);
    line_open(&again, &b, url_c);
    assert_int_equal(sat__peer_sync(&again.call, NULL, NULL, &report, &err),
                     SAT_ERR_CONFLICT);
    assert_true(is_member(&b, &a));
    assert_false(is_member(&b, &c));
}

static void a_new_device_takes_over_the_vault(void **state)
{
    AUTO(site) a = {0};
    AUTO(site) b = {0};
    AUTO(line) l = {0};
    char url[256];

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    make_tables(&a);
    site_run(&a, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM "
                 "c WHERE i < 20000) INSERT INTO notes SELECT 'k' || i, "
                 "hex(randomblob(50)), i FROM c");
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    line_open(&l, &b, url);
    assert_int_equal(site_sync(&l).pulled, 20000);
    assert_int_equal(site_get(&b, "SELECT sum(n) FROM notes"),
                     site_get(&a, "SELECT sum(n) FROM notes"));
}

static void a_conflict_is_told_once_and_resolved_everywhere(void **state)
{
    AUTO(site) a = {0};
    AUTO(site) b = {0};
    AUTO(line) l = {0};
    char url[256];
    uint64_t count;

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    make_tables(&a);
    make_tables(&b);
    site_run(&a, "INSERT INTO notes VALUES('x', 'first', 1)");
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    line_open(&l, &b, url);
    (void)site_sync(&l);
    site_run(&a, "UPDATE notes SET body = 'of a'");
    site_run(&b, "UPDATE notes SET body = 'of b'");
    assert_int_not_equal(site_sync(&l).conflicts, 0);
    assert_int_equal(sat_replica_conflict_count(a.peer.replica, &count, NULL),
                     SAT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(site_get(&a, "SELECT body = 'of a' FROM notes"),
                     site_get(&b, "SELECT body = 'of a' FROM notes"));
}

static void a_program_reads_the_log_in_json(void **state)
{
    AUTO(site) a = {.path = ""};
    AUTO(site) b = {.path = ""};
    AUTO(line) l = {.call = {.nonce = ""}};
    char url[256], body[128];
    json_int_t version = 0, offset = 0;
    size_t count = 0;
    bool is_done = false;

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    make_tables(&a);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(body, sizeof body, "INSERT INTO notes(id) VALUES(%d)",
                       i);
        site_run(&a, body);
    }
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    line_open(&l, &b, url);
    while (!is_done) {
        AUTO(sat__response) response = {0};
        AUTO_JSON json_t *answer = NULL;
        sat_error err = {0};
        const int len =
            snprintf(body, sizeof body,
                     "{\"since_version\":%lld,\"offset\":%lld,\"limit\":2}",
                     (long long)version, (long long)offset);
        must(sat__peer_call_send(&l.call, "POST", "/sync/pull",
                                 "application/json",
                                 bytes_of(body, (size_t)len), &response, &err),
             &err);
        must(sat__body_read(SAT_BODY_CBOR, buf_view(&response.body), &answer,
                            &err),
             &err);
        const json_t *const changes = json_object_get(answer, "changes");
        const json_t *const first = json_array_get(changes, 0);
        count += json_array_size(changes);
        if (first != NULL)
            assert_string_equal(
                json_string_value(json_object_get(first, "operation")),
                "INSERT");
        version = json_integer_value(json_object_get(answer, "version"));
        offset = json_integer_value(json_object_get(answer, "offset"));
        is_done = json_is_true(json_object_get(answer, "done"));
    }
    assert_int_equal(count, 5);
}

/* ---- cut and stopped ---- */

static bool stop_at_once(const sat__peer_report *so_far, void *context)
{
    int *const pages = context;

    (void)so_far;
    (*pages)++;
    return *pages % 3 != 0;
}

static void what_was_stopped_goes_on_where_it_was(void **state)
{
    AUTO(site) a = {0};
    AUTO(site) b = {0};
    char url[256];
    int pages = 0, runs = 0;
    sat_status status = SAT_ERR_STOPPED;

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    make_tables(&a);
    make_tables(&b);
    const char *const many =
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE "
        "i < 20000) INSERT INTO notes SELECT hex(randomblob(16)), "
        "hex(randomblob(50)), i FROM c";
    site_run(&a, many);
    site_run(&b, many);
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    while (status == SAT_ERR_STOPPED && runs++ < 50) {
        AUTO(line) l = {0};
        sat__peer_report report;
        line_open(&l, &b, url);
        status = sat__peer_sync(&l.call, stop_at_once, &pages, &report, NULL);
    }
    assert_int_equal(status, SAT_OK);
    assert_true(runs > 3);
    /* Were each run to begin at the beginning, none would get to the end. */
    assert_int_equal(site_get(&a, "SELECT count(*) FROM notes"), 40000);
    assert_int_equal(site_get(&b, "SELECT count(*) FROM notes"), 40000);
}

static void a_server_that_starts_again_is_asked_again(void **state)
{
    AUTO(site) a = {0};
    AUTO(site) b = {0};
    AUTO(line) l = {0};
    char url[256], again[256];

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    make_tables(&a);
    make_tables(&b);
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    line_open(&l, &b, url);
    (void)site_sync(&l);
    sat__server_stop(a.server);
    a.server = NULL;
    site_serve(&a, again);
    sat__peer_report report;
    assert_int_equal(sat__peer_sync(&l.call, NULL, NULL, &report, NULL),
                     SAT_ERR_OFFLINE);
    line_close(&l);
    line_open(&l, &b, again);
    strcpy(l.call.nonce, "00"); /* of the former server */
    (void)site_sync(&l);
}

static double now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* `site` deletes a row and forgets it, as if the other were no member; that one
 * has an edit of the row which nobody has seen. */
static void forget_a_row(site *forgetful, site *other)
{
    uint64_t count;
    sat_error err = {0};

    site_run(other, "UPDATE notes SET body = 'unsent' WHERE id = 'x'");
    site_run(forgetful, "DELETE FROM notes WHERE id = 'x'");
    must(sat__replica_collect(forgetful->peer.replica, NULL, &err), &err);
    site_ahead_ms += UINT64_C(100) * 24 * 3600 * 1000;
    must(sat__replica_set_members(forgetful->peer.replica, "account", NULL, 0,
                                  &err),
         &err);
    must(sat__replica_forget(forgetful->peer.replica, &count, &err), &err);
    assert_int_equal(count, 1);
}

static void who_missed_forgotten_deletions_starts_afresh(bool is_server)
{
    AUTO(site) a = {.path = ""};
    AUTO(site) b = {.path = ""};
    AUTO(line) l = {.call = {.nonce = ""}};
    site *const late = is_server ? &a : &b;
    sat_error err = {0};
    uint64_t conflicts;
    char url[256];

    site_open(&a, "a");
    site_open(&b, "b");
    make_tables(&a);
    make_tables(&b);
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    site_run(&a, "INSERT INTO notes VALUES('x', 'x', 1), ('y', 'y', 2)");
    line_open(&l, &b, url);
    (void)site_sync(&l);
    forget_a_row(is_server ? &b : &a, late);
    site_run(late, "INSERT INTO notes VALUES('z', 'z', 3)");
    (void)site_sync(&l);
    for (int i = 0; i < 2; i++) {
        site *const one = i == 0 ? &a : &b;
        assert_int_equal(site_get(one, "SELECT count(*) FROM notes"), 2);
        assert_int_equal(
            site_get(one, "SELECT count(*) FROM notes WHERE id = 'x'"), 0);
    }
    must(sat_replica_conflict_count(late->peer.replica, &conflicts, &err),
         &err);
    assert_int_equal(conflicts, 1);
    const sat__peer_report report = site_sync(&l);
    assert_int_equal(report.pulled + report.pushed, 0);
}

static void a_client_that_missed_deletions_starts_afresh(void **state)
{
    (void)state;
    who_missed_forgotten_deletions_starts_afresh(false);
}

static void a_server_that_missed_deletions_starts_afresh(void **state)
{
    (void)state;
    who_missed_forgotten_deletions_starts_afresh(true);
}

static void a_hundred_rows_take_a_moment(void **state)
{
    AUTO(site) a = {0};
    AUTO(site) b = {0};
    char url[256];
    double best = 1e9;

    (void)state;
    site_open(&a, "a");
    site_open(&b, "b");
    make_tables(&a);
    make_tables(&b);
    site_serve(&a, url);
    site_befriend(&b, &a, url);
    for (int i = 0; i < 5; i++) {
        AUTO(line) l = {0};
        site_run(&a, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                     "FROM c WHERE i < 100) INSERT INTO notes SELECT "
                     "hex(randomblob(16)), hex(randomblob(50)), i FROM c");
        line_open(&l, &b, url);
        const double start = now_ms();
        assert_int_equal(site_sync(&l).pulled, 100);
        const double took = now_ms() - start;
        best = took < best ? took : best;
    }
    print_message("100 rows, device to device: %.1f ms\n", best);
    assert_true(best < 1000); /* the benchmark has the real bound */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_cross_in_both_directions),
        cmocka_unit_test(who_joins_goes_over_to_the_account),
        cmocka_unit_test(links_reach_every_device),
        cmocka_unit_test(another_account_is_not_entered_unasked),
        cmocka_unit_test(a_new_device_takes_over_the_vault),
        cmocka_unit_test(a_conflict_is_told_once_and_resolved_everywhere),
        cmocka_unit_test(a_program_reads_the_log_in_json),
        cmocka_unit_test(what_was_stopped_goes_on_where_it_was),
        cmocka_unit_test(a_server_that_starts_again_is_asked_again),
        cmocka_unit_test(a_client_that_missed_deletions_starts_afresh),
        cmocka_unit_test(a_server_that_missed_deletions_starts_afresh),
        cmocka_unit_test(a_hundred_rows_take_a_moment),
    };
    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
