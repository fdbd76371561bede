/*
 * snapshot.c - every page of a vault as of one moment
 *
 * While one connection keeps writers out, a second one begins to read, and a
 * checkpoint says how many frames the log has at that moment and how many of
 * them the database has already. If it has all, the log is not needed: as long
 * as we read, nothing that is newer may go into the database. If it has not,
 * the reader keeps the log from being begun anew, so its frames stay where they
 * are.
 */
#include "store/snapshot.h"

#include "base/error.h"
#include "base/sql.h"
#include "store/vault_db.h"

#define LOG_HEADER 32
#define FRAME_HEADER 24
#define WRITERS_PATIENCE_MS 60000 /* with an app that writes all the time */
#define FRAME_SIZE (FRAME_HEADER + SAT_PAGE_SIZE)

void sat__snapshot_end(sat__snapshot *snapshot)
{
    free(snapshot->log);
    (void)sqlite3_close_v2(snapshot->db);
    sat__page_key_wipe(&snapshot->key);
    *snapshot = (sat__snapshot){.db = NULL};
}

static sat_status read_at(sqlite3 *db, int which, int64_t at, uint8_t *out,
                          int len, sat_error *err)
{
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK ||
        file == NULL || file->pMethods == NULL)
        return sat__fail(err, SAT_ERR_IO, "the database has no file");
    const int rc = file->pMethods->xRead(file, out, len, at);
    if (rc == SQLITE_IOERR_SHORT_READ)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the database is shorter than it says");
    if (rc != SQLITE_OK)
        return sat__fail(err, SAT_ERR_IO, "cannot read the database");
    return SAT_OK;
}

static int by_page(const void *left, const void *right)
{
    const sat__log_page *const a = left;
    const sat__log_page *const b = right;
    if (a->page != b->page)
        return a->page < b->page ? -1 : 1;
    return a->frame < b->frame ? -1 : a->frame > b->frame;
}

/* Of each page the last frame. */
static void keep_latest(sat__snapshot *snapshot)
{
    size_t kept = 0;
    qsort(snapshot->log, snapshot->log_count, sizeof *snapshot->log, by_page);
    for (size_t i = 0; i < snapshot->log_count; i++)
        if (i + 1 == snapshot->log_count ||
            snapshot->log[i + 1].page != snapshot->log[i].page)
            snapshot->log[kept++] = snapshot->log[i];
    snapshot->log_count = kept;
}

