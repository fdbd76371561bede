/*
 * sync.c - pulling what another device has, and pushing what it lacks
 *
 *      status ─> pull page, page, … ─> apply ─> push page, page, … ─> report
 *
 * A device that has missed deletions which the other has forgotten starts
 * afresh: it gets everything, and before that gives nothing. So where it is the
 * other one that has, the push comes first.
 *
 * Both directions go by pages that wait where they arrive until the last one is
 * there, so a cut costs the page that was under way and nothing else. Memory
 * holds one page.
 */
#include "base/cbor.h"
#include "base/error.h"
#include "net/body.h"
#include "peer/peer.h"

#include <stdio.h>

#define PAGE_BYTES ((size_t)256 * 1024)
#define PAGE_ROWS 4096

typedef struct sync_run {
    sat__peer_call *call;
    sat_replica *replica;
    sat__peer_progress_fn *progress;
    void *context;
    sat__peer_report report;
    sat_buf known;  /* to the other device */
    sat_buf base;   /* what our pages, as far as they got, build upon */
    sat_buf cursor; /* where they go on */
    uint64_t their_conflicts;
} sync_run;

static void sync_run_clear(sync_run *run)
{
    sat__buf_clear(&run->known);
    sat__buf_clear(&run->base);
    sat__buf_clear(&run->cursor);
}

DEFINE_AUTO(sync_run, sync_run_clear);

static sat_status check_stop(const sync_run *run, sat_error *err)
{
    if (run->progress != NULL && !run->progress(&run->report, run->context))
        return sat__fail(err, SAT_ERR_STOPPED,
                         "stopped; the next sync goes on from here");
    return SAT_OK;
}

static void replace(sat_buf *buf, sat_bytes with)
{
    buf->len = 0;
    sat__buf_put(buf, with.data, with.len);
}

sat_status sat__peer_take_up(sat_replica *replica,
                             const uint8_t from[SAT_DEVICE_ID_SIZE],
                             sat_buf *base, sat_buf *cursor,
                             sat__apply_report *finished, sat_error *err)
{
    *finished = (sat__apply_report){.rows = 0};
    TRY(sat__replica_staged(replica, from, base, cursor, err));
    if (base->len == 0 || cursor->len > 0)
        return SAT_OK;
    base->len = 0;
    TRY(sat__replica_check_sender(replica, from, err));
    return sat__replica_apply(replica, from, finished, err);
}

sat_status sat__peer_read(const sat__peer *peer, sat_bytes base,
                          sat_bytes cursor, sat_buf *page, sat_buf *next,
                          sat_error *err)
{
    static const sat__page_limits limits = {PAGE_BYTES, PAGE_ROWS};

    TRY(sat__replica_read(peer->replica, base, cursor, &limits, page, next,
                          err));
    TRY(sat__buf_status(page, err));
    return sat__buf_status(next, err);
}

/* ---- status ---- */

static sat_status read_hex(const json_t *status, const char *name, sat_buf *out,
                           sat_error *err)
{
    const json_t *const value = json_object_get(status, name);
    const char *const text = json_string_value(value);
    const size_t len = text != NULL ? json_string_length(value) / 2 : 0;

    if (text == NULL || !sat__buf_reserve(out, len + 1))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the other device does not say '%s'", name);
    TRY(sat__hex_parse(text, out->data, len, err));
    out->len = len;
    return SAT_OK;
}

static sat_status ask_status(sync_run *run, sat_error *err)
{
    AUTO(sat__response) response = {0};
    AUTO_JSON json_t *status = NULL;
    char target[96];

    (void)snprintf(target, sizeof target, "/sync/status?vault=%s",
                   run->call->peer->vault);
    TRY(sat__peer_call_send(run->call, "GET", target, NULL, bytes_of(NULL, 0),
                            &response, err));
    TRY(sat__body_read(SAT_BODY_CBOR, buf_view(&response.body), &status, err));
    TRY(read_hex(status, "knowledge", &run->known, err));
    TRY(read_hex(status, "base", &run->base, err));
    return read_hex(status, "cursor", &run->cursor, err);
}

/* ---- pull ---- */

