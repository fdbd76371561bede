/*
 * websocket.c - frames
 *
 * A frame's head is gathered and judged whole; its payload is unmasked straight
 * into the message it belongs to, so a message is held once and never beyond
 * its limit, whatever length was claimed.
 */
#include "net/websocket.h"

#include "base/bytes.h"
#include "base/cbor.h"

#define FIN 0x80
#define RSV 0x70
#define MASK 0x80
#define PINGS_MAX 64

enum opcode {
    CONTINUATION = 0,
    TEXT = 1,
    BINARY = 2,
    CLOSE = 8,
    PING = 9,
    PONG = 10
};

void sat__websocket_init(sat__websocket *socket, const sat_env *env,
                         bool is_server, size_t message_max)
{
    *socket = (sat__websocket){
        .env = env, .is_server = is_server, .message_max = message_max};
}

void sat__websocket_clear(sat__websocket *socket)
{
    sat__buf_clear(&socket->message);
    sat__buf_clear(&socket->out);
}

/* ---- writing ---- */

static void put_frame(sat__websocket *socket, enum opcode opcode,
                      sat_bytes data)
{
    sat_buf *const out = &socket->out;
    const uint8_t mask = socket->is_server ? 0 : MASK;
    uint8_t key[4] = {0}, length[8];

    if (socket->is_closing)
        return;
    sat__buf_put_byte(out, (uint8_t)(FIN | opcode));
    bytes_put_u64(length, data.len);
    if (data.len < 126) {
        sat__buf_put_byte(out, (uint8_t)(mask | data.len));
    } else if (data.len <= UINT16_MAX) {
        sat__buf_put_byte(out, (uint8_t)(mask | 126));
        sat__buf_put(out, length + 6, 2);
    } else {
        sat__buf_put_byte(out, (uint8_t)(mask | 127));
        sat__buf_put(out, length, 8);
    }
    if (mask != 0) {
        socket->env->random(socket->env->context, key, sizeof key);
        sat__buf_put(out, key, sizeof key);
    }
    const size_t from = out->len;
    sat__buf_put(out, data.data, data.len);
    for (size_t i = from; mask != 0 && i < out->len; i++)
        out->data[i] ^= key[(i - from) % 4];
}

void sat__websocket_send(sat__websocket *socket, bool is_text, sat_bytes data)
{
    put_frame(socket, is_text ? TEXT : BINARY, data);
}

void sat__websocket_ping(sat__websocket *socket)
{
    put_frame(socket, PING, bytes_of(NULL, 0));
}

void sat__websocket_close(sat__websocket *socket, unsigned code)
{
    const uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};

    put_frame(socket, CLOSE, bytes_of(bytes, sizeof bytes));
    socket->is_closing = true;
}

/* ---- heads ---- */

static sat__websocket_event fail(sat__websocket *socket, unsigned code)
{
    sat__websocket_close(socket, code);
    socket->code = code;
    return SAT_WEBSOCKET_ENDED;
}

static enum opcode opcode_of(const sat__websocket *socket)
{
    return (enum opcode)(socket->head[0] & 0x0f);
}

static bool is_control(enum opcode opcode)
{
    return opcode >= CLOSE;
}

/* Judges the first two bytes, which say how long the head is. */
static unsigned check_start(sat__websocket *socket)
{
    const uint8_t *const head = socket->head;
    const enum opcode opcode = opcode_of(socket);
    const bool is_final = (head[0] & FIN) != 0;
    const bool is_masked = (head[1] & MASK) != 0;
    const uint8_t length = head[1] & 0x7f;

    if ((head[0] & RSV) != 0 || is_masked != socket->is_server ||
        opcode > PONG || (opcode > BINARY && opcode < CLOSE))
        return SAT_WEBSOCKET_BROKEN;
    if (is_control(opcode) && (!is_final || length > SAT_WEBSOCKET_CONTROL_MAX))
        return SAT_WEBSOCKET_BROKEN;
    if (!is_control(opcode) && (opcode == CONTINUATION) != socket->is_within)
        return SAT_WEBSOCKET_BROKEN;
    socket->head_size = (uint8_t)(2 + (is_masked ? 4 : 0) +
                                  (length == 127   ? 8
                                   : length == 126 ? 2
                                                   : 0));
    return 0;
}

/* Judges the whole head, and makes ready for the payload. */
static unsigned check_head(sat__websocket *socket)
{
    const uint8_t *const head = socket->head;
    const enum opcode opcode = opcode_of(socket);
    const uint8_t length = head[1] & 0x7f;
    uint64_t size = length;

    if (length == 126)
        size = (uint64_t)head[2] << 8 | head[3];
    else if (length == 127)
        size = bytes_get_u64(head + 2);
    socket->payload_at = 0;
    socket->payload_size = size;
    if (is_control(opcode))
        return 0;
    if (opcode != CONTINUATION) {
        sat__buf_clear(&socket->message);
        socket->is_text = opcode == TEXT;
        socket->is_within = true;
    }
    if (size > socket->message_max - socket->message.len)
        return SAT_WEBSOCKET_TOO_LONG;
    if ((length == 126 && size < 126) || (length == 127 && size <= UINT16_MAX))
        return SAT_WEBSOCKET_BROKEN; /* not the shortest form */
    return 0;
}

