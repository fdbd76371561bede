/*
 * backup.h - sealed copies of a profile, in a file, a folder or on a hub
 *
 *      sat_backup_make(profile, "/media/stick/", …)      what changed is sent
 *      sat_backup_restore(path, env, "/media/stick/", …) the phrase opens it
 *
 * A backup holds every vault with its media files, as of one moment each, and
 * the settings. It is sealed: who keeps it reads nothing, and the recovery
 * phrase alone opens it. The first one at a place holds everything, the next
 * ones what changed since; each can be restored by itself. The device's own
 * keys stay behind: what is restored goes on as a new device, or as the one
 * that is there.
 *
 * A place is a path, or "hub". A folder, or a path that ends in a slash, keeps
 * a file for every object, at most 16 MiB; any other path is one file that
 * keeps all. The hub is that of the profile's account (account.h); to restore,
 * it is named by its address, http://… or https://…, and the phrase finds the
 * account. How many backups a hub keeps, and how large one may be, is the hub's
 * to say. SAT_ERR_OFFLINE: it can not be reached; the next call goes on.
 * docs/formats/backup.md has the bytes.
 */
#ifndef SAT_BACKUP_H
#define SAT_BACKUP_H

#include "satchel/vault.h"

SAT_BEGIN_DECLS

/* One backup. */
typedef struct sat_backup {
    uint64_t version;      /* 1, 2, 3, … at its place */
    uint64_t created;      /* milliseconds since 1970 */
    uint64_t size;         /* of all its objects, in bytes */
    uint64_t uploaded;     /* by make(): how much of that was new */
    uint64_t files;        /* media files */
    uint64_t missing;      /* media files whose content was not there */
    const char *device;    /* name of the device that made it */
    const uint8_t *signer; /* id of that device, SAT_DEVICE_ID_SIZE bytes */
} sat_backup;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_backup_fn(const sat_backup *backup, void *context,
                                 sat_error *err);

typedef struct sat_backup_options {
    size_t size;    /* sizeof(sat_backup_options), set by INIT */
    unsigned keep;  /* how many backups stay, the new one among them */
    uint64_t limit; /* bytes of a backup, 0 for none */
    sat_progress_fn *progress; /* may be NULL */
    void *context;
} sat_backup_options;

#define SAT_BACKUP_INIT                                                        \
    {                                                                          \
        sizeof(sat_backup_options), 2, 0, NULL, NULL                           \
    }

/*
 * Makes a backup of the unlocked profile at the place `to`, which is made if it
 * is not there. An older one goes when this one is complete and was checked.
 * One that is interrupted leaves the others as they are, and the next goes on
 * where it was. `out`, which may be NULL, is valid during `each` of nothing:
 * its text is the profile's. SAT_ERR_BUSY while another one is made;
 * SAT_ERR_FULL where it would be larger than the limit.
 */
SAT_CHECK sat_status sat_backup_make(sat_profile *profile, const char *to,
                                     const sat_backup_options *options,
                                     sat_backup *out, sat_error *err);

/* Where the last backup of this profile went. SAT_ERR_NOT_FOUND where there was
 * none. */
SAT_CHECK sat_status sat_backup_place(const sat_profile *profile,
                                      char out[SAT_PATH_SIZE], sat_error *err);

/* Calls `each` for the backups of this profile's person at the place, the
 * newest first. */
SAT_CHECK sat_status sat_backup_list(sat_profile *profile, const char *at,
                                     sat_backup_fn *each, void *context,
                                     sat_error *err);

/*
 * Proves a backup good, or for version 0 all of them: every object is there and
 * what it was. Where `is_full` every byte is opened as a restore would. Fails
 * with SAT_ERR_CORRUPT where one is not. *count is how many were good.
 */
SAT_CHECK sat_status sat_backup_verify(sat_profile *profile, const char *at,
                                       uint64_t version, int is_full,
                                       sat_progress_fn *progress, void *context,
                                       uint64_t *count, sat_error *err);

/* Removes a backup. SAT_ERR_BUSY while somebody restores from the place. */
SAT_CHECK sat_status sat_backup_delete(sat_profile *profile, const char *at,
                                       uint64_t version, sat_error *err);

/* ---- every day ---- */

#define SAT_BACKUP_MINUTE 180 /* 03:00 */

/* As it stands in satchel.conf, where a person may edit it. */
typedef struct sat_backup_schedule {
    int is_enabled;
    unsigned minute; /* of the day, by the clock on the wall; each device begins
                        up to an hour later, always as much */
    char place[SAT_PATH_SIZE]; /* "" where there is none yet */
} sat_backup_schedule;

