/*
 * questions.c - what other programs ask the agent
 *
 * One JSON object on a line, one in answer, and the connection ends:
 *
 *      {"ask": "status"}   who runs, and how it goes with each device
 *      {"ask": "sync"}     a round with everybody, and what came of it
 *      {"ask": "ui"}       an address of the page, good for one visit
 *      {"ask": "stop"}     the end
 */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/control.h"
#include "base/error.h"
#include "net/body.h"

#define CLIENTS_MAX 64

static void on_closed(uv_handle_t *handle)
{
    agent_client *const client = handle->data;
    agent_client **at = &client->agent->clients;

    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    sat__buf_clear(&client->line);
    sat__buf_clear(&client->answer);
    free(client);
}

static void hang_up(agent_client *client)
{
    if (client->is_closing)
        return;
    client->is_closing = true;
    uv_close((uv_handle_t *)&client->pipe, on_closed);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    hang_up(write->data);
}

/* ---- answers ---- */

static void answer(agent_client *client, const json_t *value)
{
    char *const text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;

    client->rounds_left = 0;
    sat__buf_put_text(&client->answer,
                      text != NULL ? text
                                   : "{\"error\":{\"status\":1,\"message\":"
                                     "\"out of memory\"}}");
    free(text);
    sat__buf_put_byte(&client->answer, '\n');
    const uv_buf_t bytes =
        uv_buf_init((char *)client->answer.data, (unsigned)client->answer.len);
    client->write.data = client;
    if (client->answer.failed || client->is_closing ||
        uv_write(&client->write, (uv_stream_t *)&client->pipe, &bytes, 1,
                 on_written) != 0)
        hang_up(client);
}

static void answer_error(agent_client *client, const sat_error *err)
{
    AUTO_JSON json_t *value =
        json_pack("{s:{s:i, s:s}}", "error", "status", (int)err->status,
                  "message", err->message);

    answer(client, value);
}

static json_t *time_or_null(uint64_t ms)
{
    return ms != 0 ? json_integer((json_int_t)ms) : json_null();
}

static json_t *describe_partner(const sat__partner *partner, uint64_t now_ms)
{
    char id[2 * SAT_DEVICE_ID_SIZE + 1];
    const uint64_t wait =
        partner->due_ms > now_ms ? partner->due_ms - now_ms : 0;

    sat__hex_format(partner->id, sizeof partner->id, id);
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:i, s:I, s:o}", "device_id", id,
        "device_name", partner->name, "address", partner->url, "tried_at",
        time_or_null(partner->tried_ms), "synced_at",
        time_or_null(partner->synced_ms), "failures", (int)partner->failures,
        "next_in_ms", (json_int_t)wait, "error",
        partner->last.status != SAT_OK ? json_string(partner->last.message)
                                       : json_null());
}

json_t *sat__agent_describe(sat__agent *agent)
{
    json_t *const partners = json_array();

    for (size_t i = 0; i < agent->partner_count; i++)
        (void)json_array_append_new(
            partners,
            describe_partner(&agent->partners[i], uv_now(&agent->loop)));
    return json_pack(
        "{s:i, s:I, s:s, s:o, s:b, s:I, s:o, s:o, s:o}", "process",
        (int)getpid(), "started_at", (json_int_t)agent->started_ms, "vault",
        agent->vault, "address",
        agent->server != NULL ? json_string(sat_peer_server_url(agent->server))
                              : json_null(),
        "syncing", agent->is_running, "every_ms", (json_int_t)agent->every_ms,
        "peers", partners, "hub", sat__hub_line_describe(&agent->hub), "backup",
        sat__backup_line_describe(&agent->backup));
}

static void answer_round(agent_client *client)
{
    const sat__round *const round = &client->agent->round;
    const sat_sync_report *const done = &round->done;
    sat_error err;

    if (round->failure.status == SAT_OK && round->count == 0) {
        (void)sat__fail(&err, SAT_ERR_NOT_FOUND,
                        "no other device was joined yet");
        answer_error(client, &err);
        return;
    }
    if (round->failure.status != SAT_OK) {
        answer_error(client, &round->failure);
        return;
    }
    AUTO_JSON json_t *value = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:f}", "pushed", (json_int_t)done->pushed,
        "pulled", (json_int_t)done->pulled, "conflicts",
        (json_int_t)done->conflicts, "bytes_sent", (json_int_t)done->bytes_sent,
        "bytes_received", (json_int_t)done->bytes_received, "seconds",
        (double)done->duration_us / 1e6);
    answer(client, value);
}

void sat__agent_tell(sat__agent *agent)
{
    for (agent_client *at = agent->clients; at != NULL; at = at->next)
        if (at->rounds_left > 0 && --at->rounds_left == 0)
            answer_round(at);
}

/* ---- questions ---- */

static void ask_status(agent_client *client, const json_t *question)
{
    (void)question;
    AUTO_JSON json_t *value = sat__agent_describe(client->agent);

    answer(client, value);
}

