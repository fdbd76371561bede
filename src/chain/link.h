/*
 * link.h - one signed link of a chain, and what its payload is made of
 *
 *      link  = [1, kind, op, [parent, …], by, time, payload]     signed
 *      moved = [link, signature]                                 as stored,
 * sent
 *
 * A link's hash is the SHA-256 of its bytes without the signature: a signer can
 * make many signatures of the same bytes, and those are one link. The payload
 * is a CBOR array of its own for each op (chain/account.h, chain/vault.h) and
 * is made of the parts below. Envelopes are opaque here: whoever opens them
 * lives above. docs/formats/chains.md has every byte.
 */
#ifndef SAT_SRC_CHAIN_LINK_H
#define SAT_SRC_CHAIN_LINK_H

#include "base/arena.h"
#include "base/cbor.h"
#include "crypto/identity.h"

#define SAT_LINK_SIZE_MAX 65536 /* of the link's own bytes */
#define SAT_LINK_MOVED_MAX (SAT_LINK_SIZE_MAX + 128)
#define SAT_LINK_PARENTS_MAX 16
#define SAT_LINK_NAME_MAX 100     /* bytes of UTF-8 */
#define SAT_LINK_LIST_MAX 1000    /* principals, envelopes, grants, dots */
#define SAT_LINK_ENVELOPE_MAX 512 /* bytes of one envelope */

typedef enum sat__chain_kind {
    SAT_CHAIN_ACCOUNT = 1,
    SAT_CHAIN_VAULT = 2
} sat__chain_kind;

/* A hash of a link, or the id of a principal, account or vault: an account's id
 * is the hash of its genesis, and so is a vault's. */
typedef struct sat__id {
    uint8_t bytes[32];
} sat__id;

static inline bool id_equal(const sat__id *a, const sat__id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* ---- the link ---- */

typedef struct sat__link {
    sat__chain_kind kind;
    unsigned op; /* sat__account_op or sat__vault_op */
    size_t parent_count;
    sat__id parents[SAT_LINK_PARENTS_MAX]; /* ascending, each once */
    sat__id by;                            /* the principal that signed */
    uint64_t time_ms;                      /* since 1970; decides nothing */
    sat_bytes payload;                     /* one CBOR array */
} sat__link;

/* Where a moved link has its two halves; views into it. */
typedef struct sat__link_parts {
    sat_bytes bytes;
    sat_bytes signature; /* SAT_SIGNATURE_SIZE bytes */
} sat__link_parts;

/* Signs `link`, whose `by` must be the signer's, and appends it as moved. */
SAT_CHECK sat_status sat__link_sign(const sat__link *link,
                                    const sat__identity *signer, sat_buf *out,
                                    sat_error *err);

/* Takes a moved link apart, and reads the link: nothing is verified by that. */
SAT_CHECK sat_status sat__link_split(sat_bytes moved, sat__link_parts *out,
                                     sat_error *err);
SAT_CHECK sat_status sat__link_read(sat_bytes bytes, sat__link *out,
                                    sat_error *err);

/* SAT_ERR_AUTH unless the owner of `key` signed it as a link of that kind. */
SAT_CHECK sat_status sat__link_verify(const sat__link_parts *parts,
                                      sat__chain_kind kind,
                                      const uint8_t key[SAT_SIGN_KEY_SIZE],
                                      sat_error *err);

void sat__link_hash(sat_bytes bytes, sat__id *out);

/* ---- the parts of payloads ---- */

typedef enum sat__principal_kind {
    SAT_PRINCIPAL_DEVICE = 1,
    SAT_PRINCIPAL_PASSWORD = 2,
    SAT_PRINCIPAL_PHRASE = 3
} sat__principal_kind;

/*
 * [kind, sign, exchange, name, admin]; a slot's principal has no name. Admin:
 * it has the rights of an administrator where its account has them.
 */
typedef struct sat__party {
    sat__principal_kind kind;
    sat__id id; /* SHA-256 of keys.sign; not written */
    sat__principal keys;
    char name[SAT_LINK_NAME_MAX + 1];
    bool is_admin;
} sat__party;

/* Fills all five; a longer name is cut at a character. */
void sat__party_of(sat__principal_kind kind, const sat__principal *keys,
                   const char *name, bool is_admin, sat__party *out);

/* A key sealed for one principal. */
typedef struct sat__sealed_for {
    sat__id id;
    sat_bytes envelope;
} sat__sealed_for;

/*
 * [generation, commitment, [[id, envelope], …]]; a generation of the master key
 * or an epoch of a vault, sealed for everybody who has it from then on: each
 * principal once, ascending by id. The key's name is the hash of its link.
 */
typedef struct sat__chain_key {
    uint64_t generation;
    uint8_t commitment[32]; /* HKDF(key, "satchel-v1 commit") */
    size_t count;
    const sat__sealed_for *envelopes;
} sat__chain_key;

/* [key, id, envelope]: an earlier key, named by its link, for one more. */
typedef struct sat__grant {
    sat__id key;
    sat__id id;
    sat_bytes envelope;
} sat__grant;

/* A key as a chain remembers it. */
typedef struct sat__epoch {
    sat__id link;
    sat__id by;
    sat__chain_key key;
} sat__epoch;

void sat__party_put(const sat__party *party, sat_buf *out);
void sat__parties_put(const sat__party *parties, size_t count, sat_buf *out);
void sat__chain_key_put(const sat__chain_key *key, sat_buf *out);
void sat__grants_put(const sat__grant *grants, size_t count, sat_buf *out);
void sat__id_put(const sat__id *id, sat_buf *out);

/* Reading; lists live in `arena`, envelopes are views into the input. */
SAT_CHECK sat_status sat__id_get(sat__cbor *in, sat__id *out, sat_error *err);
SAT_CHECK sat_status sat__party_get(sat__cbor *in, sat__party *out,
                                    sat_error *err);
SAT_CHECK sat_status sat__parties_get(sat__cbor *in, sat__arena *arena,
                                      const sat__party **out, size_t *count,
                                      sat_error *err);
SAT_CHECK sat_status sat__chain_key_get(sat__cbor *in, sat__arena *arena,
                                        sat__chain_key *out, sat_error *err);
SAT_CHECK sat_status sat__grants_get(sat__cbor *in, sat__arena *arena,
                                     const sat__grant **out, size_t *count,
                                     sat_error *err);

/* The head of an array that must hold exactly `count` items. */
SAT_CHECK sat_status sat__array_of(sat__cbor *in, size_t count, sat_error *err);

#endif /* SAT_SRC_CHAIN_LINK_H */
