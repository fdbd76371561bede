/*
 * manifest.h - one backup: which packs it is made of, and how to open them
 *
 *      manifest = ["satchel backup", signed, signature]
 *      signed   = [format, number, created, sign, exchange, generation, slot,
 *                  envelope, [[name, size], …], sealed]
 *
 * What stands in the open says no more than whoever keeps the backup needs to
 * know: which objects belong to it, its number and its date. `sealed` opens
 * with the master key, which the slot gives to whoever has the recovery phrase.
 * The device signs all of it, so damage and a wrong phrase are told apart.
 */
#ifndef SAT_SRC_BACKUP_MANIFEST_H
#define SAT_SRC_BACKUP_MANIFEST_H

#include "backup/pack.h"
#include "store/profile.h"

#define SAT_MANIFEST_SIZE_MAX ((size_t)64 << 20)
#define SAT_BACKUP_PACKS_MAX ((size_t)1 << 18) /* 4 TiB */

typedef struct sat__backup_vault {
    char name[SAT_VAULT_NAME_MAX + 1];
    uint32_t pages; /* of its database */
} sat__backup_vault;

typedef struct sat__manifest {
    sat__blob_name name; /* of the object; empty before it is written */
    uint64_t size;       /* of the object */

    /* in the open */
    uint64_t number;     /* 1, 2, 3, … */
    uint64_t created;    /* milliseconds since 1970 */
    sat__keys_file keys; /* who signed; the phrase's slot and no other */
    sat__pack *packs; /* in the order in which they are read; without keys until
                         it is unsealed */
    size_t pack_count;
    size_t base; /* how many of them are the base, which the others change */

    /* sealed */
    sat__pack_home home;
    char device_name[SAT_DEVICE_NAME_SIZE];
    sat__secret_key secret_key; /* of the account */
    sat_buf settings;           /* JSON */
    sat__backup_vault *vaults;  /* ascending by name */
    size_t vault_count;
    uint64_t files, missing; /* media files, and those that were not there */
    uint64_t content;        /* bytes of databases and files */
} sat__manifest;

#define SAT_MANIFEST_INIT                                                      \
    {                                                                          \
        .settings = SAT_BUF_INIT, .keys = {.sealed = SAT_BUF_INIT }            \
    }

void sat__manifest_clear(sat__manifest *manifest);
DEFINE_AUTO(sat__manifest, sat__manifest_clear);

/* Appends the manifest's bytes, sealed and signed, to `out`. */
SAT_CHECK sat_status sat__manifest_encode(const sat__manifest *manifest,
                                          const sat_env *env,
                                          const sat__master_key *master,
                                          const sat__identity *device,
                                          sat_buf *out, sat_error *err);

/* What stands in the open, once the signature was verified. SAT_ERR_CORRUPT
 * where it is damaged, SAT_ERR_VERSION where a newer satchel wrote it. */
SAT_CHECK sat_status sat__manifest_decode(sat_bytes bytes, sat__manifest *out,
                                          sat_error *err);

/* The two halves of reading, once what they read was authenticated: `signed`,
 * and, behind its part in the open, the content of what is sealed. */
SAT_CHECK sat_status sat__manifest_read_open(sat_bytes body, sat__manifest *out,
                                             sat_error *err);
SAT_CHECK sat_status sat__manifest_read_sealed(sat__manifest *manifest,
                                               sat_bytes open, sat_bytes plain,
                                               sat_error *err);

/* Opens what is sealed. SAT_ERR_AUTH where it is not under this master key. */
SAT_CHECK sat_status sat__manifest_unseal(sat__manifest *manifest,
                                          const sat__master_key *master,
                                          sat_error *err);

/* The vault `name`, NULL if the backup has none. */
const sat__backup_vault *sat__manifest_vault(const sat__manifest *manifest,
                                             const char *name);

/* The bytes of all its objects, its own among them. */
uint64_t sat__manifest_total(const sat__manifest *manifest);

/* Writes it to the place, and fills in its name and size. */
SAT_CHECK sat_status sat__manifest_put(sat__manifest *manifest,
                                       const sat_env *env,
                                       const sat__master_key *master,
                                       const sat__identity *device,
                                       sat__place *place, sat_error *err);

/* Reads the object `name`, up to what is sealed. */
SAT_CHECK sat_status sat__manifest_get(const sat__place *place,
                                       const sat__blob_name *name,
                                       sat__manifest *out, sat_error *err);

#endif /* SAT_SRC_BACKUP_MANIFEST_H */
