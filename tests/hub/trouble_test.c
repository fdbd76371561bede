/*
 * trouble_test.c - what a hub leans on is full, held, or away
 *
 * Row 31 of the list of abuses: 503 with Retry-After, nothing is acknowledged,
 * and what is asked once it is over succeeds.
 */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/sql.h"
#include "postgres.h"
#include "s3.h"
#include "town.h"

#define LARGE ((size_t)1 << 20)

typedef struct scene {
    town t;
    citizen alice;
    vault v;
} scene;

static void scene_open(scene *s)
{
    town_open(&s->t);
    citizen_open(&s->alice, &s->t, "alice@example.org");
    vault_open(&s->v, &s->alice);
}

static void scene_close(scene *s)
{
    vault_close(&s->v);
    citizen_close(&s->alice);
    town_close(&s->t);
}

DEFINE_AUTO(scene, scene_close);

static void assert_busy(const answer *a)
{
    assert_int_equal(a->status, 503);
    assert_non_null(sat__headers_get(&a->response.headers, "Retry-After"));
    assert_true(answer_is_code(a, "busy"));
    const char *const body = (const char *)a->response.body.data;
    assert_null(memmem(body, a->response.body.len, "SQL", 3));
    assert_null(memmem(body, a->response.body.len, "/tmp", 4));
}

static size_t count_items(scene *s)
{
    AUTO(answer) a = {.status = 0};

    assert_int_equal(vault_pull(&s->v, &s->alice, 0, 100, &a), 200);
    return hub_node_find(a.body, "items")->count;
}

/* A push that can not be kept, and the same again when it can. */
static void push_in_trouble(scene *s, const sealed *items, size_t count,
                            void (*begin)(scene *s), void (*end)(scene *s))
{
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) head = SAT_BUF_INIT;
    const size_t before = count_items(s);

    vault_head(&s->v, &s->alice, &head);
    begin(s);
    (void)vault_push(&s->v, &s->alice, 1, 0, items, count, &head, &a);
    assert_busy(&a);
    end(s);
    assert_int_equal(count_items(s), before);
    assert_int_equal(
        vault_push(&s->v, &s->alice, 1, 0, items, count, &head, &a), 200);
    assert_int_equal(count_items(s), before + count);
}

static PGconn *pg;

/* ---- full ---- */

