/*
 * hub_client.c - a device at the hub
 *
 * What devices do is the code that they run: src/account pulls, verifies and
 * pushes. Only the way to the hub is the simulation's, and the vault's chain is
 * one link that lets all devices in from the start.
 */
#include <stdio.h>
#include <stdlib.h>

#include "account/follow.h"
#include "base/error.h"
#include "hub.h"
#include "sync/core.h"

static sim_hub *present; /* whom hub calls go to */
static bool leaked;      /* the marker was in one of them */

/* ---- the vault ---- */

typedef struct people {
    sat__identity *identities[DEVICES_MAX];
    sat__id ids[DEVICES_MAX];
    sat__chain *chain;
    sat__item_keys *keys;
    sat__item_press *press;
} people;

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sat__id));
}

static sat_status make_chain(people *all, const sat__party *parties,
                             sat_error *err)
{
    sat__sealed_for room[DEVICES_MAX];
    AUTO(sat_buf) genesis = SAT_BUF_INIT;

    for (int i = 0; i < DEVICES_MAX; i++)
        room[i] = (sat__sealed_for){parties[i].id, bytes_of("envelope", 8)};
    qsort(room, DEVICES_MAX, sizeof *room, by_id);
    const sat__vault_change change = {.op = SAT_VAULT_GENESIS,
                                      .account = {{9}},
                                      .party_count = DEVICES_MAX,
                                      .parties = parties,
                                      .id_key = {3},
                                      .key = {1, {7}, DEVICES_MAX, room}};
    TRY(sat__vault_chain_new(&all->chain, err));
    TRY(sat__vault_sign(all->chain, &change, all->identities[0], 1000, &genesis,
                        err));
    return sat__chain_append(all->chain, buf_view(&genesis), NULL, err);
}

static sat_status make_people(people *all, sat_error *err)
{
    static const uint8_t epoch[SAT_EPOCH_ID_SIZE] = {7};
    static const sat__epoch_key key = {{5}};
    sat__party parties[DEVICES_MAX];

    for (int i = 0; i < DEVICES_MAX; i++) {
        const sat__sign_seed sign = {{(uint8_t)(i + 1), 1}};
        const sat__exchange_key exchange = {{(uint8_t)(i + 1), 2}};
        TRY(sat__identity_of(&sign, &exchange, &all->identities[i], err));
        sat__party_of(SAT_PRINCIPAL_DEVICE,
                      sat__identity_principal(all->identities[i]), "a device",
                      true, &parties[i]);
        all->ids[i] = parties[i].id;
    }
    TRY(make_chain(all, parties, err));
    TRY(sat__item_press_new(&all->press, err));
    TRY(sat__item_keys_new(&all->keys, err));
    all->keys->is_compressed = true;
    all->keys->id_key.bytes[0] = 4;
    memcpy(all->keys->vault, sat__chain_id(all->chain)->bytes,
           sizeof all->keys->vault);
    return sat__item_keys_add(all->keys, epoch, &key, err);
}

static people *everybody(void)
{
    static people all;
    sat_error err = {0};

    if (all.keys == NULL && make_people(&all, &err) != SAT_OK)
        abort();
    return &all;
}

/* ---- what src/account asks of the world ---- */

sat_status sat__hub_call(sat__hub *hub, const char *method, const char *target,
                         sat_bytes body, sat_buf *answer, sat_error *err)
{
    (void)hub;
    (void)method;
    sim_count(COUNT_HUB_CALL);
    if (body.len > 0 &&
        memmem(body.data, body.len, HUB_MARKER, sizeof HUB_MARKER - 1) != NULL)
        leaked = true;
    return hub_answer(present, target, body, answer, err);
}

sat_status sat__vault_fetch(sat__session *session, const sat__id *vault,
                            sat__chain *chain, size_t *given, sat_error *err)
{
    (void)session;
    (void)vault;
    (void)chain;
    (void)given;
    return sat__fail(err, SAT_ERR_CORRUPT, "nobody changed the vault's chain");
}

sat_status sat__vault_give_missing(sat__session *session, const sat__id *vault,
                                   sat__chain *chain, sat_error *err)
{
    (void)session;
    (void)vault;
    (void)chain;
    return sat__fail(err, SAT_ERR_CORRUPT, "nobody changed the vault's chain");
}

sat_status sat__vault_is_ours(sat__session *session, sat__chain *chain,
                              sat_error *err)
{
    (void)session;
    (void)chain;
    (void)err;
    return SAT_OK;
}

sat_status sat__vault_keys(sat__chain *chain, const sat__opener *opener,
                           sat__item_keys **out, sat_error *err)
{
    (void)chain;
    (void)opener;
    (void)out;
    return sat__fail(err, SAT_ERR_DENIED, "there is one epoch");
}

