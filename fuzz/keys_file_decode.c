/*
 * keys_file_decode.c - whatever decodes, encodes back to the same bytes
 */
#include <stdlib.h>

#include "fuzz.h"
#include "store/keys_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat_buf) again = SAT_BUF_INIT;
    AUTO(sat__keys_file) file = {.sealed = SAT_BUF_INIT};
    if (sat__keys_file_decode(bytes_of(data, size), &file, NULL) != SAT_OK)
        return 0;

    sat__keys_file_encode(&file, &again);
    if (!bytes_equal(buf_view(&again), bytes_of(data, size)))
        abort();
    return 0;
}
