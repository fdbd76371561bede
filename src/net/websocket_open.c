/*
 * websocket_open.c - the request and the answer that open one
 */
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <strings.h>

#include "base/error.h"
#include "net/websocket.h"

#define MAGIC "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define ACCEPT_SIZE 29

/* The answer to a key: base64 of the SHA-1 of both. */
static bool accept_of(const char *key, char out[ACCEPT_SIZE])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    char text[64 + sizeof MAGIC];
    const int len = snprintf(text, sizeof text, "%.60s" MAGIC, key);

    if (EVP_Digest(text, (size_t)len, hash, NULL, EVP_sha1(), NULL) != 1)
        return false;
    (void)EVP_EncodeBlock((uint8_t *)out, hash, 20);
    return true;
}

/* Whether the comma-separated `list` names `token`. */
static bool names_token(const char *list, const char *token)
{
    const size_t len = strlen(token);

    for (const char *at = list; at != NULL && *at != 0;) {
        at += strspn(at, " \t,");
        const size_t word = strcspn(at, " \t,");
        if (word == len && strncasecmp(at, token, len) == 0)
            return true;
        at += word;
    }
    return false;
}

/* 16 bytes in base64: 22 characters and "==". */
static bool is_key(const char *key)
{
    if (key == NULL || strlen(key) != 24 || strcmp(key + 22, "==") != 0)
        return false;
    for (size_t i = 0; i < 22; i++)
        if (!isalnum((uint8_t)key[i]) && key[i] != '+' && key[i] != '/')
            return false;
    return strchr("AQgw", key[21]) != NULL;
}

static void answer(sat__response *response, const char *key)
{
    char text[ACCEPT_SIZE];

    if (!accept_of(key, text)) {
        sat__response_problem(response, 503, "out of memory");
        return;
    }
    sat__response_clear(response);
    response->status = 101;
    sat__headers_put(&response->headers, "Upgrade", "websocket");
    sat__headers_put(&response->headers, "Connection", "Upgrade");
    sat__headers_put(&response->headers, "Sec-WebSocket-Accept", text);
}

void sat__websocket_accept(const sat__request *request, sat__response *response)
{
    const sat__headers *const headers = &request->headers;
    const char *const upgrade = sat__headers_get(headers, "Upgrade");
    const char *const connection = sat__headers_get(headers, "Connection");
    const char *const version =
        sat__headers_get(headers, "Sec-WebSocket-Version");
    const char *const key = sat__headers_get(headers, "Sec-WebSocket-Key");

    if (strcmp(request->method, "GET") != 0) {
        sat__response_problem(response, 405, "a WebSocket is opened by GET");
    } else if (!names_token(upgrade, "websocket") ||
               !names_token(connection, "upgrade")) {
        sat__response_problem(response, 426, "here a WebSocket is spoken");
        sat__headers_put(&response->headers, "Upgrade", "websocket");
    } else if (version == NULL || strcmp(version, "13") != 0) {
        sat__response_problem(response, 426,
                              "only version 13 of WebSocket is spoken here");
        sat__headers_put(&response->headers, "Sec-WebSocket-Version", "13");
    } else if (!is_key(key)) {
        sat__response_problem(response, 400,
                              "Sec-WebSocket-Key is not 16 bytes in base64");
    } else {
        answer(response, key);
    }
}

void sat__websocket_ask(const sat_env *env, const char *authority,
                        const char *target, sat__request *request,
                        char key[SAT_WEBSOCKET_KEY_SIZE])
{
    uint8_t random[16];

    env->random(env->context, random, sizeof random);
    (void)EVP_EncodeBlock((uint8_t *)key, random, sizeof random);
    sat__request_set(request, "GET", target);
    sat__headers_put(&request->headers, "Host", authority);
    sat__headers_put(&request->headers, "Upgrade", "websocket");
    sat__headers_put(&request->headers, "Connection", "Upgrade");
    sat__headers_put(&request->headers, "Sec-WebSocket-Version", "13");
    sat__headers_put(&request->headers, "Sec-WebSocket-Key", key);
}

sat_status sat__websocket_check(const sat__response *response, const char *key,
                                sat_error *err)
{
    const sat__headers *const headers = &response->headers;
    const char *const said = sat__headers_get(headers, "Sec-WebSocket-Accept");
    char expected[ACCEPT_SIZE];

    if (response->status != 101 ||
        !names_token(sat__headers_get(headers, "Upgrade"), "websocket") ||
        !names_token(sat__headers_get(headers, "Connection"), "upgrade") ||
        said == NULL || !accept_of(key, expected) ||
        strcmp(said, expected) != 0)
        return sat__fail(err, SAT_ERR_DENIED,
                         "the other side opens no WebSocket (status %u)",
                         response->status);
    return SAT_OK;
}
