/*
 * members.h - who is of a vault, by its chain, and what follows for its rows
 *
 *      account's chain ─┐
 *                       ├─> settle: devices let in, devices taken out
 *      vault's chain ───┘            └─> last dots ─> what is not taken
 * (expel.c)
 *
 * The chain is in the vault's database (store/vault_chain.h), one for devices
 * that meet and for a hub.
 */
#ifndef SAT_SRC_SYNC_MEMBERS_H
#define SAT_SRC_SYNC_MEMBERS_H

#include "chain/vault.h"
#include "store/vault_chain.h"
#include "sync/replica.h"

typedef struct sat__members {
    sat_replica *replica;
    const sat_env *env;
    const sat__identity *identity;
    sat__opener self;
    sat__chain *account; /* lent */
    bool is_account;     /* the vault `account` */
    bool is_fixed;       /* a hub has it: it is never another vault */
    sat__chain *chain;   /* of the vault; empty before it is begun */
} sat__members;

/* Opens what is there. Replica, identity and the account's chain are lent. */
SAT_CHECK sat_status sat__members_open(sat_replica *replica, const sat_env *env,
                                       const sat__identity *identity,
                                       sat__chain *account, bool is_account,
                                       sat__members *out, sat_error *err);
void sat__members_close(sat__members *members);
DEFINE_AUTO(sat__members, sat__members_close);

/*
 * Begins the chain where there is none of this account; lets in who is of the
 * account, as far as this device may; and holds the rows to what the chain
 * says. With `is_latest` it takes out who was revoked, too: then the chain must
 * have all that the other side has, or somebody else's removal is not seen, and
 * more counts than that says.
 */
SAT_CHECK sat_status sat__members_settle(sat__members *members, bool is_latest,
                                         sat_error *err);

/* Holds the rows to what the chain says, and changes nothing in it. */
SAT_CHECK sat_status sat__members_hold(const sat__members *members,
                                       sat_error *err);

/* Takes links of the vault; *taken are new. */
SAT_CHECK sat_status sat__members_take(sat__members *members,
                                       const sat_bytes *links, size_t count,
                                       size_t *taken, sat_error *err);

/* Goes over to the chain of these links, which is of the same account; a hub
 * must not have ours. */
SAT_CHECK sat_status sat__members_replace(sat__members *members,
                                          const sat_bytes *links, size_t count,
                                          sat_error *err);

/* A hub has the vault from now on. */
SAT_CHECK sat_status sat__members_fix(sat_replica *replica, sat_error *err);

#endif /* SAT_SRC_SYNC_MEMBERS_H */
