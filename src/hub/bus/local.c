/*
 * local.c - nodes that live in one process
 */
#include "hub/bus/bus.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct house {
    struct house *next;
    hub_street *street;
    hub_ears ears; /* guarded by the street's lock; nobody where hear is NULL */
} house;

struct hub_street {
    pthread_mutex_t lock;
    house *first; /* guarded by lock */
};

sat_status hub_street_new(hub_street **out, sat_error *err)
{
    hub_street *const street = calloc(1, sizeof *street);

    if (street == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    (void)pthread_mutex_init(&street->lock, NULL);
    *out = street;
    return SAT_OK;
}

void hub_street_free(hub_street *street)
{
    if (street == NULL)
        return;
    (void)pthread_mutex_destroy(&street->lock);
    free(street);
}

static void say(void *self, sat_bytes word)
{
    const house *const from = self;

    SCOPED_LOCK(&from->street->lock);
    for (house *at = from->street->first; at != NULL; at = at->next)
        if (at != from && at->ears.hear != NULL)
            at->ears.hear(at->ears.context, word);
}

static void listen(void *self, const hub_ears *ears)
{
    house *const at = self;

    SCOPED_LOCK(&at->street->lock);
    at->ears = *ears;
}

static void deafen(void *self)
{
    listen(self, &(hub_ears){.hear = NULL});
}

static bool is_up(void *self)
{
    (void)self;
    return true;
}

static void close_house(void *self)
{
    house *const gone = self;
    {
        SCOPED_LOCK(&gone->street->lock);
        house **at = &gone->street->first;
        while (*at != gone)
            at = &(*at)->next;
        *at = gone->next;
    }
    free(gone);
}

sat_status hub_bus_local(hub_street *street, hub_bus *out, sat_error *err)
{
    house *const made = calloc(1, sizeof *made);

    if (made == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "out of memory");
    made->street = street;
    *out = (hub_bus){.self = made,
                     .name = "local",
                     .say = say,
                     .listen = listen,
                     .deafen = deafen,
                     .is_up = is_up,
                     .close = close_house};
    SCOPED_LOCK(&street->lock);
    made->next = street->first;
    street->first = made;
    return SAT_OK;
}
