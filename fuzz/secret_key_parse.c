/*
 * secret_key_parse.c - whatever parses, prints to what parses to the same key
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret_key.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat__secret_key) key;
    AUTO(sat__secret_key) again;
    AUTO_FREE char *typed = strndup((const char *)data, size);
    char printed[SAT_SECRET_KEY_TEXT_SIZE];
    if (typed == NULL || sat__secret_key_parse(typed, &key, NULL) != SAT_OK)
        return 0;

    sat__secret_key_format(&key, printed);
    if (sat__secret_key_parse(printed, &again, NULL) != SAT_OK ||
        memcmp(&key, &again, sizeof key) != 0)
        abort();
    return 0;
}
