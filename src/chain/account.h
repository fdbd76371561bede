/*
 * account.h - the devices, slots and master keys of one person
 *
 *   genesis  by the phrase's principal, which it names: phrase, password, first
 *            device, generation 1 of the master key
 *   add      a device, by any principal; as an administrator by one, who may
 *            also make one of a device that is there
 *   revoke   a device for good, with a new master key; by an administrator, or
 *            the device itself
 *   slot     another principal of the password, by an administrator or the
 *            present one; with the present master key for it, or a new one for
 *            all
 *   renew    a new master key, by the same
 *
 * The phrase's principal and the first device are administrators; a password's
 * never is. So whoever has the password adds a device that reads, and no more.
 *
 *      sat__account_new(&chain, err)
 *      sat__chain_append(chain, moved, NULL, err)          for each link kept
 *      state = sat__account_state_of(chain)
 *      sat__account_sign(chain, &change, identity, now, &moved, err)
 *      sat__chain_append(chain, moved, NULL, err)
 *
 * A device that was revoked never comes back under its keys.
 */
#ifndef SAT_SRC_CHAIN_ACCOUNT_H
#define SAT_SRC_CHAIN_ACCOUNT_H

#include "chain/chain.h"

typedef enum sat__account_op {
    SAT_ACCOUNT_GENESIS = 1,
    SAT_ACCOUNT_ADD = 2,
    SAT_ACCOUNT_REVOKE = 3,
    SAT_ACCOUNT_SLOT = 4,
    SAT_ACCOUNT_RENEW = 5
} sat__account_op;

/* One change, before it is signed or after it was read. */
typedef struct sat__account_change {
    sat__account_op op;
    sat__party phrase;   /* genesis */
    sat__party password; /* genesis, slot */
    sat__party device;   /* genesis, add */
    sat__id former;      /* revoke: the device; slot: the principal before */
    bool has_key;        /* genesis, revoke, renew: yes; slot: either */
    sat__chain_key key;
    size_t grant_count; /* add, slot: the present master key, and earlier */
    const sat__grant *grants;
} sat__account_change;

typedef struct sat__account_principal {
    sat__party who;
    bool is_removed;        /* revoked, or the password of then */
    sat__id added, removed; /* the links that did */
    uint64_t added_ms, removed_ms;
} sat__account_principal;

typedef struct sat__account_state {
    size_t principal_count;
    sat__account_principal *principals; /* as they came; phrase first */
    size_t epoch_count;
    sat__epoch *epochs; /* of the master key, the last is the present one */
    size_t grant_count;
    const sat__grant **grants;
    bool needs_renewal; /* two changes crossed: who has the present master key
                           is not who should */
} sat__account_state;

/* An empty chain of an account. */
SAT_CHECK sat_status sat__account_new(sat__chain **out, sat_error *err);

/* What the chain says; valid until it is appended to. NULL while it is empty,
 * or where memory is refused. */
const sat__account_state *sat__account_state_of(sat__chain *chain);

/* NULL where there was never such a principal. */
const sat__account_principal *sat__account_find(const sat__account_state *state,
                                                const sat__id *id);

/* The present principal of the password; never NULL. */
const sat__account_principal *sat__account_password(
    const sat__account_state *state);

/* The envelope of a master key (named by its link) for a principal: *out is
 * empty where there is none. */
void sat__account_envelope(const sat__account_state *state, const sat__id *key,
                           const sat__id *principal, sat_bytes *out);

/*
 * Appends the change to `out`, as a moved link on all tips of `chain`, which is
 * empty for a genesis. It is not taken into the chain yet.
 */
SAT_CHECK sat_status sat__account_sign(sat__chain *chain,
                                       const sat__account_change *change,
                                       const sat__identity *signer,
                                       uint64_t time_ms, sat_buf *out,
                                       sat_error *err);

/* Payload to change and back; lists live in `arena`. */
void sat__account_change_put(const sat__account_change *change, sat_buf *out);
SAT_CHECK sat_status sat__account_change_get(unsigned op, sat_bytes payload,
                                             sat__arena *arena,
                                             sat__account_change *out,
                                             sat_error *err);

#endif /* SAT_SRC_CHAIN_ACCOUNT_H */
