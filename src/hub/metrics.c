/*
 * metrics.c - counts for Prometheus (text format 0.0.4)
 */
#include "hub/metrics.h"

#include <stdio.h>

#include "crypto/labels.h"
#include "hub/handlers.h"
#include "hub/live.h"
#include "hub/remote.h"

void hub_count(uint64_t *counter, uint64_t by)
{
    (void)__atomic_add_fetch(counter, by, __ATOMIC_RELAXED);
}

static void put(sat_buf *out, const char *name, const char *type,
                const char *labels, const uint64_t *counter)
{
    if (type != NULL)
        sat__buf_printf(out, "# TYPE satchel_hub_%s %s\n", name, type);
    sat__buf_printf(
        out, "satchel_hub_%s%s %llu\n", name, labels,
        (unsigned long long)__atomic_load_n(counter, __ATOMIC_RELAXED));
}

void hub_metrics_token(const uint8_t secret[32],
                       char out[HUB_METRICS_TOKEN_SIZE])
{
    uint8_t key[32];

    sat__derive(bytes_of(secret, 32), SAT_LABEL_HUB_METRICS, key);
    sat__hex_format(key, sizeof key, out);
    sat__wipe(key, sizeof key);
}

/* Whoever is on this machine, or has the token. */
static bool may_read(const hub_call *call)
{
    const char *const said =
        sat__headers_get(&call->request->headers, "Authorization");
    char token[HUB_METRICS_TOKEN_SIZE], right[sizeof token + 7];

    if (hub_remote_is_here(call->hub, call->remote))
        return true;
    hub_metrics_token(call->hub->options.secret, token);
    (void)snprintf(right, sizeof right, "Bearer %s", token);
    return said != NULL && strlen(said) == strlen(right) &&
           sat__equal_secret(said, right, strlen(right));
}

sat_status hub_metrics_get(hub_call *call, sat_error *err)
{
    static const char *const classes[] = {
        "{status=\"1xx\"}", "{status=\"2xx\"}", "{status=\"3xx\"}",
        "{status=\"4xx\"}", "{status=\"5xx\"}"};
    const hub_metrics *const m = &call->hub->metrics;
    sat__response *const response = call->response;
    const uint64_t live = hub_live_count(call->hub->live);

    if (!may_read(call))
        return sat__fail(err, SAT_ERR_AUTH,
                         "the token of 'satchel-hub admin token' is needed");
    response->status = 200;
    sat__headers_put(&response->headers, "Content-Type",
                     "text/plain; version=0.0.4");
    for (size_t i = 0; i < 5; i++)
        put(&response->body, "requests_total", i == 0 ? "counter" : NULL,
            classes[i], &m->requests[i]);
    put(&response->body, "pushes_total", "counter", "", &m->pushes);
    put(&response->body, "items_pushed_total", "counter", "", &m->items);
    put(&response->body, "pulls_total", "counter", "", &m->pulls);
    put(&response->body, "logins_total", "counter", "", &m->logins);
    put(&response->body, "logins_failed_total", "counter", "",
        &m->logins_failed);
    put(&response->body, "websockets", "gauge", "", &live);
    return SAT_OK;
}
