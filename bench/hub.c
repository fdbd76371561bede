/*
 * hub.c - a hub on one machine, and those who load it from another process
 *
 * Thirty-two clients over real sockets; the hub has two loops and shares the
 * processors with them. What it stores is synced. Beside it, in the same run:
 * a responder that is libuv and a fixed answer, and a loop of bare transactions
 * on a database of the same kind. The first argument is a command that prints
 * how long it takes to write to 1,000 sockets at the least; "-" is none.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <uv.h>

#include "base/bytes.h"
#include "bench.h"
#include "hub/town.h"
#include "net/websocket.h"

#define CLIENTS 32
#define SECONDS 3.0
#define BATCH 100
#define ITEM_SIZE 300
#define IDLE 10000
#define LISTENERS 1000
#define WORDS 100

typedef struct client {
    town town; /* the same hub, a connection of its own */
    citizen who;
    vault v;
    pthread_t thread;
    size_t done;
} client;

/* What answers, in a process of its own until `end` is closed. */
typedef struct process {
    pid_t id;
    int end;
    char origin[80];
} process;

static client clients[CLIENTS];

/* ---- processes ---- */

typedef void serve_fn(int say, int wait);

static process start_process(serve_fn *serve)
{
    process p = {.end = -1};
    int said[2], end[2];

    if (pipe(said) != 0 || pipe(end) != 0)
        abort();
    p.id = fork();
    if (p.id == 0) {
        (void)close(said[0]);
        (void)close(end[1]);
        serve(said[1], end[0]);
        exit(0);
    }
    (void)close(said[1]);
    (void)close(end[0]);
    if (p.id < 0 || read(said[0], p.origin, sizeof p.origin) <= 0)
        abort();
    (void)close(said[0]);
    p.end = end[1];
    return p;
}

static void end_process(process *p)
{
    (void)close(p->end);
    (void)waitpid(p->id, NULL, 0);
}

static void serve_hub(int say, int wait)
{
    static town t;
    char byte;

    town_open(&t);
    if (write(say, t.origin, sizeof t.origin) < 0)
        abort();
    (void)!read(wait, &byte, 1);
    town_close(&t);
}

static double resident(pid_t id)
{
    char path[40];
    long pages = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)id);
    FILE *const file = fopen(path, "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        abort();
    (void)fclose(file);
    return (double)pages * 4096;
}

/* ---- a bare responder ---- */

#define FIXED                                                                  \
    "HTTP/1.1 200 OK\r\nContent-Type: application/cbor\r\n"                    \
    "Cache-Control: no-store\r\nContent-Length: 30\r\n\r\n"                    \
    "012345678901234567890123456789"

static void on_bare_alloc(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
    static _Thread_local char slice[65536];

    (void)handle;
    (void)size;
    *out = uv_buf_init(slice, sizeof slice);
}

static void on_bare_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    const uv_buf_t said = uv_buf_init((char *)FIXED, sizeof FIXED - 1);

    (void)buf;
    if (len < 0)
        uv_close((uv_handle_t *)stream, (uv_close_cb)free);
    else if (len > 0)
        (void)uv_try_write(stream, &said, 1);
}

static void on_bare_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *const made = calloc(1, sizeof *made);

    (void)status;
    if (made == NULL || uv_tcp_init(listener->loop, made) != 0 ||
        uv_accept(listener, (uv_stream_t *)made) != 0 ||
        uv_tcp_nodelay(made, 1) != 0 ||
        uv_read_start((uv_stream_t *)made, on_bare_alloc, on_bare_read) != 0)
        abort();
}

static void *run_bare(void *context)
{
    const int fd = *(const int *)context;
    uv_loop_t loop;
    uv_tcp_t listener;

    if (uv_loop_init(&loop) != 0 || uv_tcp_init(&loop, &listener) != 0 ||
        uv_tcp_open(&listener, fd) != 0 ||
        uv_listen((uv_stream_t *)&listener, 128, on_bare_connection) != 0)
        abort();
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return NULL;
}

/* Two loops on one port, as the hub has them. */
static void serve_bare(int say, int wait)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    static int fds[2];
    const int on = 1;
    char origin[80] = "", byte;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (setsockopt(fds[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
            bind(fds[i], (struct sockaddr *)&at, sizeof at) != 0 ||
            getsockname(fds[i], (struct sockaddr *)&at, &len) != 0 ||
            pthread_create(&thread, NULL, run_bare, &fds[i]) != 0)
            abort();
    }
    (void)snprintf(origin, sizeof origin, "http://127.0.0.1:%d",
                   ntohs(at.sin_port));
    (void)usleep(100000);
    if (write(say, origin, sizeof origin) < 0)
        abort();
    (void)!read(wait, &byte, 1);
}

