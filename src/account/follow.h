/*
 * follow.h - one vault, kept in step with a hub
 *
 *      pull ─> check against the head ─> pages ─> apply   one transaction
 *      collect ─> rows beyond the head ─> items ─> push ─> new head
 *
 * What this device last saw of the hub stands in the vault's own database, in
 * tables that are not tracked: the cursor, the version and hash of every item,
 * the hash of the set, the last head. docs/formats/hub-protocol.md.
 */
#ifndef SAT_SRC_ACCOUNT_FOLLOW_H
#define SAT_SRC_ACCOUNT_FOLLOW_H

#include "account/vault_chain.h"
#include "chain/head.h"
#include "chain/lthash.h"
#include "items/join.h"
#include "items/seal.h"
#include "sync/members.h"

/* The newest head that this device has verified. */
typedef struct sat__seen_head {
    bool is_there;
    sat_buf moved;
    sat__id hash;
    uint64_t sequence;
} sat__seen_head;

typedef struct sat__follow {
    sat__session *session;
    sat_replica *replica;
    sqlite3 *db; /* the replica's */
    sat__id id;  /* of the vault */
    sat__members members;
    sat__chain *chain; /* in the members */
    size_t hub_links;  /* of it that the hub had */
    sat__item_keys *keys;
    sat__item_press *press;
    sat__lthash set;
    uint64_t cursor;
    uint64_t own_heads; /* how many this device has signed, or may have */
    sat__seen_head head;
    sat_buf knowledge; /* in that head, opened */
    sqlite3_stmt *item_get, *item_put;
    sat_sync_report *report;
    sat_sync_progress_fn *progress;
    void *progress_context;
} sat__follow;

/* Opens the local vault `name` as the hub's vault `id`, and fetches its chain.
 * SAT_ERR_CONFLICT where it is another one already. */
SAT_CHECK sat_status sat__follow_open(sat__session *session, const char *name,
                                      const sat__id *id, sat__follow *out,
                                      sat_error *err);
void sat__follow_close(sat__follow *follow);
DEFINE_AUTO(sat__follow, sat__follow_close);

/* The hub's vault that the local one is; *found is false where it is none. */
SAT_CHECK sat_status sat__follow_id(sat_profile *profile, const char *name,
                                    sat__id *out, bool *found, sat_error *err);

/* Whether this account began the vault, as far as is known here. */
SAT_CHECK sat_status sat__follow_is_of(sat_profile *profile, const char *name,
                                       const sat__id *account, bool *out,
                                       sat_error *err);

/* Goes on from what this device knows of the vault, where session, replica, id,
 * chain and keys are there already. */
SAT_CHECK sat_status sat__follow_recall(sat__follow *follow, sat_error *err);

/* Takes what is new at the hub. */
SAT_CHECK sat_status sat__follow_pull(sat__follow *follow, sat_error *err);

/* Gives the hub what it lacks. SAT_ERR_CONFLICT where somebody was first: pull,
 * and try again. With `even_if_nothing` a head is pushed in any case. */
SAT_CHECK sat_status sat__follow_push(sat__follow *follow, bool even_if_nothing,
                                      sat_error *err);

/* Both, as often as somebody is first. */
SAT_CHECK sat_status sat__follow_sync(sat__follow *follow, sat_error *err);

/* ---- between the files ---- */

/* Whether this device's role allows it to push. */
bool sat__follow_may_write(const sat__follow *follow);

/* Fetches what the vault's chain has become, and opens its keys anew. */
SAT_CHECK sat_status sat__follow_update_chain(sat__follow *follow,
                                              sat_error *err);

/* A head of this vault that a member signed, even one that left since. */
SAT_CHECK sat_status sat__follow_read_head(sat__follow *follow, sat_bytes moved,
                                           sat__head *out, sat_error *err);

/* What is known of an item; version 0 where it is not. */
SAT_CHECK sat_status sat__follow_item(sat__follow *follow,
                                      const uint8_t id[SAT_ITEM_ID_SIZE],
                                      uint64_t *version, uint8_t hash[32],
                                      sat_error *err);
SAT_CHECK sat_status sat__follow_put_item(sat__follow *follow,
                                          const uint8_t id[SAT_ITEM_ID_SIZE],
                                          uint64_t version,
                                          const uint8_t hash[32],
                                          sat_error *err);

/* The item is none any more. */
SAT_CHECK sat_status sat__follow_drop_item(sat__follow *follow,
                                           const uint8_t id[SAT_ITEM_ID_SIZE],
                                           sat_error *err);

/* Keeps a table, by which rows are read later. */
SAT_CHECK sat_status sat__follow_put_shape(sat__follow *follow, sat_bytes body,
                                           sat_error *err);

/* Keeps cursor, set and head, within a transaction. */
SAT_CHECK sat_status sat__follow_keep(sat__follow *follow, uint64_t cursor,
                                      const sat__lthash *set, sat_bytes head,
                                      sat_error *err);

/* What was kept counts from now on. */
SAT_CHECK sat_status sat__follow_advance(sat__follow *follow, uint64_t cursor,
                                         const sat__lthash *set, sat_bytes head,
                                         sat_error *err);

SAT_CHECK sat_status sat__follow_number(sat__follow *follow, const char *key,
                                        uint64_t *out, sat_error *err);
SAT_CHECK sat_status sat__follow_get(sat__follow *follow, const char *key,
                                     sat_buf *out, bool *found, sat_error *err);
SAT_CHECK sat_status sat__follow_put(sat__follow *follow, const char *key,
                                     sat_bytes value, sat_error *err);

/* The knowledge of a head, and behind it what its writer has forgotten, if
 * anything, sealed by an epoch's key and bound to its place. */
SAT_CHECK sat_status sat__knowledge_seal(sat__follow *follow,
                                         const sat__head *head,
                                         sat_bytes knowledge, sat_buf *out,
                                         sat_error *err);
SAT_CHECK sat_status sat__knowledge_unseal(sat__follow *follow,
                                           const sat__head *head, sat_buf *out,
                                           sat_buf *forgotten, sat_error *err);

/* Told after every request; SAT_ERR_STOPPED where the caller wants to. */
SAT_CHECK sat_status sat__follow_progress(sat__follow *follow, sat_error *err);

#endif /* SAT_SRC_ACCOUNT_FOLLOW_H */
