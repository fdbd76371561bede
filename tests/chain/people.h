/*
 * people.h - principals and links for the tests of chains
 *
 * Envelopes are opaque to a chain, so here they are a few bytes of anything.
 */
#ifndef SAT_TESTS_CHAIN_PEOPLE_H
#define SAT_TESTS_CHAIN_PEOPLE_H

#include "chain/account.h"
#include "chain/vault.h"

typedef struct person {
    sat__identity *identity;
    sat__party party;
} person;

/* One and the same for a number; of that kind; slots have no name. */
person person_new(unsigned number, sat__principal_kind kind, bool is_admin);
void person_free(person *one);
DEFINE_AUTO(person, person_free);

/* A key for these, ascending, in `room`. */
sat__chain_key key_for(uint64_t generation, const person *const *people,
                       size_t count, sat__sealed_for *room);
sat__grant grant_of(const sat__id *key, const person *to);

/* The account of a phrase, a password and a first device. */
sat_buf account_genesis(const person *phrase, const person *password,
                        const person *device);

/* Signs on `chain`'s tips without adding; fails the test where it can not. */
sat_buf account_link(sat__chain *chain, const sat__account_change *change,
                     const person *by);
sat_buf vault_link(sat__chain *chain, const sat__vault_change *change,
                   const person *by);

/* Appends it and fails the test unless that is the status. */
void expect_append(sat__chain *chain, const sat_buf *moved, sat_status status);

/* No bit of the link may be another, and none missing; then it is taken. */
void expect_every_bit_counts(sat__chain *chain, const sat_buf *moved);

/* Another chain of the same kind with the same links so far. */
sat__chain *chain_copy(sat__chain *of, bool is_vault);

#endif /* SAT_TESTS_CHAIN_PEOPLE_H */
