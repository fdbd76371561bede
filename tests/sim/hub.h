/*
 * hub.h - a hub in memory, honest or not
 *
 * It keeps what the routes of docs/formats/hub-protocol.md say: the newest
 * version of every item, one line of heads, and a push counts whole or not at
 * all. A dishonest one also remembers what was, and answers with it, leaves
 * items out, swaps or alters them, or keeps two histories.
 */
#ifndef SAT_TESTS_SIM_HUB_H
#define SAT_TESTS_SIM_HUB_H

#include "device.h"

/* In the order in which count.h counts them. */
typedef enum hub_lie {
    LIE_NONE,
    LIE_OLD_VERSION, /* an item as it was before */
    LIE_WITHHELD,    /* one item less */
    LIE_SWAPPED,     /* two items, each with the other's content */
    LIE_ALTERED,     /* one bit */
    LIE_OLD_STATE,   /* the whole vault as it was at an earlier head */
    LIE_COUNT
} hub_lie;

typedef struct sim_hub sim_hub;

sim_hub *hub_new(void);
void hub_free(sim_hub *hub);

/* Empties it for another run. */
void hub_begin(sim_hub *hub, uint64_t seed, bool is_honest, uint32_t loss);

/* Whether there is anything. */
bool hub_has_head(const sim_hub *hub);

/* From now on the two halves of the devices are shown two histories; or one
 * again, that of the first half. */
void hub_split(sim_hub *hub, bool is_split);

/* From now on nothing is lost on the way. */
void hub_rest(sim_hub *hub);

/* Whether it ever showed two. */
bool hub_was_split(const sim_hub *hub);

/* ---- for the device's side (hub_client.c) ---- */

/* Who asks next, and, before a push, what the device knows. */
void hub_serve(sim_hub *hub, int number, const uint8_t *id,
               const knowledge *known);

/* What the last head that was served knew; and the lie that came with it. */
const knowledge *hub_served(const sim_hub *hub);
hub_lie hub_told(const sim_hub *hub);

/* Answers a request; SAT_ERR_OFFLINE where it, or the answer, is lost. */
sat_status hub_answer(sim_hub *hub, const char *target, sat_bytes body,
                      sat_buf *answer, sat_error *err);

/* Makes the tables in which a device keeps what it knows of a hub. */
bool device_hub_prepare(device *d);

/* Takes from the hub what is new there, and gives it what it lacks. */
bool device_hub_pull(device *d, const sim_schema *schema, sim_hub *hub);
bool device_hub_push(device *d, const sim_schema *schema, sim_hub *hub);

#endif /* SAT_TESTS_SIM_HUB_H */
