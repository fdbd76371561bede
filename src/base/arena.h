/*
 * arena.h - memory that is given back all at once
 *
 * What one step of work needs is taken piece by piece and leaves together, so
 * that nothing inside has an owner of its own.
 */
#ifndef SAT_SRC_BASE_ARENA_H
#define SAT_SRC_BASE_ARENA_H

#include "base/buf.h"

typedef struct sat__arena_block sat__arena_block;

typedef struct sat__arena {
    sat__arena_block *blocks; /* newest first */
    size_t used;              /* of the newest */
} sat__arena;

/* Zeroed memory, aligned for anything; NULL where memory is refused. */
void *sat__arena_alloc(sat__arena *arena, size_t size);
void *sat__arena_copy(sat__arena *arena, const void *data, size_t len);

/* A copy of `text`, ended by a NUL. */
char *sat__arena_text(sat__arena *arena, const char *text, size_t len);

/* Gives everything back but keeps one block for the next step. */
void sat__arena_reset(sat__arena *arena);
void sat__arena_clear(sat__arena *arena);

DEFINE_AUTO(sat__arena, sat__arena_clear);

#endif /* SAT_SRC_BASE_ARENA_H */
