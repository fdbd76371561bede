/*
 * url.h - where a device answers, and which device that is
 *
 *      https://laptop.tailnet.ts.net:7440#8f3a…   64 hexadecimal digits
 */
#ifndef SAT_SRC_NET_URL_H
#define SAT_SRC_NET_URL_H

#include <stdbool.h>

#include "crypto/identity.h"

#define SAT_PORT_DEFAULT 7440

typedef struct sat__url {
    char host[256]; /* a name, or an address without brackets */
    uint16_t port;
    bool is_tls;
    bool has_device; /* whether the id was said */
    uint8_t device[SAT_DEVICE_ID_SIZE];
} sat__url;

/* Plain http is accepted for loopback only. There is no path and no user. */
SAT_CHECK sat_status sat__url_parse(const char *text, sat__url *out,
                                    sat_error *err);

/* The same with a path: of an address at any server, whose port is 443 or 80
 * where it is not said. *target is the path, "/" where there is none. */
SAT_CHECK sat_status sat__url_split(const char *text, sat__url *out,
                                    const char **target, sat_error *err);

/* "host:port" as it stands in a Host field. */
void sat__url_authority(const sat__url *url, char *out, size_t size);

#endif /* SAT_SRC_NET_URL_H */
