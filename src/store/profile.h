/*
 * profile.h - the open profile, from the inside
 */
#ifndef SAT_SRC_STORE_PROFILE_H
#define SAT_SRC_STORE_PROFILE_H

#include "base/scope.h"
#include "store/conf.h"
#include "store/ledger.h"
#include "store/secrets.h"

struct sat_profile {
    const sat_env *env;
    char path[SAT_PATH_SIZE];
    uint8_t device_id[SAT_DEVICE_ID_SIZE];
    sat__conf conf;
    sat__keys_file keys;   /* as last read */
    sat__secrets *secrets; /* NULL while locked */
};

DEFINE_AUTO_PTR(sat_profile, sat_profile_close);

/* The identity of this device; SAT_ERR_LOCKED while the profile is. It is lent
 * until the profile is closed or changed. */
SAT_CHECK sat_status sat__profile_identity(const sat_profile *profile,
                                           const sat__identity **out,
                                           sat_error *err);

/* The same profile once more, unlocked as this one is, for another thread. */
SAT_CHECK sat_status sat__profile_twin(const sat_profile *profile,
                                       sat_profile **out, sat_error *err);

/* SAT_ERR_LOCKED while the profile is locked. */
SAT_CHECK sat_status sat__profile_require(const sat_profile *profile,
                                          sat_error *err);

/* The path of a file of the profile. */
SAT_CHECK sat_status sat__profile_file(const sat_profile *profile,
                                       const char *name,
                                       char out[SAT_PATH_SIZE], sat_error *err);

/*
 * A change of keys.cbor: begin() takes the profile's lock and reads what other
 * processes have written; commit() seals the secrets and replaces the file.
 * What ends without commit changes nothing on the disk, and reload() undoes it
 * in memory.
 */
typedef struct sat__profile_change {
    sat_profile *profile; /* NULL when it is committed */
    int lock;
} sat__profile_change;

#define SAT_PROFILE_CHANGE_INIT                                                \
    {                                                                          \
        NULL, -1                                                               \
    }

SAT_CHECK sat_status sat__profile_begin(sat_profile *profile,
                                        sat__profile_change *out,
                                        sat_error *err);
SAT_CHECK sat_status sat__profile_commit(sat__profile_change *change,
                                         sat_error *err);

/* The same where a slot was only removed, which needs no master key. */
SAT_CHECK sat_status sat__profile_commit_slots(sat__profile_change *change,
                                               sat_error *err);
void sat__profile_end(sat__profile_change *change);
DEFINE_AUTO(sat__profile_change, sat__profile_end);

/* Reads keys.cbor again, and what it seals if the profile is unlocked. */
SAT_CHECK sat_status sat__profile_reload(sat_profile *profile, sat_error *err);

/* The root of a recovery phrase as a person types it. */
SAT_CHECK sat_status sat__profile_phrase_root(const char *phrase,
                                              sat__root *out, sat_error *err);

/*
 * Makes the unlocked profile one of another account: what the device has of its
 * own stays, sealed by that account's master key of `generation`. It opens with
 * `password`, and with the phrase of `phrase_slot`, if that is not NULL.
 */
SAT_CHECK sat_status sat__profile_adopt(
    sat_profile *profile, const sat__master_key *master, uint64_t generation,
    const sat__secret_key *secret_key, const char *password,
    const sat__slot *phrase_slot, sat_error *err);

/*
 * Makes the unlocked device one of the account whose chain is in the vault
 * `account`, signed by the phrase; where there is none that begins with this
 * phrase, another account begins.
 */
SAT_CHECK sat_status sat__profile_enter_account(sat_profile *profile,
                                                const sat__root *phrase,
                                                sat_error *err);

/*
 * Keeps among the secrets, to be committed, who the password's principal is for
 * the account: stretched with the secret key, which this device's own slot is
 * not. Takes as long as `cost` says.
 */
SAT_CHECK sat_status sat__profile_name_password(sat_profile *profile,
                                                const sat__kdf_cost *cost,
                                                const char *password,
                                                sat_error *err);

/*
 * Keeps profile and account in step: names the password's present principal in
 * the account's chain, if that began with this profile's phrase; seals
 * keys.cbor by the account's present master key, where it was sealed by a
 * former one; and remembers how far the chain goes. SAT_ERR_AUTH where it went
 * further before.
 */
SAT_CHECK sat_status sat__profile_follow_account(sat_profile *profile,
                                                 sat__ledger *ledger,
                                                 sat_error *err);
SAT_CHECK sat_status sat__profile_tell_account(sat_profile *profile,
                                               sat_error *err);

/* Begins another master key of the account, and names `password`. Where this
 * device has no say in it, the key is the profile's own. */
SAT_CHECK sat_status sat__profile_renew_account(sat_profile *profile,
                                                const sat__principal *password,
                                                sat__master_key *out,
                                                sat_error *err);

/* The account's present master key, by the device keys that are at hand. */
SAT_CHECK sat_status sat__profile_present_master(const sat_profile *profile,
                                                 sat__master_key *out,
                                                 sat_error *err);

#endif /* SAT_SRC_STORE_PROFILE_H */
