/*
 * mfa.h - an authenticator on every device: one-time codes and backup codes
 *
 * An entry is a secret that is shared with a service; from it and the time come
 * codes (RFC 6238). It stands in the vault `account`, so that what is set up on
 * one device gives and verifies codes on all of them, offline too.
 *
 * Whoever verifies codes, for a service of their own, asks verify(): it takes
 * the code of now, of one period before and of one after, each once on all
 * devices that have met, or one of the backup codes, each once.
 *
 * Entries are named by the person, or by their id. One thread at a time may use
 * a handle.
 */
#ifndef SAT_MFA_H
#define SAT_MFA_H

#include "satchel/profile.h"

SAT_BEGIN_DECLS

#define SAT_MFA_NAME_SIZE 101    /* of up to 100 bytes of UTF-8, and an end */
#define SAT_MFA_ID_SIZE 33       /* 32 hexadecimal digits and an end */
#define SAT_MFA_CODE_SIZE 9      /* 6 to 8 digits and an end */
#define SAT_MFA_SECRET_MAX 128   /* bytes */
#define SAT_MFA_PERIOD_MAX 86400 /* seconds */
#define SAT_MFA_URI_SIZE 1536    /* room for any otpauth URI that we write */
#define SAT_MFA_BACKUP_CODES 10  /* are made at a time … */
#define SAT_MFA_BACKUP_SIZE 15   /* … each as XXXX-XXXX-XXXX and an end */

typedef struct sat_mfa sat_mfa;

/* Opens the entries of an unlocked profile, which must outlive them. */
SAT_CHECK sat_status sat_mfa_open(sat_profile *profile, sat_mfa **out,
                                  sat_error *err);

/* Releases them; NULL is allowed and does nothing. */
void sat_mfa_close(sat_mfa *mfa);

/* ---- setting up ---- */

typedef struct sat_mfa_options {
    size_t size;           /* sizeof(sat_mfa_options), set by INIT */
    const char *secret;    /* Base32; NULL makes a new one of 20 bytes */
    const char *algorithm; /* "SHA1", "SHA256" or "SHA512" */
    unsigned digits;       /* 6 to 8 */
    unsigned period;       /* seconds */
    const char *issuer;    /* who asks for the codes, or NULL */
    const char *account;   /* of whom, or NULL */
} sat_mfa_options;

#define SAT_MFA_INIT                                                           \
    {                                                                          \
        sizeof(sat_mfa_options), NULL, "SHA1", 6, 30, NULL, NULL               \
    }

/*
 * Sets up an entry. SAT_ERR_CONFLICT where there is one of that name,
 * SAT_ERR_INVALID where something of it is not what it may be. `options` NULL
 * are those of INIT.
 */
SAT_CHECK sat_status sat_mfa_add(sat_mfa *mfa, const char *name,
                                 const sat_mfa_options *options,
                                 char id[SAT_MFA_ID_SIZE], sat_error *err);

/* The same from otpauth://totp/…, as QR codes hold it. `name` NULL takes the
 * issuer's name, else the account's. */
SAT_CHECK sat_status sat_mfa_add_uri(sat_mfa *mfa, const char *name,
                                     const char *uri, char id[SAT_MFA_ID_SIZE],
                                     sat_error *err);

/* The entry as an otpauth URI, which holds its secret: for another
 * authenticator. Wipe it after use. */
SAT_CHECK sat_status sat_mfa_export(sat_mfa *mfa, const char *name,
                                    char uri[SAT_MFA_URI_SIZE], sat_error *err);

SAT_CHECK sat_status sat_mfa_remove(sat_mfa *mfa, const char *name,
                                    sat_error *err);

/* ---- codes ---- */

/* The code of now, and for how many milliseconds it will be that.
 * SAT_ERR_DENIED while the entry is disabled. */
SAT_CHECK sat_status sat_mfa_code(sat_mfa *mfa, const char *name,
                                  char code[SAT_MFA_CODE_SIZE],
                                  uint64_t *left_ms, sat_error *err);

/*
 * SAT_OK where `code` is right: now, or within a period of it, and not used
 * before; or a backup code that was not used. SAT_ERR_AUTH where it is not,
 * with the reason where there is one, such as a clock that is wrong.
 * SAT_ERR_DENIED while the entry is disabled.
 */
SAT_CHECK sat_status sat_mfa_verify(sat_mfa *mfa, const char *name,
                                    const char *code, sat_error *err);

/* Makes new backup codes in the place of those before. They are shown once, and
 * kept as hashes only. */
SAT_CHECK sat_status sat_mfa_backup_codes(
    sat_mfa *mfa, const char *name,
    char codes[SAT_MFA_BACKUP_CODES][SAT_MFA_BACKUP_SIZE], sat_error *err);

/* Gives and takes no codes for `for_ms` from now on; 0: until it is enabled. */
SAT_CHECK sat_status sat_mfa_disable(sat_mfa *mfa, const char *name,
                                     uint64_t for_ms, sat_error *err);
SAT_CHECK sat_status sat_mfa_enable(sat_mfa *mfa, const char *name,
                                    sat_error *err);

/* ---- listing ---- */

/* Lent for the call; times in milliseconds since 1970, 0: never. */
typedef struct sat_mfa_entry {
    const char *id;
    const char *name;
    const char *issuer; /* may be empty, as may be the next */
    const char *account;
    const char *algorithm;
    unsigned digits, period;
    const char *status;         /* active, verified or disabled */
    uint64_t disabled_until_ms; /* 0 where that is until it is enabled */
    uint64_t created_ms;
    uint64_t verified_ms;  /* when a code was first right, on any device */
    uint64_t last_used_ms; /* when one was last right */
    unsigned backup_codes; /* that were not used yet */
    const char *devices;   /* JSON array: the ids of devices that set it up or
                              verified a code */
} sat_mfa_entry;

/* Returns SAT_OK to go on; anything else ends the listing with that. */
typedef sat_status sat_mfa_fn(const sat_mfa_entry *entry, void *context,
                              sat_error *err);

/* Calls `each` for every entry, by name. */
SAT_CHECK sat_status sat_mfa_list(sat_mfa *mfa, sat_mfa_fn *each, void *context,
                                  sat_error *err);

SAT_END_DECLS

#endif /* SAT_MFA_H */
