/*
 * groups.c - dots, who gave them, and how far each is known
 */
#include "sync/core.h"

/* An honest message names no more incarnations than this. */
#define INCARNATIONS_MAX 10000

sat_status sat__group_get(sat_replica *replica, int64_t g, sat__group *out,
                          sat_error *err)
{
    sat__group *const kept = &replica->kept[(uint64_t)g % GROUPS_KEPT];
    sqlite3_stmt *stmt;
    bool row;
    if (g == 0 || kept->g == g) {
        *out = g == 0 ? (sat__group){0} : *kept;
        return SAT_OK;
    }
    TRY(core_sql(replica, SQL_GROUP_GET,
                 "SELECT i, n, time FROM sync_groups WHERE g = ?", &stmt, err));
    (void)sqlite3_bind_int64(stmt, 1, g);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the tracking tables name group %lld, which is not "
                         "listed",
                         (long long)g);
    *out = (sat__group){g, sqlite3_column_int64(stmt, 0),
                        sqlite3_column_int64(stmt, 1),
                        sqlite3_column_int64(stmt, 2)};
    (void)sqlite3_reset(stmt);
    *kept = *out;
    return SAT_OK;
}

static sat_status group_add(sat_replica *replica, int64_t i, int64_t n,
                            int64_t time, int64_t *g, sat_error *err)
{
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_GROUP_ADD,
                 "INSERT INTO sync_groups(i, n, time) VALUES(?, ?, ?)", &stmt,
                 err));
    (void)sqlite3_bind_int64(stmt, 1, i);
    (void)sqlite3_bind_int64(stmt, 2, n);
    (void)sqlite3_bind_int64(stmt, 3, time);
    TRY(sat__sql_run(stmt, err));
    *g = sqlite3_last_insert_rowid(replica->db);
    return SAT_OK;
}

sat_status sat__group_find(sat_replica *replica, int64_t i, int64_t n,
                           int64_t time, int64_t *g, sat_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    TRY(core_sql(replica, SQL_GROUP_FIND,
                 "SELECT g FROM sync_groups WHERE i = ? AND n = ?", &stmt,
                 err));
    (void)sqlite3_bind_int64(stmt, 1, i);
    (void)sqlite3_bind_int64(stmt, 2, n);
    TRY(sat__sql_step(stmt, &row, err));
    if (!row)
        return group_add(replica, i, n, time, g, err);
    *g = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_reset(stmt);
    return SAT_OK;
}

sat_status sat__group_begin(sat_replica *replica, int64_t i, sat__group *out,
                            sat_error *err)
{
    const int64_t n =
        (uint64_t)i < replica->known.size ? replica->known.n[i] + 1 : 1;
    int64_t time;
    int64_t g;
    TRY(sat__time_take(replica, &time, err));
    TRY(group_add(replica, i, n, time, &g, err));

    AUTO(sat__knowledge) own = {0};
    TRY(sat__knowledge_set(&own, i, n, err));
    TRY(sat__knowledge_join(replica, &own, err));
    *out = (sat__group){g, i, n, time};
    return SAT_OK;
}

