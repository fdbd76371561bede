/*
 * make_limit.c - whether a backup is as small as it must be
 *
 * How large it becomes is known when it was compressed, and what is too large
 * is not to be sent first. So where all of it might not fit, it is made once
 * for nobody, up to the limit.
 */
#include "backup/maker.h"
#include "base/error.h"
#include "base/sql.h"
#include "store/vault_db.h"

#define MANIFEST_SIZE ((uint64_t)4096) /* and for each pack */
#define OF_A_PACK ((uint64_t)128)

/* A place that keeps nothing, and takes no more than there is room. */
typedef struct scales {
    uint64_t room;
} scales;

static sat_status pass_over(void *self, sat__place_kind kind, sat_error *err)
{
    (void)self;
    (void)kind;
    (void)err;
    return SAT_OK;
}

static sat_status weigh(void *self, sat_bytes bytes, sat_error *err)
{
    scales *const in = self;
    if (bytes.len > in->room)
        return sat__fail(err, SAT_ERR_FULL, "there is no room for more");
    in->room -= bytes.len;
    return SAT_OK;
}

static sat_status forget(void *self, sat__blob_name *out, sat_error *err)
{
    (void)self;
    (void)err;
    out->text[0] = 0;
    return SAT_OK;
}

static void abandon(void *self)
{
    (void)self;
}

static const sat__place_calls calls = {
    .begin = pass_over, .write = weigh, .commit = forget, .abandon = abandon};

static uint64_t limit_of(const sat__maker *job)
{
    const uint64_t own = job->options.limit;
    const uint64_t there = job->place.limit;
    return own == 0 || (there != 0 && there < own) ? there : own;
}

static uint64_t size_of(const sat__manifest *made)
{
    uint64_t size = MANIFEST_SIZE + OF_A_PACK * made->pack_count;
    for (size_t i = 0; i < made->pack_count; i++)
        size += made->packs[i].size;
    return size;
}

/* What it would be if nothing were smaller when compressed. */
static sat_status add_vault(const sat__maker *job, const char *name,
                            uint64_t *total, sat_error *err)
{
    AUTO_PTR(sqlite3) db = NULL;
    int64_t pages, has_files, files = 0;
    TRY(sat__vault_open(job->profile, name, 0, &db, err));
    TRY(sat__sql_int(db, "PRAGMA page_count", &pages, err));
    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_schema"
                     " WHERE name = 'satchel_file'",
                     &has_files, err));
    if (has_files > 0)
        TRY(sat__sql_int(db,
                         "SELECT coalesce(sum(size + 256), 0)"
                         " FROM satchel_file",
                         &files, err));
    *total += (uint64_t)pages * (SAT_PAGE_SIZE + 8) + (uint64_t)files;
    return SAT_OK;
}

static sat_status is_small(const sat__maker *job, uint64_t limit, bool *out,
                           sat_error *err)
{
    uint64_t total = size_of(&job->made);
    for (size_t i = 0; i < job->made.vault_count; i++)
        TRY(add_vault(job, job->made.vaults[i].name, &total, err));
    *out = total + total / 16 + ((uint64_t)1 << 20) < limit;
    return SAT_OK;
}

static sat_status try_room(sat__maker *job, uint64_t limit, sat_error *err)
{
    const uint64_t used = size_of(&job->made);
    scales on = {.room = used < limit ? limit - used : 0};
    sat__place place = {.calls = &calls, .self = &on};
    const sat_status st = sat__maker_send(job, &place, NULL, err);
    sat__sender_clear(&job->sender);
    job->sender = (sat__sender)SAT_SENDER_INIT;
    return st;
}

static sat_status too_large(const sat__maker *job, uint64_t limit,
                            const char *what, sat_error *err)
{
    return sat__fail(err, SAT_ERR_FULL,
                     "the backup would have more than %.1f MB, which is the "
                     "limit%s; %s",
                     (double)limit / 1e6,
                     limit == job->place.limit ? " of the hub" : "", what);
}

sat_status sat__maker_measure(sat__maker *job, sat_error *err)
{
    const uint64_t limit = limit_of(job);
    bool fits;
    if (limit == 0)
        return SAT_OK;
    TRY(is_small(job, limit, &fits, err));
    if (fits)
        return SAT_OK;
    sat_status st = try_room(job, limit, err);
    if (st == SAT_ERR_FULL && job->made.pack_count > 0) {
        /* What came before takes room, too. */
        TRY(sat__maker_begin_chain(job, err));
        st = try_room(job, limit, err);
    }
    return st == SAT_ERR_FULL ? too_large(job, limit, "nothing was sent", err)
                              : st;
}

sat_status sat__maker_check_size(const sat__maker *job, sat_error *err)
{
    const uint64_t limit = limit_of(job);
    return limit == 0 || sat__manifest_total(&job->made) <= limit
               ? SAT_OK
               : too_large(job, limit, "it grew while it was sent", err);
}
