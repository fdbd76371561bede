/*
 * shelf.h - what a hub keeps, in memory: the newest version of each item
 *
 * Items go through writing, sealing, opening and joining exactly as they do
 * between a device and a hub; only the wire is missing.
 */
#ifndef SAT_TESTS_ITEMS_SHELF_H
#define SAT_TESTS_ITEMS_SHELF_H

#include "../sync/device.h"

#include "items/join.h"
#include "items/seal.h"

typedef struct shelf_item {
    uint8_t id[SAT_ITEM_ID_SIZE];
    uint64_t version, sequence;
    uint8_t device[SAT_DEVICE_ID_SIZE];
    sat_buf sealed;
} shelf_item;

typedef struct shelf {
    sat__item_keys *keys;
    sat__item_press *press;
    shelf_item *items;
    size_t count, room;
    uint64_t sequence;
    sat_buf knowledge; /* of who pushed last */
} shelf;

void shelf_open(shelf *s);
void shelf_close(shelf *s);

/* `d` puts what the shelf lacks on it; it has taken all that was there. Returns
 * how many items that were. */
size_t shelf_push(shelf *s, device *d);

/* `d` takes everything from behind `*cursor` on, in pages of `rows` rows. */
void shelf_pull(shelf *s, device *d, uint64_t *cursor, size_t rows);

#endif /* SAT_TESTS_ITEMS_SHELF_H */
