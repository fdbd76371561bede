/*
 * scene.c - two people, and the links they make
 */
#include "scene.h"

#include <stdio.h>

void scene_open(scene *s)
{
    town_open(&s->t);
    s->t.is_json = true;
    citizen_open(&s->alice, &s->t, "alice@example.org");
    citizen_open(&s->bob, &s->t, "bob@example.org");
    vault_open(&s->v, &s->alice);
    sat__hex_format(s->v.id, 32, s->hex);
}

void scene_close(scene *s)
{
    vault_close(&s->v);
    citizen_close(&s->bob);
    citizen_close(&s->alice);
    town_close(&s->t);
}

unsigned scene_ask(scene *s, const citizen *who, const char *method,
                   const char *path, const char *body)
{
    AUTO(answer) a = {.status = 0};

    return town_send(&s->t, who, method, path,
                     body != NULL ? "application/json" : NULL,
                     bytes_of(body, body != NULL ? strlen(body) : 0), &a);
}

unsigned scene_ask_vault(scene *s, const citizen *who, const char *method,
                         const char *rest, const char *body)
{
    char path[200];

    (void)snprintf(path, sizeof path, "/api/vaults/%s%s", s->hex, rest);
    return scene_ask(s, who, method, path, body);
}

unsigned scene_send_link(scene *s, const citizen *who, const char *method,
                         const char *path, const char *key, const sat_buf *link)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(&s->t, &text);
    const bool is_list = strcmp(key, "links") == 0;

    hub_out_map(&body, 1);
    hub_out_key(&body, key);
    if (is_list)
        hub_out_array(&body, 1);
    hub_out_data(&body, buf_view(link));
    if (is_list)
        hub_out_end(&body);
    hub_out_end(&body);
    return town_ask(&s->t, who, method, path, &text, &a);
}

/* ---- links of the vault ---- */

static void sign(scene *s, const sat__vault_change *change, const citizen *by,
                 sat_buf *link)
{
    static uint64_t time = 5000;
    sat_error err = {0};

    link->len = 0;
    if (sat__vault_sign(s->v.chain, change, by->device, time++, link, &err) !=
            SAT_OK ||
        sat__chain_append(s->v.chain, buf_view(link), NULL, &err) != SAT_OK)
        fail_msg("%s", err.message);
}

static const sat__vault_member *bob_in(scene *s)
{
    return sat__vault_member_find(sat__vault_state_of(s->v.chain),
                                  sat__chain_id(s->bob.account));
}

static sat__party device_of(const citizen *c)
{
    sat__party party;

    sat__party_of(SAT_PRINCIPAL_DEVICE, sat__identity_principal(c->device),
                  "laptop", true, &party);
    return party;
}

void scene_invite(scene *s, sat__vault_op op, sat__vault_role role,
                  sat_buf *link)
{
    const sat__vault_change change = {
        .op = op, .account = *sat__chain_id(s->bob.account), .role = role};

    sign(s, &change, &s->alice, link);
}

void scene_accept(scene *s, sat_buf *link)
{
    const sat__party party = device_of(&s->bob);
    const sat__vault_change change = {.op = SAT_VAULT_ACCEPT,
                                      .account = *sat__chain_id(s->bob.account),
                                      .about = bob_in(s)->invited,
                                      .party_count = 1,
                                      .parties = &party};

    sign(s, &change, &s->bob, link);
}

void scene_confirm(scene *s, sat_buf *link)
{
    const sat__vault_state *const now = sat__vault_state_of(s->v.chain);
    const sat__grant grant = {now->epochs[now->epoch_count - 1].link,
                              device_of(&s->bob).id,
                              bytes_of("an envelope", 11)};
    const sat__vault_change change = {.op = SAT_VAULT_CONFIRM,
                                      .about = bob_in(s)->accepted,
                                      .grant_count = 1,
                                      .grants = &grant};

    sign(s, &change, &s->alice, link);
}

void scene_remove(scene *s, sat_buf *link)
{
    static const sat__last_dot dot = {{9}, 5};
    const sat__sealed_for room = {device_of(&s->alice).id,
                                  bytes_of("an envelope", 11)};
    const sat__vault_change change = {.op = SAT_VAULT_REMOVE,
                                      .account = *sat__chain_id(s->bob.account),
                                      .dot_count = 1,
                                      .dots = &dot,
                                      .key = {2, {8}, 1, &room}};

    sign(s, &change, &s->alice, link);
}

void scene_share(scene *s, sat__vault_role role)
{
    AUTO(sat_buf) link = SAT_BUF_INIT;
    char path[120];

    (void)snprintf(path, sizeof path, "/api/vaults/%s/chain", s->hex);
    scene_invite(s, SAT_VAULT_INVITE, role, &link);
    assert_int_equal(
        scene_send_link(s, &s->alice, "POST", path, "links", &link), 200);
    scene_accept(s, &link);
    assert_int_equal(scene_send_link(s, &s->bob, "POST", path, "links", &link),
                     200);
    scene_confirm(s, &link);
    assert_int_equal(
        scene_send_link(s, &s->alice, "POST", path, "links", &link), 200);
}
