/*
 * stub.h - a hub that keeps everything in memory, and lies as it is told
 *
 * It answers over real sockets, verifies nothing and keeps what it is given, so
 * a test may change what it keeps, or how it answers, in every way that an
 * adversary could.
 */
#ifndef SAT_TESTS_ACCOUNT_STUB_H
#define SAT_TESTS_ACCOUNT_STUB_H

#include <pthread.h>

#include "account/map.h"
#include "chain/account.h"
#include "chain/head.h"
#include "net/server.h"

typedef struct stub_item {
    uint8_t id[32], epoch[32], device[32];
    uint64_t version, sequence;
    sat_buf data;
} stub_item;

typedef struct stub_list {
    sat_buf *list;
    size_t count;
} stub_list;

typedef struct stub_vault {
    uint8_t id[32];
    stub_list links, heads;
    stub_item *items;
    size_t count;
    uint64_t sequence;
} stub_vault;

typedef struct stub_account {
    char email[256];
    uint8_t id[32], login_key[32];
    sat_buf slot, phrase_slot;
    stub_list chain;
} stub_account;

typedef struct stub_token {
    char access[40], refresh[40];
    uint8_t device[32];
    stub_account *account;
    bool is_over;
} stub_token;

typedef struct stub {
    sat__server *server;
    char url[64];
    pthread_mutex_t lock;
    stub_account accounts[4];
    size_t account_count;
    stub_vault vaults[16];
    size_t vault_count;
    stub_token tokens[256];
    size_t token_count;
    stub_item *staged; /* of the push under way */
    size_t staged_count;
    uint64_t requests;
    sat_buf last_login; /* the body that answered a challenge */
    sat_buf traffic;    /* everything that was sent to it, and its answers */
    size_t pull_limit;
    uint64_t cost[3];
    /* how it lies */
    unsigned refuse;        /* a status for every request but logins, or 0 */
    bool hides_last_item;   /* in pulls */
    bool forgets_head;      /* says there is none */
    bool shows_first_head;  /* with all items */
    int extra_vault;        /* lists a vault of that number twice, as its id */
    const sat_buf *account; /* the chain that it shows instead, if not NULL */
    const stub_account *keeps_from; /* this account's devices … */
    size_t links_shown;             /* … see so many links of a vault */
    const stub_account *swaps;      /* to this one, another's chain is shown */
} stub;

void stub_start(stub *s);
void stub_stop(stub *s);
/* At the same address. */
void stub_pause(stub *s);
void stub_resume(stub *s);

#endif /* SAT_TESTS_ACCOUNT_STUB_H */
