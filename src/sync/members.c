/*
 * members.c - who is of a vault, by its chain, and what follows for its rows
 */
#include "sync/members.h"

#if !defined(SAT_EXTENSION)

#include "sync/core.h"

#define STATE_FIXED "hub" /* a hub has this vault */

static sat_status no_memory(sat_error *err)
{
    return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
}

/* ---- opening ---- */

sat_status sat__members_fix(sat_replica *replica, sat_error *err)
{
    return sat__state_put(replica, STATE_FIXED, 1, err);
}

static sat_status open_in(sat__members *members, sat_error *err)
{
    int64_t fixed;

    sat__device_id(sat__identity_principal(members->identity)->sign,
                   members->self.id.bytes);
    members->self.identity = members->identity;
    TRY(sat__state_get(members->replica, STATE_FIXED, &fixed, err));
    members->is_fixed = fixed != 0;
    return sat__vault_links_load(members->replica->db, &members->chain, err);
}

sat_status sat__members_open(sat_replica *replica, const sat_env *env,
                             const sat__identity *identity, sat__chain *account,
                             bool is_account, sat__members *out, sat_error *err)
{
    *out = (sat__members){.replica = replica,
                          .env = env,
                          .identity = identity,
                          .account = account,
                          .is_account = is_account};
    const sat_status st = open_in(out, err);

    if (st != SAT_OK)
        sat__members_close(out);
    return st;
}

void sat__members_close(sat__members *members)
{
    sat__chain_free(members->chain);
    members->chain = NULL;
}

static sat_status keep(sat__members *members, sat_error *err)
{
    return sat__vault_links_keep(members->replica->db, members->chain, err);
}

/* ---- the chain ---- */

static bool is_member(const sat__members *members)
{
    const sat__vault_state *const state = sat__vault_state_of(members->chain);
    const sat__vault_member *const us =
        state == NULL
            ? NULL
            : sat__vault_member_find(state, sat__chain_id(members->account));

    return us != NULL && us->standing == SAT_MEMBER_CONFIRMED;
}

/* Whether a device of the account is in the vault: it can let others in. */
static bool has_device(const sat__members *members)
{
    const sat__vault_state *const state = sat__vault_state_of(members->chain);
    const sat__account_state *const people =
        sat__account_state_of(members->account);

    for (size_t i = 0; people != NULL && i < people->principal_count; i++) {
        const sat__account_principal *const one = &people->principals[i];
        const sat__vault_principal *const there =
            sat__vault_principal_find(state, &one->who.id);
        if (one->who.kind == SAT_PRINCIPAL_DEVICE && !one->is_removed &&
            there != NULL && !there->is_removed)
            return true;
    }
    return false;
}

/* A vault that was begun here for an account that was left is begun anew, and
 * so is one whose devices all are gone, where this one was restored. */
static sat_status begin(sat__members *members, sat_error *err)
{
    AUTO(sat_buf) moved = SAT_BUF_INIT;

    if (members->is_fixed || (is_member(members) && has_device(members)))
        return SAT_OK;
    TRY(sat__vault_genesis(members->env, members->account, members->identity,
                           members->is_account, &moved, err));
    sat__chain_free(members->chain);
    members->chain = NULL;
    TRY(sat__vault_chain_new(&members->chain, err));
    TRY(sat__chain_append(members->chain, buf_view(&moved), NULL, err));
    return keep(members, err);
}

sat_status sat__members_take(sat__members *members, const sat_bytes *links,
                             size_t count, size_t *taken, sat_error *err)
{
    *taken = 0;
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        TRY(sat__chain_append(members->chain, links[i], &is_new, err));
        *taken += is_new;
    }
    return *taken > 0 ? keep(members, err) : SAT_OK;
}

sat_status sat__members_replace(sat__members *members, const sat_bytes *links,
                                size_t count, sat_error *err)
{
    sat__chain *const former = members->chain;
    sat_status st;

    members->chain = NULL;
    st = sat__vault_chain_new(&members->chain, err);
    if (st == SAT_OK)
        st = sat__chain_append_all(members->chain, links, count, err);
    if (st == SAT_OK && (members->is_fixed || !is_member(members)))
        st = sat__fail(err, SAT_ERR_DENIED,
                       "the other device's vault is not of this account");
    if (st == SAT_OK)
        st = keep(members, err);
    if (st != SAT_OK) {
        sat__chain_free(members->chain);
        members->chain = former;
        return st;
    }
    sat__chain_free(former);
    return SAT_OK;
}

/* ---- letting in ---- */

static sat_status let_in(sat__members *members, bool *is_news, sat_error *err)
{
    const sat__account_state *const people =
        sat__account_state_of(members->account);
    AUTO(sat_buf) moved = SAT_BUF_INIT;

    for (size_t i = 0; people != NULL && i < people->principal_count; i++)
        if (!people->principals[i].is_removed)
            TRY(sat__vault_let_in(members->env, members->chain,
                                  members->account, &members->self,
                                  &people->principals[i].who.id, &moved, err));
    *is_news |= moved.len > 0;
    return SAT_OK;
}

/* ---- taking out ---- */

typedef struct leaving {
    sat__arena arena;
    sat__id *ids;
    size_t count;
    sat__last_dot *dots;
    size_t dot_count;
} leaving;

static void leaving_clear(leaving *who)
{
    sat__arena_clear(&who->arena);
}

DEFINE_AUTO(leaving, leaving_clear);

