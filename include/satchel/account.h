/*
 * account.h - one person on several devices, who meet at a hub
 *
 * A hub keeps what it can not read: sealed rows, sealed keys, and chains of
 * signed links that say which devices are whose. An account belongs to a
 * profile; its other devices join it with the password and the secret key, or
 * with the recovery phrase.
 *
 *      first device:  register          prints nothing secret
 *      second one:    login             with password and secret key
 *      either:        sat_hub_sync()    as between peers (peer.h)
 *
 * All of these need an unlocked profile. SAT_ERR_OFFLINE means that the hub can
 * not be reached: nothing is lost, and the next call goes on.
 */
#ifndef SAT_ACCOUNT_H
#define SAT_ACCOUNT_H

#include "satchel/peer.h"

SAT_BEGIN_DECLS

#define SAT_EMAIL_SIZE 255
#define SAT_HUB_URL_SIZE 400

/* Room for a secret key as it is printed: SK1-0123-… */
#define SAT_SECRET_KEY_TEXT 44

/*
 * Gives the profile's account a place at the hub, with the profile's own
 * password. SAT_ERR_CONFLICT where the profile or the address has one;
 * SAT_ERR_DENIED on a device that was let in by another, and has not the
 * account's secret key.
 */
SAT_CHECK sat_status sat_account_register(sat_profile *profile, const char *url,
                                          const char *email,
                                          const char *password, sat_error *err);

/* What a person shows to be let in on another device. */
typedef struct sat_account_credentials {
    size_t size; /* sizeof(sat_account_credentials) */
    const char *email;
    const char *password;   /* with the secret key; and for this device */
    const char *secret_key; /* as it is printed, or NULL with a phrase */
    const char *phrase;     /* or NULL */
    const char *totp;       /* of the second factor, or NULL */
} sat_account_credentials;

/*
 * Makes this profile a device of the account: its master key, secret key and
 * password become the account's. What is in its vaults stays, and meets the
 * account's at the next sync. A device of the account already, without secret
 * key and phrase, logs in again by its own key. SAT_ERR_LOCKED where the
 * account wants the code of its second factor, SAT_ERR_AUTH where the hub or
 * the slot does not open, SAT_ERR_CONFLICT where the profile has another
 * account.
 */
SAT_CHECK sat_status
sat_account_login(sat_profile *profile, const char *url,
                  const sat_account_credentials *credentials, sat_error *err);

typedef struct sat_account {
    char email[SAT_EMAIL_SIZE];
    char url[SAT_HUB_URL_SIZE];
    uint8_t id[32];
    uint32_t devices;      /* that are not removed */
    int is_logged_in;      /* as far as this device knows */
    uint64_t last_sync_ms; /* that went well, since 1970; 0: never */
    const char *state;     /* a word for people: how the last one went */
} sat_account;

/* SAT_ERR_NOT_FOUND where there is none. The hub is not asked. */
SAT_CHECK sat_status sat_account_show(sat_profile *profile, sat_account *out,
                                      sat_error *err);

/*
 * Makes the profile's new password (sat_profile_set_password() or
 * sat_profile_renew()) the account's: from then on the former one logs nobody
 * in. After a renewal `is_compromised` ends every other session, and gives the
 * vaults that this device administers new keys. SAT_ERR_OFFLINE where the hub
 * can not be reached; the next sync does it all then. Nothing is done where the
 * profile has no account.
 */
SAT_CHECK sat_status sat_account_password(sat_profile *profile,
                                          const char *password,
                                          int is_compromised, sat_error *err);

/* What another device needs beside the password. Wipe it after use. */
SAT_CHECK sat_status sat_account_secret_key(sat_profile *profile,
                                            char out[SAT_SECRET_KEY_TEXT],
                                            sat_error *err);

/* Ends this device's session at the hub; it stays a device of the account. */
SAT_CHECK sat_status sat_account_logout(sat_profile *profile, sat_error *err);

/* ---- guarding ---- */

#define SAT_SESSION_ID_SIZE 33 /* 32 hexadecimal digits and an end */
#define SAT_RECOVERY_CODES 10

/* A device that is logged in. Lent for the call; times in milliseconds since
 * 1970. */
typedef struct sat_account_session {
    char id[SAT_SESSION_ID_SIZE];
    const char *device_name;
    const char *device_id;
    uint64_t created_ms, seen_ms;
    int is_this; /* it is of this device */
} sat_account_session;

typedef sat_status sat_account_session_fn(const sat_account_session *session,
                                          void *context, sat_error *err);

/* The hub is asked, as in all that follows: SAT_ERR_OFFLINE. */
SAT_CHECK sat_status sat_account_sessions(sat_profile *profile,
                                          sat_account_session_fn *each,
                                          void *context, sat_error *err);
SAT_CHECK sat_status sat_account_end_session(sat_profile *profile,
                                             const char *id, sat_error *err);

