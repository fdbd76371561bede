/*
 * secrets.h - what the master key seals in keys.cbor
 *
 *      [identity, secret key, [[name, former name, key, next key], …],
 *       [[slot, tie], …], sign, exchange, account, [tip, …]]
 *
 * The identity never leaves the device, and neither do the database keys; the
 * secret key is the account's. All of it lives in guarded memory.
 */
#ifndef SAT_SRC_STORE_SECRETS_H
#define SAT_SRC_STORE_SECRETS_H

#include "satchel/vault.h"
#include "chain/link.h"
#include "store/keys_file.h"

#define SAT_VAULTS_MAX 256

typedef struct sat__vault_entry {
    char name[SAT_VAULT_NAME_MAX + 1];
    char former[SAT_VAULT_NAME_MAX + 1]; /* a renaming that is not finished */
    sat__database_key key;
    bool has_next; /* the database is being given another key */
    sat__database_key next;
} sat__vault_entry;

/* How far the account's chain went when it was last seen: a database that is
 * older than keys.cbor is found out by it. */
typedef struct sat__chain_seen {
    sat__id account;
    size_t count; /* 0: nothing was seen yet */
    sat__id tips[SAT_LINK_PARENTS_MAX];
} sat__chain_seen;

typedef struct sat__secrets {
    sat__master_key master;
    sat__identity *identity;
    sat__secret_key secret_key;
    sat__slot_ties ties;
    sat__principal password; /* of the account: password and secret key */
    sat__chain_seen seen;
    size_t count;
    sat__vault_entry vaults[SAT_VAULTS_MAX]; /* ascending by name */
} sat__secrets;

/* Guarded memory for secrets, all zero. */
SAT_CHECK sat_status sat__secrets_new(sat__secrets **out, sat_error *err);
void sat__secrets_free(sat__secrets *secrets);
DEFINE_AUTO_PTR(sat__secrets, sat__secrets_free);

/* Seals all but the master key, with it, into file->sealed. */
SAT_CHECK sat_status sat__secrets_seal(const sat__secrets *secrets,
                                       const sat_env *env, sat__keys_file *file,
                                       sat_error *err);

/* Fills the rest from file->sealed by secrets->master. SAT_ERR_CORRUPT where
 * that is not what this master key sealed for this device. */
SAT_CHECK sat_status sat__secrets_unseal(sat__secrets *secrets,
                                         const sat__keys_file *file,
                                         sat_error *err);

/* The vault `name`, NULL if there is none. */
sat__vault_entry *sat__secrets_find(sat__secrets *secrets, const char *name);

/* Adds a vault with a new key; the name is valid and not taken. */
SAT_CHECK sat_status sat__secrets_add(sat__secrets *secrets, const sat_env *env,
                                      const char *name, sat_error *err);
void sat__secrets_remove(sat__secrets *secrets, const char *name);

/* SAT_ERR_INVALID unless `name` may be a vault's. */
SAT_CHECK sat_status sat__vault_name_check(const char *name, sat_error *err);

#endif /* SAT_SRC_STORE_SECRETS_H */