/* ---- requests, one after the other on each connection ---- */

static int connect_to(const char *origin)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_port = htons((uint16_t)atoi(strrchr(origin, ':') + 1));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
    return fd;
}

static void send_all(int fd, const sat_buf *text)
{
    if (send(fd, text->data, text->len, 0) != (ssize_t)text->len)
        abort();
}

/* An empty pull of the client's vault, in bytes. */
static void write_pull(const client *c, const char *origin, sat_buf *out)
{
    AUTO(sat__request) request = {.method = ""};
    char bearer[720];
    hub_out body = {.buf = &request.body};

    sat__request_set(&request, "POST", "/api/sync/pull");
    sat__headers_put(&request.headers, "Host", origin + 7);
    sat__headers_put(&request.headers, "Accept", "application/cbor");
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", c->who.access);
    sat__headers_put(&request.headers, "Authorization", bearer);
    sat__headers_put(&request.headers, "Content-Type", "application/cbor");
    hub_out_map(&body, 2);
    hub_out_key(&body, "vault");
    hub_out_id(&body, c->v.id, 32);
    hub_out_key(&body, "cursor");
    hub_out_int(&body, 0);
    hub_out_end(&body);
    sat__request_write(&request, out);
}

/* Every answer is one segment, and begins as it should. */
static double pull_together(const char *origin)
{
    struct pollfd fds[CLIENTS];
    sat_buf requests[CLIENTS] = {{0}};
    char answer_text[4096];
    size_t done = 0;

    for (size_t i = 0; i < CLIENTS; i++) {
        fds[i] = (struct pollfd){.fd = connect_to(origin), .events = POLLIN};
        write_pull(&clients[i], origin, &requests[i]);
        send_all(fds[i].fd, &requests[i]);
    }
    const double begin = bench_now();
    while (bench_now() < begin + SECONDS) {
        if (poll(fds, CLIENTS, 5000) <= 0)
            abort();
        for (size_t i = 0; i < CLIENTS; i++) {
            if (fds[i].revents == 0)
                continue;
            if (recv(fds[i].fd, answer_text, sizeof answer_text, 0) < 30 ||
                memcmp(answer_text, "HTTP/1.1 200", 12) != 0)
                abort();
            send_all(fds[i].fd, &requests[i]);
            done++;
        }
    }
    const double took = bench_now() - begin;
    for (size_t i = 0; i < CLIENTS; i++) {
        (void)close(fds[i].fd);
        sat__buf_clear(&requests[i]);
    }
    return (double)done / took;
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

/* How many items all of them push in a second. */
static double push_together(void)
{
    double done = 0;
    const double begin = bench_now();

    for (size_t i = 0; i < CLIENTS; i++)
        if (pthread_create(&clients[i].thread, NULL, push_on, &clients[i]) != 0)
            abort();
    for (size_t i = 0; i < CLIENTS; i++) {
        (void)pthread_join(clients[i].thread, NULL);
        done += (double)clients[i].done;
    }
    return done / (bench_now() - begin);
}

/* ---- a bare loop of transactions ---- */

static sat_status insert_batch(hub_db *db, void *context, sat_error *err)
{
    int64_t *const next = context;
    uint8_t id[32] = {0}, data[ITEM_SIZE] = {1};

    for (int i = 0; i < BATCH; i++) {
        bytes_put_u64(id, (uint64_t)*next);
        TRY(hub_exec(db, NULL, err,
                     "INSERT INTO items(vault, id, version, sequence, epoch,"
                     " device, data, deleted, updated)"
                     " VALUES($1, $2, 1, $3, $1, $1, $4, 0, 0)",
                     "xxib", id, id, (*next)++, bytes_of(data, sizeof data)));
    }
    return SAT_OK;
}

static void serve_transactions(int say, int wait)
{
    static town t;
    char text[80] = "";
    int64_t next = 1;
    sat_error err = {0};

    (void)wait;
    town_open(&t);
    const double begin = bench_now();
    while (bench_now() < begin + SECONDS)
        bench_must(t.storage.write(t.storage.self, insert_batch, &next, &err),
                   &err);
    (void)snprintf(text, sizeof text, "%f",
                   (double)(next - 1) / (bench_now() - begin));
    town_close(&t);
    if (write(say, text, sizeof text) < 0)
        abort();
}

static double bare_transactions(void)
{
    process p = start_process(serve_transactions);

    end_process(&p);
    return atof(p.origin);
}

/* ---- live ---- */

/* A WebSocket as a bare descriptor. */
static int open_socket(const char *origin, const citizen *who)
{
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__websocket) socket;
    AUTO(sat_buf) text = SAT_BUF_INIT, auth = SAT_BUF_INIT;
    char key[SAT_WEBSOCKET_KEY_SIZE], heard[2048];
    const int fd = connect_to(origin);

    sat__websocket_ask(sat_env_system(), origin + 7, "/ws", &request, key);
    sat__request_write(&request, &text);
    send_all(fd, &text);
    if (recv(fd, heard, sizeof heard, 0) <= 0)
        abort();
    sat__websocket_init(&socket, sat_env_system(), false, 4096);
    sat__buf_printf(&auth, "{\"type\":\"AUTH\",\"token\":\"%s\"}", who->access);
    sat__websocket_send(&socket, true, buf_view(&auth));
    send_all(fd, &socket.out);
    const ssize_t len = recv(fd, heard, sizeof heard - 1, 0);
    if (len <= 0)
        abort();
    heard[len] = 0;
    if (strstr(heard + 2, "AUTH_SUCCESS") == NULL) {
        (void)fprintf(stderr, "bench: %s\n", heard + 2);
        abort();
    }
    return fd;
}

