/*
 * slot_decode.c - whatever decodes, encodes back to the same bytes, and asks
 * for no more work than is allowed
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/slot.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat_buf) again = SAT_BUF_INIT;
    sat__slot slot;
    if (sat__slot_decode(bytes_of(data, size), &slot, NULL) != SAT_OK)
        return 0;

    sat__slot_encode(&slot, &again);
    if (!bytes_equal(buf_view(&again), bytes_of(data, size)))
        abort();
    if (sat__kdf_cost_check(slot.kind, &slot.cost, NULL) != SAT_OK)
        abort();
    return 0;
}
