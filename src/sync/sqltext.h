/*
 * sqltext.h - finding one's way in the text of a CREATE statement
 *
 * No more than is needed to see which columns a constraint names, where no
 * pragma tells.
 */
#ifndef SAT_SRC_SYNC_SQLTEXT_H
#define SAT_SRC_SYNC_SQLTEXT_H

#include <stddef.h>

#include "base/arena.h"

/*
 * Walks the identifiers of an SQL text: the next one, of *len bytes, or NULL.
 * Strings and comments are passed over; quoted names count as names.
 */
const char *sat__sqltext_name(const char *sql, size_t *len);

/* Where the parenthesis that opens at `open` closes. */
const char *sat__sqltext_closing(const char *open);

/* The text of term `seqno` of an index, without its ASC or DESC; NULL where it
 * is not found. */
const char *sat__sqltext_term(sat__arena *arena, const char *sql, int seqno);

#endif /* SAT_SRC_SYNC_SQLTEXT_H */
