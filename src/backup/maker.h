/*
 * maker.h - a backup that is being made, in its parts
 *
 *      chain ─> for each vault: pages, files ─> manifest
 *
 * Vault after vault: the pages whose nonce is not the one that the chain has,
 * then the files that it does not have. Packs are recorded one by one, so what
 * was interrupted is continued like a chain, and the manifest, which comes
 * last, makes a backup of it all.
 */
#ifndef SAT_SRC_BACKUP_MAKER_H
#define SAT_SRC_BACKUP_MAKER_H

#include "backup/sender.h"
#include "backup/shelf.h"
#include "satchel/backup.h"
#include "store/snapshot.h"

typedef struct sat__maker {
    sat_profile *profile;
    sat_backup_options options;
    sat__place place;
    sat__shelf shelf;
    sat__backup_state state;
    sat__manifest made;
    sat__sender sender;
    char folder[SAT_PATH_SIZE]; /* of the files of the present vault */
    uint32_t vault;             /* index of the present vault */
} sat__maker;

#define SAT_MAKER_INIT(profile)                                                \
    {                                                                          \
        (profile), .state = SAT_BACKUP_STATE_INIT, .made = SAT_MANIFEST_INIT,  \
                   .sender = SAT_SENDER_INIT                                   \
    }

static inline void maker_clear(sat__maker *job)
{
    sat__sender_clear(&job->sender);
    sat__manifest_clear(&job->made);
    sat__backup_state_close(&job->state);
    sat__shelf_clear(&job->shelf);
    place_close(&job->place);
}
DEFINE_AUTO(sat__maker, maker_clear);

/* Whose backup it is: the principal of the phrase's slot. */
static inline const uint8_t *maker_owner(const sat__maker *job)
{
    return job->made.keys.entries[0].slot.principal.sign;
}

/* ---- make_chain.c ---- */

/* Joins the chain of the backup before, or begins one. */
SAT_CHECK sat_status sat__maker_join(sat__maker *job, sat_error *err);
SAT_CHECK sat_status sat__maker_begin_chain(sat__maker *job, sat_error *err);

/* ---- make_pages.c, make_files.c: of the present vault ---- */

SAT_CHECK sat_status sat__maker_send_pages(sat__maker *job,
                                           const sat__snapshot *snapshot,
                                           sat_error *err);
/* Takes down which files there are, while the snapshot lasts; and sends them.
 */
SAT_CHECK sat_status sat__maker_plan_files(sat__maker *job, sqlite3 *db,
                                           sat_error *err);
SAT_CHECK sat_status sat__maker_send_files(sat__maker *job, sat_error *err);

/* ---- make_vaults.c ---- */

/* Sends everything that the chain lacks to the place, and notes it in the
 * state; that may be NULL. */
SAT_CHECK sat_status sat__maker_send(sat__maker *job, sat__place *place,
                                     sat__backup_state *state, sat_error *err);

/* ---- make_limit.c ---- */

/* SAT_ERR_FULL where the backup would be larger than it may be, found out
 * before anything is sent. */
SAT_CHECK sat_status sat__maker_measure(sat__maker *job, sat_error *err);

/* The same when all is sent: apps may have written meanwhile. */
SAT_CHECK sat_status sat__maker_check_size(const sat__maker *job,
                                           sat_error *err);

#endif /* SAT_SRC_BACKUP_MAKER_H */
