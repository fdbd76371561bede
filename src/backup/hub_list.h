/*
 * hub_list.h - what a hub says it keeps of an account's backups
 *
 * It is a list of strangers' bytes until the objects themselves were opened:
 * nothing in it is believed but where an object may be had.
 */
#ifndef SAT_SRC_BACKUP_HUB_LIST_H
#define SAT_SRC_BACKUP_HUB_LIST_H

#include "backup/place.h"

#define SAT_HUB_KEY_SIZE 33         /* 32 digits and the end */
#define SAT_HUB_BACKUPS_MAX 1024    /* in a list */
#define SAT_HUB_OBJECTS_MAX 1048576 /* of all of them */

/* One object. Those that several backups need are listed with each. */
typedef struct sat__hub_object {
    sat__place_object object;
    sat__place_kind kind;
    uint64_t version; /* of its backup; 0: no backup names it yet */
    char key[SAT_HUB_KEY_SIZE];
} sat__hub_object;

typedef struct sat__hub_list {
    sat__hub_object *objects;
    size_t count, room;
} sat__hub_list;

void sat__hub_list_clear(sat__hub_list *list);
DEFINE_AUTO(sat__hub_list, sat__hub_list_clear);

/* Reads the hub's answer (docs/formats/hub-protocol.md) into an empty list. */
SAT_CHECK sat_status sat__hub_list_read(sat_bytes answer, sat__hub_list *out,
                                        sat_error *err);

SAT_CHECK sat_status sat__hub_list_add(sat__hub_list *list,
                                       const sat__hub_object *object,
                                       sat_error *err);

/* The object of that name, or NULL; one that a backup names before one that
 * none does. */
const sat__hub_object *sat__hub_list_find(const sat__hub_list *list,
                                          sat__place_kind kind,
                                          const sat__blob_name *name);

#endif /* SAT_SRC_BACKUP_HUB_LIST_H */
