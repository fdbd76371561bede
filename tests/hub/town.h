/*
 * town.h - a hub for tests, and people who have accounts there
 *
 * The hub answers on a real port, over its storage in a folder of its own.
 * Whatever people ask is CBOR or JSON, as the town speaks; envelopes are opaque
 * to a hub, so here they are a few bytes of anything.
 */
#ifndef SAT_TESTS_HUB_TOWN_H
#define SAT_TESTS_HUB_TOWN_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>
#include <cmocka.h>

#include "chain/account.h"
#include "chain/head.h"
#include "hub/clock.h"
#include "hub/hub.h"
#include "net/live.h"
#include "net/transport.h"

/* Where the towns that are opened from now on keep what they know. */
typedef enum town_kind { TOWN_SQLITE, TOWN_POSTGRES } town_kind;

extern town_kind town_storage;

/* And where their blobs are. */
typedef enum town_blob_kind { TOWN_DIRECTORY, TOWN_S3 } town_blob_kind;

extern town_blob_kind town_blobs;

/* How many connections each of its loops takes. */
extern size_t town_connections;

/* Runs the tests with each kind of storage. */
#define RUN_TOWN_TESTS(name, tests)                                            \
    (town_storage = TOWN_SQLITE,                                               \
     cmocka_run_group_tests_name(name " on SQLite", tests, NULL, NULL) +       \
         (town_storage = TOWN_POSTGRES,                                        \
          cmocka_run_group_tests_name(name " on PostgreSQL", tests, NULL,      \
                                      NULL)))

typedef struct town {
    char folder[300], origin[80], database[400];
    char bucket[200]; /* of its S3, where it has one */
    hub_storage storage;
    hub_blobs blobs;
    int64_t quota; /* 0: the usual one */
    hub_core *hub;
    sat__server *server;
    hub_clock *clock;
    sat__transport transport;
    bool is_json;
    bool may_fail;           /* where it can not be asked, the status is 0 */
    char address[80];        /* where it answers, when that is not its origin */
    _Atomic uint64_t now_ms; /* what its clock says; 0: the real time */
    sat_env env;
} town;

void town_open(town *t);
/* The same hub once more, over what it has stored. */
void town_restart(town *t);
void town_close(town *t);
DEFINE_AUTO(town, town_close);

typedef struct answer {
    unsigned status;
    sat__response response;
    sat__arena arena;
    const hub_node *body; /* NULL where there is none */
} answer;

void answer_clear(answer *a);
DEFINE_AUTO(answer, answer_clear);

typedef struct citizen {
    town *town;
    sat__identity *phrase, *password, *login, *device;
    sat__chain *account;
    char email[80];
    const char *totp; /* sent along when logging in, or NULL */
    char access[700], refresh[80];
    uint8_t device_id[32];
} citizen;

/* Registers; fails the test where that does not work. */
void citizen_open(citizen *c, town *t, const char *email);
void citizen_close(citizen *c);
/* The same where it may fail; the status. */
unsigned citizen_register(citizen *c, town *t, const char *email);
DEFINE_AUTO(citizen, citizen_close);

/* A body to be written into `buf`. */
hub_out town_body(const town *t, sat_buf *buf);

/* Asks with the citizen's token, or as nobody; `body` may be NULL. */
unsigned town_ask(town *t, const citizen *c, const char *method,
                  const char *path, const sat_buf *body, answer *out);

/* Sends `body` as it is, with this type. */
unsigned town_send(town *t, const citizen *c, const char *method,
                   const char *path, const char *type, sat_bytes body,
                   answer *out);

#define TOWN_ADDRESS_SIZE 2000

/* The address in an answer: its "url", and a line for each of its "headers". */
void answer_address(const answer *a, char out[TOWN_ADDRESS_SIZE]);

/* Puts or gets a blob at an address that was given out, wherever that is. */
unsigned town_put(town *t, const char *url, sat_bytes data);
unsigned town_get(town *t, const char *url, sat_buf *out);

/* Logs in; `kind` is "password", "device" or "phrase". The status of the last
 * answer; tokens are taken where that is 200. */
unsigned citizen_login(citizen *c, const char *kind,
                       const sat__identity *signer, const sat__identity *device,
                       answer *out);
unsigned citizen_refresh(citizen *c, const char *token, answer *out);

/* Signs CBOR [origin, …rest]. */
void citizen_sign(const town *t, const sat__identity *by, const char *purpose,
                  size_t count, const sat_buf *rest, uint8_t out[64]);

/* ---- vaults ---- */

typedef struct vault {
    citizen *owner;
    sat__chain *chain;
    uint8_t id[32], epoch[32];
    uint64_t head_sequence;
    sat__id head_hash;
    unsigned keys;         /* how many pushes there were */
    const char *push_path; /* NULL: the usual one */
} vault;

/* The same without the hub, which is told by whoever has the genesis. */
void vault_sign(vault *v, citizen *owner, sat_buf *genesis);
void vault_open(vault *v, citizen *owner);
void vault_close(vault *v);
DEFINE_AUTO(vault, vault_close);

typedef struct sealed {
    uint8_t id[32];
    int64_t base;
    size_t size; /* of the data, which looks sealed */
    bool is_deleted;
} sealed;

/* The head that comes next. */
void vault_head(vault *v, const citizen *by, sat_buf *out);

/* A push of these, with `key`; with the next head unless `head` says which, and
 * without where that is empty. The status. */
unsigned vault_push(vault *v, const citizen *by, unsigned key, int64_t part,
                    const sealed *items, size_t count, const sat_buf *head,
                    answer *out);

/* The usual push, which must work. */
void vault_push_some(vault *v, const citizen *by, const sealed *items,
                     size_t count);

unsigned vault_pull(const vault *v, const citizen *by, int64_t cursor,
                    int64_t limit, answer *out);

/* ---- answers ---- */

int64_t answer_int(const answer *a, const char *key);
void answer_fixed(const answer *a, const char *key, uint8_t *out, size_t len);
void answer_text(const answer *a, const char *key, char *out, size_t size);
bool answer_is_code(const answer *a, const char *code);

#endif /* SAT_TESTS_HUB_TOWN_H */
