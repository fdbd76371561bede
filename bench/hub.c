/*
 * hub.c - a hub on one machine, with those who load it in the same process
 *
 * Thirty-two clients, a thread each, over real sockets; the hub has two loops
 * and shares the processors with them. What it stores is synced. The reference
 * of pushing is a loop of bare transactions on a database of the same kind.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "bench.h"
#include "hub/live.h"
#include "hub/town.h"
#include "net/websocket.h"

#define CLIENTS 32
#define SECONDS 3.0
#define BATCH 100
#define ITEM_SIZE 300
#define IDLE 10000
#define LISTENERS 1000
#define WORDS 40

typedef struct client {
    town town; /* the same hub, another connection */
    citizen who;
    vault v;
    pthread_t thread;
    size_t done;
} client;

static town hub_town;
static client clients[CLIENTS];

/* ---- many at once ---- */

static void connect_client(client *c, size_t i)
{
    sat__http_options to = {.timeout_ms = 60000, .body_max = 1u << 30};
    char email[80];
    sat_error err = {0};

    c->town = hub_town;
    bench_must(sat__url_parse(hub_town.origin, &to.url, &err), &err);
    bench_must(sat__transport_http(&to, &c->town.transport, &err), &err);
    (void)snprintf(email, sizeof email, "client%zu@%d.example.org", i,
                   town_storage);
    citizen_open(&c->who, &c->town, email);
    vault_open(&c->v, &c->who);
}

static void *pull_on(void *context)
{
    client *const c = context;
    const double end = bench_now() + SECONDS;

    for (c->done = 0; bench_now() < end; c->done++) {
        AUTO(answer) a = {.status = 0};
        if (vault_pull(&c->v, &c->who, 0, 100, &a) != 200)
            abort();
    }
    return NULL;
}

static void *push_on(void *context)
{
    client *const c = context;
    const double end = bench_now() + SECONDS;
    sealed items[BATCH];

    for (c->done = 0; bench_now() < end; c->done += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            items[i] = (sealed){.size = ITEM_SIZE};
            bytes_put_u64(items[i].id, c->v.head_sequence * BATCH + i);
        }
        vault_push_some(&c->v, &c->who, items, BATCH);
    }
    return NULL;
}

/* How much all of them do in a second. */
static double together(void *(*what)(void *context))
{
    double done = 0;
    const double begin = bench_now();

    for (size_t i = 0; i < CLIENTS; i++)
        if (pthread_create(&clients[i].thread, NULL, what, &clients[i]) != 0)
            abort();
    for (size_t i = 0; i < CLIENTS; i++) {
        (void)pthread_join(clients[i].thread, NULL);
        done += (double)clients[i].done;
    }
    return done / (bench_now() - begin);
}

/* ---- a bare loop of transactions ---- */

typedef struct bare {
    const hub_storage *storage;
    int64_t next;
} bare;

static sat_status insert_batch(hub_db *db, void *context, sat_error *err)
{
    bare *const b = context;
    uint8_t id[32] = {0}, data[ITEM_SIZE] = {1};

    for (int i = 0; i < BATCH; i++) {
        bytes_put_u64(id, (uint64_t)b->next);
        TRY(hub_exec(db, NULL, err,
                     "INSERT INTO items(vault, id, version, sequence, epoch,"
                     " device, data, deleted, updated)"
                     " VALUES($1, $2, 1, $3, $1, $1, $4, 0, 0)",
                     "xxib", id, id, b->next++, bytes_of(data, sizeof data)));
    }
    return SAT_OK;
}

static double bare_transactions(void)
{
    bare b = {&hub_town.storage, 1};
    const double begin = bench_now();
    sat_error err = {0};

    while (bench_now() < begin + SECONDS)
        bench_must(b.storage->write(b.storage->self, insert_batch, &b, &err),
                   &err);
    return (double)(b.next - 1) / (bench_now() - begin);
}

/* ---- live ---- */

