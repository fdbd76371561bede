/*
 * arena.c - blocks in a list; the newest is filled from the front
 */
#include "base/arena.h"

#define BLOCK_SIZE ((size_t)32 << 10)

struct sat__arena_block {
    sat__arena_block *older;
    size_t size;
    max_align_t data[];
};

static bool add_block(sat__arena *arena, size_t least)
{
    const size_t size = least > BLOCK_SIZE ? least : BLOCK_SIZE;
    sat__arena_block *const block = malloc(sizeof *block + size);
    if (block == NULL)
        return false;
    block->older = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->used = 0;
    return true;
}

void *sat__arena_alloc(sat__arena *arena, size_t size)
{
    const size_t align = sizeof(max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + align - 1) / align * align;
    if (arena->blocks == NULL || arena->blocks->size - arena->used < size)
        if (!add_block(arena, size))
            return NULL;
    void *const memory = (uint8_t *)arena->blocks->data + arena->used;
    arena->used += size;
    return memset(memory, 0, size);
}

void *sat__arena_copy(sat__arena *arena, const void *data, size_t len)
{
    void *const copy = sat__arena_alloc(arena, len);
    if (copy != NULL && len > 0)
        memcpy(copy, data, len);
    return copy;
}

char *sat__arena_text(sat__arena *arena, const char *text, size_t len)
{
    char *const copy = sat__arena_alloc(arena, len + 1);
    if (copy != NULL && len > 0)
        memcpy(copy, text, len);
    return copy;
}

static void free_older(sat__arena_block *block)
{
    while (block != NULL) {
        sat__arena_block *const older = block->older;
        free(block);
        block = older;
    }
}

void sat__arena_reset(sat__arena *arena)
{
    if (arena->blocks == NULL)
        return;
    free_older(arena->blocks->older);
    arena->blocks->older = NULL;
    arena->used = 0;
}

void sat__arena_clear(sat__arena *arena)
{
    free_older(arena->blocks);
    *arena = (sat__arena){NULL, 0};
}
