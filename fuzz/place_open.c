/*
 * place_open.c - a file that says it holds backups
 *
 * What it lists can be read to its end, whatever is in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "backup/place.h"
#include "fuzz.h"

static sat_status read_object(const sat__place_object *object, void *context,
                              sat_error *err)
{
    const sat__place *const place = context;
    uint8_t byte;
    uint64_t size;
    (void)err;
    const sat_status st = place->calls->open(place->self, SAT__PLACE_PACK,
                                             &object->name, &size, NULL);
    if (st != SAT_OK)
        abort();
    for (uint64_t i = 0; i < size && i < 4096; i++)
        if (place->calls->read(place->self, &byte, 1, NULL) != SAT_OK)
            abort();
    return SAT_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat__place) place = {.calls = NULL};
    AUTO_FD int fd = memfd_create("place", MFD_CLOEXEC);
    char path[64];
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (sat__place_open_file(path, sat_env_system(), SAT__PLACE_READ, &place,
                             NULL) != SAT_OK)
        return 0;
    if (place.calls->list(place.self, SAT__PLACE_PACK, read_object, &place,
                          NULL) != SAT_OK)
        abort();
    const sat_status st = place.calls->check(place.self, NULL);
    if (st != SAT_OK && st != SAT_ERR_CORRUPT)
        abort();
    return 0;
}