/* A WebSocket as a bare descriptor, which costs this process nothing else. */
static int open_socket(void)
{
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    char key[SAT_WEBSOCKET_KEY_SIZE], answer_text[512];
    struct sockaddr_in to = {.sin_family = AF_INET};
    const char *const port = strrchr(hub_town.origin, ':') + 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_port = htons((uint16_t)atoi(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
    sat__websocket_ask(sat_env_system(), hub_town.origin + 7, "/ws", &request,
                       key);
    sat__request_write(&request, &text);
    if (send(fd, text.data, text.len, 0) != (ssize_t)text.len ||
        recv(fd, answer_text, sizeof answer_text, 0) <= 0)
        abort();
    return fd;
}

static void say_who(int fd, const citizen *who)
{
    AUTO(sat__websocket) socket;
    AUTO(sat_buf) text = SAT_BUF_INIT;
    char heard[2048];

    sat__websocket_init(&socket, sat_env_system(), false, 4096);
    sat__buf_printf(&text, "{\"type\":\"AUTH\",\"token\":\"%s\"}", who->access);
    sat__websocket_send(&socket, true, buf_view(&text));
    if (send(fd, socket.out.data, socket.out.len, 0) !=
            (ssize_t)socket.out.len ||
        recv(fd, heard, sizeof heard, 0) <= 0)
        abort();
}

static double resident(void)
{
    long pages = 0;
    FILE *const file = fopen("/proc/self/statm", "r");

    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        abort();
    (void)fclose(file);
    return (double)pages * 4096;
}

static void measure_idle(void)
{
    static int fds[IDLE];
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    const size_t count =
        limit.rlim_cur > 2 * IDLE + 500 ? IDLE : (limit.rlim_cur - 500) / 2;
    const double before = resident();
    for (size_t i = 0; i < count; i++) {
        fds[i] = open_socket();
        say_who(fds[i], &clients[i % CLIENTS].who);
    }
    bench_report_value("hub: memory of an idle WebSocket",
                       (resident() - before) / (double)count / 1024, "KB", 8,
                       BENCH_AT_MOST);
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
}

/* Milliseconds until word of a change has come, for each listener. */
static void measure_words(void)
{
    static struct pollfd fds[LISTENERS];
    static double waits[WORDS * LISTENERS];
    static char heard[65536];
    client *const from = &clients[0];
    size_t count = 0;

    for (size_t i = 0; i < LISTENERS; i++) {
        fds[i] = (struct pollfd){.fd = open_socket(), .events = POLLIN};
        say_who(fds[i].fd, &from->who);
    }
    (void)sleep(1);
    for (uint8_t word = 0; word < WORDS; word++) {
        const double begin = bench_now();
        hub_live_chain(hub_town.hub->live,
                       sat__chain_id(from->who.account)->bytes, NULL);
        for (size_t left = LISTENERS; left > 0;) {
            if (poll(fds, LISTENERS, 5000) <= 0)
                abort();
            for (size_t i = 0; i < LISTENERS; i++) {
                if ((fds[i].revents & POLLIN) == 0)
                    continue;
                if (recv(fds[i].fd, heard, sizeof heard, 0) <= 0)
                    abort();
                waits[count++] = (bench_now() - begin) * 1000;
                left--;
            }
        }
        (void)usleep(20000);
    }
    (void)bench_median(waits, count);
    bench_report_value("hub: word to 1,000 devices, 99th percentile",
                       waits[count * 99 / 100], "ms", 5, BENCH_AT_MOST);
    for (size_t i = 0; i < LISTENERS; i++)
        (void)close(fds[i].fd);
}

static void measure(const char *kind, bool is_sqlite)
{
    char name[100];

    town_open(&hub_town);
    for (size_t i = 0; i < CLIENTS; i++)
        connect_client(&clients[i], i);
    (void)snprintf(name, sizeof name, "hub: empty pulls, %s", kind);
    const double pulls = together(pull_on);
    if (is_sqlite)
        bench_report_value(name, pulls, "/s", 20000, BENCH_AT_LEAST);
    else
        bench_report_fact(name, pulls, "/s");
    (void)snprintf(name, sizeof name, "hub: items pushed, %s", kind);
    const double bare_items = bare_transactions();
    const double items = together(push_on);
    bench_report_ratio(name, items, "/s", bare_items, 0.5, BENCH_AT_LEAST);
    if (is_sqlite) {
        bench_report_value("hub: items pushed, SQLite, synced", items, "/s",
                           20000, BENCH_AT_LEAST);
        measure_words();
        measure_idle();
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        vault_close(&clients[i].v);
        citizen_close(&clients[i].who);
        transport_close(&clients[i].town.transport);
    }
    town_close(&hub_town);
}

int main(void)
{
    town_connections = 2 * IDLE;
    measure("SQLite", true);
    town_storage = TOWN_POSTGRES;
    measure("PostgreSQL", false);
    return 0;
}
