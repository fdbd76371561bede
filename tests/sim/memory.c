/*
 * memory.c - lists of free blocks, by size
 *
 *      | size | what was asked for …        sizes: 16, 32, 48, … 1024, then
 *        8 B    ^ the address given          2048, 4096, … 65536
 */
#include "memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sqlite.h"

#define HEADER 8
#define STEP 16
#define SMALL 1024
#define LARGEST 65536
#define SMALL_CLASSES (SMALL / STEP)
#define CLASSES (SMALL_CLASSES + 6)
#define SLAB ((size_t)1 << 20)

typedef struct free_block {
    struct free_block *next;
} free_block;

static free_block *lists[CLASSES];
static uint8_t *slab;
static size_t slab_left;

static int class_of(size_t size)
{
    if (size <= SMALL)
        return (int)((size + STEP - 1) / STEP) - 1;
    int c = SMALL_CLASSES;
    for (size_t fits = 2 * SMALL; fits < size; fits *= 2)
        c++;
    return c;
}

static size_t size_of(int c)
{
    return c < SMALL_CLASSES ? ((size_t)c + 1) * STEP
                             : (size_t)2 * SMALL << (c - SMALL_CLASSES);
}

static uint8_t *carve(size_t size)
{
    if (slab_left < size) {
        slab = malloc(SLAB);
        slab_left = slab != NULL ? SLAB : 0;
        if (slab == NULL)
            return NULL;
    }
    uint8_t *const out = slab;
    slab += size;
    slab_left -= size;
    return out;
}

static void *with_size(uint8_t *block, size_t size)
{
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    return block + HEADER;
}

static size_t recorded(const void *memory)
{
    size_t size;

    memcpy(&size, (const uint8_t *)memory - HEADER, sizeof size);
    return size;
}

static void *take(int wanted)
{
    const size_t size = wanted > 0 ? (size_t)wanted : 1;

    if (size > LARGEST)
        return with_size(malloc(HEADER + size), size);
    const int c = class_of(size);
    free_block *const block = lists[c];
    if (block == NULL)
        return with_size(carve(HEADER + size_of(c)), size_of(c));
    lists[c] = block->next;
    return block;
}

static void give(void *memory)
{
    const size_t size = recorded(memory);

    if (size > LARGEST) {
        free((uint8_t *)memory - HEADER);
        return;
    }
    free_block *const block = memory;
    const int c = class_of(size);
    block->next = lists[c];
    lists[c] = block;
}

static void *resize(void *memory, int wanted)
{
    const size_t size = recorded(memory);

    if ((size_t)wanted <= size && size <= LARGEST)
        return memory;
    void *const out = take(wanted);
    if (out == NULL)
        return NULL;
    memcpy(out, memory, size < (size_t)wanted ? size : (size_t)wanted);
    give(memory);
    return out;
}

static int usable(void *memory)
{
    return (int)recorded(memory);
}

static int round_up(int size)
{
    return size > 0 && size <= LARGEST ? (int)size_of(class_of((size_t)size))
                                       : size;
}

static int begin(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void end(void *context)
{
    (void)context;
}

/* The address sanitizer can only watch blocks that it gave itself. */
static bool is_watched(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
    return __has_feature(address_sanitizer);
#else
    return false;
#endif
}

void memory_install(void)
{
    static const sqlite3_mem_methods methods = {take,     give,  resize, usable,
                                                round_up, begin, end,    NULL};

    if (is_watched())
        return;
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    /* What is given back comes again at once. */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 30);
}