/* An agent makes the backups (agent.h), one a day: the first at once, one that
 * was missed when it can. */
SAT_CHECK sat_status sat_backup_schedule_get(const sat_profile *profile,
                                             sat_backup_schedule *out,
                                             sat_error *err);
SAT_CHECK sat_status
sat_backup_schedule_set(const sat_profile *profile,
                        const sat_backup_schedule *schedule, sat_error *err);

/* Has the hub ask all devices of the account for the backup of the day, each at
 * a random moment within so long. */
SAT_CHECK sat_status sat_backup_trigger(sat_profile *profile,
                                        uint64_t within_ms, sat_error *err);

/*
 * Has the hub push to `endpoint`, which a UnifiedPush distributor gave out,
 * what it asks for while this device is not connected; "" for no more. The
 * profile keeps the key that it is sealed for (RFC 8291).
 */
SAT_CHECK sat_status sat_backup_push_register(sat_profile *profile,
                                              const char *endpoint,
                                              sat_error *err);

/*
 * Opens what came through the endpoint. *is_due says whether the backup of the
 * day is to be made, *within_ms how long that may take to begin; a device waits
 * a random part of it. SAT_ERR_AUTH: it is not for this device.
 * SAT_ERR_CORRUPT: it is no message of a hub.
 */
SAT_CHECK sat_status sat_backup_push_open(sat_profile *profile,
                                          const void *message, size_t len,
                                          int *is_due, uint64_t *within_ms,
                                          sat_error *err);

typedef struct sat_restore_options {
    size_t size;      /* sizeof(sat_restore_options), set by INIT */
    uint64_t version; /* 0 for the newest */
    const char *phrase;
    const char *password;    /* of the new profile; NULL where one is there */
    const char *device_name; /* NULL for the name that the backup has */
    int is_replacing;        /* a profile of another person may be replaced */
    sat_progress_fn *progress;
    void *context;
} sat_restore_options;

#define SAT_RESTORE_INIT                                                       \
    {                                                                          \
        sizeof(sat_restore_options), 0, NULL, NULL, NULL, 0, NULL, NULL        \
    }

/*
 * Puts a backup in the place of the profile at `path`, or makes one there. All
 * of it is staged in PATH.new and verified first, then exchanged in one step,
 * and the former profile goes when the new one has opened; what fails leaves it
 * as it was. A profile that the phrase opens keeps its device, password and
 * settings. *out, which may be NULL, tells what was restored; its text is not
 * filled.
 *
 * SAT_ERR_NOT_FOUND: there is no backup. SAT_ERR_AUTH: there is one, but not
 * under this phrase. SAT_ERR_CORRUPT: it is damaged. SAT_ERR_VERSION: a newer
 * satchel made it. SAT_ERR_LOCKED: a password is needed. SAT_ERR_CONFLICT: the
 * profile at `path` is another person's. SAT_ERR_BUSY: it is in use.
 */
SAT_CHECK sat_status sat_backup_restore(const char *path, const sat_env *env,
                                        const char *from,
                                        const sat_restore_options *options,
                                        sat_backup *out, sat_error *err);

/* ---- interchange with other programs ---- */

/* What the phrase's key is made with. */
typedef enum sat_noah {
    SAT_NOAH = 1,       /* PBKDF2 with 600,000 iterations and a random salt */
    SAT_NOAH_OLDER = 0, /* 10,000, and a salt made of the phrase itself: it can
                           be guessed at faster */
    SAT_NOAH_WIDTH_ = 0x7fffffff
} sat_noah;

/*
 * Writes the vaults of the unlocked profile but `account`, as plain databases
 * with their media files in a zip, sealed under any BIP39 phrase, to the new
 * file `file`. It is made in memory: SAT_ERR_LIMIT above 512 MB.
 */
SAT_CHECK sat_status sat_noah_export(sat_profile *profile, const char *file,
                                     const char *phrase, sat_noah format,
                                     sat_error *err);

typedef struct sat_noah_report {
    uint64_t vaults, tables, rows, files;
} sat_noah_report;

/*
 * Takes over what such a file holds, of either format: into vaults that have no
 * tables yet, or that are made. Everything is checked before anything is taken.
 * SAT_ERR_AUTH where the phrase does not open it, which can not be told from
 * damage; SAT_ERR_UNSUPPORTED where no vault is in it.
 */
SAT_CHECK sat_status sat_noah_import(sat_profile *profile, const char *file,
                                     const char *phrase, sat_noah_report *out,
                                     sat_error *err);

SAT_END_DECLS

#endif /* SAT_BACKUP_H */