/* A second factor as it is shown, once. Wipe it after use. */
typedef struct sat_account_factor {
    char secret[64]; /* Base32 */
    char uri[256];   /* otpauth */
    uint32_t code_count;
    char codes[SAT_RECOVERY_CODES][24]; /* each good once */
} sat_account_factor;

/*
 * A login by password needs a code once begin() and confirm() have gone well;
 * begin() fills secret and URI, confirm() takes a code of it and fills the
 * recovery codes. SAT_ERR_CONFLICT where the factor is not in that state,
 * SAT_ERR_AUTH for a wrong code.
 */
SAT_CHECK sat_status sat_account_mfa_begin(sat_profile *profile,
                                           sat_account_factor *out,
                                           sat_error *err);
SAT_CHECK sat_status sat_account_mfa_confirm(sat_profile *profile,
                                             const char *code,
                                             sat_account_factor *out,
                                             sat_error *err);
SAT_CHECK sat_status sat_account_mfa_disable(sat_profile *profile,
                                             const char *code, sat_error *err);

/* ---- following a hub ---- */

/*
 * Takes what the hub has of every vault of the account and gives it what it
 * lacks. What the hub shows is checked against what the devices signed: where
 * it is not that, nothing of it is taken, and the call fails with
 * SAT_ERR_CORRUPT and a sentence that says what the hub did. `progress` may be
 * NULL.
 */
SAT_CHECK sat_status sat_hub_sync(sat_profile *profile,
                                  sat_sync_progress_fn *progress, void *context,
                                  sat_sync_report *out, sat_error *err);

/* ---- sharing ---- */

typedef enum sat_role {
    SAT_ROLE_MAY_READ = 1,
    SAT_ROLE_MAY_WRITE = 2,
    SAT_ROLE_MAY_ADMINISTER = 3,
    SAT_ROLE_WIDTH_ = 0x7fffffff /* pins the enum to 32 bits */
} sat_role;

typedef enum sat_standing {
    SAT_STANDING_INVITED = 1,
    SAT_STANDING_ACCEPTED = 2,
    SAT_STANDING_CONFIRMED = 3,
    SAT_STANDING_WIDTH_ = 0x7fffffff /* pins the enum to 32 bits */
} sat_standing;

#define SAT_SHARE_ID_SIZE 17
#define SAT_SAFETY_SIZE 72 /* 60 digits in twelve groups */

/* A vault and one account that it is, or is to be, shared with. */
typedef struct sat_share {
    char id[SAT_SHARE_ID_SIZE];
    const char *vault; /* its name here, "" before it has one */
    const char *email; /* of the other side, as the hub says */
    sat_role role;
    sat_standing standing;
    int is_ours; /* it is this account that was invited */
    char safety_number[SAT_SAFETY_SIZE]; /* the same on both sides, if nobody
                                            is between */
} sat_share;

/* Lent for the call; anything but SAT_OK ends it with that. */
typedef sat_status sat_share_fn(const sat_share *share, void *context,
                                sat_error *err);

SAT_CHECK sat_status sat_share_list(sat_profile *profile, sat_share_fn *each,
                                    void *context, sat_error *err);

/* Invites the account of `email` to a vault that is at the hub. No key is
 * sealed before confirm(). */
SAT_CHECK sat_status sat_share_invite(sat_profile *profile, const char *vault,
                                      const char *email, sat_role role,
                                      sat_share *out, sat_error *err);

/* Accepts an invitation; the vault will be called `name` here. `each` is told
 * of the share, with its safety number. A beginning of an id is enough. */
SAT_CHECK sat_status sat_share_accept(sat_profile *profile, const char *id,
                                      const char *name, sat_share_fn *each,
                                      void *context, sat_error *err);

/* Seals the vault's keys for who accepted, once both have compared the safety
 * number. SAT_ERR_CORRUPT where the hub shows other keys than the account's. */
SAT_CHECK sat_status sat_share_confirm(sat_profile *profile, const char *id,
                                       sat_error *err);
SAT_CHECK sat_status sat_share_set_role(sat_profile *profile, const char *id,
                                        sat_role role, sat_error *err);

/* Takes the vault back: what is written from now on is under a new key. What
 * the other side has already, it keeps. */
SAT_CHECK sat_status sat_share_revoke(sat_profile *profile, const char *id,
                                      sat_error *err);

/*
 * Told after every sync: how it went, and why it did not (SAT_ERR_OFFLINE is
 * tried again). In between it is asked several times a second, with a report of
 * NULL. Return 0 to stop.
 */
typedef int sat_hub_follow_fn(const sat_sync_report *report, sat_status status,
                              const sat_error *why, void *context);

/*
 * Syncs at the hub's word, soon after a write to `vault`, and every so often in
 * any case, until it is told to stop or something is wrong that does not pass.
 */
SAT_CHECK sat_status sat_hub_follow(sat_profile *profile, const char *vault,
                                    uint64_t every_ms, sat_hub_follow_fn *each,
                                    void *context, sat_error *err);

SAT_END_DECLS

#endif /* SAT_ACCOUNT_H */
