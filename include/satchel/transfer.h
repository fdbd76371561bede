/*
 * transfer.h - everything of a profile, moved to a new device by a code
 *
 *      old device: sat_transfer_send()      shows a code, is told six digits
 *      new device: sat_transfer_receive()   reads the code, shows the digits
 *
 * The hub keeps a sealed blob for a day and learns no key. The old device
 * releases the blob's key only when its person has typed the digits that the
 * new device shows; it keeps its data. docs/formats/transfer.md has the bytes
 * and says why a photograph of the code gains nothing.
 *
 * Both calls wait for the other side, on the caller's thread.
 */
#ifndef SAT_TRANSFER_H
#define SAT_TRANSFER_H

#include "satchel/backup.h"

SAT_BEGIN_DECLS

#define SAT_TRANSFER_CODE_SIZE 1025 /* room for a code and its end */

typedef enum sat_transfer_state {
    SAT_TRANSFER_LOCAL_ONLY = 0,
    SAT_TRANSFER_CREATING_BACKUP = 1, /* old device */
    SAT_TRANSFER_UPLOADING = 2,
    SAT_TRANSFER_BACKUP_STORED = 3,
    SAT_TRANSFER_QR_DISPLAYED = 4, /* until somebody claims it */
    SAT_TRANSFER_TRANSFERRING = 5, /* either: until it is released and done */
    SAT_TRANSFER_DOWNLOADING = 6,  /* new device */
    SAT_TRANSFER_DECRYPTING = 7,
    SAT_TRANSFER_IMPORTING = 8,
    SAT_TRANSFER_EXPIRED = 9,
    SAT_TRANSFER_DONE = 10,
    SAT_TRANSFER_STATE_WIDTH_ = 0x7fffffff /* pins the enum to 32 bits */
} sat_transfer_state;

/* "LocalOnly", "CreatingBackup", … */
const char *sat_transfer_state_name(sat_transfer_state state);

/* What a person is to see. Lent for the call. */
typedef struct sat_transfer_news {
    sat_transfer_state state;
    const char *code;        /* to be shown; old device, from QR_DISPLAYED on */
    const char *digits;      /* to be shown; new device, while TRANSFERRING */
    const char *device_name; /* who claimed; old device, while TRANSFERRING */
    uint64_t expires_at;     /* milliseconds since 1970; 0 where none */
} sat_transfer_news;

typedef struct sat_transfer_options {
    size_t size; /* sizeof(sat_transfer_options), set by INIT */
    void *context;
    /* Told each new state; anything but SAT_OK gives up. */
    sat_status (*news)(void *context, const sat_transfer_news *news,
                       sat_error *err);
    /* Old device: asks the person for the six digits. One try. */
    sat_status (*digits)(void *context, const char *device_name, char out[32],
                         sat_error *err);
    int (*stop)(void *context); /* asked several times a second; or NULL */
    sat_progress_fn *progress;  /* of backup and import, or NULL */
    /* new device */
    const char *password;    /* of its profile */
    const char *device_name; /* NULL for the machine's host name */
    int is_replacing;        /* a profile that is there goes */
} sat_transfer_options;

#define SAT_TRANSFER_INIT                                                      \
    {                                                                          \
        sizeof(sat_transfer_options), NULL, NULL, NULL, NULL, NULL, NULL,      \
            NULL, 0                                                            \
    }

/*
 * Sends the unlocked profile, by the hub of its account, and waits until the
 * new device has everything. SAT_ERR_AUTH where the digits differ: nothing was
 * released, and the code is dead. SAT_ERR_STOPPED where stop() said so: the
 * transfer is cancelled. SAT_ERR_NOT_FOUND where it expired.
 */
SAT_CHECK sat_status sat_transfer_send(sat_profile *profile,
                                       const sat_transfer_options *options,
                                       sat_error *err);

/*
 * Receives at `path`, where no profile is or one that may be replaced. What
 * fails leaves what was there. SAT_ERR_NOT_FOUND: the code was used, expired or
 * never was. `out` as for sat_backup_restore().
 */
SAT_CHECK sat_status sat_transfer_receive(const char *path, const sat_env *env,
                                          const char *code,
                                          const sat_transfer_options *options,
                                          sat_backup *out, sat_error *err);

SAT_END_DECLS

#endif /* SAT_TRANSFER_H */
