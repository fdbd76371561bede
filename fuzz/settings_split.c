/*
 * settings_split.c - what splits into leaves, composed again splits into the
 * same leaves
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "settings/leaves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = strndup((const char *)data, size);
    AUTO(sat__leaves) leaves = {.items = NULL};
    AUTO(sat__leaves) again = {.items = NULL};
    AUTO(sat_buf) composed = SAT_BUF_INIT;

    if (text == NULL ||
        sat__leaves_split(&leaves, "", text, SAT_SETTING_SYNCED, NULL) !=
            SAT_OK ||
        sat__leaves_settle(&leaves, NULL) != SAT_OK)
        return 0;
    sat__leaves_compose(&leaves, "", &composed);
    if (sat__leaves_split(&again, "", sat__buf_text(&composed),
                          SAT_SETTING_SYNCED, NULL) != SAT_OK ||
        sat__leaves_settle(&again, NULL) != SAT_OK ||
        again.count != leaves.count)
        abort();
    for (size_t i = 0; i < leaves.count; i++)
        if (strcmp(leaves.items[i].path, again.items[i].path) != 0 ||
            strcmp(leaves.items[i].value, again.items[i].value) != 0)
            abort();
    return 0;
}
