/*
 * fetch_test.c - files go and come as streams, and go on where they were cut
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/fetch.h"
#include "net/server.h"
#include "satchel/env.h"

#define SIZE ((size_t)3 << 20)

/* A server with one file, and what it is told to do. */
typedef struct keeper {
    sat__server *server;
    sat__tls_context *tls;
    sat__fetch fetch;
    char origin[64];
    uint8_t *file;
    size_t len;      /* of the file */
    unsigned refuse; /* the status of the next answer; 0: it answers */
    bool knows_ranges;
    unsigned answers;
    char range[64], md5[64], host[64];
} keeper;

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + i / 253);
}

static size_t begin(void *context, sat__request *request,
                    sat__response *response)
{
    keeper *const k = context;

    if (k->refuse == 413)
        sat__response_problem(response, 413, "too large");
    (void)request;
    return 2 * SIZE;
}

static void keep_header(const sat__request *request, const char *name,
                        char *out, size_t size)
{
    const char *const value = sat__headers_get(&request->headers, name);

    (void)snprintf(out, size, "%s", value != NULL ? value : "");
}

static bool handle(void *context, sat__request *request,
                   sat__response *response)
{
    keeper *const k = context;
    unsigned long from = 0;

    k->answers++;
    keep_header(request, "Range", k->range, sizeof k->range);
    keep_header(request, "Content-MD5", k->md5, sizeof k->md5);
    keep_header(request, "Host", k->host, sizeof k->host);
    if (k->refuse != 0) {
        sat__response_problem(response, k->refuse, "not now");
        return true;
    }
    response->status = 200;
    if (strcmp(request->method, "PUT") == 0) {
        k->len = request->body.len;
        if (k->len > 0)
            memcpy(k->file, request->body.data, k->len);
        return true;
    }
    if (k->knows_ranges && sscanf(k->range, "bytes=%lu-", &from) == 1)
        response->status = 206;
    sat__buf_put(&response->body, k->file + from, k->len - from);
    return true;
}

static void keeper_open(keeper *k, sat__tls_context *tls)
{
    sat_error err = {0};
    const sat__server_options options = {.listen = "127.0.0.1:0",
                                         .tls = tls,
                                         .handler = {k, begin, handle, NULL}};

    *k = (keeper){.tls = tls, .knows_ranges = true};
    k->file = malloc(2 * SIZE);
    assert_non_null(k->file);
    if (sat__server_start(&options, &k->server, &err) != SAT_OK)
        fail_msg("%s", err.message);
    (void)snprintf(k->origin, sizeof k->origin, "%s://%s",
                   tls != NULL ? "https" : "http",
                   sat__server_address(k->server));
    k->fetch.own.timeout_ms = 5000;
    assert_int_equal(sat__url_parse(k->origin, &k->fetch.own.url, &err),
                     SAT_OK);
}

static void keeper_close(keeper *k)
{
    sat__server_stop(k->server);
    sat__tls_context_free(k->tls);
    free(k->file);
}

DEFINE_AUTO(keeper, keeper_close);

/* A file of `len` bytes without a name. */
static int make_file(size_t len)
{
    const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    AUTO_FREE uint8_t *bytes = malloc(len + 1);

    assert_true(fd >= 0);
    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(i);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    return fd;
}

static void fill(keeper *k, size_t len)
{
    for (size_t i = 0; i < len; i++)
        k->file[i] = byte_at(i);
    k->len = len;
}

static void assert_file(int fd, size_t len)
{
    AUTO_FREE uint8_t *bytes = malloc(len + 1);
    struct stat info;

    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_size, (off_t)len);
    assert_int_equal(pread(fd, bytes, len, 0), (ssize_t)len);
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != byte_at(i))
            fail_msg("byte %zu is another", i);
}

