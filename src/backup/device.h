/*
 * device.h - who a restored profile belongs to: a new device of its person
 *
 * The keys come from the recovery phrase, or from another device of the person
 * that grants them (a transfer). The new device has an identity, a password and
 * database keys of its own.
 */
#ifndef SAT_SRC_BACKUP_DEVICE_H
#define SAT_SRC_BACKUP_DEVICE_H

#include "backup/manifest.h"
#include "satchel/backup.h"

#define SAT_HANDOVER_SIZE_MAX 512 /* of its encoding */

/* What a device of the person hands on, so that another opens its backup
 * without the phrase. */
typedef struct sat__handover {
    sat__master_key master;
    uint8_t owner[SAT_SIGN_KEY_SIZE]; /* principal of the phrase's slot */
    sat__slot_tie tie;                /* of that slot */
    const sat__identity *identity;    /* of the new device; lent */
} sat__handover;

void sat__handover_wipe(sat__handover *handover);
DEFINE_AUTO(sat__handover, sat__handover_wipe);

/* What the unlocked profile can grant; without an identity. */
SAT_CHECK sat_status sat__handover_of(const sat_profile *profile,
                                      sat__handover *out, sat_error *err);

/* Appends it as CBOR, a secret to be sealed; and back. */
void sat__handover_encode(const sat__handover *handover, sat_buf *out);
SAT_CHECK sat_status sat__handover_decode(sat_bytes bytes, sat__handover *out,
                                          sat_error *err);

typedef struct sat__new_device {
    const sat_env *env;
    const char *password;
    const sat__master_key *master;
    const sat__manifest *manifest; /* unsealed */
    const sat__root *phrase;       /* where there is no grant */
    const sat__handover *handover; /* or NULL */
} sat__new_device;

/* Makes its keys, in a profile that has no path and no vaults yet. */
SAT_CHECK sat_status sat__backup_device(const sat__new_device *device,
                                        sat_profile **out, sat_error *err);

/*
 * As sat_backup_restore(), with a grant instead of the phrase where it is not
 * NULL. A profile that is there goes only where options->is_replacing.
 */
SAT_CHECK sat_status sat__backup_restore(const char *path, const sat_env *env,
                                         const char *from,
                                         const sat_restore_options *options,
                                         const sat__handover *handover,
                                         sat_backup *out, sat_error *err);

#endif /* SAT_SRC_BACKUP_DEVICE_H */
