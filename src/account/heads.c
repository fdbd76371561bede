/*
 * heads.c - one line of heads, for every device
 *
 * Each head names the one before. Whatever two devices have seen, one of the
 * heads leads to the other, unless the hub told them two stories.
 */
#include "account/heads.h"

#include <stdio.h>

#include "base/error.h"
#include "store/hub_head.h"
#include "sync/page.h"

sat_status sat__hub_lies(sat_error *err, const char *what)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "the hub %s; nothing was taken",
                     what);
}

/* ---- a line ---- */

typedef struct line {
    sat__follow *follow;
    sat__id last; /* the hash of where it has come to */
    uint64_t sequence;
    const sat__id *to;
    size_t count; /* of heads, in the last answer */
} line;

/* Goes along the heads of one answer. */
static sat_status read_heads(line *l, sat__cbor in, sat_error *err)
{
    TRY(sat__cbor_array(&in, SAT_PAGE_LIST_MAX, &l->count, err));
    for (size_t i = 0; i < l->count && !id_equal(&l->last, l->to); i++) {
        sat_bytes moved;
        sat__head head;
        TRY(sat__cbor_bytes(&in, &moved, err));
        TRY(sat__follow_read_head(l->follow, moved, &head, err));
        if (!id_equal(&head.previous, &l->last))
            return sat__hub_lies(
                err, "shows this device another history than before");
        TRY(sat__head_hash(moved, &l->last, err));
        l->sequence = head.sequence;
    }
    return SAT_OK;
}

static sat_status ask_heads(line *l, sat_error *err)
{
    AUTO(sat_buf) answer = SAT_BUF_INIT;
    char target[160], part[48];
    sat__cbor in;
    (void)snprintf(part, sizeof part, "heads?after=%llu",
                   (unsigned long long)l->sequence);
    sat__vault_target(&l->follow->id, part, target, sizeof target);
    TRY(sat__hub_call(&l->follow->session->hub, "GET", target,
                      bytes_of(NULL, 0), &answer, err));
    TRY(sat__map_get(buf_view(&answer), "heads", &in, err));
    return read_heads(l, in, err);
}

sat_status sat__heads_lead(sat__follow *follow, const sat__id *from,
                           uint64_t sequence, const sat__id *to, sat_error *err)
{
    line l = {follow, *from, sequence, to, 0};
    while (!id_equal(&l.last, to)) {
        TRY(ask_heads(&l, err));
        if (l.count == 0)
            return sat__hub_lies(
                err, "shows this device another history than before");
    }
    return SAT_OK;
}

/* ---- what others have seen ---- */

typedef struct present {
    sat__follow *follow;
    const sat__id *hash; /* of the head that the hub shows */
    uint64_t sequence;   /* 0 while there is none */
} present;

static sat_status compare(sat_bytes moved, bool *is_done, void *context,
                          sat_error *err)
{
    const present *const now = context;
    sat__head head;
    sat__id hash;
    sat_status st = sat__follow_read_head(now->follow, moved, &head, err);
    if (st == SAT_ERR_NOT_FOUND) {
        TRY(sat__follow_update_chain(now->follow, err));
        st = sat__follow_read_head(now->follow, moved, &head, err);
    }
    if (st == SAT_ERR_NOT_FOUND)
        return sat__hub_lies(err, "withholds who belongs to the vault now, "
                                  "which another device has seen");
    if (st == SAT_ERR_NOMEM)
        return st;
    *is_done = true;
    if (st != SAT_OK || !id_equal(&head.vault, &now->follow->id))
        return SAT_OK; /* nobody's head */
    TRY(sat__head_hash(moved, &hash, err));
    if (id_equal(&hash, now->hash))
        return SAT_OK;
    if (head.sequence > now->sequence)
        return sat__hub_lies(err, "withholds the newest state of the vault, "
                                  "which another device has seen");
    if (head.sequence == now->sequence)
        return sat__hub_lies(
            err, "shows this device another history than another one");
    return sat__heads_lead(now->follow, &hash, head.sequence, now->hash, err);
}

sat_status sat__heads_compare(sat__follow *follow, const sat__id *head,
                              uint64_t sequence, sat_error *err)
{
    present now = {follow, head, sequence};
    return sat__hub_head_each(follow->db, compare, &now, err);
}
