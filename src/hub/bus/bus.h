/*
 * bus.h - word between the nodes of one hub
 *
 * A node says a word and every other node hears it, soon and at most once. A
 * word may be lost, and costs nothing then: whoever needs to know finds it in
 * the storage. So saying never waits and never fails.
 */
#ifndef SAT_SRC_HUB_BUS_BUS_H
#define SAT_SRC_HUB_BUS_BUS_H

#include "base/buf.h"
#include "base/error.h"

#define HUB_WORD_MAX ((size_t)900 * 1024) /* of one word; NATS takes 1 MB */

/* Called on a thread of the bus; neither may wait for it. */
typedef struct hub_ears {
    void *context;
    void (*hear)(void *context, sat_bytes word);
    void (*missed)(void *context); /* the bus was away: words were lost */
} hub_ears;

/* All calls may come from any thread. */
typedef struct hub_bus {
    void *self;
    const char *name; /* "local", "nats" */
    void (*say)(void *self, sat_bytes word);
    /* From now on; nothing is heard once deafen() has returned. */
    void (*listen)(void *self, const hub_ears *ears);
    void (*deafen)(void *self);
    bool (*is_up)(void *self);
    void (*close)(void *self);
} hub_bus;

/* Nodes in one process meet in a street, which outlives their buses. */
typedef struct hub_street hub_street;

SAT_CHECK sat_status hub_street_new(hub_street **out, sat_error *err);
void hub_street_free(hub_street *street);

SAT_CHECK sat_status hub_bus_local(hub_street *street, hub_bus *out,
                                   sat_error *err);

/*
 * Nodes that share `secret` meet at a NATS: nats://[USER:PASSWORD@]HOST:PORT,
 * or several, with commas between. One that is away is tried again for ever.
 */
SAT_CHECK sat_status hub_bus_nats(const char *urls, const uint8_t secret[32],
                                  hub_bus *out, sat_error *err);

static inline void hub_bus_close(hub_bus *bus)
{
    if (bus->close != NULL)
        bus->close(bus->self);
}

DEFINE_AUTO(hub_bus, hub_bus_close);

#endif /* SAT_SRC_HUB_BUS_BUS_H */
