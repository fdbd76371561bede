/*
 * host.c - names and addresses of this machine
 */
#include "net/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

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