/* Takes bytes of the head; true once it is whole or has failed with *code. */
static bool gather_head(sat__websocket *socket, sat_bytes *data, unsigned *code)
{
    *code = 0;
    while (data->len > 0) {
        socket->head[socket->head_len++] = *data->data++;
        data->len--;
        if (socket->head_len == 2)
            *code = check_start(socket);
        if (*code != 0)
            return true;
        if (socket->head_len == socket->head_size) {
            *code = check_head(socket);
            return true;
        }
    }
    return false;
}

/* ---- payloads ---- */

static void unmask(const sat__websocket *socket, uint8_t *bytes, size_t len)
{
    const uint8_t *const key = socket->head + socket->head_size - 4;

    for (size_t i = 0; socket->is_server && i < len; i++)
        bytes[i] ^= key[(socket->payload_at + i) % 4];
}

static void gather_payload(sat__websocket *socket, sat_bytes *data)
{
    const uint64_t left = socket->payload_size - socket->payload_at;
    const size_t len = data->len < left ? data->len : (size_t)left;
    uint8_t *into;

    if (len == 0)
        return;
    if (is_control(opcode_of(socket))) {
        into = socket->control + socket->payload_at;
        memcpy(into, data->data, len);
    } else {
        const size_t from = socket->message.len;
        sat__buf_put(&socket->message, data->data, len);
        if (socket->message.failed)
            return;
        into = socket->message.data + from;
    }
    unmask(socket, into, len);
    socket->payload_at += len;
    data->data += len;
    data->len -= len;
}

static bool is_known_code(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static sat__websocket_event take_close(sat__websocket *socket)
{
    const size_t len = (size_t)socket->payload_size;
    const uint8_t *const bytes = socket->control;
    const unsigned code =
        len >= 2 ? (unsigned)bytes[0] << 8 | bytes[1] : SAT_WEBSOCKET_SILENT;

    if (len == 1 || (len >= 2 && !is_known_code(code)))
        return fail(socket, SAT_WEBSOCKET_BROKEN);
    if (len > 2 && !sat__utf8_valid(bytes + 2, len - 2))
        return fail(socket, SAT_WEBSOCKET_NOT_TEXT);
    sat__websocket_close(socket, len >= 2 ? code : SAT_WEBSOCKET_DONE);
    socket->code = code;
    return SAT_WEBSOCKET_ENDED;
}

static sat__websocket_event take_frame(sat__websocket *socket)
{
    const enum opcode opcode = opcode_of(socket);
    const bool is_final = (socket->head[0] & FIN) != 0;

    socket->head_len = socket->head_size = 0;
    if (opcode == CLOSE)
        return take_close(socket);
    if (is_control(opcode)) {
        if (++socket->pings > PINGS_MAX)
            return fail(socket, SAT_WEBSOCKET_REFUSED);
        if (opcode == PING)
            put_frame(socket, PONG,
                      bytes_of(socket->control, (size_t)socket->payload_size));
        return SAT_WEBSOCKET_MORE;
    }
    if (!is_final)
        return ++socket->pings > PINGS_MAX && socket->payload_size == 0
                   ? fail(socket, SAT_WEBSOCKET_TOO_LONG)
                   : SAT_WEBSOCKET_MORE;
    socket->is_within = false;
    if (socket->is_text &&
        !sat__utf8_valid(socket->message.data, socket->message.len))
        return fail(socket, SAT_WEBSOCKET_NOT_TEXT);
    socket->is_whole = true;
    return SAT_WEBSOCKET_MESSAGE;
}

sat__websocket_event sat__websocket_feed(sat__websocket *socket, sat_bytes data,
                                         size_t *used)
{
    const size_t before = data.len;
    sat__websocket_event event =
        socket->code != 0 ? SAT_WEBSOCKET_ENDED : SAT_WEBSOCKET_MORE;

    if (socket->is_whole) {
        sat__buf_clear(&socket->message);
        socket->is_whole = false;
    }
    while (event == SAT_WEBSOCKET_MORE && data.len > 0) {
        unsigned code = 0;
        if (socket->head_size == 0 || socket->head_len < socket->head_size) {
            if (!gather_head(socket, &data, &code))
                break;
        }
        if (code == 0)
            gather_payload(socket, &data);
        if (socket->message.failed)
            code = SAT_WEBSOCKET_FAILED;
        if (code != 0)
            event = fail(socket, code);
        else if (socket->payload_at == socket->payload_size)
            event = take_frame(socket);
    }
    *used = before - data.len;
    return event;
}
