/*
 * rowtext.h - rows as JSON, for people
 */
#ifndef SAT_SRC_SYNC_ROWTEXT_H
#define SAT_SRC_SYNC_ROWTEXT_H

#include "sync/row.h"

/* An object of what the row shows, by column. */
void sat__row_to_json(sat_replica *replica, const sat__row *row, sat_buf *out);

/* The primary key: a value, or an array where it has several columns. */
void sat__row_key_to_json(sat_replica *replica, const sat__row *row,
                          sat_buf *out);

#endif /* SAT_SRC_SYNC_ROWTEXT_H */
