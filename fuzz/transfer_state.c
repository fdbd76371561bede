/*
 * transfer_state.c - what reads as a transfer's state was written so
 *
 * A mark that decodes encodes to the same head; records decode to nothing, or
 * encode back to the same bytes.
 */
#include <stdlib.h>

#include "base/error.h"
#include "fuzz.h"
#include "transfer/folder.h"
#include "transfer/record.h"

static void check_send(sat_bytes bytes)
{
    AUTO(sat__send_record) record = {.claim = SAT_BUF_INIT};
    AUTO(sat_buf) again = SAT_BUF_INIT;

    if (sat__send_record_decode(bytes, &record, NULL) != SAT_OK)
        return;
    sat__send_record_encode(&record, &again);
    if (!bytes_equal(bytes, buf_view(&again)))
        abort();
}

static void check_receive(sat_bytes bytes)
{
    AUTO(sat__receive_record)
    record = {.claim = SAT_BUF_INIT, .release = SAT_BUF_INIT};
    AUTO(sat_buf) again = SAT_BUF_INIT;

    if (sat__receive_record_decode(bytes, &record, NULL) != SAT_OK)
        return;
    if (sat__receive_record_encode(&record, &again, NULL) != SAT_OK ||
        !bytes_equal(bytes, buf_view(&again)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sat__seal_key key = {{1}};
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    sat__transfer_mark mark;
    sat_bytes sealed;

    check_send(bytes_of(data, size));
    check_receive(bytes_of(data, size));
    if (sat__transfer_mark_decode(bytes_of(data, size), &mark, &sealed, NULL) ==
            SAT_OK &&
        sat__transfer_mark_unseal(&mark, &key, sealed, &plain, NULL) ==
            SAT_OK &&
        mark.role != SAT_TRANSFER_SENDER && mark.role != SAT_TRANSFER_RECEIVER)
        abort();
    return 0;
}
