/*
 * hub_list_read.c - the list of an account's backups, as a hub might send it
 *
 * Whatever is taken can go into a request as it is: keys and names are digits.
 */
#include <stdlib.h>
#include <string.h>

#include "backup/hub_list.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    AUTO(sat__hub_list) list = {.count = 0};
    if (sat__hub_list_read(bytes_of(data, size), &list, NULL) != SAT_OK)
        return 0;
    for (size_t i = 0; i < list.count; i++) {
        const sat__hub_object *const at = &list.objects[i];
        if (strspn(at->key, digits) != SAT_HUB_KEY_SIZE - 1 ||
            strspn(at->object.name.text, digits) != 2 * SAT_SHA256_SIZE ||
            sat__hub_list_find(&list, at->kind, &at->object.name) == NULL)
            abort();
    }
    return 0;
}