void sat__vault_target(const sat__id *vault, const char *part, char *out,
                       size_t size)
{
    (void)vault;
    (void)snprintf(out, size, "/api/vaults/it/%s", part);
}

/* ---- one device ---- */

typedef struct visit {
    sat__session session;
    sat__follow follow;
    sat_sync_report report;
} visit;

static sat_status visit_begin(visit *v, device *d, sat_error *err)
{
    people *const all = everybody();
    const int who = d->number % DEVICES_MAX; /* the template's is one more */

    v->session = (sat__session){.env = &d->env,
                                .identity = all->identities[who],
                                .device = all->ids[who]};
    v->follow = (sat__follow){.session = &v->session,
                              .replica = d->replica,
                              .db = d->db,
                              .id = *sat__chain_id(all->chain),
                              .chain = all->chain,
                              .keys = all->keys,
                              .press = all->press,
                              .report = &v->report};
    lthash_init(&v->follow.set);
    return sat__follow_recall(&v->follow, err);
}

/* What is everybody's stays. */
static void visit_end(visit *v)
{
    (void)sqlite3_finalize(v->follow.item_get);
    (void)sqlite3_finalize(v->follow.item_put);
    sat__buf_clear(&v->follow.head.moved);
    sat__buf_clear(&v->follow.knowledge);
}

bool device_hub_prepare(device *d)
{
    visit v = {.report = {0}};
    sat_error err = {0};
    const sat_status st = visit_begin(&v, d, &err);

    visit_end(&v);
    return st == SAT_OK || device_fails(d, "%s", err.message);
}

static bool is_noticed(sat_status st)
{
    return st == SAT_ERR_CORRUPT || st == SAT_ERR_AUTH || st == SAT_ERR_DENIED;
}

static const uint8_t *id_of(const device *d)
{
    return everybody()->ids[d->number].bytes;
}

/* A lie in an answer is noticed, and nothing else is taken for one. */
static bool judge_pull(device *d, const sim_schema *schema, sim_hub *hub,
                       sat_status st, const sat_error *err)
{
    const hub_lie told = hub_told(hub);

    if (told != LIE_NONE) {
        sim_count(COUNT_HUB_LIE);
        sim_count((enum sim_counter)(COUNT_HUB_LIE + (int)told));
    }
    if (st == SAT_OK)
        return told == LIE_NONE || told == LIE_OLD_STATE ||
               device_fails(d, "the hub's lie %d was not noticed", (int)told);
    if (st == SAT_ERR_OFFLINE)
        return true;
    if (is_noticed(st) && !disk_is_troubled(d->number) &&
        (told != LIE_NONE || hub_was_split(hub))) {
        sim_count(COUNT_HUB_NOTICED);
        return true;
    }
    d->is_applying = true; /* or not: the disk failed */
    d->applying = *hub_served(hub);
    return device_recovers(d, schema, st, err, "pulling from the hub");
}

static bool has_leaked(device *d)
{
    return leaked && !device_fails(d, "plaintext went to the hub");
}

bool device_hub_pull(device *d, const sim_schema *schema, sim_hub *hub)
{
    visit v = {.report = {0}};
    sat_error err = {0};

    if (!device_settle(d, schema))
        return false;
    present = hub;
    leaked = false;
    hub_serve(hub, d->number, id_of(d), &d->known);
    sat_status st = visit_begin(&v, d, &err);
    const uint64_t before = v.follow.head.sequence;
    if (st == SAT_OK)
        st = sat__follow_pull(&v.follow, &err);
    const bool is_news = v.follow.head.sequence != before;
    visit_end(&v);
    d->trace = hash_bytes(d->trace, &st, sizeof st);
    if (has_leaked(d))
        return false;
    if (st == SAT_OK && is_news) {
        sim_count(COUNT_HUB_PULLED);
        d->is_applying = d->has_applied = true;
        d->applying = *hub_served(hub);
    }
    return judge_pull(d, schema, hub, st, &err) && device_settle(d, schema);
}

bool device_hub_push(device *d, const sim_schema *schema, sim_hub *hub)
{
    visit v = {.report = {0}};
    sat_error err = {0};

    if (!device_settle(d, schema))
        return false;
    present = hub;
    leaked = false;
    hub_serve(hub, d->number, id_of(d), &d->known);
    sat_status st = visit_begin(&v, d, &err);
    if (st == SAT_OK)
        st = sat__follow_push(&v.follow, false, &err);
    visit_end(&v);
    d->trace = hash_bytes(d->trace, &st, sizeof st);
    if (has_leaked(d))
        return false;
    if (st == SAT_OK)
        sim_count(COUNT_HUB_PUSHED);
    else if (st == SAT_ERR_CONFLICT)
        sim_count(COUNT_HUB_LATE);
    else if (st != SAT_ERR_OFFLINE &&
             !device_recovers(d, schema, st, &err, "pushing to the hub"))
        return false;
    return device_settle(d, schema);
}