static void limit_files(size_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void fill_disk(scene *s)
{
    (void)s;
    limit_files(4096);
}

static void empty_disk(scene *s)
{
    (void)s;
    limit_files(RLIM_INFINITY);
}

static void row_31_a_store_that_is_full(void **state)
{
    AUTO(scene) s;
    const sealed items[] = {{.id = {1}, .size = 3000},
                            {.id = {2}, .size = 300}};

    (void)state;
    scene_open(&s);
    push_in_trouble(&s, items, 2, fill_disk, empty_disk);
}

/* What is there already must be larger than the log's own files are. */
static void row_31_a_postgresql_that_is_full(void **state)
{
    enum { COUNT = 6 };
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    sealed items[COUNT];

    (void)state;
    postgres_limit((size_t)16 << 20);
    scene_open(&s);
    /* Ciphertext would not become smaller; what looks like it would. */
    pg = PQconnectdb(s.t.database);
    PQclear(PQexec(pg, "ALTER TABLE items ALTER data SET STORAGE EXTERNAL"));
    PQfinish(pg);
    unsigned status = 200, pushes = 0;
    for (; status == 200 && pushes < 10; pushes++) {
        for (size_t i = 0; i < COUNT; i++)
            items[i] =
                (sealed){.id = {(uint8_t)pushes, (uint8_t)i}, .size = LARGE};
        status = vault_push(&s.v, &s.alice, pushes, 0, items, COUNT, NULL, &a);
    }
    assert_busy(&a);
    const int64_t kept = (int64_t)(pushes - 1) * COUNT;
    assert_int_equal(vault_pull(&s.v, &s.alice, 0, 100, &a), 200);
    postgres_limit(RLIM_INFINITY);
    town_restart(&s.t);
    assert_int_equal(vault_pull(&s.v, &s.alice, kept, 100, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 0);
    assert_int_equal(
        vault_push(&s.v, &s.alice, pushes - 1, 0, items, COUNT, NULL, &a), 200);
    assert_int_equal(answer_int(&a, "sequence"), kept + COUNT);
}

/* ---- held ---- */

static sqlite3 *holder;

static void hold_file(scene *s)
{
    assert_int_equal(sqlite3_open(s->t.database, &holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
}

static void let_go(scene *s)
{
    (void)s;
    assert_int_equal(sqlite3_exec(holder, "ROLLBACK", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(holder), SQLITE_OK);
}

static void row_31_a_database_that_is_locked(void **state)
{
    AUTO(scene) s;
    const sealed items[] = {{.id = {1}, .size = 300}};

    (void)state;
    scene_open(&s);
    push_in_trouble(&s, items, 1, hold_file, let_go);
}

static void hold_vaults(scene *s)
{
    pg = PQconnectdb(s->t.database);
    PQclear(PQexec(pg, "BEGIN; SELECT * FROM vaults FOR UPDATE"));
}

static void let_vaults_go(scene *s)
{
    (void)s;
    PQfinish(pg);
}

static void row_31_a_row_that_is_locked(void **state)
{
    AUTO(scene) s;
    const sealed items[] = {{.id = {1}, .size = 300}};

    (void)state;
    scene_open(&s);
    push_in_trouble(&s, items, 1, hold_vaults, let_vaults_go);
}

/* ---- away ---- */

static void stop_postgres(scene *s)
{
    (void)s;
    postgres_stop();
}

static void start_postgres(scene *s)
{
    (void)s;
    postgres_start();
}

static void row_31_a_postgresql_that_is_away(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {{.id = {1}, .size = 300}};

    (void)state;
    scene_open(&s);
    push_in_trouble(&s, items, 1, stop_postgres, start_postgres);
    postgres_stop();
    (void)vault_pull(&s.v, &s.alice, 0, 10, &a);
    assert_busy(&a);
    (void)town_ask(&s.t, &s.alice, "GET", "/api/vaults", NULL, &a);
    assert_busy(&a);
    postgres_start();
    assert_int_equal(count_items(&s), 1);
}

/* ---- blobs ---- */

static const char content[] = "ciphertext of a file";

/* An address for it, and its key. */
static void announce(scene *s, char address[TOWN_ADDRESS_SIZE], char key[33])
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    const sat_bytes data = bytes_of(content, sizeof content - 1);
    hub_out body = town_body(&s->t, &text);
    uint8_t hash[32], md5[16];

    sat__sha256(data, hash);
    sat__md5(data, md5);
    hub_out_map(&body, 3);
    hub_out_key(&body, "md5");
    hub_out_id(&body, md5, 16);
    hub_out_key(&body, "size");
    hub_out_int(&body, (int64_t)data.len);
    hub_out_key(&body, "sha256");
    hub_out_id(&body, hash, 32);
    hub_out_end(&body);
    assert_int_equal(
        town_ask(&s->t, &s->alice, "POST", "/v0/backup/upload_url", &text, &a),
        200);
    answer_address(&a, address);
    answer_text(&a, "key", key, 33);
}

static unsigned complete(scene *s, const char *key, answer *a)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    hub_out body = town_body(&s->t, &text);

    hub_out_map(&body, 3);
    hub_out_key(&body, "objects");
    hub_out_array(&body, 0);
    hub_out_end(&body);
    hub_out_key(&body, "version");
    hub_out_int(&body, 1);
    hub_out_key(&body, "manifest");
    hub_out_text(&body, key);
    hub_out_end(&body);
    return town_ask(&s->t, &s->alice, "POST", "/v0/backup/complete_upload",
                    &text, a);
}

static void row_31_a_directory_that_is_full(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    char address[TOWN_ADDRESS_SIZE], key[33];
    const sat_bytes data = bytes_of(content, sizeof content - 1);

    (void)state;
    scene_open(&s);
    announce(&s, address, key);
    limit_files(1);
    const unsigned status = town_put(&s.t, address, data);
    limit_files(RLIM_INFINITY);
    assert_int_equal(status, 503);
    assert_int_equal(complete(&s, key, &a), 422);
    assert_int_equal(town_put(&s.t, address, data), 200);
    assert_int_equal(complete(&s, key, &a), 200);
}

static void row_31_a_blob_store_that_is_away(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    char address[TOWN_ADDRESS_SIZE], key[33];

    (void)state;
    scene_open(&s);
    announce(&s, address, key);
    assert_int_equal(
        town_put(&s.t, address, bytes_of(content, sizeof content - 1)), 200);
    s3_stop();
    (void)complete(&s, key, &a);
    assert_busy(&a);
    assert_int_equal(count_items(&s), 0); /* the rest goes on */
    s3_start();
    assert_int_equal(complete(&s, key, &a), 200);
}

int main(void)
{
    const struct CMUnitTest sqlite[] = {
        cmocka_unit_test(row_31_a_store_that_is_full),
        cmocka_unit_test(row_31_a_database_that_is_locked),
        cmocka_unit_test(row_31_a_directory_that_is_full),
    };
    const struct CMUnitTest postgres[] = {
        cmocka_unit_test(row_31_a_row_that_is_locked),
        cmocka_unit_test(row_31_a_postgresql_that_is_away),
        cmocka_unit_test(row_31_a_postgresql_that_is_full),
    };
    const struct CMUnitTest store[] = {
        cmocka_unit_test(row_31_a_blob_store_that_is_away),
    };

    (void)signal(SIGXFSZ, SIG_IGN);
    (void)unsetenv("SAT_EXCHANGES"); /* there is no room for a record */
    int failed =
        cmocka_run_group_tests_name("trouble with SQLite", sqlite, NULL, NULL);
    town_blobs = TOWN_S3;
    failed += cmocka_run_group_tests_name("trouble with S3", store, NULL, NULL);
    town_blobs = TOWN_DIRECTORY;
    town_storage = TOWN_POSTGRES;
    return failed + cmocka_run_group_tests_name("trouble with PostgreSQL",
                                                postgres, NULL, NULL);
}