static void a_file_goes_and_comes_back(void **state)
{
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int from = make_file(SIZE);
    AUTO_FD int to = make_file(0);

    (void)state;
    assert_int_equal(sat__fetch_put(&k.fetch, "/f?mark=1", from, SIZE, NULL),
                     SAT_OK);
    assert_int_equal(k.len, SIZE);
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", to, SIZE, NULL), SAT_OK);
    assert_file(to, SIZE);
    assert_string_equal(k.range, "");
}

static void an_empty_file_is_a_file(void **state)
{
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int from = make_file(0);

    (void)state;
    assert_int_equal(sat__fetch_put(&k.fetch, "/f", from, 0, NULL), SAT_OK);
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", from, 0, NULL), SAT_OK);
    assert_int_equal(k.answers, 2);
}

static void backup_row_7_what_was_cut_goes_on(void **state)
{
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int to = make_file(SIZE / 3);

    (void)state;
    fill(&k, SIZE);
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", to, SIZE, NULL), SAT_OK);
    assert_string_equal(k.range, "bytes=1048576-");
    assert_file(to, SIZE);
    /* It is all there: nobody is asked. */
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", to, SIZE, NULL), SAT_OK);
    assert_int_equal(k.answers, 1);
}

static void who_knows_no_parts_sends_all_of_it(void **state)
{
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int to = make_file(SIZE / 3);

    (void)state;
    k.knows_ranges = false;
    fill(&k, SIZE);
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", to, SIZE, NULL), SAT_OK);
    assert_file(to, SIZE);
}

static void backup_row_24_fewer_or_more_bytes_are_noticed(void **state)
{
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int to = make_file(0);
    AUTO_FD int more = make_file(0);

    (void)state;
    fill(&k, SIZE - 1);
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", to, SIZE, NULL),
                     SAT_ERR_CORRUPT);
    fill(&k, SIZE + 1);
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", more, SIZE, NULL),
                     SAT_ERR_CORRUPT);
}

static void backup_row_24_what_is_refused_has_a_status(void **state)
{
    static const struct {
        unsigned http;
        sat_status status;
    } cases[] = {{403, SAT_ERR_DENIED},   {404, SAT_ERR_NOT_FOUND},
                 {409, SAT_ERR_CONFLICT}, {413, SAT_ERR_LIMIT},
                 {429, SAT_ERR_OFFLINE},  {503, SAT_ERR_OFFLINE},
                 {507, SAT_ERR_FULL}};
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int from = make_file(SIZE);
    AUTO_FD int to = make_file(0);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        k.refuse = cases[i].http;
        assert_int_equal(sat__fetch_put(&k.fetch, "/f", from, SIZE, NULL),
                         cases[i].status);
        assert_int_equal(sat__fetch_get(&k.fetch, "/f", to, SIZE, NULL),
                         cases[i].status);
        assert_file(to, 0);
    }
}

static int stop_halfway(uint64_t done, uint64_t total, void *context)
{
    (void)context;
    return done <= total / 2;
}

static void whoever_waits_may_stop_it_and_go_on(void **state)
{
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int to = make_file(0);
    struct stat info;

    (void)state;
    fill(&k, SIZE);
    k.fetch.progress = stop_halfway;
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", to, SIZE, NULL),
                     SAT_ERR_STOPPED);
    assert_int_equal(fstat(to, &info), 0);
    assert_true(info.st_size > 0 && info.st_size < (off_t)SIZE);
    k.fetch.progress = NULL;
    assert_int_equal(sat__fetch_get(&k.fetch, "/f", to, SIZE, NULL), SAT_OK);
    assert_file(to, SIZE);
}

static void headers_that_were_signed_go_along(void **state)
{
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int from = make_file(10);
    AUTO(sat__headers) headers = {0};

    (void)state;
    sat__headers_put(&headers, "Content-MD5", "AAAA");
    k.fetch.headers = &headers;
    assert_int_equal(sat__fetch_put(&k.fetch, "/f", from, 10, NULL), SAT_OK);
    assert_string_equal(k.md5, "AAAA");
}

