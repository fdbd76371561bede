/*
 * pull_check.c - whether a hub shows what devices signed
 */
#include "account/heads.h"
#include "account/pull.h"
#include "base/error.h"
#include "sync/plants.h"

/* The latest first among those of one item. */
static int by_id(const void *a, const void *b)
{
    const sat__pulled *const x = a;
    const sat__pulled *const y = b;
    const int order = memcmp(x->id, y->id, sizeof x->id);
    return order != 0
               ? order
               : (x->sequence < y->sequence) - (x->sequence > y->sequence);
}

/* Older versions of an item that came twice go: with the newer knowledge they
 * would undo what the newer one has. */
static void keep_newest(sat__pull *p)
{
    size_t kept = 0;
    if (p->count > 1)
        qsort(p->items, p->count, sizeof *p->items, by_id);
    for (size_t i = 0; i < p->count; i++)
        if (kept == 0 || memcmp(p->items[kept - 1].id, p->items[i].id,
                                SAT_ITEM_ID_SIZE) != 0)
            p->items[kept++] = p->items[i];
    p->count = kept;
}

/* Puts the item in place of what was known of it, in the set. One that began
 * anew has a lower version than it had before it was dropped: then the set says
 * so. */
static sat_status exchange(sat__pull *p, const sat__pulled *item, bool *is_news,
                           sat_error *err)
{
    uint64_t version;
    uint8_t hash[32];
    TRY(sat__follow_item(p->follow, item->id, &version, hash, err));
    *is_news = version != item->version;
    p->has_older = p->has_older || item->version < version;
    if (!*is_news && memcmp(hash, item->hash, sizeof hash) != 0)
        return sat__hub_lies(err, "shows another item than before");
    if (!*is_news && !p->is_afresh)
        return SAT_OK;
    *is_news = item->len > 0;
    if (version > 0 && !p->is_afresh)
        sat__lthash_remove(&p->set, item->id, version, hash);
    if (item->len > 0)
        sat__lthash_add(&p->set, item->id, item->version, item->hash);
    else if (version > 0)
        sat__buf_put(&p->dropped, item->id, sizeof item->id);
    return sat__buf_status(&p->dropped, err);
}

static sat_status check_items(sat__pull *p, sat_error *err)
{
    size_t kept = 0;
    keep_newest(p);
    p->set = p->follow->set;
    if (p->is_afresh)
        lthash_init(&p->set);
    p->has_older = false;
    for (size_t i = 0; i < p->count; i++) {
        bool is_news;
        TRY(exchange(p, &p->items[i], &is_news, err));
        if (is_news)
            p->items[kept++] = p->items[i];
    }
    p->count = kept;
    return SAT_OK;
}

static sat_status verify_head(sat__pull *p, sat_error *err)
{
    sat__follow *const follow = p->follow;
    const sat_bytes moved = buf_view(&p->head);
    sat_status st = sat__head_verify(moved, follow->chain, &p->parsed, err);
    if (st == SAT_ERR_NOT_FOUND) {
        TRY(sat__follow_update_chain(follow, err));
        st = sat__head_verify(moved, follow->chain, &p->parsed, err);
    }
    /* Its writer was taken out by links that the hub gets from us: of what it
     * wrote the rows take no more than counts. */
    if (st == SAT_ERR_DENIED &&
        follow->hub_links < sat__chain_count(follow->chain))
        st = sat__follow_read_head(follow, moved, &p->parsed, err);
    if (st != SAT_OK)
        return sat__context(err, SAT_ERR_CORRUPT,
                            "the hub shows a vault that no member signed");
    if (follow->head.is_there && p->parsed.sequence <= follow->head.sequence)
        return sat__hub_lies(err,
                             "serves an older state of the vault than before");
    return follow->head.is_there ? sat__heads_lead(follow, &follow->head.hash,
                                                   follow->head.sequence,
                                                   &p->parsed.previous, err)
                                 : SAT_OK;
}

/* *is_news is false where nothing has happened since the last time. */
static sat_status check_head(sat__pull *p, bool *is_news, sat_error *err)
{
    sat__follow *const follow = p->follow;
    uint8_t digest[32];
    *is_news = false;
    if (p->head.len == 0) {
        if (follow->head.is_there)
            return sat__hub_lies(
                err, "has lost the vault that this device has seen");
        if (p->count > 0)
            return sat__hub_lies(err, "sends items that no device speaks for");
        return SAT_OK;
    }
    *is_news = !bytes_equal(buf_view(&p->head), buf_view(&follow->head.moved));
    if (*is_news)
        TRY(verify_head(p, err));
    else if (p->count > 0 || p->dropped.len > 0)
        return sat__hub_lies(
            err, p->has_older ? "serves an old version of an item"
                              : "sends items that no device speaks for");
    if (!*is_news)
        return SAT_OK;
    sat__lthash_digest(&p->set, digest);
    if (memcmp(digest, p->parsed.set, sizeof digest) != 0 && !SAT_PLANT(23))
        return sat__hub_lies(
            err, p->has_older
                     ? "serves an old version of an item"
                     : "withholds items, or sends others than were pushed");
    return SAT_OK;
}

/* The present head, with what other devices have seen. */
static sat_status compare_heads(sat__pull *p, bool is_news, sat_error *err)
{
    const sat__seen_head *const seen = &p->follow->head;
    sat__id hash = seen->hash;
    if (is_news)
        TRY(sat__head_hash(buf_view(&p->head), &hash, err));
    return sat__heads_compare(
        p->follow, &hash, is_news ? p->parsed.sequence : seen->sequence, err);
}

sat_status sat__pull_check(sat__pull *p, bool *is_news, sat_error *err)
{
    TRY(check_items(p, err));
    TRY(check_head(p, is_news, err));
    return compare_heads(p, *is_news, err);
}

sat_status sat__pull_open_head(sat__pull *p, bool *has_missed, sat_error *err)
{
    p->knowledge.len = 0;
    p->forgotten.len = 0;
    TRY(sat__knowledge_unseal(p->follow, &p->parsed, &p->knowledge,
                              &p->forgotten, err));
    return sat__replica_has_missed(p->follow->replica, buf_view(&p->forgotten),
                                   has_missed, err);
}