/* A round that runs may have passed by what was written just now. */
static void ask_sync(agent_client *client, const json_t *question)
{
    const json_t *const vault = json_object_get(question, "vault");

    if (vault != NULL &&
        (!json_is_string(vault) ||
         strcmp(json_string_value(vault), client->agent->vault) != 0)) {
        sat_error err;
        (void)sat__fail(&err, SAT_ERR_NOT_FOUND,
                        "the agent keeps the vault '%s' in step",
                        client->agent->vault);
        answer_error(client, &err);
        return;
    }
    client->rounds_left = client->agent->is_running ? 2 : 1;
    sat__agent_sync(client->agent, true);
}

static void ask_ui(agent_client *client, const json_t *question)
{
    char url[SAT_PAGE_URL_SIZE], file[SAT_PATH_SIZE];
    sat_error err;

    (void)question;
    if (sat__agent_invite(client->agent, url, file, &err) != SAT_OK) {
        answer_error(client, &err);
        return;
    }
    AUTO_JSON json_t *value = json_pack("{s:s, s:s}", "url", url, "file", file);
    answer(client, value);
}

static void ask_stop(agent_client *client, const json_t *question)
{
    AUTO_JSON json_t *value = json_object();

    (void)question;
    answer(client, value);
    sat__agent_stop(client->agent);
}

static void handle(agent_client *client)
{
    static const struct {
        const char *name;
        void (*run)(agent_client *client, const json_t *question);
    } questions[] = {{"status", ask_status},
                     {"sync", ask_sync},
                     {"ui", ask_ui},
                     {"stop", ask_stop}};
    AUTO_JSON json_t *question = NULL;
    sat_error err = {0};

    const sat_status st = sat__body_read(
        SAT_BODY_JSON, bytes_of(client->line.data, client->line.len), &question,
        &err);
    const char *const name =
        st == SAT_OK ? json_string_value(json_object_get(question, "ask"))
                     : NULL;
    for (size_t i = 0;
         name != NULL && i < sizeof questions / sizeof questions[0]; i++)
        if (strcmp(name, questions[i].name) == 0) {
            questions[i].run(client, question);
            return;
        }
    if (st == SAT_OK)
        (void)sat__fail(&err, SAT_ERR_INVALID,
                        "the agent does not know this question");
    answer_error(client, &err);
}

/* ---- connections ---- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    agent_client *const client = handle->data;

    (void)suggested;
    const bool any = client->line.len < SAT_CONTROL_LINE_MAX &&
                     sat__buf_reserve(&client->line, 4096);
    *out =
        uv_buf_init(any ? (char *)client->line.data + client->line.len : NULL,
                    any ? 4096 : 0);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *bytes)
{
    agent_client *const client = stream->data;

    (void)bytes;
    if (got == 0)
        return;
    if (got < 0) {
        hang_up(client);
        return;
    }
    client->line.len += (size_t)got;
    if (client->answer.len > 0 || client->rounds_left > 0)
        return; /* there is one question a connection */
    uint8_t *const end = memchr(client->line.data, '\n', client->line.len);
    if (end == NULL)
        return;
    client->line.len = (size_t)(end - client->line.data);
    handle(client);
}

static size_t count_clients(const sat__agent *agent)
{
    size_t count = 0;

    for (const agent_client *at = agent->clients; at != NULL; at = at->next)
        count++;
    return count;
}

static void on_client(uv_stream_t *listener, int status)
{
    sat__agent *const agent = listener->data;
    agent_client *const client = calloc(1, sizeof *client);
    uv_os_fd_t fd = -1;

    if (status != 0 || client == NULL) {
        free(client);
        return;
    }
    client->agent = agent;
    client->next = agent->clients;
    agent->clients = client;
    (void)uv_pipe_init(&agent->loop, &client->pipe, 0);
    client->pipe.data = client;
    if (uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 ||
        uv_fileno((uv_handle_t *)&client->pipe, &fd) != 0 ||
        !sat__control_is_ours(fd) || count_clients(agent) > CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&client->pipe, on_room, on_read) != 0)
        hang_up(client);
}

sat_status sat__agent_listen(sat__agent *agent, int fd, sat_error *err)
{
    (void)uv_pipe_init(&agent->loop, &agent->listener, 0);
    agent->listener.data = agent;
    int code = uv_pipe_open(&agent->listener, fd);
    if (code != 0)
        (void)close(fd);
    else
        code = uv_listen((uv_stream_t *)&agent->listener, 16, on_client);
    return code == 0
               ? SAT_OK
               : sat__fail(err, SAT_ERR_IO, "the agent can not listen: %s",
                           uv_strerror(code));
}

void sat__agent_hang_up(sat__agent *agent)
{
    for (agent_client *at = agent->clients; at != NULL; at = at->next)
        if (at->answer.len == 0)
            hang_up(at);
}
