/*
 * s3.c - s3_server.py in a folder that goes with the test
 */
#include "s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "net/sigv4.h"
#include "net/transport.h"

const hub_s3_keys s3_keys = {.access = "test:tester", .secret = "testing"};

static char folder[200], origin[80];
static pid_t server;

static void run_server(int out)
{
    char port[8];
    const char *const known = strrchr(origin, ':');

    (void)snprintf(port, sizeof port, "%s", known != NULL ? known + 1 : "0");
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(out, 1);
    (void)execl("/usr/bin/python3", "python3", "-B",
                SAT_TEST_DATA "/hub/s3_server.py", folder, port, NULL);
    _exit(127);
}

void s3_start(void)
{
    char line[80] = "";
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    server = fork();
    assert_true(server >= 0);
    if (server == 0)
        run_server(ends[1]);
    (void)close(ends[1]);
    FILE *const from = fdopen(ends[0], "r");
    if (from == NULL || fgets(line, sizeof line, from) == NULL)
        fail_msg("Swift does not start: run scripts/setup test");
    (void)fclose(from);
    line[strcspn(line, "\n")] = 0;
    (void)snprintf(origin, sizeof origin, "%s", line);
}

void s3_stop(void)
{
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
}

static void end(void)
{
    char command[300];

    s3_stop();
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    (void)(system(command) == 0);
}

/* Swift keeps what it knows of a file in its extended attributes. */
static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "%s/s3-XXXXXX", SAT_BUILD_DIR);
    assert_non_null(mkdtemp(folder));
    (void)atexit(end);
}

static void make_bucket(const char *path)
{
    const sat_env *const env = sat_env_system();
    const sat__sigv4_keys keys = {.access_key = s3_keys.access,
                                  .secret_key = s3_keys.secret,
                                  .region = "us-east-1",
                                  .service = "s3"};
    AUTO(sat__request) request = {.method = ""};
    AUTO(sat__response) response = {.status = 0};
    AUTO(sat__transport) transport = {.self = NULL};
    AUTO(sat_buf) authorization = SAT_BUF_INIT;
    sat__http_options to = {.body_max = 65536};
    char date[SAT_SIGV4_DATE_SIZE];

    const uint64_t now_s = env->wall(env->context) / 1000;
    sat__sigv4_date(now_s, date);
    const sat__sigv4_field headers[] = {
        {"host", origin + strlen("http://")},
        {"x-amz-content-sha256", SAT_SIGV4_EMPTY},
        {"x-amz-date", date}};
    const sat__sigv4_request signed_one = {.method = "PUT",
                                           .path = path,
                                           .headers = headers,
                                           .header_count = 3,
                                           .payload = SAT_SIGV4_EMPTY,
                                           .time_s = now_s};
    assert_int_equal(
        sat__sigv4_authorization(&keys, &signed_one, &authorization, NULL),
        SAT_OK);
    sat__request_set(&request, "PUT", path);
    for (size_t i = 0; i < 3; i++)
        sat__headers_put(&request.headers, headers[i].name, headers[i].value);
    sat__headers_put(&request.headers, "Authorization",
                     sat__buf_text(&authorization));
    assert_int_equal(sat__url_parse(origin, &to.url, NULL), SAT_OK);
    assert_int_equal(sat__transport_http(&to, &transport, NULL), SAT_OK);
    assert_int_equal(
        transport.exchange(transport.self, &request, &response, NULL), SAT_OK);
    assert_int_equal(response.status, 200);
}

void s3_bucket(char *address, size_t size)
{
    static int count;
    char path[40];

    if (folder[0] == 0) {
        make_folder();
        s3_start();
    }
    (void)snprintf(path, sizeof path, "/bucket-%d", ++count);
    make_bucket(path);
    (void)snprintf(address, size, "s3:/%s/some/where?endpoint=%s", path,
                   origin);
}
