/*
 * identity_decode.c - whatever decodes, encodes back to the same bytes
 */
#include <stdlib.h>

#include "crypto/identity.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_PTR(sat__identity) identity = NULL;
    AUTO(sat_buf) again = SAT_BUF_INIT;
    if (sat__identity_decode(bytes_of(data, size), &identity, NULL) != SAT_OK)
        return 0;

    sat__identity_encode(identity, &again);
    if (!bytes_equal(buf_view(&again), bytes_of(data, size)))
        abort();
    return 0;
}