static sat_status ask_page(sync_run *run, const sat_buf *base,
                           const sat_buf *cursor, sat__response *response,
                           sat_bytes *next, sat_bytes *page, sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    char target[96];
    size_t count;

    sat__cbor_put_map(&body, 2);
    sat__cbor_put_str(&body, "base");
    sat__cbor_put_bytes(&body, base->data, base->len);
    sat__cbor_put_str(&body, "cursor");
    sat__cbor_put_bytes(&body, cursor->data, cursor->len);
    TRY(sat__buf_status(&body, err));
    (void)snprintf(target, sizeof target, "/sync/pull?vault=%s",
                   run->call->peer->vault);
    TRY(sat__peer_call_send(run->call, "POST", target, "application/cbor",
                            buf_view(&body), response, err));
    sat__cbor in = cbor_of(buf_view(&response->body));
    TRY(sat__cbor_map(&in, 2, &count, err));
    TRY(sat__cbor_key(&in, "next", err));
    TRY(sat__cbor_bytes(&in, next, err));
    TRY(sat__cbor_key(&in, "page", err));
    TRY(sat__cbor_bytes(&in, page, err));
    return sat__cbor_done(&in, err);
}

/* What a device that knows nothing says of its knowledge. */
static void ask_from_the_start(sat_buf *base, sat_buf *cursor)
{
    base->len = 0;
    cursor->len = 0;
    sat__cbor_put_array(base, 0);
}

static bool is_from_the_start(const sat_buf *base)
{
    return base->len <= 1;
}

static sat_status apply_pulled(sync_run *run, sat_error *err)
{
    sat__apply_report applied;

    TRY(sat__replica_check_sender(run->replica, run->call->remote, err));
    TRY(sat__replica_apply(run->replica, run->call->remote, &applied, err));
    run->report.pulled += applied.rows;
    run->report.conflicts += applied.conflicts;
    return run->call->peer->files != NULL
               ? sat__replica_make_files(run->replica, err)
               : SAT_OK;
}