static void measure_idle(const process *hub, double before)
{
    static int fds[IDLE];
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
    const size_t count =
        limit.rlim_cur > IDLE + 500 ? IDLE : limit.rlim_cur - 500;
    for (size_t i = 0; i < count; i++)
        fds[i] = open_socket(hub->origin, &clients[i % CLIENTS].who);
    bench_report_value("hub: memory of an idle WebSocket",
                       (resident(hub->id) - before) / (double)count / 1024,
                       "KB", 8, BENCH_AT_MOST);
    for (size_t i = 0; i < count; i++)
        (void)close(fds[i]);
}

typedef struct listeners {
    int epoll;
    int fds[LISTENERS];
    double heard[LISTENERS]; /* when */
} listeners;

/* Hears one word at each. */
static void *listen_on(void *context)
{
    listeners *const all = context;
    static char text[65536];

    for (size_t left = LISTENERS; left > 0;) {
        struct epoll_event events[64];
        const int count = epoll_wait(all->epoll, events, 64, 10000);
        if (count <= 0)
            abort();
        for (int k = 0; k < count; k++) {
            const uint32_t i = events[k].data.u32;
            if (recv(all->fds[i], text, sizeof text, 0) <= 0)
                abort();
            all->heard[i] = bench_now();
            left--;
        }
    }
    return NULL;
}

/* Another device of the account, in its chain. */
static sat__identity *add_device(citizen *of)
{
    AUTO(answer) a = {.status = 0};
    AUTO(sat_buf) link = SAT_BUF_INIT, text = SAT_BUF_INIT;
    hub_out body = {.buf = &text};
    sat__identity *keys = NULL;
    sat_error err = {0};
    const sat__account_state *const state = sat__account_state_of(of->account);
    sat__grant grant = {.key = state->epochs[state->epoch_count - 1].link,
                        .envelope = bytes_of("an envelope", 11)};
    sat__account_change change = {
        .op = SAT_ACCOUNT_ADD, .grant_count = 1, .grants = &grant};

    bench_must(sat__identity_generate(sat_env_system(), &keys, &err), &err);
    sat__party_of(SAT_PRINCIPAL_DEVICE, sat__identity_principal(keys), "phone",
                  false, &change.device);
    grant.id = change.device.id;
    bench_must(
        sat__account_sign(of->account, &change, of->phrase, 2000, &link, &err),
        &err);
    hub_out_map(&body, 1);
    hub_out_key(&body, "links");
    hub_out_array(&body, 1);
    hub_out_data(&body, buf_view(&link));
    hub_out_end(&body);
    hub_out_end(&body);
    if (town_ask(of->town, of, "POST", "/api/account/chain", &text, &a) != 200)
        abort();
    return keys;
}

/* Milliseconds from the pusher's answer, and from its request, until each
 * device has word of it. */
