/*
 * exchange.c - one step of a pull, on either side
 */
#include "exchange.h"

#include <stdlib.h>

#include "base/cbor.h"
#include "store/hub_head.h"

message *message_new(int from, int to, bool is_request)
{
    message *const m = calloc(1, sizeof *m);

    if (m == NULL)
        abort();
    m->from = from;
    m->to = to;
    m->is_request = is_request;
    return m;
}

message *message_copy(const message *m)
{
    message *const out = message_new(m->from, m->to, m->is_request);

    out->number = m->number;
    out->is_last = m->is_last;
    out->is_behind = m->is_behind;
    out->known = m->known;
    sat__buf_put(&out->base, m->base.data, m->base.len);
    sat__buf_put(&out->body, m->body.data, m->body.len);
    sat__buf_put(&out->head, m->head.data, m->head.len);
    return out;
}

void message_free(message *m)
{
    if (m == NULL)
        return;
    sat__buf_clear(&m->base);
    sat__buf_clear(&m->body);
    sat__buf_clear(&m->head);
    free(m);
}

/* What failed may have collected all the same. */
static bool fails(device *d, const sim_schema *schema, sat_status status,
                  const sat_error *err, const char *doing)
{
    return device_recovers(d, schema, status, err, doing) &&
           device_settle(d, schema);
}

/* Applies what is staged, however often the disk fails. */
static bool apply(device *d, const sim_schema *schema, const device *source)
{
    sat__apply_report report;
    sat_error err = {0};

    d->is_applying = true;
    d->applying = d->staged[source->number];
    const sat_status st =
        sat__replica_apply(d->replica, source->id, &report, &err);
    if (st == SAT_ERR_CONFLICT) /* it can only be understood as a whole */
        d->from_start[source->number] = true;
    else if (st != SAT_OK && !device_recovers(d, schema, st, &err, "applying"))
        return false;
    d->has_applied = st == SAT_OK;
    if (d->has_applied)
        d->from_start[source->number] = false;
    if (d->has_applied)
        sim_count(COUNT_APPLIED);
    if (d->has_applied)
        d->trace = hash_bytes(d->trace, &report, sizeof report);
    return device_settle(d, schema);
}

/* Where staging stands: nothing, some pages, or all of them. */
static bool where(device *d, const sim_schema *schema, const device *source,
                  sat_buf *base, sat_buf *cursor, bool *known)
{
    sat_error err = {0};
    const sat_status st =
        sat__replica_staged(d->replica, source->id, base, cursor, &err);

    *known = st == SAT_OK;
    return *known || fails(d, schema, st, &err, "looking at what is staged");
}

/* Applies what is there in full, from before a crash. */
static bool finish(device *d, const sim_schema *schema, const device *source,
                   sat_buf *base, sat_buf *cursor, bool *known)
{
    if (!where(d, schema, source, base, cursor, known))
        return false;
    if (!*known || base->len == 0 || cursor->len > 0)
        return true;
    *known = false;
    return apply(d, schema, source);
}

static bool is_from_the_start(const sat_buf *base)
{
    return base->len == 1;
}

bool exchange_ask(device *d, const sim_schema *schema, const device *source,
                  message *request, bool *asks)
{
    sat_error err = {0};

    if (!finish(d, schema, source, &request->base, &request->body, asks))
        return false;
    if (*asks && d->from_start[source->number] &&
        !is_from_the_start(&request->base)) {
        request->base.len = request->body.len = 0;
        sat__cbor_put_array(&request->base, 0);
    }
    if (!*asks || request->base.len > 0)
        return true;
    const sat_status st =
        sat__replica_knowledge(d->replica, &request->base, &err);
    *asks = st == SAT_OK;
    return *asks ? device_settle(d, schema)
                 : fails(d, schema, st, &err, "asking for changes");
}

bool exchange_answer(device *d, const sim_schema *schema, const device *asker,
                     const message *request, uint32_t rows, message *reply,
                     bool *answers)
{
    const sat__page_limits limits = {.bytes = 65536, .rows = rows};
    AUTO(sat_buf) next = SAT_BUF_INIT;
    sat_error err = {0};
    sat_status st = SAT_OK;

    *answers = false;
    if (request->body.len == 0)
        st = sat__replica_report(d->replica, asker->id,
                                 buf_view(&request->base), &err);
    if (st != SAT_OK)
        return fails(d, schema, st, &err, "noting a report");
    st = sat__replica_read(d->replica, buf_view(&request->base),
                           buf_view(&request->body), &limits, &reply->body,
                           &next, &err);
    *answers = st == SAT_OK || st == SAT_ERR_CONFLICT;
    reply->is_behind = st == SAT_ERR_CONFLICT;
    if (reply->is_behind)
        return device_settle(d, schema);
    if (st != SAT_OK)
        return fails(d, schema, st, &err, "answering");
    reply->is_last = next.len == 0;
    if (reply->is_last && d->meets_hub &&
        sat__hub_head_get(d->db, &reply->head, &err) != SAT_OK)
        return fails(d, schema, SAT_ERR_IO, &err, "naming the hub's head");
    d->trace = hash_bytes(d->trace, reply->body.data, reply->body.len);
    if (!device_settle(d, schema))
        return false;
    reply->known = d->known;
    return true;
}

/* What a hub has shown another device is compared when it is asked next. */
static bool note_head(device *d, const sim_schema *schema, const device *source,
                      const message *reply)
{
    sat_error err = {0};

    if (reply->head.len == 0)
        return true;
    sim_count(COUNT_HUB_HEAD);
    const sat_status st =
        sat__hub_head_note(d->db, source->id, buf_view(&reply->head), &err);
    return st == SAT_OK || fails(d, schema, st, &err, "noting a hub's head");
}

bool exchange_take(device *d, const sim_schema *schema, const device *source,
                   const message *reply, bool *more)
{
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO(sat_buf) cursor = SAT_BUF_INIT;
    sat_error err = {0};
    bool complete;
    bool known;

    *more = false;
    if (reply->is_behind) {
        sim_count(COUNT_BEHIND);
        *more = !d->from_start[source->number];
        d->from_start[source->number] = true;
        return true;
    }
    if (!finish(d, schema, source, &base, &cursor, &known))
        return false;
    if (!known)
        return true;
    if (!note_head(d, schema, source, reply))
        return false;
    if (reply->is_last)
        d->staged[source->number] = reply->known;
    const sat_status st = sat__replica_stage(
        d->replica, source->id, buf_view(&reply->body), &complete, &err);
    d->trace = hash_bytes(d->trace, &st, sizeof st);
    if (st == SAT_ERR_CONFLICT)
        sim_count(COUNT_REFUSED);
    if (st == SAT_ERR_CONFLICT)
        return true; /* late, or twice, or not in order: refused */
    if (st != SAT_OK)
        return fails(d, schema, st, &err, "staging");
    if (complete != reply->is_last)
        return device_fails(d, "a page is the last to one side alone");
    *more = !complete;
    if (!complete)
        sim_count(COUNT_MIDDLE_PAGE);
    return !complete || apply(d, schema, source);
}
