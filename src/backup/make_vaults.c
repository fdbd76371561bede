/*
 * make_vaults.c - one vault after the other, each as of one moment
 */
#include "backup/maker.h"
#include "base/error.h"
#include "base/sql.h"
#include "store/vault_db.h"
#include "sync/replica.h"

/* What was written gets its numbers before it is copied: else the device that
 * restores it would number it once more. */
static sat_status collect(const sat__maker *job, const char *name,
                          sat_error *err)
{
    AUTO_PTR(sat_replica) replica = NULL;
    AUTO_PTR(sqlite3) db = NULL;
    int64_t is_replica;
    TRY(sat__vault_open(job->profile, name, 0, &db, err));
    TRY(sat__sql_int(db,
                     "SELECT count(*) FROM sqlite_master WHERE name = "
                     "'sync_incarnations'",
                     &is_replica, err));
    if (is_replica == 0)
        return SAT_OK;
    TRY(sat_replica_open(job->profile, name, &replica, err));
    return sat__replica_collect(replica, NULL, err);
}

static sat_status send_vault(sat__maker *job, sat_error *err)
{
    sat__backup_vault *const vault = &job->made.vaults[job->vault];
    TRY(collect(job, vault->name, err));
    TRY(sat__vault_file(job->profile, vault->name, ".files", job->folder, err));
    {
        AUTO(sat__snapshot) snapshot = {.db = NULL};
        TRY(sat__snapshot_begin(job->profile, vault->name, &snapshot, err));
        vault->pages = snapshot.pages;
        job->made.content += (uint64_t)vault->pages * SAT_PAGE_SIZE;
        job->sender.total += (uint64_t)vault->pages * SAT_PAGE_SIZE;
        const sat_status st = sat__maker_send_pages(job, &snapshot, err);
        if (st != SAT_OK) /* the workers need the snapshot's key */
            sat__sender_stop(&job->sender);
        TRY(st);
        TRY(sat__maker_plan_files(job, snapshot.db, err));
    }
    return sat__maker_send_files(job, err);
}

sat_status sat__maker_send(sat__maker *job, sat__place *place,
                           sat__backup_state *state, sat_error *err)
{
    sat__sender *const sender = &job->sender;
    sat__manifest *const made = &job->made;
    made->files = made->missing = made->content = 0;
    sender->env = job->profile->env;
    sender->place = place;
    sender->is_far = job->place.limit > 0;
    sender->state = state;
    sender->vaults = made->vaults;
    sender->home = made->home;
    sender->ordinal = made->pack_count;
    sender->progress =
        (sat__progress){job->options.progress, job->options.context};
    TRY(sat__sender_begin(sender, err));
    for (job->vault = 0; job->vault < made->vault_count; job->vault++)
        TRY(send_vault(job, err));
    return sat__sender_end(sender, err);
}