/* One page from `cursor` on, kept; `cursor` moves behind it. */
static sat_status pull_page(sync_run *run, const sat_buf *base, sat_buf *cursor,
                            bool *is_complete, sat_error *err)
{
    AUTO(sat__response) response = {0};
    sat_bytes next, page;

    TRY(ask_page(run, base, cursor, &response, &next, &page, err));
    TRY(sat__replica_stage(run->replica, run->call->remote, page, is_complete,
                           err));
    if (!*is_complete && next.len == 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the other device ends before its last page");
    replace(cursor, next);
    TRY(sat__buf_status(cursor, err));
    return *is_complete ? SAT_OK : check_stop(run, err);
}

static sat_status pull_pages(sync_run *run, const sat_buf *base,
                             sat_buf *cursor, sat_error *err)
{
    bool is_complete = false;

    while (!is_complete) {
        const sat_status status =
            pull_page(run, base, cursor, &is_complete, err);
        if (status == SAT_ERR_INVALID && cursor->len > 0)
            cursor->len = 0; /* the other side has lost that place */
        else
            TRY(status);
    }
    return apply_pulled(run, err);
}

static sat_status pull(sync_run *run, sat_error *err)
{
    AUTO(sat_buf) base = SAT_BUF_INIT, cursor = SAT_BUF_INIT;
    sat__apply_report finished;

    TRY(sat__peer_take_up(run->replica, run->call->remote, &base, &cursor,
                          &finished, err));
    run->report.pulled += finished.rows;
    run->report.conflicts += finished.conflicts;
    if (base.len == 0)
        TRY(sat__replica_knowledge(run->replica, &base, err));
    const sat_status status = pull_pages(run, &base, &cursor, err);
    if (status != SAT_ERR_CONFLICT || is_from_the_start(&base))
        return status;
    ask_from_the_start(&base, &cursor);
    TRY(sat__buf_status(&base, err));
    return pull_pages(run, &base, &cursor, err);
}

/* ---- push ---- */

static sat_status send_page(sync_run *run, const sat_buf *page,
                            bool *is_complete, sat_error *err)
{
    AUTO(sat__response) response = {0};
    AUTO(sat_buf) body = SAT_BUF_INIT;
    uint64_t rows, conflicts;
    char target[96];
    size_t count;

    sat__cbor_put_map(&body, 1);
    sat__cbor_put_str(&body, "page");
    sat__cbor_put_bytes(&body, page->data, page->len);
    TRY(sat__buf_status(&body, err));
    (void)snprintf(target, sizeof target, "/sync/push?vault=%s",
                   run->call->peer->vault);
    TRY(sat__peer_call_send(run->call, "POST", target, "application/cbor",
                            buf_view(&body), &response, err));
    sat__cbor in = cbor_of(buf_view(&response.body));
    TRY(sat__cbor_map(&in, 3, &count, err));
    TRY(sat__cbor_key(&in, "rows", err));
    TRY(sat__cbor_uint(&in, &rows, err));
    TRY(sat__cbor_key(&in, "complete", err));
    TRY(sat__cbor_bool(&in, is_complete, err));
    TRY(sat__cbor_key(&in, "conflicts", err));
    TRY(sat__cbor_uint(&in, &conflicts, err));
    run->report.pushed += rows;
    run->their_conflicts += conflicts;
    return sat__cbor_done(&in, err);
}

/* One page from the cursor on, sent; the cursor moves behind it. */
static sat_status push_page(sync_run *run, const sat_buf *base,
                            bool *is_complete, sat_error *err)
{
    AUTO(sat_buf) page = SAT_BUF_INIT, next = SAT_BUF_INIT;

    TRY(sat__peer_read(run->call->peer, buf_view(base), buf_view(&run->cursor),
                       &page, &next, err));
    TRY(send_page(run, &page, is_complete, err));
    if (!*is_complete && next.len == 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the other device lost pages; sync again");
    replace(&run->cursor, buf_view(&next));
    TRY(sat__buf_status(&run->cursor, err));
    return *is_complete ? SAT_OK : check_stop(run, err);
}

static sat_status push_pages(sync_run *run, const sat_buf *base, sat_error *err)
{
    bool is_complete = false;

    while (!is_complete) {
        const sat_status status = push_page(run, base, &is_complete, err);
        if (status == SAT_ERR_CORRUPT && run->cursor.len > 0)
            run->cursor.len = 0; /* it is a place of another life of ours */
        else
            TRY(status);
    }
    return SAT_OK;
}

static sat_status push_from_the_start(sync_run *run, sat_error *err)
{
    ask_from_the_start(&run->base, &run->cursor);
    TRY(sat__buf_status(&run->base, err));
    return push_pages(run, &run->base, err);
}

static sat_status push(sync_run *run, sat_error *err)
{
    const sat_buf *const base = run->base.len > 0 ? &run->base : &run->known;
    AUTO(sat_buf) ours = SAT_BUF_INIT;

    TRY(sat__replica_knowledge(run->replica, &ours, err));
    if (bytes_equal(buf_view(&ours), buf_view(&run->known)))
        return SAT_OK;
    const sat_status status = push_pages(run, base, err);
    if (status == SAT_ERR_CONFLICT && !is_from_the_start(base))
        TRY(push_from_the_start(run, err));
    else
        TRY(status);
    return sat__replica_report(run->replica, run->call->remote, buf_view(&ours),
                               err);
}

/* The other device has missed deletions that are forgotten here. */
static sat_status help_start_afresh(sync_run *run, sat_error *err)
{
    bool is_behind;

    TRY(sat__replica_is_behind(run->replica, buf_view(&run->known), &is_behind,
                               err));
    if (!is_behind)
        return SAT_OK;
    TRY(push_from_the_start(run, err));
    run->known.len = run->base.len = run->cursor.len = 0;
    return ask_status(run, err);
}

/* Both directions, for one vault. */
static sat_status exchange(sync_run *run, sat_error *err)
{
    TRY(sat__peer_meet_vault(run->call, err));
    TRY(sat__replica_collect(run->replica, NULL, err));
    TRY(sat__peer_note_members(run->call->peer, err));
    TRY(ask_status(run, err));
    TRY(help_start_afresh(run, err));
    TRY(pull(run, err));
    return push(run, err);
}

sat_status sat__peer_sync_own(sat__peer_call *call,
                              sat__peer_progress_fn *progress, void *context,
                              sat_error *err)
{
    const sat__peer *const own = call->peer->own;
    sat__peer_call within = *call;
    AUTO(sync_run)
    run = {.call = &within, .progress = progress, .context = context};

    if (own == NULL)
        return SAT_OK;
    within.peer = own;
    run.replica = own->replica;
    const sat_status st = exchange(&run, err);
    memcpy(call->nonce, within.nonce, sizeof call->nonce);
    return st == SAT_ERR_NOT_FOUND ? SAT_OK : st;
}

static sat_status go_on(void *context, sat_error *err)
{
    return check_stop(context, err);
}

sat_status sat__peer_sync(sat__peer_call *call, sat__peer_progress_fn *progress,
                          void *context, sat__peer_report *out, sat_error *err)
{
    const sat__peer *const peer = call->peer;
    AUTO(sync_run)
    run = {.call = call,
           .replica = peer->replica,
           .progress = progress,
           .context = context};

    TRY(sat__peer_meet(call, err));
    TRY(sat__peer_sync_own(call, progress, context, err));
    TRY(exchange(&run, err));
    TRY(sat__peer_compare_heads(call, err));
    TRY(sat__peer_sync_files(call, go_on, &run, err));
    /* What both sides see for the first time is one conflict, not two. */
    if (run.their_conflicts > run.report.conflicts)
        run.report.conflicts = run.their_conflicts;
    TRY(sat__registry_touch(peer->registry, call->remote, err));
    *out = run.report;
    return SAT_OK;
}
