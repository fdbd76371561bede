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

typedef enum sat_transfer_role {
    SAT_TRANSFER_NOBODY = 0,
    SAT_TRANSFER_SENDER = 1,   /* the old device */
    SAT_TRANSFER_RECEIVER = 2, /* the new one */
    SAT_TRANSFER_ROLE_WIDTH_ = 0x7fffffff
} sat_transfer_role;

/* "LocalOnly", "CreatingBackup", … */
const char *sat_transfer_state_name(sat_transfer_state state);

/* What a person is to see. Lent for the call. */
typedef struct sat_transfer_news {
    sat_transfer_state state;
    const char *code;        /* to be shown; old device, from QR_DISPLAYED on */
    const char *digits;      /* to be shown; new device, while TRANSFERRING */
    const char *device_name; /* who claimed; old device, while TRANSFERRING */
    /* Milliseconds since 1970: when the code is replaced by a fresh one while
     * it is displayed, else when the transfer ends by itself; 0 where none. */
    uint64_t expires_at;
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
    /* Asked several times a second; or NULL. Whoever stops goes on later. */
    int (*stop)(void *context);
    sat_progress_fn *progress; /* of backup and import, or NULL */
    /* new device */
    const char *password;    /* of its profile */
    const char *device_name; /* NULL for the machine's host name */
    int is_replacing;        /* a profile that is there goes */
    /* old device */
    uint64_t show_ms;   /* how long one code is shown; 0, and at most: ten
                           minutes */
    int is_signing_off; /* leaves the account once everything has arrived */
} sat_transfer_options;

#define SAT_TRANSFER_INIT                                                      \
    {                                                                          \
        sizeof(sat_transfer_options), NULL, NULL, NULL, NULL, NULL, NULL,      \
            NULL, 0, 0, 0                                                      \
    }

/*
 * Sends the unlocked profile, by the hub of its account, and waits until the
 * new device has everything. One that was cut, by whatever means, goes on where
 * it was. SAT_ERR_AUTH where the digits differ: nothing was released, and the
 * code is dead. SAT_ERR_STOPPED where stop() said so, or it was cancelled.
 * SAT_ERR_NOT_FOUND where it expired. SAT_ERR_BUSY while another process sends.
 */
SAT_CHECK sat_status sat_transfer_send(sat_profile *profile,
                                       const sat_transfer_options *options,
                                       sat_error *err);

/*
 * Receives at `path`, where no profile is or one that may be replaced. One that
 * was cut goes on where it was, with the same password, and with the same code
 * or NULL. What fails leaves what was there. SAT_ERR_NOT_FOUND: the code was
 * used, expired or never was, or there is nothing to go on with. `out` as for
 * sat_backup_restore().
 */
SAT_CHECK sat_status sat_transfer_receive(const char *path, const sat_env *env,
                                          const char *code,
                                          const sat_transfer_options *options,
                                          sat_backup *out, sat_error *err);

/* How far a transfer is. */
typedef struct sat_transfer {
    sat_transfer_role
        role; /* NOBODY: none is under way, the state LOCAL_ONLY */
    sat_transfer_state state;
    uint64_t expires_at; /* milliseconds since 1970; 0 while it is not known */
} sat_transfer;

/* Looks at what is on the disk, for which no password is needed. */
SAT_CHECK sat_status sat_transfer_look(const char *path, const sat_env *env,
                                       sat_transfer *out, sat_error *err);

/*
 * Ends the transfer that the unlocked profile sends: the code is dead and the
 * blob is gone, also where another process waits for the new device.
 * SAT_ERR_NOT_FOUND: there is none. SAT_ERR_OFFLINE: the hub could not be told,
 * and forgets it within a day; here it is over.
 */
SAT_CHECK sat_status sat_transfer_cancel(sat_profile *profile, sat_error *err);

/* Ends the transfer that is received at `path`, and removes what has come. */
SAT_CHECK sat_status sat_transfer_drop(const char *path, sat_error *err);

SAT_END_DECLS

#endif /* SAT_TRANSFER_H */
