/*
 * hub_place.h - a place at a hub, for the files that make it
 */
#ifndef SAT_SRC_BACKUP_HUB_PLACE_H
#define SAT_SRC_BACKUP_HUB_PLACE_H

#include "account/session.h"
#include "backup/hub_list.h"
#include "net/fetch.h"

#define HUB_PLACE_CACHED_MAX ((size_t)8) /* manifests */

/* A manifest that was seen: it is asked for more than once. */
typedef struct hub_cached {
    sat__blob_name name;
    sat_buf bytes;
} hub_cached;

typedef struct hub_place {
    const sat_env *env;
    sat__session session;      /* of a profile; closed where there is none */
    sat__hub guest;            /* of the phrase, else */
    sat__identity *guest_keys; /* made for this once */
    sat__hub *hub;             /* one of the two */
    sat__fetch fetch;
    sat__hub_list list;
    hub_cached cache[HUB_PLACE_CACHED_MAX];
    size_t cached_count;
    /* what is written */
    int part; /* its bytes, or -1 */
    sat__place_kind kind;
    sat__sha256_state hash;
    uint64_t size;
    sat_buf manifest; /* the same once more, where it is one */
    /* what is read */
    int got; /* or -1 */
    const hub_cached *got_cached;
    size_t used;
} hub_place;

/* ---- place_hub.c ---- */

SAT_CHECK sat_status hub_place_ask(hub_place *in, const char *target,
                                   sat__map *map, sat_buf *answer,
                                   sat_error *err);

/* After a failure that passes; false when there were enough of them. */
bool hub_place_may_try_again(const hub_place *in, sat_status st,
                             unsigned *tries);

/* Asks once more what is there. */
SAT_CHECK sat_status hub_place_take_stock(hub_place *in, sat_error *err);

/* A file in memory, or -1 before and after. */
SAT_CHECK sat_status hub_place_open_file(int *fd, sat_error *err);
void hub_place_close_file(int *fd);

/* ---- hub_place_write.c, hub_place_read.c: calls of a place ---- */

sat_status hub_place_begin(void *self, sat__place_kind kind, sat_error *err);
sat_status hub_place_write(void *self, sat_bytes bytes, sat_error *err);
sat_status hub_place_commit(void *self, sat__blob_name *out, sat_error *err);
void hub_place_abandon(void *self);
sat_status hub_place_open(void *self, sat__place_kind kind,
                          const sat__blob_name *name, uint64_t *size,
                          sat_error *err);
sat_status hub_place_read(void *self, uint8_t *out, size_t len, sat_error *err);

#endif /* SAT_SRC_BACKUP_HUB_PLACE_H */
