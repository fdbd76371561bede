/*
 * nats.c - nodes that meet at a NATS
 *
 * What is said goes into a bounded queue, from which one thread publishes: a
 * NATS that hangs makes that thread wait and nobody else, and words are left
 * out. The library connects, and connects again, by itself.
 */
#include "hub/bus/bus.h"

#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"

#define SERVERS_MAX 8
#define QUEUE_MAX ((size_t)4 << 20)
#define BACKLOG_MAX (1 << 20) /* of the library, while it is not connected */
#define WAIT_MS 250           /* between two tries */
#define WAITING_MAX 65536     /* words that were heard and not yet taken */
#define TIMEOUT_MS 2000

typedef struct saying {
    struct saying *next;
    size_t len;
    uint8_t data[];
} saying;

typedef struct nats {
    char subject[64];
    natsOptions *options;
    natsConnection *connection;
    natsSubscription *subscription;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    saying *first, **last; /* guarded by lock */
    size_t queued;         /* guarded by lock: bytes */
    bool is_stopping;      /* guarded by lock */
    pthread_mutex_t ears_lock;
    hub_ears ears; /* guarded by ears_lock */
} nats;

/* ---- hearing ---- */

static void hear(natsConnection *connection, natsSubscription *subscription,
                 natsMsg *message, void *context)
{
    nats *const n = context;

    (void)connection;
    (void)subscription;
    {
        SCOPED_LOCK(&n->ears_lock);
        if (n->ears.hear != NULL)
            n->ears.hear(n->ears.context,
                         bytes_of(natsMsg_GetData(message),
                                  (size_t)natsMsg_GetDataLength(message)));
    }
    natsMsg_Destroy(message);
}

static void on_missed(natsConnection *connection, void *context)
{
    nats *const n = context;

    (void)connection;
    SCOPED_LOCK(&n->ears_lock);
    if (n->ears.missed != NULL)
        n->ears.missed(n->ears.context);
}

/* Most of all: words came faster than they were taken. */
static void on_trouble(natsConnection *connection,
                       natsSubscription *subscription, natsStatus status,
                       void *context)
{
    (void)subscription;
    if (status == NATS_SLOW_CONSUMER)
        on_missed(connection, context);
}

static void listen(void *self, const hub_ears *ears)
{
    nats *const n = self;

    SCOPED_LOCK(&n->ears_lock);
    n->ears = *ears;
}

static void deafen(void *self)
{
    listen(self, &(hub_ears){.hear = NULL});
}

/* ---- saying ---- */

static void say(void *self, sat_bytes word)
{
    nats *const n = self;
    saying *const made = malloc(sizeof *made + word.len);

    if (made == NULL)
        return;
    made->next = NULL;
    made->len = word.len;
    memcpy(made->data, word.data, word.len);
    {
        SCOPED_LOCK(&n->lock);
        if (n->queued + word.len <= QUEUE_MAX) {
            *n->last = made;
            n->last = &made->next;
            n->queued += word.len;
            (void)pthread_cond_signal(&n->work);
            return;
        }
    }
    free(made);
}

static saying *take(nats *n)
{
    SCOPED_LOCK(&n->lock);
    while (n->first == NULL && !n->is_stopping)
        (void)pthread_cond_wait(&n->work, &n->lock);
    saying *const taken = n->first;
    if (taken == NULL)
        return NULL;
    n->first = taken->next;
    if (n->first == NULL)
        n->last = &n->first;
    n->queued -= taken->len;
    return taken;
}

static void *publish_on(void *context)
{
    nats *const n = context;
    saying *word;

    while ((word = take(n)) != NULL) {
        (void)natsConnection_Publish(n->connection, n->subject, word->data,
                                     (int)word->len);
        free(word);
    }
    return NULL;
}

static bool is_up(void *self)
{
    nats *const n = self;

    return natsConnection_Status(n->connection) == NATS_CONN_STATUS_CONNECTED;
}

/* ---- beginning and end ---- */

static void destroy(nats *n)
{
    natsSubscription_Destroy(n->subscription);
    natsConnection_Destroy(n->connection);
    natsOptions_Destroy(n->options);
    (void)pthread_cond_destroy(&n->work);
    (void)pthread_mutex_destroy(&n->lock);
    (void)pthread_mutex_destroy(&n->ears_lock);
    free(n);
}

static void close_nats(void *self)
{
    nats *const n = self;
    {
        SCOPED_LOCK(&n->lock);
        n->is_stopping = true;
        (void)pthread_cond_signal(&n->work);
    }
    (void)pthread_join(n->thread, NULL);
    /* What was said last still goes, where there is somebody to take it. */
    (void)natsConnection_FlushTimeout(n->connection, WAIT_MS);
    destroy(n);
}

