/*
 * phrase_parse.c - whatever parses has one spelling, which parses to itself
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/phrase.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat__phrase) phrase;
    AUTO(sat__phrase) again;
    if (sat__phrase_parse(bytes_of(data, size), &phrase, NULL) != SAT_OK)
        return 0;

    const sat_bytes text = bytes_of(phrase.text, strlen(phrase.text));
    if (sat__phrase_parse(text, &again, NULL) != SAT_OK ||
        strcmp(phrase.text, again.text) != 0 || phrase.words != again.words)
        abort();
    return 0;
}