/* ---- at another address ---- */

static void an_address_may_be_at_another_server(void **state)
{
    AUTO(keeper) k;
    keeper_open(&k, NULL);
    AUTO_FD int from = make_file(SIZE);
    sat__fetch elsewhere = {.own.timeout_ms = 5000};
    char url[128];

    (void)state;
    (void)snprintf(url, sizeof url, "%s/bucket/key?X-Amz-Signature=1",
                   k.origin);
    assert_int_equal(sat__fetch_put(&elsewhere, url, from, SIZE, NULL), SAT_OK);
    assert_string_equal(k.host, k.origin + strlen("http://"));
    assert_int_equal(sat__fetch_put(&elsewhere, "http://s3.example.org/key",
                                    from, SIZE, NULL),
                     SAT_ERR_INVALID);
    assert_int_equal(sat__fetch_put(&elsewhere, "ftp://h/k", from, SIZE, NULL),
                     SAT_ERR_INVALID);
}

/* A certificate for 127.0.0.1, by an authority that only SSL_CERT_FILE names.
 */
static sat__tls_context *certified(const char *folder)
{
    sat__tls_context *tls = NULL;
    sat_error err = {0};
    char command[1000], chain[200], key[200];

    (void)snprintf(command, sizeof command,
                   "openssl req -x509 -newkey ec -pkeyopt "
                   "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test "
                   "-addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem "
                   "-out %s/cert.pem 2>/dev/null",
                   folder, folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    (void)snprintf(chain, sizeof chain, "%s/cert.pem", folder);
    (void)snprintf(key, sizeof key, "%s/key.pem", folder);
    if (sat__tls_context_files(chain, key, &tls, &err) != SAT_OK)
        fail_msg("%s", err.message);
    return tls;
}

static void an_authority_vouches_for_another_server(void **state)
{
    char folder[] = "/tmp/fetch.XXXXXX", file[64], url[128];
    sat__fetch elsewhere = {.own.timeout_ms = 5000};
    AUTO_FD int from = make_file(1000);

    (void)state;
    assert_non_null(mkdtemp(folder));
    AUTO(keeper) k;
    keeper_open(&k, certified(folder));
    (void)snprintf(url, sizeof url, "%s/key", k.origin);
    (void)unsetenv("SSL_CERT_FILE");
    assert_int_equal(sat__fetch_put(&elsewhere, url, from, 1000, NULL),
                     SAT_ERR_AUTH);
    (void)snprintf(file, sizeof file, "%s/cert.pem", folder);
    (void)setenv("SSL_CERT_FILE", file, 1);
    assert_int_equal(sat__fetch_put(&elsewhere, url, from, 1000, NULL), SAT_OK);
    (void)snprintf(url, sizeof url, "https://localhost:%s/key",
                   strrchr(k.origin, ':') + 1);
    assert_int_equal(sat__fetch_put(&elsewhere, url, from, 1000, NULL),
                     SAT_ERR_AUTH);
    (void)unlink(file);
    (void)snprintf(file, sizeof file, "%s/key.pem", folder);
    (void)unlink(file);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_goes_and_comes_back),
        cmocka_unit_test(an_empty_file_is_a_file),
        cmocka_unit_test(backup_row_7_what_was_cut_goes_on),
        cmocka_unit_test(who_knows_no_parts_sends_all_of_it),
        cmocka_unit_test(backup_row_24_fewer_or_more_bytes_are_noticed),
        cmocka_unit_test(backup_row_24_what_is_refused_has_a_status),
        cmocka_unit_test(whoever_waits_may_stop_it_and_go_on),
        cmocka_unit_test(headers_that_were_signed_go_along),
        cmocka_unit_test(an_address_may_be_at_another_server),
        cmocka_unit_test(an_authority_vouches_for_another_server),
    };
    return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
