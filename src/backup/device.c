/*
 * device.c - a new device, from the phrase or from what another one grants
 */
#include "backup/device.h"

#include "base/cbor.h"
#include "base/error.h"

#define VERSION 1

void sat__handover_wipe(sat__handover *handover)
{
    sat__wipe(handover, sizeof *handover);
}

/* The entry of the phrase, which every profile has. */
static const sat__keys_entry *phrase_entry(const sat__keys_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        if (file->entries[i].slot.kind == SAT_SLOT_PHRASE)
            return &file->entries[i];
    return NULL;
}

static void hash_slot(const sat__slot *slot, uint8_t out[SAT_SHA256_SIZE])
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;

    sat__slot_encode(slot, &bytes);
    sat__sha256(buf_view(&bytes), out);
}

sat_status sat__handover_of(const sat_profile *profile, sat__handover *out,
                            sat_error *err)
{
    const sat__keys_entry *entry = phrase_entry(&profile->keys);
    uint8_t hash[SAT_SHA256_SIZE];

    TRY(sat__profile_require(profile, err));
    *out = (sat__handover){.master = profile->secrets->master};
    if (entry == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the profile has no slot of a recovery phrase");
    memcpy(out->owner, entry->slot.principal.sign, sizeof out->owner);
    hash_slot(&entry->slot, hash);
    const sat__slot_ties *const ties = &profile->secrets->ties;
    for (size_t i = 0; i < ties->count; i++) {
        if (memcmp(ties->list[i].slot, hash, sizeof hash) != 0)
            continue;
        out->tie = ties->list[i];
        return SAT_OK;
    }
    return sat__fail(err, SAT_ERR_CORRUPT,
                     "the profile's slot of the recovery phrase was put there "
                     "by somebody else");
}

void sat__handover_encode(const sat__handover *handover, sat_buf *out)
{
    sat__cbor_put_array(out, 5);
    sat__cbor_put_uint(out, VERSION);
    sat__cbor_put_bytes(out, handover->master.bytes,
                        sizeof handover->master.bytes);
    sat__cbor_put_bytes(out, handover->owner, sizeof handover->owner);
    sat__cbor_put_bytes(out, handover->tie.slot, sizeof handover->tie.slot);
    sat__cbor_put_bytes(out, handover->tie.key.bytes,
                        sizeof handover->tie.key.bytes);
}

static sat_status decode(sat__cbor *in, sat__handover *out, sat_error *err)
{
    size_t count;
    uint64_t version;

    TRY(sat__cbor_array(in, 16, &count, err));
    TRY(sat__cbor_uint(in, &version, err));
    if (version != VERSION || count != 5)
        return sat__fail(err, SAT_ERR_VERSION,
                         "the other device runs a newer satchel; update this "
                         "one first");
    TRY(sat__cbor_fixed(in, out->master.bytes, sizeof out->master.bytes, err));
    TRY(sat__cbor_fixed(in, out->owner, sizeof out->owner, err));
    TRY(sat__cbor_fixed(in, out->tie.slot, sizeof out->tie.slot, err));
    TRY(sat__cbor_fixed(in, out->tie.key.bytes, sizeof out->tie.key.bytes,
                        err));
    return sat__cbor_done(in, err);
}

sat_status sat__handover_decode(sat_bytes bytes, sat__handover *out,
                                sat_error *err)
{
    sat__cbor in = cbor_of(bytes);

    *out = (sat__handover){0};
    const sat_status st = decode(&in, out, err);
    if (st != SAT_OK)
        sat__handover_wipe(out);
    return st;
}

/* The phrase goes on opening what it opened. */
static sat_status put_phrase(const sat__new_device *device, sat_profile *made,
                             sat_error *err)
{
    if (device->handover == NULL)
        return sat__keys_file_put(&made->keys, device->env, device->phrase,
                                  device->master, &made->secrets->ties, err);

    const sat__keys_entry *const entry = phrase_entry(&device->manifest->keys);
    uint8_t hash[SAT_SHA256_SIZE];

    if (entry == NULL)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the backup has no slot of a recovery phrase");
    hash_slot(&entry->slot, hash);
    if (memcmp(hash, device->handover->tie.slot, sizeof hash) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the backup has another slot of the recovery phrase "
                         "than the device that made it");
    made->keys.entries[made->keys.count++] = *entry;
    made->secrets->ties.list[made->secrets->ties.count++] =
        device->handover->tie;
    return SAT_OK;
}

static sat_status take_identity(const sat__new_device *device,
                                sat_profile *made, sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;

    if (device->handover == NULL)
        return sat__identity_generate(device->env, &made->secrets->identity,
                                      err);
    sat__identity_encode(device->handover->identity, &bytes);
    TRY(sat__buf_status(&bytes, err));
    return sat__identity_decode(buf_view(&bytes), &made->secrets->identity,
                                err);
}

static sat_status put_password(const sat__new_device *device, sat_profile *made,
                               sat_error *err)
{
    static const sat__kdf_cost cost = SAT_KDF_COST_ARGON2ID;
    const char *const password = device->password;
    AUTO(sat__root) root = {0};

    sat__secret_key_generate(device->env, &made->keys.salt);
    TRY(sat__root_of_password(&cost, bytes_of(password, strlen(password)),
                              &made->keys.salt, &root, err));
    TRY(sat__profile_name_password(made, &cost, password, err));
    return sat__keys_file_put(&made->keys, device->env, &root, device->master,
                              &made->secrets->ties, err);
}

sat_status sat__backup_device(const sat__new_device *device, sat_profile **out,
                              sat_error *err)
{
    AUTO_PTR(sat_profile) made = calloc(1, sizeof *made);

    if (made == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a profile");
    made->env = device->env;
    if (device->password == NULL)
        return sat__fail(err, SAT_ERR_LOCKED,
                         "the restored profile needs a password");
    TRY(sat__secrets_new(&made->secrets, err));
    TRY(take_identity(device, made, err));
    made->secrets->master = *device->master;
    made->secrets->secret_key = device->manifest->secret_key;
    made->keys.generation = device->manifest->keys.generation;
    made->keys.device = *sat__identity_principal(made->secrets->identity);
    TRY(put_password(device, made, err));
    TRY(put_phrase(device, made, err));
    *out = TAKE(made);
    return SAT_OK;
}
