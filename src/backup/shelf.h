/*
 * shelf.h - the backups of one person at a place
 *
 * A place may hold backups of several people. Whose one is says the principal
 * of the phrase's slot, which stands in the open.
 */
#ifndef SAT_SRC_BACKUP_SHELF_H
#define SAT_SRC_BACKUP_SHELF_H

#include "backup/manifest.h"

#define SAT_BACKUP_KEEP 2

typedef struct sat__shelf {
    sat__manifest *manifests; /* the highest number first; all that are sound */
    size_t count;
    size_t damaged; /* manifests that can not be read */
    size_t newer;   /* manifests of a newer satchel */
} sat__shelf;

void sat__shelf_clear(sat__shelf *shelf);
DEFINE_AUTO(sat__shelf, sat__shelf_clear);

/* Reads every manifest of the place, up to what is sealed. */
SAT_CHECK sat_status sat__shelf_read(const sat__place *place, sat__shelf *out,
                                     sat_error *err);

/* Whether the backup is of the person with that phrase. */
bool sat__shelf_is_of(const sat__manifest *manifest,
                      const uint8_t owner[SAT_SIGN_KEY_SIZE]);

/* The backup `number` of that person, the newest for 0; NULL if there is none.
 */
sat__manifest *sat__shelf_find(const sat__shelf *shelf,
                               const uint8_t owner[SAT_SIGN_KEY_SIZE],
                               uint64_t number);

/*
 * As find(), where there must be one: SAT_ERR_NOT_FOUND where there is none,
 * SAT_ERR_CORRUPT where a manifest is damaged that might be it (the newest may
 * always be), SAT_ERR_VERSION where a newer satchel made one, SAT_ERR_AUTH
 * where all are other people's. `where` is for the message.
 */
SAT_CHECK sat_status sat__shelf_require(const sat__shelf *shelf,
                                        const sat__place *place,
                                        const char *where,
                                        const uint8_t owner[SAT_SIGN_KEY_SIZE],
                                        uint64_t number, sat__manifest **out,
                                        sat_error *err);

/* Whether all objects of a backup are there, and of their size. SAT_ERR_CORRUPT
 * names the first that is not. */
SAT_CHECK sat_status sat__shelf_check(const sat__place *place,
                                      const sat__manifest *manifest,
                                      sat_error *err);

/* Takes the backup off the shelf, and what no other one needs. */
SAT_CHECK sat_status sat__shelf_remove(sat__place *place, const sat_env *env,
                                       const sat__manifest *manifest,
                                       sat_error *err);

/* Leaves `keep` backups of that person, and clears away what was brought a day
 * ago and belongs to none. */
SAT_CHECK sat_status sat__shelf_prune(sat__place *place, const sat_env *env,
                                      const uint8_t owner[SAT_SIGN_KEY_SIZE],
                                      size_t keep, sat_error *err);

#endif /* SAT_SRC_BACKUP_SHELF_H */
