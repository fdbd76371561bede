/*
 * row.h - what an item says: a row, whole, that stands for itself
 *
 *      uniform [1, 1, shape, incarnations, groups, birth, ordinal, taken,
 *               group, [value, …]]
 *      cells   [1, 2, shape, incarnations, groups, birth, ordinal, taken,
 *               [[column, [entry, …]], …]]
 *      shape   [1, 3, table]           a table and its columns, by hash
 *      schema  [1, 4, [SQL, …], [table, …]]   for a replica that has none
 *      delta   [1, 5, version, shape, incarnations, groups, birth, ordinal,
 *               taken, [[column, [entry, …]], …]]
 *
 * Incarnations, groups, tables, entries and values are as in a page
 * (docs/formats/page.md), but each item brings its own lists. A row has one
 * item id for life, made of its birth. docs/formats/items.md says it all.
 */
#ifndef SAT_SRC_ITEMS_ROW_H
#define SAT_SRC_ITEMS_ROW_H

#include "base/cbor.h"
#include "items/keys.h"
#include "sync/whole.h"

#define SAT_ITEM_FORMAT 1
#define SAT_SHAPE_SIZE 16

typedef enum sat__item_kind {
    SAT_ITEM_UNIFORM = 1,
    SAT_ITEM_CELLS = 2,
    SAT_ITEM_SHAPE = 3,
    SAT_ITEM_SCHEMA = 4,
    SAT_ITEM_DELTA = 5
} sat__item_kind;

/* A row of so many bytes is never uniform, and its changes are deltas. */
#define SAT_ITEM_WIDE ((size_t)4096)

/* An item, taken apart; views point into what was read. */
typedef struct sat__item {
    sat__item_kind kind;
    sat_bytes shape;        /* SAT_SHAPE_SIZE bytes; of a row */
    sat_bytes incarnations; /* list of [id, device] */
    sat_bytes groups;       /* list of [incarnation, n, time] */
    int64_t birth;          /* position in groups, -1: imported */
    int64_t ordinal;
    int64_t taken;    /* position in groups, -1: none */
    int64_t group;    /* of a uniform row, -1: imported */
    uint64_t version; /* of a delta: that of the whole row that it changes */
    sat_bytes body;   /* values, cells, table or statements */
    sat_bytes tables; /* of a schema: list of tables */
} sat__item;

SAT_CHECK sat_status sat__item_decode(sat_bytes content, sat__item *out,
                                      sat_error *err);

/* ---- writing ---- */

typedef struct sat__row_writer sat__row_writer;

/* Writes rows of one replica, while one transaction of it lasts. */
SAT_CHECK sat_status sat__row_writer_new(sat_replica *replica,
                                         sat__row_writer **out, sat_error *err);
void sat__row_writer_free(sat__row_writer *writer);
DEFINE_AUTO_PTR(sat__row_writer, sat__row_writer_free);

/* Appends the content of the row's item to `out`; `taken_by` as in whole.h. */
SAT_CHECK sat_status sat__row_write(sat__row_writer *writer,
                                    const sat__row *row, int64_t taken_by,
                                    sat_buf *out, sat_error *err);

/* The shape of a table now: the hash that its rows name. */
SAT_CHECK sat_status sat__row_shape(sat__row_writer *writer,
                                    const sat__table *table,
                                    uint8_t out[SAT_SHAPE_SIZE],
                                    sat_error *err);

/* Appends the content of a table's item, and of the schema's. */
void sat__shape_write(const sat__table *table, sat_buf *out);
SAT_CHECK sat_status sat__schema_write(sat_replica *replica, sat_buf *out,
                                       sat_error *err);

/* ---- names ---- */

/* The id that this item must have; SAT_ERR_CORRUPT where it names no birth. */
SAT_CHECK sat_status sat__item_name(const sat__item_keys *keys,
                                    const sat__item *item,
                                    uint8_t out[SAT_ITEM_ID_SIZE],
                                    sat_error *err);

/* The id of the item of a row, "row", or of its delta, "delta", by its birth.
 */
void sat__item_row_name(const sat__item_keys *keys, const char *word,
                        sat_bytes incarnation, int64_t n, int64_t ordinal,
                        uint8_t out[SAT_ITEM_ID_SIZE]);

/* Of a delta the id of the row that it changes; of a row that of its delta. */
SAT_CHECK sat_status sat__item_other_name(const sat__item_keys *keys,
                                          const sat__item *item,
                                          uint8_t out[SAT_ITEM_ID_SIZE],
                                          sat_error *err);

/* The item at `at` of a list of an item. */
SAT_CHECK sat_status sat__item_list_at(sat_bytes list, int64_t at,
                                       sat__cbor *out, sat_error *err);

/* The hash by which rows name the table that `body` lists. */
void sat__shape_hash(sat_bytes body, uint8_t out[SAT_SHAPE_SIZE]);

#endif /* SAT_SRC_ITEMS_ROW_H */
