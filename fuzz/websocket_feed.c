/*
 * websocket_feed.c - frames read the same whole as byte by byte, and what is
 * sent comes out as it was
 */
#include <stdlib.h>

#include "fuzz.h"
#include "net/websocket.h"

#define MESSAGE_MAX ((size_t)4096)

/* Feeds `data` in steps; gathers the messages in `out`. The code it ends with.
 */
static unsigned feed(const uint8_t *data, size_t size, size_t step,
                     sat_buf *out)
{
    AUTO(sat__websocket) socket;

    sat__websocket_init(&socket, sat_env_system(), true, MESSAGE_MAX);
    for (size_t at = 0; at < size && socket.code == 0;) {
        const size_t len = size - at < step ? size - at : step;
        size_t used;
        const sat__websocket_event event =
            sat__websocket_feed(&socket, bytes_of(data + at, len), &used);
        if (used > len || (used == 0 && event == SAT_WEBSOCKET_MORE))
            abort();
        at += used;
        if (socket.message.len > MESSAGE_MAX)
            abort();
        if (event == SAT_WEBSOCKET_MESSAGE)
            sat__buf_put(out, socket.message.data, socket.message.len);
    }
    return socket.code;
}

/* A client's message, read by a server. */
static void check_round_trip(const uint8_t *data, size_t size)
{
    AUTO(sat__websocket) client;
    AUTO(sat_buf) out = SAT_BUF_INIT;

    if (size > MESSAGE_MAX)
        return;
    sat__websocket_init(&client, sat_env_system(), false, MESSAGE_MAX);
    sat__websocket_send(&client, false, bytes_of(data, size));
    if (feed(client.out.data, client.out.len, SIZE_MAX, &out) != 0 ||
        !bytes_equal(buf_view(&out), bytes_of(data, size)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat_buf) whole = SAT_BUF_INIT;
    AUTO(sat_buf) pieces = SAT_BUF_INIT;

    if (feed(data, size, SIZE_MAX, &whole) != feed(data, size, 1, &pieces) ||
        !bytes_equal(buf_view(&whole), buf_view(&pieces)))
        abort();
    check_round_trip(data, size);
    return 0;
}
