/*
 * host.h - whether a Host field means us
 *
 * A page in a browser can make a name of its own point to this machine. So the
 * Host must be an address that we were reached at, or our own name.
 */
#ifndef SAT_SRC_NET_HOST_H
#define SAT_SRC_NET_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* `host` is "name", "name:port" or "[::1]:port"; `local` is the address that
 * the connection came in at, such as "127.0.0.1". */
bool sat__host_is_ours(const char *host, const char *local, uint16_t port);

/* Whether it is an address that only means something near here: of this
 * machine, of a private network, of a link, of a group; or none at all. What is
 * embedded in one of IPv6 counts as well. */
bool sat__address_is_private(const struct sockaddr *address);

/* The same for a host that is written as an address; a name is not private, as
 * far as it can be told by looking. */
bool sat__host_is_private(const char *host);

/* Whether `address` is one of this machine alone: 127.0.0.0/8 or ::1. */
bool sat__host_is_loopback(const char *address);

#endif /* SAT_SRC_NET_HOST_H */