static void measure_words(const process *hub)
{
    static listeners all;
    static double after[WORDS * LISTENERS], whole[WORDS * LISTENERS];
    client *const from = &clients[0];
    AUTO(answer) a = {.status = 0};
    citizen device = from->who;
    size_t count = 0;

    /* Word goes to the other devices. */
    sat__identity *const keys = add_device(&from->who);
    if (citizen_login(&device, "password", device.login, keys, &a) != 200)
        abort();
    all.epoll = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; i < LISTENERS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        all.fds[i] = open_socket(hub->origin, &device);
        if (epoll_ctl(all.epoll, EPOLL_CTL_ADD, all.fds[i], &event) != 0)
            abort();
    }
    (void)sleep(1);
    for (uint8_t word = 0; word < WORDS; word++) {
        sealed item = {.id = {200, word}, .size = ITEM_SIZE};
        pthread_t thread;
        if (pthread_create(&thread, NULL, listen_on, &all) != 0)
            abort();
        (void)usleep(20000);
        const double begin = bench_now();
        vault_push_some(&from->v, &from->who, &item, 1);
        const double answered = bench_now();
        (void)pthread_join(thread, NULL);
        for (size_t i = 0; i < LISTENERS; i++, count++) {
            after[count] = (all.heard[i] - answered) * 1000;
            whole[count] = (all.heard[i] - begin) * 1000;
        }
    }
    (void)bench_median(after, count);
    (void)bench_median(whole, count);
    bench_report_value("hub: word to 1,000 devices, 99th percentile",
                       after[count * 99 / 100], "ms", 5, BENCH_AT_MOST);
    bench_report_fact("hub: the same, from the push on",
                      whole[count * 99 / 100], "ms", 0);
    for (size_t i = 0; i < LISTENERS; i++)
        (void)close(all.fds[i]);
    sat__identity_free(keys);
}

/* ---- all of it ---- */

static void connect_client(const process *hub, client *c, size_t i)
{
    sat__http_options to = {.timeout_ms = 60000, .body_max = 1u << 30};
    char email[80];
    sat_error err = {0};

    (void)snprintf(c->town.origin, sizeof c->town.origin, "%s", hub->origin);
    bench_must(sat__url_parse(hub->origin, &to.url, &err), &err);
    bench_must(sat__transport_http(&to, &c->town.transport, &err), &err);
    (void)snprintf(email, sizeof email, "client%zu@%d.example.org", i,
                   town_storage);
    citizen_open(&c->who, &c->town, email);
    vault_open(&c->v, &c->who);
}

static void close_clients(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        vault_close(&clients[i].v);
        citizen_close(&clients[i].who);
        transport_close(&clients[i].town.transport);
        clients[i] = (client){.done = 0};
    }
}

static void measure_pulls(const char *kind, const process *hub, bool is_sqlite)
{
    char name[100];
    process bare = start_process(serve_bare);
    const double reference = pull_together(bare.origin);
    const double pulls = pull_together(hub->origin);

    end_process(&bare);
    (void)snprintf(name, sizeof name, "hub: empty pulls, %s", kind);
    bench_report_fact(name, pulls, "/s", reference);
    if (is_sqlite)
        bench_report_value("hub: empty pulls, SQLite, 32 clients", pulls, "/s",
                           20000, BENCH_AT_LEAST);
}

static void measure(const char *kind, bool is_sqlite)
{
    process hub = start_process(serve_hub);
    char name[100];

    if (is_sqlite)
        bench_report_value("hub: memory of a process with nobody there",
                           resident(hub.id) / (1 << 20), "MB", 20,
                           BENCH_AT_MOST);
    for (size_t i = 0; i < CLIENTS; i++)
        connect_client(&hub, &clients[i], i);
    measure_pulls(kind, &hub, is_sqlite);
    const double bare_items = bare_transactions();
    const double items = push_together();
    (void)snprintf(name, sizeof name, "hub: items pushed, %s", kind);
    bench_report_ratio(name, items, "/s", bare_items, 0.5, BENCH_AT_LEAST);
    if (is_sqlite) {
        bench_report_value("hub: items pushed, SQLite, synced", items, "/s",
                           20000, BENCH_AT_LEAST);
        measure_words(&hub);
        measure_idle(&hub, resident(hub.id));
    }
    end_process(&hub);
    close_clients();
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    /* The hub inherits it. */
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)signal(SIGPIPE, SIG_IGN);
    town_connections = 2 * IDLE;
    measure("SQLite", true);
    if (argc > 1 && strcmp(argv[1], "-") != 0)
        bench_report_fact("1,000 sockets written to by two bare threads, 99th "
                          "percentile",
                          bench_command(argv[1]), "ms", 0);
    town_storage = TOWN_POSTGRES;
    measure("PostgreSQL", false);
    return 0;
}
