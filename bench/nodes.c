/*
 * nodes.c - two nodes of one hub, and the blobs of a hub that keeps them itself
 *
 * Two satchel-hub processes over one PostgreSQL, one S3 and one NATS, all on
 * this machine, with a thousand devices connected, half of them to each. The
 * reference of moving a blob is copying the same file, synced.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bench.h"
#include "hub/nodes.h"

#define LISTENERS 1000
#define WORDS 60
#define BLOB ((size_t)32 << 20)
#define ROUNDS 5

typedef struct listeners {
    struct pollfd fds[LISTENERS];
    sat__live *live[LISTENERS];
    double heard[LISTENERS]; /* when */
} listeners;

/* Hears one word at each. */
static void *listen_on(void *context)
{
    listeners *const all = context;
    AUTO(sat_buf) text = SAT_BUF_INIT;

    for (size_t left = LISTENERS; left > 0;) {
        if (poll(all->fds, LISTENERS, 10000) <= 0)
            abort();
        const double now = bench_now();
        for (size_t i = 0; i < LISTENERS; i++) {
            bool got, is_text;
            if ((all->fds[i].revents & POLLIN) == 0)
                continue;
            if (sat__live_receive(all->live[i], 1, &got, &is_text, &text,
                                  NULL) != SAT_OK)
                abort();
            if (!got)
                continue;
            all->heard[i] = now;
            left--;
        }
    }
    return NULL;
}

static void measure_words(nodes *hub)
{
    static listeners all;
    static double waits[WORDS * LISTENERS], since[WORDS * LISTENERS];
    citizen owner, phone[NODES];
    vault v;
    size_t count = 0;

    citizen_open(&owner, &hub->at[0].town, "owner@example.org");
    vault_open(&v, &owner);
    for (size_t i = 0; i < NODES; i++)
        citizen_add_device(&owner, &hub->at[i].town, &phone[i]);
    for (size_t i = 0; i < LISTENERS; i++) {
        all.live[i] = live_connect(&phone[i % NODES]);
        all.fds[i] =
            (struct pollfd){.fd = sat__live_fd(all.live[i]), .events = POLLIN};
    }
    for (uint8_t word = 0; word < WORDS; word++) {
        const sealed item = {.id = {1, word}, .size = 300};
        pthread_t thread;
        if (pthread_create(&thread, NULL, listen_on, &all) != 0)
            abort();
        (void)usleep(20000);
        const double begin = bench_now();
        vault_push_some(&v, &owner, &item, 1);
        const double answered = bench_now();
        (void)pthread_join(thread, NULL);
        for (size_t i = 0; i < LISTENERS; i++, count++) {
            waits[count] = (all.heard[i] - begin) * 1000;
            since[count] = (all.heard[i] - answered) * 1000;
        }
    }
    (void)bench_median(waits, count);
    (void)bench_median(since, count);
    bench_report_fact("nodes: push to 1,000 devices at two, 99th percentile",
                      waits[count * 99 / 100], "ms", 0);
    bench_report_value("nodes: word after the push's answer, 99th percentile",
                       since[count * 99 / 100], "ms", 15, BENCH_AT_MOST);
    for (size_t i = 0; i < LISTENERS; i++)
        sat__live_close(all.live[i]);
    vault_close(&v);
    for (size_t i = 0; i < NODES; i++)
        sat__identity_free(phone[i].device);
    citizen_close(&owner);
}

/* ---- blobs ---- */

static void ask_address(const citizen *c, sat_bytes data, hub_blob *blob,
                        char address[TOWN_ADDRESS_SIZE])
{
    town *const t = c->town;
    AUTO(sat_buf) url = SAT_BUF_INIT;
    sat_error err = {0};

    *blob = (hub_blob){.size = (int64_t)data.len};
    static unsigned number;
    (void)snprintf(blob->key, sizeof blob->key, "%032x", ++number);
    sat__sha256(data, blob->hash);
    bench_must(t->blobs.upload_url(t->blobs.self, blob, (uint64_t)time(NULL),
                                   &url, &err),
               &err);
    (void)snprintf(address, TOWN_ADDRESS_SIZE, "%s", sat__buf_text(&url));
}

static double copy_file(const char *from, const char *to)
{
    static uint8_t piece[1 << 20];
    const double begin = bench_now();
    FILE *const in = fopen(from, "r"), *const out = fopen(to, "w");
    size_t len;

    if (in == NULL || out == NULL)
        abort();
    while ((len = fread(piece, 1, sizeof piece, in)) > 0)
        if (fwrite(piece, 1, len, out) != len)
            abort();
    if (fflush(out) != 0 || fsync(fileno(out)) != 0)
        abort();
    (void)fclose(in);
    (void)fclose(out);
    return (double)BLOB / (bench_now() - begin) / 1e6;
}

static void measure_blobs(void)
{
    AUTO(town) t;
    AUTO(citizen) alice;
    AUTO(sat_buf) data = SAT_BUF_INIT;
    double puts[ROUNDS], gets[ROUNDS], copies[ROUNDS];
    char address[TOWN_ADDRESS_SIZE], from[400], to[400];
    hub_blob blob;

    town_open(&t);
    citizen_open(&alice, &t, "alice@example.org");
    if (!sat__buf_reserve(&data, BLOB))
        abort();
    t.env.random(t.env.context, data.data, BLOB);
    data.len = BLOB;
    for (size_t i = 0; i < ROUNDS; i++) {
        AUTO(sat_buf) got = SAT_BUF_INIT, url = SAT_BUF_INIT;
        ask_address(&alice, buf_view(&data), &blob, address);
        double begin = bench_now();
        if (town_put(&t, address, buf_view(&data)) != 200)
            abort();
        puts[i] = (double)BLOB / (bench_now() - begin) / 1e6;
        bench_must(t.blobs.download_url(t.blobs.self, &blob,
                                        (uint64_t)time(NULL), &url, NULL),
                   NULL);
        begin = bench_now();
        if (town_get(&t, sat__buf_text(&url), &got) != 200 || got.len != BLOB)
            abort();
        gets[i] = (double)BLOB / (bench_now() - begin) / 1e6;
        (void)snprintf(from, sizeof from, "%s/blobs/%s", t.folder, blob.key);
        (void)snprintf(to, sizeof to, "%s/copy", t.folder);
        copies[i] = copy_file(from, to);
    }
    const double copy = bench_median(copies, ROUNDS);
    bench_report_fact("blobs: put to the hub itself",
                      bench_median(puts, ROUNDS), "MB/s", copy);
    bench_report_fact("blobs: get from the hub itself",
                      bench_median(gets, ROUNDS), "MB/s", copy);
}

int main(void)
{
    AUTO(nodes) hub;

    nodes_open(&hub);
    measure_words(&hub);
    measure_blobs();
    return 0;
}
