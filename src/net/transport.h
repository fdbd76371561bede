/*
 * transport.h - how a request reaches another device
 *
 * A struct of functions, so that a simulation, or an app with a network of its
 * own, can stand in for sockets. One thread at a time may use a transport.
 */
#ifndef SAT_SRC_NET_TRANSPORT_H
#define SAT_SRC_NET_TRANSPORT_H

#include "net/server.h"
#include "net/wire.h"

typedef struct sat__transport {
    void *self;
    char authority[272]; /* "host:port", what the Host field must say */
    /* Sends `request` and waits for the answer, which begins empty.
     * SAT_ERR_OFFLINE: it is not known whether it came. */
    sat_status (*exchange)(void *self, const sat__request *request,
                           sat__response *response, sat_error *err);
    void (*close)(void *self);
    /* What has gone over the wire so far. */
    void (*count)(void *self, uint64_t *sent, uint64_t *received);
} sat__transport;

/* HTTP/1.1 over a socket that is kept open; connects when first used. */
SAT_CHECK sat_status sat__transport_http(const sat__http_options *options,
                                         sat__transport *out, sat_error *err);

/* The device that answers at the address, whoever it is, once TLS has proved
 * that it holds its key. */
SAT_CHECK sat_status sat__transport_probe(const sat__http_options *options,
                                          uint8_t id[SAT_DEVICE_ID_SIZE],
                                          sat_error *err);

/* Calls `handler`, which must outlive the transport, in the caller's thread. */
void sat__transport_direct(const sat__handler *handler, sat__transport *out);

static inline void transport_close(sat__transport *transport)
{
    if (transport->close != NULL)
        transport->close(transport->self);
}

DEFINE_AUTO(sat__transport, transport_close);

#endif /* SAT_SRC_NET_TRANSPORT_H */
