/*
 * nodes.c - the program satchel-hub, twice
 */
#include "nodes.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "nats.h"
#include "postgres.h"
#include "s3.h"

#define ORIGIN "http://hub.test:80"

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *const file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static void write_settings(const nodes *n, size_t i)
{
    char path[400], text[2000];

    const int len =
        snprintf(text, sizeof text,
                 "listen = %s\ndata = %s/node-%zu\ndatabase = %s\nblobs = %s\n"
                 "blobs-keys = %s/s3.keys\nbus = %s\nkey = %s/hub.key\n"
                 "origin = " ORIGIN "\nthreads = 2\n",
                 n->at[i].listen, n->folder, i, n->database, n->bucket,
                 n->folder, nats_url(), n->folder);
    (void)snprintf(path, sizeof path, "%s/hub-%zu.conf", n->folder, i);
    write_file(path, text, (size_t)len);
}

static void run_hub(const nodes *n, size_t i, int out)
{
    char path[400];

    (void)snprintf(path, sizeof path, "%s/hub-%zu.conf", n->folder, i);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(out, 1);
    (void)execl(SAT_BUILD_DIR "/satchel-hub", "satchel-hub", "serve",
                "--config", path, NULL);
    _exit(127);
}

void nodes_begin(nodes *n, size_t i)
{
    char line[100] = "";
    int ends[2];

    write_settings(n, i);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    n->at[i].pid = fork();
    assert_true(n->at[i].pid >= 0);
    if (n->at[i].pid == 0)
        run_hub(n, i, ends[1]);
    (void)close(ends[1]);
    FILE *const from = fdopen(ends[0], "r");
    if (from == NULL || fgets(line, sizeof line, from) == NULL ||
        strncmp(line, "http://", 7) != 0)
        fail_msg("satchel-hub does not start");
    (void)fclose(from);
    line[strcspn(line, "\n")] = 0;
    (void)snprintf(n->at[i].listen, sizeof n->at[i].listen, "%s", line + 7);
}

void nodes_end(nodes *n, size_t i, int how)
{
    (void)kill(n->at[i].pid, how);
    (void)waitpid(n->at[i].pid, NULL, 0);
}

void nodes_connect(const nodes *n, size_t i, town *out)
{
    sat__http_options to = {.timeout_ms = 20000, .body_max = 1u << 30};
    char url[80];
    sat_error err = {0};

    *out = (town){.may_fail = true};
    (void)snprintf(out->origin, sizeof out->origin, ORIGIN);
    (void)snprintf(url, sizeof url, "http://%s", n->at[i].listen);
    (void)snprintf(out->address, sizeof out->address, "%s", url);
    assert_int_equal(sat__url_parse(url, &to.url, &err), SAT_OK);
    assert_int_equal(sat__transport_http(&to, &out->transport, &err), SAT_OK);
}

void nodes_open(nodes *n)
{
    static int count;
    char path[400], keys[200];

    *n = (nodes){.folder = ""};
    (void)snprintf(n->folder, sizeof n->folder, "%s/nodes-%ld-%d",
                   SAT_BUILD_DIR, (long)getpid(), count++);
    assert_int_equal(mkdir(n->folder, 0700), 0);
    postgres_url(n->database, sizeof n->database);
    s3_bucket(n->bucket, sizeof n->bucket);
    const int len =
        snprintf(keys, sizeof keys, "access-key = %s\nsecret-key = %s\n",
                 s3_keys.access, s3_keys.secret);
    (void)snprintf(path, sizeof path, "%s/s3.keys", n->folder);
    write_file(path, keys, (size_t)len);
    for (size_t i = 0; i < NODES; i++) {
        (void)snprintf(n->at[i].listen, sizeof n->at[i].listen, "127.0.0.1:0");
        nodes_begin(n, i);
        nodes_connect(n, i, &n->at[i].town);
    }
}

void nodes_close(nodes *n)
{
    char command[400];

    for (size_t i = 0; i < NODES; i++) {
        transport_close(&n->at[i].town.transport);
        nodes_end(n, i, SIGTERM);
    }
    (void)snprintf(command, sizeof command, "rm -rf '%s'", n->folder);
    (void)(system(command) == 0);
}

/* ---- people ---- */

citizen at_town(const citizen *c, town *t)
{
    citizen there = *c;

    there.town = t;
    return there;
}

