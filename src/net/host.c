/*
 * host.c - names and addresses of this machine
 */
#include "net/host.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A block of IPv4 addresses that are not for everybody (RFC 6890). */
typedef struct block {
    uint32_t first;
    unsigned bits;
} block;

static bool is_private_v4(uint32_t address)
{
    static const block blocks[] = {
        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},
        {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24},
        {0xc0586300, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24},
        {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4}};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if ((address ^ blocks[i].first) >> (32 - blocks[i].bits) == 0)
            return true;
    return false;
}

static uint32_t v4_at(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

/* Only 2000::/3 is given out; of that, what carries an address of IPv4 in it is
 * that address (6to4), and documentation, benchmarks and Teredo are nobody's.
 */
static bool is_private_v6(const uint8_t at[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b};

    if (memcmp(at, mapped, sizeof mapped) == 0 ||
        memcmp(at, translated, sizeof translated) == 0)
        return is_private_v4(v4_at(at + 12));
    if (at[0] == 0x20 && at[1] == 0x02)
        return is_private_v4(v4_at(at + 2));
    if (at[0] == 0x20 && at[1] == 0x01 && at[2] < 2)
        return true;
    return (at[0] & 0xe0) != 0x20 || memcmp(at, "\x20\x01\x0d\xb8", 4) == 0;
}

bool sat__address_is_private(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return is_private_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return true;
    memcpy(&v6, address, sizeof v6);
    return is_private_v6(v6.sin6_addr.s6_addr);
}

bool sat__host_is_private(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return is_private_v4(ntohl(v4.s_addr));
    return inet_pton(AF_INET6, host, &v6) == 1 && is_private_v6(v6.s6_addr);
}

bool sat__host_is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* Whether `name` is this machine's, in whatever domain: "laptop" is also
 * "laptop.tailnet.ts.net". */
static bool is_machine_name(const char *name)
{
    char own[256];

    if (gethostname(own, sizeof own - 1) != 0)
        return false;
    own[sizeof own - 1] = 0;
    const size_t len = strcspn(own, ".");
    return len > 0 && strncasecmp(name, own, len) == 0 &&
           (name[len] == 0 || name[len] == '.');
}

bool sat__host_is_ours(const char *host, const char *local, uint16_t port)
{
    char name[256], expected[8];
    const bool is_v6 = host[0] == '[';
    const char *const from = host + is_v6;
    const size_t len = strcspn(from, is_v6 ? "]" : ":");
    const char *rest = from + len;

    if (len >= sizeof name || (is_v6 && *rest++ != ']'))
        return false;
    memcpy(name, from, len);
    name[len] = 0;
    (void)snprintf(expected, sizeof expected, ":%u", port);
    if (*rest != 0 && strcmp(rest, expected) != 0)
        return false;
    if (strcmp(name, local) == 0)
        return true;
    if (strcasecmp(name, "localhost") == 0)
        return sat__host_is_loopback(local);
    return !is_v6 && is_machine_name(name);
}
