/*
 * profile.h - the directory of one device: its identity, its keys, its vaults
 *
 *      satchel.conf      what a person may edit
 *      keys.cbor         key slots, and what the master key seals: the device's
 *                        identity and the key of each vault's database
 *      vaults/NAME.db    a vault, see vault.h
 *      vaults/NAME.files its media files, see file.h
 *
 * A profile is locked until a password, the recovery phrase or the keychain
 * gives it its master key; until then it tells no more than who it is. Every
 * change of it happens whole or not at all, whenever the process or the power
 * ends, and two processes that change it take turns. docs/formats/profile.md
 * has the bytes.
 */
#ifndef SAT_PROFILE_H
#define SAT_PROFILE_H

#include "satchel/env.h"
#include "satchel/keys.h"

SAT_BEGIN_DECLS

/* Room for a path that the library writes. */
#define SAT_PATH_SIZE 4096

/* Room for a device's name, at most 100 bytes of UTF-8, and its end. */
#define SAT_DEVICE_NAME_SIZE 101

/* Room for a recovery phrase of up to 24 words, and its end. */
#define SAT_PHRASE_SIZE 256

/* One open profile. One thread at a time may use it. */
typedef struct sat_profile sat_profile;

/*
 * Where the profile of this user is: $SATCHEL_HOME, else satchel in
 * $XDG_DATA_HOME, else in ~/.local/share.
 */
SAT_CHECK sat_status sat_profile_default_path(char out[SAT_PATH_SIZE],
                                              sat_error *err);

typedef struct sat_profile_options {
    size_t size;             /* sizeof(sat_profile_options), set by INIT */
    const char *device_name; /* NULL for the machine's host name */
    unsigned words;          /* of the recovery phrase: 12 or 24 */
    unsigned kdf;            /* SAT_PROFILE_ARGON2ID or SAT_PROFILE_PBKDF2 */
} sat_profile_options;

#define SAT_PROFILE_ARGON2ID 1
#define SAT_PROFILE_PBKDF2 2 /* only where Argon2id may not be used */

#define SAT_PROFILE_INIT                                                       \
    {                                                                          \
        sizeof(sat_profile_options), NULL, 12, SAT_PROFILE_ARGON2ID            \
    }

/*
 * Makes a profile at `path` with the vaults `main` and `account`, and opens it,
 * unlocked. `phrase` is the recovery phrase, which is kept nowhere: whoever
 * called wipes it after showing it once. SAT_ERR_CONFLICT where there is a
 * profile already, SAT_ERR_INVALID where something else is in the way.
 */
SAT_CHECK sat_status sat_profile_init(const char *path, const sat_env *env,
                                      const sat_profile_options *options,
                                      const char *password,
                                      char phrase[SAT_PHRASE_SIZE],
                                      sat_profile **out, sat_error *err);

/*
 * Opens the profile at `path`, locked. `env` outlives it. SAT_ERR_NOT_FOUND
 * where there is none, SAT_ERR_VERSION where a newer satchel made it.
 */
SAT_CHECK sat_status sat_profile_open(const char *path, const sat_env *env,
                                      sat_profile **out, sat_error *err);

/* Wipes its keys and releases it; NULL is allowed and does nothing. */
void sat_profile_close(sat_profile *profile);

/* Who this device is; known while locked as well. Lent by the profile. */
const char *sat_profile_path(const sat_profile *profile);
const uint8_t *sat_profile_device_id(const sat_profile *profile);
const char *sat_profile_device_name(const sat_profile *profile);

/* Changes the name in satchel.conf and leaves the rest of it as it was. */
SAT_CHECK sat_status sat_profile_set_device_name(sat_profile *profile,
                                                 const char *name,
                                                 sat_error *err);

/* 1 until one of the three below has succeeded. */
int sat_profile_is_locked(const sat_profile *profile);

/*
 * Each gives the profile its master key. A wrong secret fails with SAT_ERR_AUTH
 * and changes nothing; a keychain that does not have it with SAT_ERR_LOCKED.
 */
SAT_CHECK sat_status sat_profile_unlock(sat_profile *profile,
                                        const char *password, sat_error *err);
SAT_CHECK sat_status sat_profile_unlock_phrase(sat_profile *profile,
                                               const char *phrase,
                                               sat_error *err);
SAT_CHECK sat_status sat_profile_unlock_keychain(sat_profile *profile,
                                                 sat_error *err);

/* SAT_ERR_AUTH unless `phrase` is this profile's; it may stay locked. */
SAT_CHECK sat_status sat_profile_check_phrase(const sat_profile *profile,
                                              const char *phrase,
                                              sat_error *err);

/* Which keychain remember() would use. */
typedef enum sat_keychain {
    SAT_KEYCHAIN_NONE = 0,
    SAT_KEYCHAIN_SECRET_SERVICE = 1, /* of the desktop session */
    SAT_KEYCHAIN_KERNEL = 2,         /* until logout, a day at most */
    SAT_KEYCHAIN_WIDTH_ = 0x7fffffff /* pins the enum to 32 bits */
} sat_keychain;

sat_keychain sat_profile_keychain(const sat_profile *profile);

/*
 * Lets the keychain open this profile from now on, or no longer. Needs an
 * unlocked profile to begin; ending works locked. SAT_ERR_UNSUPPORTED where
 * there is no keychain.
 */
SAT_CHECK sat_status sat_profile_remember(sat_profile *profile, sat_error *err);
SAT_CHECK sat_status sat_profile_forget(sat_profile *profile, sat_error *err);

/* Changes the password of an unlocked profile: its slot, and nothing else. */
SAT_CHECK sat_status sat_profile_set_password(sat_profile *profile,
                                              const char *password,
                                              sat_error *err);

/*
 * As set_password(), for when somebody else may know the former one: the master
 * key is renewed, so that what the former password opened opens nothing that is
 * written from now on. Every vault's database gets another key, which takes as
 * long as writing it: SAT_ERR_BUSY, and nothing is changed, where one is open.
 * The phrase stays good; the keychain forgets.
 */
SAT_CHECK sat_status sat_profile_renew(sat_profile *profile,
                                       const char *password, sat_error *err);

/*
 * Makes the unlocked profile another device, with keys of its own and a new id:
 * how one that was revoked comes back. It leaves its account, and is let in as
 * a new device is, by sat_peer_join() or sat_account_login(). Its vaults stay;
 * what it had not sent goes out once it has heard what of its former self
 * counts. The keychain forgets.
 */
SAT_CHECK sat_status sat_profile_renew_device(sat_profile *profile,
                                              sat_error *err);

SAT_END_DECLS

#endif /* SAT_PROFILE_H */