void citizen_add_device(citizen *owner, town *at, citizen *out)
{
    AUTO(sat_buf) link = SAT_BUF_INIT, text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(owner->town, &text);
    sat_error err = {0};

    *out = *owner;
    out->town = at;
    out->device = NULL;
    assert_int_equal(
        sat__identity_generate(sat_env_system(), &out->device, &err), SAT_OK);
    sat__device_id(sat__identity_principal(out->device)->sign, out->device_id);
    sat__account_change change = {.op = SAT_ACCOUNT_ADD};
    sat__party_of(SAT_PRINCIPAL_DEVICE, sat__identity_principal(out->device),
                  "phone", false, &change.device);
    const sat__grant grant = {
        .key = sat__account_state_of(owner->account)->epochs[0].link,
        .id = change.device.id,
        .envelope = bytes_of("an envelope", 11)};
    change.grants = &grant;
    change.grant_count = 1;
    if (sat__account_sign(owner->account, &change, owner->device, 2000, &link,
                          &err) != SAT_OK ||
        sat__chain_append(owner->account, buf_view(&link), NULL, &err) !=
            SAT_OK)
        fail_msg("%s", err.message);
    hub_out_map(&body, 1);
    hub_out_key(&body, "links");
    hub_out_array(&body, 1);
    hub_out_data(&body, buf_view(&link));
    hub_out_end(&body);
    hub_out_end(&body);
    assert_int_equal(
        town_ask(owner->town, owner, "POST", "/api/account/chain", &text, &a),
        200);
    assert_int_equal(citizen_login(out, "device", out->device, out->device, &a),
                     200);
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sat__id));
}

void citizen_revoke(citizen *owner, const citizen *device)
{
    AUTO(sat_buf) link = SAT_BUF_INIT, text = SAT_BUF_INIT;
    AUTO(answer) a = {.status = 0};
    hub_out body = town_body(owner->town, &text);
    const sat__account_state *const now = sat__account_state_of(owner->account);
    sat__account_change change = {.op = SAT_ACCOUNT_REVOKE, .has_key = true};
    sat__sealed_for room[16];
    size_t count = 0;
    sat_error err = {0};

    memcpy(change.former.bytes, device->device_id, 32);
    for (size_t i = 0; i < now->principal_count; i++)
        if (!now->principals[i].is_removed &&
            memcmp(now->principals[i].who.id.bytes, device->device_id, 32) != 0)
            room[count++] = (sat__sealed_for){now->principals[i].who.id,
                                              bytes_of("an envelope", 11)};
    qsort(room, count, sizeof *room, compare_ids);
    change.key = (sat__chain_key){now->epoch_count + 1, {8}, count, room};
    if (sat__account_sign(owner->account, &change, owner->device, 3000, &link,
                          &err) != SAT_OK ||
        sat__chain_append(owner->account, buf_view(&link), NULL, &err) !=
            SAT_OK)
        fail_msg("%s", err.message);
    hub_out_map(&body, 1);
    hub_out_key(&body, "links");
    hub_out_array(&body, 1);
    hub_out_data(&body, buf_view(&link));
    hub_out_end(&body);
    hub_out_end(&body);
    assert_int_equal(
        town_ask(owner->town, owner, "POST", "/api/account/chain", &text, &a),
        200);
}

sat__live *live_connect(const citizen *c)
{
    sat__http_options to = {.timeout_ms = 10000, .body_max = 1u << 20};
    AUTO(sat_buf) text = SAT_BUF_INIT;
    sat__live *live = NULL;
    bool got = false, is_text;
    sat_error err = {0};

    assert_int_equal(sat__url_parse(c->town->address, &to.url, &err), SAT_OK);
    if (sat__live_open(sat_env_system(), &to, "/ws", &live, &err) != SAT_OK)
        fail_msg("%s", err.message);
    sat__buf_printf(&text, "{\"type\":\"AUTH\",\"token\":\"%s\"}", c->access);
    assert_int_equal(sat__live_send(live, true, buf_view(&text), &err), SAT_OK);
    if (sat__live_receive(live, 5000, &got, &is_text, &text, &err) != SAT_OK)
        fail_msg("%s", err.message);
    assert_true(got);
    assert_non_null(strstr(sat__buf_text(&text), "AUTH_SUCCESS"));
    return live;
}
