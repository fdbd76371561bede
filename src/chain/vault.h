/*
 * vault.h - the members and epochs of one vault
 *
 *   genesis  the owner's account and its principals, the commitment to the id
 *            key, epoch 1; by one of those principals, of whom at least one
 *            has admin
 *   invite   an account, with a role; by an administrator
 *   accept   by a principal of that account, naming its principals
 *   confirm  of an acceptance, with the epoch's key for them; by an
 *            administrator, once the safety number was compared
 *   role     another one for a member; by an administrator
 *   remove   a member, or some of its principals, with the last dots of theirs
 *            that count and a new epoch; by an administrator or that member
 *   epoch    a new one; by an administrator
 *   rekey    more principals of a member, and keys for them or for others of
 *            its; by that member or an administrator
 *
 * A vault knows its members' principals by these links alone, so that it can be
 * verified without the chains of their accounts. Whoever confirms compares the
 * principals with the account's chain first. An administrator is a principal
 * with that right (sat__party) of a member with that role; one without it does
 * for its own member what adds no administrator and removes only itself. The
 * last member that is administrator stays.
 *
 * What an epoch's envelopes hold is the epoch's key (32) and the id key (32).
 */
#ifndef SAT_SRC_CHAIN_VAULT_H
#define SAT_SRC_CHAIN_VAULT_H

#include "chain/chain.h"

typedef enum sat__vault_op {
    SAT_VAULT_GENESIS = 1,
    SAT_VAULT_INVITE = 2,
    SAT_VAULT_ACCEPT = 3,
    SAT_VAULT_CONFIRM = 4,
    SAT_VAULT_ROLE = 5,
    SAT_VAULT_REMOVE = 6,
    SAT_VAULT_EPOCH = 7,
    SAT_VAULT_REKEY = 8
} sat__vault_op;

typedef enum sat__vault_role {
    SAT_ROLE_READ = 1,
    SAT_ROLE_WRITE = 2,
    SAT_ROLE_ADMIN = 3
} sat__vault_role;

/* The last dot of an incarnation that counts. */
typedef struct sat__last_dot {
    uint8_t incarnation[16];
    uint64_t n; /* 0: none */
} sat__last_dot;

/* One change, before it is signed or after it was read. */
typedef struct sat__vault_change {
    sat__vault_op op;
    sat__id account;      /* genesis, invite, accept, role, remove, rekey */
    sat__id about;        /* accept: the invite; confirm: the accept */
    sat__vault_role role; /* invite, role */
    uint8_t id_key[32];   /* genesis: commitment to the id key */
    size_t party_count;   /* genesis, accept, rekey */
    const sat__party *parties;
    size_t removed_count; /* remove: principals; none: the whole member */
    const sat__id *removed;
    size_t dot_count; /* remove; ascending by incarnation */
    const sat__last_dot *dots;
    sat__chain_key key; /* genesis, remove, epoch */
    size_t grant_count; /* confirm, rekey */
    const sat__grant *grants;
} sat__vault_change;

typedef enum sat__member_standing {
    SAT_MEMBER_INVITED = 1,
    SAT_MEMBER_ACCEPTED = 2,
    SAT_MEMBER_CONFIRMED = 3, /* a member; the others are none */
    SAT_MEMBER_REMOVED = 4
} sat__member_standing;

typedef struct sat__vault_member {
    sat__id account;
    sat__member_standing standing;
    sat__vault_role role;
    sat__id invited, accepted; /* the last links that did */
    size_t party_count;        /* what was accepted last */
    const sat__party *parties;
} sat__vault_member;

typedef struct sat__vault_principal {
    sat__party who;
    size_t member;   /* position in members */
    bool is_removed; /* or its member is not confirmed */
} sat__vault_principal;

typedef struct sat__vault_state {
    sat__id id;
    uint8_t id_key[32]; /* commitment to the id key */
    size_t member_count;
    sat__vault_member *members; /* as they came; the owner first */
    size_t principal_count;
    sat__vault_principal *principals;
    size_t epoch_count;
    sat__epoch *epochs; /* the last is the present one */
    size_t grant_count;
    const sat__grant **grants;
    size_t dot_count;
    sat__last_dot *dots; /* of whoever was removed; each incarnation once */
    bool needs_epoch; /* two changes crossed: who has the present epoch's key is
                         not who should */
} sat__vault_state;

/* An empty chain of a vault. */
SAT_CHECK sat_status sat__vault_chain_new(sat__chain **out, sat_error *err);

/* What the chain says; valid until it is appended to. NULL while it is empty,
 * or where memory is refused. */
const sat__vault_state *sat__vault_state_of(sat__chain *chain);

/* NULL where there was never such a principal or account. */
const sat__vault_principal *sat__vault_principal_find(
    const sat__vault_state *state, const sat__id *id);
const sat__vault_member *sat__vault_member_find(const sat__vault_state *state,
                                                const sat__id *account);

/* The role of a principal's member now, 0 where it is none of a member; and
 * whether it may sign as an administrator. */
sat__vault_role sat__vault_role_of(const sat__vault_state *state,
                                   const sat__id *principal);
bool sat__vault_is_admin(const sat__vault_state *state,
                         const sat__id *principal);

/* The last dot of this incarnation of a device that counts: UINT64_MAX where
 * nobody removed it, 0 where the device is removed and nothing was said. */
uint64_t sat__vault_last_dot(const sat__vault_state *state,
                             const sat__id *device,
                             const uint8_t incarnation[16]);

/* The epoch begun by `link`, NULL where there is none. */
const sat__epoch *sat__vault_epoch(const sat__vault_state *state,
                                   const sat__id *link);

/* The envelope of an epoch for a principal: *out is empty where there is none.
 */
void sat__vault_envelope(const sat__vault_state *state, const sat__id *epoch,
                         const sat__id *principal, sat_bytes *out);

/* As sat__account_sign(). */
SAT_CHECK sat_status sat__vault_sign(sat__chain *chain,
                                     const sat__vault_change *change,
                                     const sat__identity *signer,
                                     uint64_t time_ms, sat_buf *out,
                                     sat_error *err);

void sat__vault_change_put(const sat__vault_change *change, sat_buf *out);
SAT_CHECK sat_status sat__vault_change_get(unsigned op, sat_bytes payload,
                                           sat__arena *arena,
                                           sat__vault_change *out,
                                           sat_error *err);

#endif /* SAT_SRC_CHAIN_VAULT_H */
