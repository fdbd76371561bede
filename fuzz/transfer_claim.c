/*
 * transfer_claim.c - no claim but an honest one is accepted, whatever its bytes
 */
#include <stdlib.h>

#include "fuzz.h"
#include "transfer/pairing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const sat__transfer_code code = {.hub = "http://127.0.0.1:7441"};
    static const sat__exchange_key key = {{1}};
    sat__transfer_receiver receiver;
    AUTO(sat__transfer_session) session;
    AUTO(sat__transfer_code) parsed;

    (void)!sat__transfer_code_parse(bytes_of(data, size), &parsed, NULL);
    (void)!sat__transfer_accept(&code, &key, bytes_of(data, size), &receiver,
                                &session, NULL);
    return 0;
}
