/*
 * remote.c - addresses, and those that a proxy names
 *
 * Each proxy appends whom it was asked by, so what stands last was written by
 * the one that asks us; what is before may be anybody's invention.
 */
#include "hub/remote.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strncmp(address, "::ffff:127.", 11) == 0;
}

static bool is_proxy(const hub_core *hub, const char *address)
{
    const char *const *const proxies = hub->options.proxies;

    if (!hub->options.is_behind_proxy)
        return false;
    for (size_t i = 0; proxies != NULL && proxies[i] != NULL; i++)
        if (strcmp(proxies[i], address) == 0)
            return true;
    return is_loopback(address);
}

/* An address as the system writes it; false for anything else. */
static bool read_address(const char *text, char out[SAT_REMOTE_SIZE])
{
    unsigned char bytes[16];

    for (int i = 0; i < 2; i++) {
        const int family = i == 0 ? AF_INET : AF_INET6;
        if (inet_pton(family, text, bytes) == 1)
            return inet_ntop(family, bytes, out, SAT_REMOTE_SIZE) != NULL;
    }
    return false;
}

void hub_remote_find(const hub_core *hub, const sat__request *request,
                     char out[SAT_REMOTE_SIZE])
{
    char named[SAT_REMOTE_SIZE];

    sat__request_remote(request, out);
    const char *const list =
        is_proxy(hub, out)
            ? sat__headers_get(&request->headers, "X-Forwarded-For")
            : NULL;
    if (list == NULL)
        return;
    const char *const comma = strrchr(list, ',');
    const char *const last = comma != NULL ? comma + 1 : list;
    if (read_address(last + strspn(last, " \t"), named))
        memcpy(out, named, sizeof named);
}

bool hub_remote_is_here(const hub_core *hub, const char *remote)
{
    return !hub->options.is_behind_proxy && is_loopback(remote);
}
