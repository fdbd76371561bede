/*
 * session.c - states by name, waiting, moving, and what is released
 */
#include "transfer/session.h"

#include <time.h>

#include "base/cbor.h"
#include "base/error.h"

#define VERSION 1
#define STEP_MS 100u
#define PAUSE_MS ((uint64_t)250)

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

sat_status sat__transfer_check(const sat_transfer_options *options,
                               const sat__transfer_folder *folder,
                               sat_error *err)
{
    if (sat__transfer_folder_is_cancelled(folder))
        return sat__fail(err, SAT_ERR_STOPPED, "the transfer was cancelled");
    if (options->stop != NULL && options->stop(options->context))
        return sat__fail(err, SAT_ERR_STOPPED,
                         "stopped; the same command goes on with it, and "
                         "'satchel transfer cancel' ends it");
    return SAT_OK;
}

sat_status sat__transfer_wait(const sat_transfer_options *options,
                              const sat__transfer_folder *folder, uint64_t ms,
                              sat_error *err)
{
    while (ms > 0) {
        const uint64_t step = ms < STEP_MS ? ms : STEP_MS;
        const struct timespec moment = {0, (long)step * 1000000L};
        TRY(sat__transfer_check(options, folder, err));
        (void)nanosleep(&moment, NULL);
        ms -= step;
    }
    return sat__transfer_check(options, folder, err);
}

uint64_t sat__transfer_pause(const sat_env *env, unsigned tries)
{
    const uint64_t longest = PAUSE_MS << (tries < 7 ? tries : 7);
    uint8_t byte;

    env->random(env->context, &byte, 1);
    return longest / 2 + longest * byte / 512;
}

static int go_on(uint64_t done, uint64_t total, void *context)
{
    const sat__transfer_mover *const mover = context;

    (void)done;
    (void)total;
    return sat__transfer_check(mover->options, mover->folder, NULL) == SAT_OK;
}

static bool is_over(void *context)
{
    return go_on(0, 0, context) == 0;
}

sat_status sat__transfer_mover_init(const char *hub,
                                    const sat_transfer_options *options,
                                    const sat__transfer_folder *folder,
                                    sat__transfer_mover *out, sat_error *err)
{
    *out = (sat__transfer_mover){.options = options, .folder = folder};
    out->fetch.own.stop = is_over;
    out->fetch.own.stop_context = out;
    out->fetch.progress = go_on;
    out->fetch.context = out;
    return sat__url_parse(hub, &out->fetch.own.url, err);
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