static sat_status read_log(sat__snapshot *snapshot, uint32_t frames,
                           sat_error *err)
{
    uint8_t number[4];
    snapshot->log = calloc(frames, sizeof *snapshot->log);
    if (snapshot->log == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for %u pages", frames);
    for (uint32_t i = 0; i < frames; i++) {
        TRY(read_at(snapshot->db, SQLITE_FCNTL_JOURNAL_POINTER,
                    LOG_HEADER + (int64_t)i * FRAME_SIZE, number, 4, err));
        snapshot->log[i] = (sat__log_page){
            (uint32_t)number[0] << 24 | (uint32_t)number[1] << 16 |
                (uint32_t)number[2] << 8 | number[3],
            i + 1};
    }
    snapshot->log_count = frames;
    keep_latest(snapshot);
    return SAT_OK;
}

/* The connections that take part besides the reader. */
typedef struct helpers {
    sqlite3 *guard; /* keeps writers out */
    sqlite3 *counter;
} helpers;

static void helpers_close(helpers *open)
{
    (void)sqlite3_close_v2(open->guard);
    (void)sqlite3_close_v2(open->counter);
}

DEFINE_AUTO(helpers, helpers_close);

static sat_status begin_to_read(sat__snapshot *snapshot, sat_error *err)
{
    int64_t tables;
    int64_t pages;
    TRY(sat__sql_exec(snapshot->db, err, "BEGIN"));
    TRY(sat__sql_int(snapshot->db, "SELECT count(*) FROM sqlite_schema",
                     &tables, err));
    TRY(sat__sql_int(snapshot->db, "PRAGMA page_count", &pages, err));
    snapshot->pages = (uint32_t)pages;
    return SAT_OK;
}

/* What the log has at this moment; a checkpoint that is busy counts too. */
static sat_status look_at_log(sat__snapshot *snapshot, sqlite3 *counter,
                              sat_error *err)
{
    int frames = 0;
    int moved = 0;
    const int rc = sqlite3_wal_checkpoint_v2(
        counter, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY)
        return sat__sql_fail(counter, err);
    return frames > moved ? read_log(snapshot, (uint32_t)frames, err) : SAT_OK;
}

static sat_status fix_moment(sat__snapshot *snapshot, const helpers *open,
                             sat_error *err)
{
    AUTO(sat__sql_transaction) alone = {NULL, false};
    (void)sqlite3_busy_timeout(open->guard, WRITERS_PATIENCE_MS);
    TRY(sat__sql_begin(open->guard, &alone, err));
    TRY(begin_to_read(snapshot, err));
    return look_at_log(snapshot, open->counter, err);
}

static sat_status take(sat_profile *profile, const char *name,
                       sat__snapshot *snapshot, sat_error *err)
{
    AUTO(helpers) open = {NULL, NULL};
    AUTO(sat__database_key) key = {{0}};
    uint8_t salt[SAT_PAGE_SALT_SIZE];
    TRY(sat__vault_open(profile, name, 0, &snapshot->db, err));
    TRY(sat__vault_open(profile, name, 0, &open.guard, err));
    TRY(sat__vault_open(profile, name, 0, &open.counter, err));
    TRY(sat__sql_exec(snapshot->db, err, "PRAGMA cache_size = -1024"));
    TRY(fix_moment(snapshot, &open, err));
    TRY(sat_vault_key(profile, name, key.bytes, err));
    TRY(read_at(snapshot->db, SQLITE_FCNTL_FILE_POINTER, 0, salt, sizeof salt,
                err));
    return sat__page_key_init(&snapshot->key, &key, salt, err);
}

sat_status sat__snapshot_begin(sat_profile *profile, const char *name,
                               sat__snapshot *out, sat_error *err)
{
    const sat_status st = take(profile, name, out, err);
    if (st == SAT_OK)
        return SAT_OK;
    sat__snapshot_end(out);
    return sat__context(err, st, "vault '%s'", name);
}

/* Where the page is in the log, NULL if the database has it. */
static const sat__log_page *find_in_log(const sat__snapshot *snapshot,
                                        uint32_t page)
{
    size_t low = 0;
    size_t high = snapshot->log_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (snapshot->log[middle].page < page)
            low = middle + 1;
        else
            high = middle;
    }
    return low < snapshot->log_count && snapshot->log[low].page == page
               ? &snapshot->log[low]
               : NULL;
}

static int64_t place_in_log(const sat__log_page *at)
{
    return LOG_HEADER + (int64_t)(at->frame - 1) * FRAME_SIZE + FRAME_HEADER;
}

static sat_status read_from_log(const sat__snapshot *snapshot,
                                const sat__log_page *at, uint8_t *out,
                                sat_error *err)
{
    return read_at(snapshot->db, SQLITE_FCNTL_JOURNAL_POINTER, place_in_log(at),
                   out, SAT_PAGE_SIZE, err);
}

sat_status sat__snapshot_nonces(const sat__snapshot *snapshot, uint32_t first,
                                uint32_t count,
                                uint8_t (*out)[SAT_PAGE_NONCE_SIZE],
                                sat_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        const sat__log_page *const logged = find_in_log(snapshot, first + i);
        const int64_t page = logged != NULL
                                 ? place_in_log(logged)
                                 : (int64_t)(first + i - 1) * SAT_PAGE_SIZE;
        TRY(read_at(snapshot->db,
                    logged != NULL ? SQLITE_FCNTL_JOURNAL_POINTER
                                   : SQLITE_FCNTL_FILE_POINTER,
                    page + SAT_PAGE_USED, out[i], SAT_PAGE_NONCE_SIZE, err));
    }
    return SAT_OK;
}

sat_status sat__snapshot_read(const sat__snapshot *snapshot, uint32_t first,
                              uint32_t count, uint8_t *out, sat_error *err)
{
    uint32_t at = 0;
    while (at < count) {
        uint32_t run = 0;
        const sat__log_page *found = NULL;
        while (at + run < count && found == NULL) {
            found = find_in_log(snapshot, first + at + run);
            run += found == NULL;
        }
        if (run > 0)
            TRY(read_at(snapshot->db, SQLITE_FCNTL_FILE_POINTER,
                        (int64_t)(first + at - 1) * SAT_PAGE_SIZE,
                        out + (size_t)at * SAT_PAGE_SIZE,
                        (int)(run * SAT_PAGE_SIZE), err));
        at += run;
        if (found != NULL)
            TRY(read_from_log(snapshot, found,
                              out + (size_t)at++ * SAT_PAGE_SIZE, err));
    }
    return SAT_OK;
}