sat_status sat__incarnation_find(sat_replica *replica,
                                 const uint8_t id[SAT_INCARNATION_SIZE],
                                 const uint8_t device[SAT_DEVICE_ID_SIZE],
                                 int64_t *i, sat_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    TRY(core_sql(replica, SQL_INCARNATION_FIND,
                 "SELECT i, device FROM sync_incarnations WHERE id = ?", &stmt,
                 err));
    (void)sqlite3_bind_blob(stmt, 1, id, SAT_INCARNATION_SIZE, SQLITE_STATIC);
    TRY(sat__sql_step(stmt, &row, err));
    if (row) {
        const bool same = bytes_equal(sql_bytes(stmt, 1),
                                      bytes_of(device, SAT_DEVICE_ID_SIZE));
        *i = sqlite3_column_int64(stmt, 0);
        (void)sqlite3_reset(stmt);
        return same ? SAT_OK
                    : sat__fail(err, SAT_ERR_CORRUPT,
                                "two devices claim one incarnation");
    }
    TRY(core_sql(replica, SQL_INCARNATION_ADD,
                 "INSERT INTO sync_incarnations(id, device) VALUES(?, ?)",
                 &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, id, SAT_INCARNATION_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob(stmt, 2, device, SAT_DEVICE_ID_SIZE, SQLITE_STATIC);
    TRY(sat__sql_run(stmt, err));
    *i = sqlite3_last_insert_rowid(replica->db);
    return SAT_OK;
}

static void incarnation_id(sat_replica *replica, int64_t i,
                           uint8_t out[SAT_INCARNATION_SIZE])
{
    sqlite3_stmt *stmt;
    bool row = false;

    memset(out, 0, SAT_INCARNATION_SIZE);
    if (core_sql(replica, SQL_INCARNATION_ID,
                 "SELECT id FROM sync_incarnations WHERE i = ?", &stmt,
                 NULL) != SAT_OK)
        return;
    (void)sqlite3_bind_int64(stmt, 1, i);
    if (sat__sql_step(stmt, &row, NULL) == SAT_OK && row &&
        sqlite3_column_bytes(stmt, 0) == SAT_INCARNATION_SIZE)
        memcpy(out, sqlite3_column_blob(stmt, 0), SAT_INCARNATION_SIZE);
    (void)sqlite3_reset(stmt);
}

int sat__incarnation_compare(sat_replica *replica, int64_t a, int64_t b)
{
    uint8_t first[SAT_INCARNATION_SIZE];
    uint8_t second[SAT_INCARNATION_SIZE];

    incarnation_id(replica, a, first);
    incarnation_id(replica, b, second);
    return memcmp(first, second, sizeof first);
}

void sat__knowledge_clear(sat__knowledge *knowledge)
{
    free(knowledge->n);
    *knowledge = (sat__knowledge){0};
}

bool sat__knowledge_covers(const sat__knowledge *a, const sat__knowledge *b)
{
    for (size_t i = 0; i < b->size; i++)
        if (b->n[i] > 0 && (i >= a->size || a->n[i] < b->n[i]))
            return false;
    return true;
}

sat_status sat__knowledge_set(sat__knowledge *knowledge, int64_t i, int64_t n,
                              sat_error *err)
{
    if ((uint64_t)i >= knowledge->size) {
        const size_t size = (size_t)i + 16;
        int64_t *const grown = realloc(knowledge->n, size * sizeof *grown);
        if (grown == NULL)
            return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
        memset(grown + knowledge->size, 0,
               (size - knowledge->size) * sizeof *grown);
        *knowledge = (sat__knowledge){grown, size};
    }
    if (n > knowledge->n[i])
        knowledge->n[i] = n;
    return SAT_OK;
}

sat_status sat__knowledge_copy(const sat__knowledge *from, sat__knowledge *to,
                               sat_error *err)
{
    for (size_t i = 0; i < from->size; i++)
        if (from->n[i] > 0)
            TRY(sat__knowledge_set(to, (int64_t)i, from->n[i], err));
    return SAT_OK;
}

sat_status sat__knowledge_load(sat_replica *replica, sat_error *err)
{
    sqlite3_stmt *stmt;
    sat__knowledge_clear(&replica->known);
    /* What was kept may be of a transaction that was rolled back. */
    memset(replica->kept, 0, sizeof replica->kept);
    replica->barren = 0;
    TRY(core_sql(replica, SQL_KNOWN_ALL, "SELECT i, n FROM sync_known", &stmt,
                 err));
    while (NEXT_ROW(stmt, err))
        TRY(sat__knowledge_set(&replica->known, sqlite3_column_int64(stmt, 0),
                               sqlite3_column_int64(stmt, 1), err));
    return sat__forgotten_load(replica, err);
}

sat_status sat__knowledge_join(sat_replica *replica,
                               const sat__knowledge *other, sat_error *err)
{
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_KNOWN_PUT,
                 "INSERT INTO sync_known(i, n) VALUES(?1, ?2) ON CONFLICT(i) "
                 "DO UPDATE SET n = ?2 WHERE n < ?2",
                 &stmt, err));
    for (size_t i = 0; i < other->size; i++) {
        if (other->n[i] == 0 ||
            (i < replica->known.size && replica->known.n[i] >= other->n[i]))
            continue;
        (void)sqlite3_bind_int64(stmt, 1, (int64_t)i);
        (void)sqlite3_bind_int64(stmt, 2, other->n[i]);
        TRY(sat__sql_run(stmt, err));
        TRY(sat__knowledge_set(&replica->known, (int64_t)i, other->n[i], err));
    }
    return SAT_OK;
}

