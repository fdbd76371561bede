/*
 * session.h - a profile with its account, as far as it has one
 *
 * What a device knows of its account stands in its vault `account`, in tables
 * that are not tracked: where the hub is, the session with it, and the links of
 * the account's chain (store/ledger.h), which peers go by as well.
 */
#ifndef SAT_SRC_ACCOUNT_SESSION_H
#define SAT_SRC_ACCOUNT_SESSION_H

#include "account/hub.h"
#include "satchel/account.h"
#include "store/profile.h"
#include "store/vault_chain.h"
#include "store/vault_db.h"

typedef struct sat__session {
    sat_profile *profile;
    const sat_env *env;
    sqlite3 *db; /* the vault `account` */
    const sat__identity *identity;
    sat__id device;
    sat__ledger *ledger;
    sat__chain *chain; /* of the account, in the ledger */
    char email[SAT_EMAIL_SIZE], url[SAT_HUB_URL_SIZE]; /* "" while there is no
                                                          account */
    sat__hub hub; /* open where url is there */
} sat__session;

/* Opens what is there. The profile is unlocked, and outlives the session. */
SAT_CHECK sat_status sat__session_open(sat_profile *profile, sat__session *out,
                                       sat_error *err);
void sat__session_close(sat__session *session);
DEFINE_AUTO(sat__session, sat__session_close);

/* SAT_ERR_NOT_FOUND where the profile has no account, with what to do. */
SAT_CHECK sat_status sat__session_require(const sat__session *session,
                                          sat_error *err);

/* Goes on with the hub at `url`, whose id is pinned there. */
SAT_CHECK sat_status sat__session_connect(sat__session *session,
                                          const char *url, sat_error *err);

/* One text of what is known; an empty one is none. */
SAT_CHECK sat_status sat__session_get(sat__session *session, const char *key,
                                      char *out, size_t size, sat_error *err);
SAT_CHECK sat_status sat__session_put(sat__session *session, const char *key,
                                      const char *value, sat_error *err);

/* Takes links into the chain and keeps those that are new. */
SAT_CHECK sat_status sat__session_take_links(sat__session *session,
                                             const sat_bytes *moved,
                                             size_t count, sat_error *err);

/* Leaves the account for the one of these links (sat__ledger_replace()). */
SAT_CHECK sat_status sat__session_replace_chain(sat__session *session,
                                                const sat_bytes *moved,
                                                size_t count, sat_error *err);

/* Adds a device to the account by the hand of `signer`, who is of it: this
 * device or a slot's principal. What was done before is not done again. */
SAT_CHECK sat_status sat__session_admit(sat__session *session,
                                        const sat__identity *signer,
                                        const sat__principal *device,
                                        const char *name, bool is_admin,
                                        sat_error *err);

/* The chain and the profile's keys after a change, in step again. */
SAT_CHECK sat_status sat__session_follow_chain(sat__session *session,
                                               sat_error *err);

/* Fetches what the hub has of the account's chain, and gives it what it lacks;
 * *changed, unless NULL, says whether it told something new. */
SAT_CHECK sat_status sat__session_update_chain(sat__session *session,
                                               bool *changed, sat_error *err);

/* Who follows a hub. */
typedef struct sat__hub_follower {
    int wake; /* a descriptor, or -1: `each` is asked only when it is readable,
                 or something happened */
    sat_hub_follow_fn *each;
    void (*backup)(void *context, uint64_t within_ms); /* the hub asks for one;
                                                          or NULL */
    void *context;
} sat__hub_follower;

/* As sat_hub_follow(). */
SAT_CHECK sat_status sat__hub_follow(sat_profile *profile, const char *vault,
                                     uint64_t every_ms,
                                     const sat__hub_follower *follower,
                                     sat_error *err);

/* Whether the link of that hash is among those moved. */
bool sat__link_is_listed(const sat__id *hash, const sat_bytes *moved,
                         size_t count);

/* Takes a list of byte strings apart; the list lives in `arena`. */
SAT_CHECK sat_status sat__links_decode(sat__cbor in, sat__arena *arena,
                                       sat_bytes **out, size_t *count,
                                       sat_error *err);

#endif /* SAT_SRC_ACCOUNT_SESSION_H */
