/*
 * people.c - principals and links for the tests of chains
 */
#include "people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

person person_new(unsigned number, sat__principal_kind kind, bool is_admin)
{
    sat__sign_seed sign = {{(uint8_t)number, (uint8_t)(number >> 8), 1}};
    sat__exchange_key exchange = {{(uint8_t)number, (uint8_t)(number >> 8), 2}};
    person one;

    assert_int_equal(sat__identity_of(&sign, &exchange, &one.identity, NULL),
                     SAT_OK);
    sat__party_of(kind, sat__identity_principal(one.identity),
                  kind == SAT_PRINCIPAL_DEVICE ? "a device" : "", is_admin,
                  &one.party);
    return one;
}

void person_free(person *one)
{
    sat__identity_free(one->identity);
}

static int compare_sealed(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sat__id));
}

sat__chain_key key_for(uint64_t generation, const person *const *people,
                       size_t count, sat__sealed_for *room)
{
    for (size_t i = 0; i < count; i++)
        room[i] =
            (sat__sealed_for){people[i]->party.id, bytes_of("an envelope", 11)};
    qsort(room, count, sizeof *room, compare_sealed);
    return (sat__chain_key){generation, {7}, count, room};
}

sat__grant grant_of(const sat__id *key, const person *to)
{
    return (sat__grant){*key, to->party.id, bytes_of("a grant", 7)};
}

static sat_buf sign_with(sat__chain *chain, const sat__account_change *account,
                         const sat__vault_change *vault, const person *by)
{
    sat_buf out = SAT_BUF_INIT;

    assert_int_equal(
        account != NULL
            ? sat__account_sign(chain, account, by->identity, 1000, &out, NULL)
            : sat__vault_sign(chain, vault, by->identity, 1000, &out, NULL),
        SAT_OK);
    return out;
}

sat_buf account_link(sat__chain *chain, const sat__account_change *change,
                     const person *by)
{
    return sign_with(chain, change, NULL, by);
}

sat_buf vault_link(sat__chain *chain, const sat__vault_change *change,
                   const person *by)
{
    return sign_with(chain, NULL, change, by);
}

sat_buf account_genesis(const person *phrase, const person *password,
                        const person *device)
{
    sat__sealed_for room[3];
    const person *const all[] = {phrase, password, device};
    const sat__account_change change = {.op = SAT_ACCOUNT_GENESIS,
                                        .phrase = phrase->party,
                                        .password = password->party,
                                        .device = device->party,
                                        .has_key = true,
                                        .key = key_for(1, all, 3, room)};
    AUTO_PTR(sat__chain) chain = NULL;

    assert_int_equal(sat__account_new(&chain, NULL), SAT_OK);
    return account_link(chain, &change, phrase);
}

void expect_append(sat__chain *chain, const sat_buf *moved, sat_status status)
{
    sat_error err = {.message = ""};

    const sat_status got =
        sat__chain_append(chain, buf_view(moved), NULL, &err);
    if (got != status)
        fail_msg("%s, not %s: %s", sat_status_name(got),
                 sat_status_name(status), err.message);
}

void expect_every_bit_counts(sat__chain *chain, const sat_buf *moved)
{
    const size_t before = sat__chain_count(chain);

    for (size_t i = 0; i < 8 * moved->len; i++) {
        moved->data[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(
            sat__chain_append(chain, buf_view(moved), NULL, NULL), SAT_OK);
        moved->data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t len = 0; len < moved->len; len++)
        assert_int_not_equal(
            sat__chain_append(chain, bytes_of(moved->data, len), NULL, NULL),
            SAT_OK);
    assert_int_equal(sat__chain_count(chain), before);
    expect_append(chain, moved, SAT_OK);
}

sat__chain *chain_copy(sat__chain *of, bool is_vault)
{
    sat__chain *copy;

    assert_int_equal(is_vault ? sat__vault_chain_new(&copy, NULL)
                              : sat__account_new(&copy, NULL),
                     SAT_OK);
    for (size_t i = 0; i < sat__chain_count(of); i++)
        assert_int_equal(
            sat__chain_append(copy, sat__chain_at(of, i).moved, NULL, NULL),
            SAT_OK);
    return copy;
}
