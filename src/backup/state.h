/*
 * state.h - what this device has brought to a place
 *
 * A database beside the vaults, PROFILE/backup/PLACE.db, sealed under a key
 * that the master key derives. It knows the packs of the chain that a backup
 * continues, those of a backup that was interrupted among them, and what is in
 * them: of each page of a vault the nonce that it was sealed with, of each file
 * its blob. So the next backup sends what is not there, and nothing twice. It
 * is written after each pack. Without it, or when the place has lost something,
 * a new chain begins.
 */
#ifndef SAT_SRC_BACKUP_STATE_H
#define SAT_SRC_BACKUP_STATE_H

#include "backup/manifest.h"
#include "base/sqlite.h"
#include "crypto/page.h"

#define SAT_STATE_BLOCK 256 /* pages whose nonces are kept together */

typedef struct sat__backup_state {
    sqlite3 *db;
    int lock; /* one backup at a time */
} sat__backup_state;

#define SAT_BACKUP_STATE_INIT                                                  \
    {                                                                          \
        NULL, -1                                                               \
    }

void sat__backup_state_close(sat__backup_state *state);
DEFINE_AUTO(sat__backup_state, sat__backup_state_close);

/* SAT_ERR_BUSY where another process makes a backup. */
SAT_CHECK sat_status sat__backup_state_open(sat_profile *profile,
                                            const char *place,
                                            sat__backup_state *out,
                                            sat_error *err);

/* Closes it, and forgets the place. */
SAT_CHECK sat_status sat__backup_state_remove(const sat_profile *profile,
                                              const char *place,
                                              sat__backup_state *state,
                                              sat_error *err);

/* Names of numbers that are kept. */
#define SAT_BACKUP_NUMBER "number" /* the highest that was made or seen */
#define SAT_BACKUP_BASE "base"     /* packs of the base */

SAT_CHECK sat_status sat__backup_state_get(sat__backup_state *state,
                                           const char *name, int64_t *out,
                                           sat_error *err);
SAT_CHECK sat_status sat__backup_state_set(sat__backup_state *state,
                                           const char *name, int64_t value,
                                           sat_error *err);

/* The manifest that ended the chain so far, "" if there is none. */
SAT_CHECK sat_status sat__backup_state_last(sat__backup_state *state,
                                            sat__blob_name *out,
                                            sat_error *err);
SAT_CHECK sat_status sat__backup_state_finish(sat__backup_state *state,
                                              const sat__manifest *made,
                                              sat_error *err);

/* Forgets all but the highest number, and begins a chain. */
SAT_CHECK sat_status sat__backup_state_reset(sat__backup_state *state,
                                             const uint8_t *chain,
                                             sat_error *err);
SAT_CHECK sat_status sat__backup_state_chain(sat__backup_state *state,
                                             uint8_t out[SAT_CHAIN_SIZE],
                                             sat_error *err);

/* The packs of the chain, in order; the caller frees *out. */
SAT_CHECK sat_status sat__backup_state_packs(sat__backup_state *state,
                                             sat__pack **out, size_t *count,
                                             sat_error *err);

/* The nonces of the pages block * 256 + 1 to block * 256 + 256, zero where a
 * page is not in the chain. */
typedef struct sat__nonces {
    uint8_t of[SAT_STATE_BLOCK][SAT_PAGE_NONCE_SIZE];
} sat__nonces;

SAT_CHECK sat_status sat__backup_state_nonces(sat__backup_state *state,
                                              const char *vault, uint32_t block,
                                              sat__nonces *out, sat_error *err);

/* How many bytes of a blob's content are in the chain; *is_there is false for
 * none, and `done` is all of it when the blob is complete. */
SAT_CHECK sat_status sat__backup_state_blob(sat__backup_state *state,
                                            const char *vault,
                                            const sat__blob_name *blob,
                                            uint64_t *done, bool *is_there,
                                            sat_error *err);

/* What one pack brought: recorded with it, in one transaction. */
typedef struct sat__pack_page {
    uint32_t vault; /* index into the vaults of the backup */
    uint32_t page;
    uint8_t nonce[SAT_PAGE_NONCE_SIZE];
} sat__pack_page;

typedef struct sat__pack_blob {
    uint32_t vault;
    sat__blob_name blob;
    uint64_t done;
} sat__pack_blob;

typedef struct sat__pack_record {
    sat_buf pages; /* of sat__pack_page */
    sat_buf blobs; /* of sat__pack_blob */
} sat__pack_record;

#define SAT_PACK_RECORD_INIT                                                   \
    {                                                                          \
        SAT_BUF_INIT, SAT_BUF_INIT                                             \
    }

static inline void pack_record_clear(sat__pack_record *record)
{
    sat__buf_clear(&record->pages);
    sat__buf_clear(&record->blobs);
}
DEFINE_AUTO(sat__pack_record, pack_record_clear);

SAT_CHECK sat_status sat__backup_state_add(sat__backup_state *state,
                                           const sat__backup_vault *vaults,
                                           const sat__pack *pack,
                                           const sat__pack_record *record,
                                           sat_error *err);

/* The files that are to be sent: taken down while a snapshot lasts. */
typedef struct sat__todo {
    int64_t id;
    uint64_t size;
    sat__blob_name blob;
    sat__file_key key;
    uint8_t content[SAT_SHA256_SIZE];
} sat__todo;

SAT_CHECK sat_status sat__backup_state_plan(sat__backup_state *state,
                                            const sat__todo *file,
                                            sat_error *err);
/* The one after `id`; *found is false behind the last. */
SAT_CHECK sat_status sat__backup_state_next(sat__backup_state *state,
                                            int64_t id, sat__todo *out,
                                            bool *found, sat_error *err);
SAT_CHECK sat_status sat__backup_state_unplan(sat__backup_state *state,
                                              sat_error *err);

#endif /* SAT_SRC_BACKUP_STATE_H */
