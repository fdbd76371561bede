/*
 * word_decode.c - a word between nodes that decodes encodes back to its bytes
 */
#include <stdlib.h>

#include "crypto/hash.h"
#include "fuzz.h"
#include "hub/word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = {1};
    AUTO(sat_buf) marked = SAT_BUF_INIT, again = SAT_BUF_INIT;
    uint8_t mark[32];
    hub_word word;

    (void)!hub_word_decode(bytes_of(data, size), key, &word, NULL);
    /* As if a node had said it. */
    sat__hmac(SAT_SHA256, bytes_of(key, 32), bytes_of(data, size), mark);
    sat__buf_put(&marked, mark, sizeof mark);
    sat__buf_put(&marked, data, size);
    if (hub_word_decode(buf_view(&marked), key, &word, NULL) != SAT_OK)
        return 0;
    hub_word_encode(&word, key, &again);
    if (!bytes_equal(buf_view(&marked), buf_view(&again)))
        abort();
    return 0;
}