sat_status sat__knowledge_report(sat_replica *replica,
                                 const uint8_t device[SAT_DEVICE_ID_SIZE],
                                 const sat__knowledge *knowledge,
                                 sat_error *err)
{
    sqlite3_stmt *stmt;
    TRY(core_sql(replica, SQL_REPORT_PUT,
                 "INSERT INTO sync_reports(device, i, n) VALUES(?1, ?2, ?3) ON "
                 "CONFLICT(device, i) DO UPDATE SET n = ?3 WHERE n < ?3",
                 &stmt, err));
    for (size_t i = 0; i < knowledge->size; i++) {
        if (knowledge->n[i] == 0)
            continue;
        (void)sqlite3_bind_blob(stmt, 1, device, SAT_DEVICE_ID_SIZE,
                                SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 2, (int64_t)i);
        (void)sqlite3_bind_int64(stmt, 3, knowledge->n[i]);
        TRY(sat__sql_run(stmt, err));
    }
    return SAT_OK;
}

sat_status sat__replica_report(sat_replica *replica,
                               const uint8_t from[SAT_DEVICE_ID_SIZE],
                               sat_bytes knowledge, sat_error *err)
{
    AUTO(sat__sql_transaction) change = {0};
    AUTO(sat__knowledge) known = {0};
    TRY(sat__sql_begin(replica->db, &change, err));
    TRY(sat__knowledge_decode(replica, knowledge, &known, err));
    TRY(sat__knowledge_report(replica, from, &known, err));
    return sat__sql_commit(&change, err);
}

typedef struct id_and_n {
    uint8_t id[SAT_INCARNATION_SIZE];
    uint8_t device[SAT_DEVICE_ID_SIZE];
    int64_t n;
} id_and_n;

static int by_id(const void *a, const void *b)
{
    return memcmp(((const id_and_n *)a)->id, ((const id_and_n *)b)->id,
                  SAT_INCARNATION_SIZE);
}

/* An array of [incarnation, device, n], ascending by incarnation. */
sat_status sat__knowledge_encode(sat_replica *replica,
                                 const sat__knowledge *knowledge, sat_buf *out,
                                 sat_error *err)
{
    sqlite3_stmt *stmt;
    AUTO_FREE id_and_n *list = calloc(knowledge->size + 1, sizeof *list);
    size_t count = 0;
    if (list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    TRY(core_sql(replica, SQL_INCARNATIONS,
                 "SELECT i, id, device FROM sync_incarnations", &stmt, err));
    while (NEXT_ROW(stmt, err)) {
        const uint64_t i = (uint64_t)sqlite3_column_int64(stmt, 0);
        if (i >= knowledge->size || knowledge->n[i] == 0 ||
            sqlite3_column_bytes(stmt, 1) != SAT_INCARNATION_SIZE ||
            sqlite3_column_bytes(stmt, 2) != SAT_DEVICE_ID_SIZE)
            continue;
        memcpy(list[count].id, sqlite3_column_blob(stmt, 1),
               SAT_INCARNATION_SIZE);
        memcpy(list[count].device, sqlite3_column_blob(stmt, 2),
               SAT_DEVICE_ID_SIZE);
        list[count++].n = knowledge->n[i];
    }
    qsort(list, count, sizeof *list, by_id);
    sat__cbor_put_array(out, count);
    for (size_t k = 0; k < count; k++) {
        sat__cbor_put_array(out, 3);
        sat__cbor_put_bytes(out, list[k].id, SAT_INCARNATION_SIZE);
        sat__cbor_put_bytes(out, list[k].device, SAT_DEVICE_ID_SIZE);
        sat__cbor_put_uint(out, (uint64_t)list[k].n);
    }
    return sat__buf_status(out, err);
}

sat_status sat__knowledge_decode(sat_replica *replica, sat_bytes bytes,
                                 sat__knowledge *out, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    uint8_t last[SAT_INCARNATION_SIZE] = {0};
    size_t count = 0;
    if (bytes.len > 0)
        TRY(sat__cbor_array(&in, INCARNATIONS_MAX, &count, err));
    for (size_t k = 0; k < count; k++) {
        id_and_n one;
        size_t fields;
        int64_t i;
        TRY(sat__cbor_array(&in, 3, &fields, err));
        TRY(sat__cbor_fixed(&in, one.id, sizeof one.id, err));
        TRY(sat__cbor_fixed(&in, one.device, sizeof one.device, err));
        TRY(sat__cbor_int(&in, &one.n, err));
        if (fields != 3 || one.n < 1 ||
            (k > 0 && memcmp(last, one.id, sizeof last) >= 0))
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "malformed message: knowledge that is not in "
                             "order");
        memcpy(last, one.id, sizeof last);
        TRY(sat__incarnation_find(replica, one.id, one.device, &i, err));
        TRY(sat__knowledge_set(out, i, one.n, err));
    }
    return sat__cbor_done(&in, err);
}