static natsStatus set_options(nats *n, const char **servers, int count)
{
    natsOptions *const o = n->options;
    natsStatus status = natsOptions_SetServers(o, servers, count);

    if (status == NATS_OK)
        status = natsOptions_SetNoEcho(o, true);
    if (status == NATS_OK)
        status = natsOptions_SetTimeout(o, TIMEOUT_MS);
    if (status == NATS_OK)
        status = natsOptions_SetMaxReconnect(o, -1);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectWait(o, WAIT_MS);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectBufSize(o, BACKLOG_MAX);
    if (status == NATS_OK)
        status = natsOptions_SetMaxPendingMsgs(o, WAITING_MAX);
    if (status == NATS_OK)
        status = natsOptions_SetPingInterval(o, 5000);
    if (status == NATS_OK)
        status = natsOptions_SetSendAsap(o, true);
    if (status == NATS_OK)
        status = natsOptions_SetReconnectedCB(o, on_missed, n);
    if (status == NATS_OK)
        status = natsOptions_SetErrorHandler(o, on_trouble, n);
    return status == NATS_OK
               ? natsOptions_SetRetryOnFailedConnect(o, true, on_missed, n)
               : status;
}

static natsStatus connect_to(nats *n, const char **servers, int count)
{
    natsStatus status = natsOptions_Create(&n->options);

    if (status == NATS_OK)
        status = set_options(n, servers, count);
    if (status == NATS_OK)
        status = natsConnection_Connect(&n->connection, n->options);
    if (status == NATS_NOT_YET_CONNECTED)
        status = NATS_OK;
    if (status == NATS_OK)
        status = natsConnection_Subscribe(&n->subscription, n->connection,
                                          n->subject, hear, n);
    return status;
}

/* Another hub at the same NATS has another subject. */
static void make_subject(nats *n, const uint8_t secret[32])
{
    static const char what[] = "bus subject";
    uint8_t hash[32];
    char hex[65];

    sat__hmac(SAT_SHA256, bytes_of(secret, 32), bytes_of(what, sizeof what - 1),
              hash);
    sat__hex_format(hash, sizeof hash, hex);
    (void)snprintf(n->subject, sizeof n->subject, "satchel.hub.%.32s", hex);
}

/* The library would take nearly anything, and go somewhere. */
static bool is_server(const char *text)
{
    const char *const scheme = strstr(text, "://");
    const char *const at = strrchr(text, '@');

    if (strncmp(text, "nats://", 7) != 0 && strncmp(text, "tls://", 6) != 0)
        return false;
    const char *const host = at != NULL ? at + 1 : scheme + 3;
    const bool is_v6 = host[0] == '[';
    const size_t len =
        is_v6 ? strcspn(host, "]") + 1
              : strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-._"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (len < (is_v6 ? 4 : 1) || (is_v6 && strchr(host, ']') == NULL))
        return false;
    const char *const port = host + len;
    return port[0] == 0 || (port[0] == ':' && port[1] != 0 &&
                            strspn(port + 1, "0123456789") == strlen(port + 1));
}

/* How many there are; 0 unless each of them is a server. */
static int split(char *urls, const char *servers[SERVERS_MAX])
{
    char *rest = NULL;
    int count = 0;

    for (char *at = strtok_r(urls, ",", &rest); at != NULL;
         at = strtok_r(NULL, ",", &rest)) {
        if (count == SERVERS_MAX || !is_server(at))
            return 0;
        servers[count++] = at;
    }
    return count;
}

sat_status hub_bus_nats(const char *urls, const uint8_t secret[32],
                        hub_bus *out, sat_error *err)
{
    AUTO_FREE char *copy = strdup(urls);
    nats *const n = calloc(1, sizeof *n);
    const char *servers[SERVERS_MAX];

    if (copy == NULL || n == NULL) {
        free(n);
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    }
    const int count = split(copy, servers);
    if (count == 0) {
        free(n);
        return sat__fail(err, SAT_ERR_INVALID,
                         "a bus is nats://HOST:PORT, or up to %d of those "
                         "with commas between",
                         SERVERS_MAX);
    }
    (void)pthread_mutex_init(&n->lock, NULL);
    (void)pthread_mutex_init(&n->ears_lock, NULL);
    (void)pthread_cond_init(&n->work, NULL);
    n->last = &n->first;
    make_subject(n, secret);
    const natsStatus status = connect_to(n, servers, count);
    if (status != NATS_OK) {
        destroy(n);
        return sat__fail(
            err, status == NATS_NO_MEMORY ? SAT_ERR_NOMEM : SAT_ERR_INVALID,
            "the bus nats://HOST:PORT can not be used: %s",
            natsStatus_GetText(status));
    }
    const int code = pthread_create(&n->thread, NULL, publish_on, n);
    if (code != 0) {
        destroy(n);
        return sat__fail_os(err, code, "no thread can be started");
    }
    *out = (hub_bus){.self = n,
                     .name = "nats",
                     .say = say,
                     .listen = listen,
                     .deafen = deafen,
                     .is_up = is_up,
                     .close = close_nats};
    return SAT_OK;
}