/* Principals of our account that it has removed and the vault has not. */
static sat_status find_removed(const sat__members *members, leaving *out,
                               sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(members->chain);
    const sat__account_state *const people =
        sat__account_state_of(members->account);

    if (state == NULL || people == NULL)
        return no_memory(err);
    out->ids = sat__arena_alloc(&out->arena, (people->principal_count + 1) *
                                                 sizeof *out->ids);
    if (out->ids == NULL)
        return no_memory(err);
    for (size_t i = 0; i < people->principal_count; i++) {
        const sat__account_principal *const one = &people->principals[i];
        const sat__vault_principal *const there =
            sat__vault_principal_find(state, &one->who.id);
        if (one->is_removed && there != NULL && !there->is_removed)
            out->ids[out->count++] = one->who.id;
    }
    return SAT_OK;
}

static int by_incarnation(const void *a, const void *b)
{
    return memcmp(((const sat__last_dot *)a)->incarnation,
                  ((const sat__last_dot *)b)->incarnation,
                  SAT_INCARNATION_SIZE);
}

/* What of theirs is here counts. */
static sat_status find_dots(const sat__members *members, leaving *out,
                            sat_error *err)
{
    out->dots =
        sat__arena_alloc(&out->arena, SAT_LINK_LIST_MAX * sizeof *out->dots);
    if (out->dots == NULL)
        return no_memory(err);
    for (size_t i = 0; i < out->count; i++) {
        sat__departure one;
        TRY(sat__replica_dots_of(members->replica, out->ids[i].bytes,
                                 &out->arena, &one, err));
        for (size_t k = 0; k < one.count && out->dot_count < SAT_LINK_LIST_MAX;
             k++) {
            sat__last_dot *const dot = &out->dots[out->dot_count++];
            memcpy(dot->incarnation, one.dots[k].incarnation,
                   sizeof dot->incarnation);
            dot->n = one.dots[k].n;
        }
    }
    qsort(out->dots, out->dot_count, sizeof *out->dots, by_incarnation);
    return SAT_OK;
}

static bool may_take_out(const sat__members *members)
{
    const sat__vault_state *const state = sat__vault_state_of(members->chain);
    const sat__vault_principal *const self =
        state == NULL ? NULL
                      : sat__vault_principal_find(state, &members->self.id);

    return self != NULL && !self->is_removed && self->who.is_admin;
}

static sat_status take_out(sat__members *members, bool *is_news, sat_error *err)
{
    AUTO(leaving) who = {.count = 0};
    AUTO(sat_buf) moved = SAT_BUF_INIT;

    TRY(find_removed(members, &who, err));
    if (who.count == 0 || !may_take_out(members))
        return SAT_OK;
    TRY(find_dots(members, &who, err));
    TRY(sat__vault_expel(members->env, members->chain,
                         sat__chain_id(members->account), &members->self,
                         who.ids, who.count, who.dots, who.dot_count, &moved,
                         err));
    *is_news = true;
    return SAT_OK;
}

/* Two removals at once can leave the key with somebody who is gone. */
static sat_status renew(sat__members *members, bool *is_news, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(members->chain);
    AUTO(sat_buf) moved = SAT_BUF_INIT;

    if (state == NULL)
        return no_memory(err);
    if (!state->needs_epoch || !sat__vault_is_admin(state, &members->self.id))
        return SAT_OK;
    *is_news = true;
    return sat__vault_renew(members->env, members->chain, &members->self,
                            &moved, err);
}

/* ---- what follows for the rows ---- */

/* Who left, with all last dots that the chain names: which are whose, the
 * replica knows by the incarnations. */
sat_status sat__members_hold(const sat__members *members, sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(members->chain);
    AUTO(sat__arena) arena = {0};
    size_t count = 0;

    if (state == NULL)
        return SAT_OK;
    sat__departure *const who =
        sat__arena_alloc(&arena, (state->principal_count + 1) * sizeof *who);
    sat__last_n *const dots =
        sat__arena_alloc(&arena, (state->dot_count + 1) * sizeof *dots);
    if (who == NULL || dots == NULL)
        return no_memory(err);
    for (size_t i = 0; i < state->dot_count; i++) {
        memcpy(dots[i].incarnation, state->dots[i].incarnation,
               sizeof dots[i].incarnation);
        dots[i].n = state->dots[i].n;
    }
    for (size_t i = 0; i < state->principal_count; i++) {
        const sat__vault_principal *const one = &state->principals[i];
        if (one->who.kind != SAT_PRINCIPAL_DEVICE || !one->is_removed)
            continue;
        sat__departure *const gone = &who[count++];
        *gone = (sat__departure){.count = state->dot_count, .dots = dots};
        memcpy(gone->device, one->who.id.bytes, sizeof gone->device);
    }
    return sat__replica_expel(members->replica, who, count, err);
}

sat_status sat__members_settle(sat__members *members, bool is_latest,
                               sat_error *err)
{
    const sat__account_state *const people =
        sat__account_state_of(members->account);
    const sat__account_principal *const self =
        people == NULL ? NULL : sat__account_find(people, &members->self.id);
    bool is_news = false;

    if (self != NULL && !self->is_removed)
        TRY(begin(members, err));
    if (!is_member(members))
        return SAT_OK;
    const sat__vault_principal *const here = sat__vault_principal_find(
        sat__vault_state_of(members->chain), &members->self.id);
    if (self != NULL && !self->is_removed && here != NULL &&
        !here->is_removed) {
        TRY(let_in(members, &is_news, err));
        if (is_latest)
            TRY(take_out(members, &is_news, err));
        if (is_latest)
            TRY(renew(members, &is_news, err));
    }
    if (is_news)
        TRY(keep(members, err));
    return sat__members_hold(members, err);
}

#endif
