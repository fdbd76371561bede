/*
 * session.c - states by name, waiting, and what is released
 */
#include "transfer/session.h"

#include <time.h>

#include "base/cbor.h"
#include "base/error.h"

#define VERSION 1

const char *sat_transfer_state_name(sat_transfer_state state)
{
    static const char *const names[] = {
        "LocalOnly",   "CreatingBackup", "Uploading",   "BackupStored",
        "QRDisplayed", "Transferring",   "Downloading", "Decrypting",
        "Importing",   "Expired",        "Done"};

    return (size_t)state < sizeof names / sizeof names[0] ? names[state] : "";
}

sat_status sat__transfer_options(const sat_transfer_options *given,
                                 sat_transfer_options *out, sat_error *err)
{
    *out = (sat_transfer_options)SAT_TRANSFER_INIT;
    if (given->size > sizeof *out)
        return sat__fail(err, SAT_ERR_VERSION, "options of a newer version");
    memcpy(out, given, given->size);
    return SAT_OK;
}

sat_status sat__transfer_tell(const sat_transfer_options *options,
                              const sat_transfer_news *news, sat_error *err)
{
    return options->news == NULL ? SAT_OK
                                 : options->news(options->context, news, err);
}

sat_status sat__transfer_wait(const sat_transfer_options *options,
                              sat_error *err)
{
    const struct timespec moment = {0, SAT_TRANSFER_POLL_MS * 1000000L};

    if (options->stop != NULL && options->stop(options->context))
        return sat__fail(err, SAT_ERR_STOPPED, "the transfer was given up");
    (void)nanosleep(&moment, NULL);
    return SAT_OK;
}

void sat__transfer_gift_encode(const sat__file_key *key, sat_bytes handover,
                               sat_buf *out)
{
    sat__cbor_put_array(out, 3);
    sat__cbor_put_uint(out, VERSION);
    sat__cbor_put_bytes(out, key->bytes, sizeof key->bytes);
    sat__cbor_put_bytes(out, handover.data, handover.len);
}

sat_status sat__transfer_gift_decode(sat_bytes bytes, sat__file_key *key,
                                     sat_bytes *handover, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    size_t count;
    uint64_t version;

    TRY(sat__cbor_array(&in, 16, &count, err));
    TRY(sat__cbor_uint(&in, &version, err));
    if (version != VERSION || count != 3)
        return sat__fail(err, SAT_ERR_VERSION,
                         "the old device runs a newer satchel; update this "
                         "one first");
    TRY(sat__cbor_fixed(&in, key->bytes, sizeof key->bytes, err));
    TRY(sat__cbor_bytes(&in, handover, err));
    return sat__cbor_done(&in, err);
}
