/*
 * link_decode.c - a link that is read says the same when it is written again,
 * and no chain takes what nobody signed
 */
#include <stdlib.h>
#include <string.h>

#include "chain/account.h"
#include "chain/head.h"
#include "fuzz.h"

static void check_account(const sat__link *link)
{
    AUTO(sat__arena) arena = {NULL, 0};
    AUTO(sat_buf) again = SAT_BUF_INIT;
    sat__account_change change;

    if (sat__account_change_get(link->op, link->payload, &arena, &change,
                                NULL) != SAT_OK)
        return;
    sat__account_change_put(&change, &again);
    if (!bytes_equal(buf_view(&again), link->payload))
        abort();
}

static void check_vault(const sat__link *link)
{
    AUTO(sat__arena) arena = {NULL, 0};
    AUTO(sat_buf) again = SAT_BUF_INIT;
    sat__vault_change change;

    if (sat__vault_change_get(link->op, link->payload, &arena, &change, NULL) !=
        SAT_OK)
        return;
    sat__vault_change_put(&change, &again);
    if (!bytes_equal(buf_view(&again), link->payload))
        abort();
}

/* The link as it came, with a signature of nobody. */
static void check_chain(const sat__link *link, sat_bytes bytes)
{
    static const uint8_t signature[SAT_SIGNATURE_SIZE] = {1};
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO(sat_buf) moved = SAT_BUF_INIT;

    sat__cbor_put_array(&moved, 2);
    sat__cbor_put_bytes(&moved, bytes.data, bytes.len);
    sat__cbor_put_bytes(&moved, signature, sizeof signature);
    if ((link->kind == SAT_CHAIN_ACCOUNT
             ? sat__account_new(&chain, NULL)
             : sat__vault_chain_new(&chain, NULL)) != SAT_OK)
        return;
    if (sat__chain_append(chain, buf_view(&moved), NULL, NULL) == SAT_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[SAT_SIGN_KEY_SIZE] = {1};
    sat__link link;
    sat__head head;

    if (sat__head_open(bytes_of(data, size), key, &head, NULL) == SAT_OK)
        abort();
    if (sat__link_read(bytes_of(data, size), &link, NULL) != SAT_OK)
        return 0;
    if (link.kind == SAT_CHAIN_ACCOUNT)
        check_account(&link);
    else
        check_vault(&link);
    check_chain(&link, bytes_of(data, size));
    return 0;
}
