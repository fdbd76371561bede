/*
 * keys_file.c - keys.cbor, read and written
 */
#include "store/keys_file.h"

#include <inttypes.h>

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/labels.h"

#define FORMAT 3
#define FIELDS 7

void sat__keys_file_clear(sat__keys_file *file)
{
    sat__buf_clear(&file->sealed);
    file->count = 0;
}

static void put_entry(const sat__keys_entry *entry, sat_buf *out)
{
    AUTO(sat_buf) slot = SAT_BUF_INIT;
    sat__slot_encode(&entry->slot, &slot);
    out->failed |= slot.failed;
    sat__cbor_put_array(out, 2);
    sat__cbor_put_bytes(out, slot.data, slot.len);
    sat__cbor_put_bytes(out, entry->envelope,
                        entry->has_envelope ? sizeof entry->envelope : 0);
}

void sat__keys_file_encode(const sat__keys_file *file, sat_buf *out)
{
    sat__cbor_put_array(out, FIELDS);
    sat__cbor_put_uint(out, FORMAT);
    sat__cbor_put_bytes(out, file->device.sign, sizeof file->device.sign);
    sat__cbor_put_bytes(out, file->device.exchange,
                        sizeof file->device.exchange);
    sat__cbor_put_bytes(out, file->salt.bytes, sizeof file->salt.bytes);
    sat__cbor_put_uint(out, file->generation);
    sat__cbor_put_array(out, file->count);
    for (size_t i = 0; i < file->count; i++)
        put_entry(&file->entries[i], out);
    sat__cbor_put_bytes(out, file->sealed.data, file->sealed.len);
}

static sat_status read_entry(sat__cbor *in, sat__keys_entry *out,
                             sat_error *err)
{
    sat_bytes slot;
    sat_bytes envelope;
    size_t count;
    TRY(sat__cbor_array(in, 2, &count, err));
    if (count != 2)
        return sat__fail(err, SAT_ERR_CORRUPT, "a key slot of %zu parts",
                         count);
    TRY(sat__cbor_bytes(in, &slot, err));
    TRY(sat__slot_decode(slot, &out->slot, err));
    TRY(sat__cbor_bytes(in, &envelope, err));
    if (envelope.len != 0 && envelope.len != sizeof out->envelope)
        return sat__fail(err, SAT_ERR_CORRUPT, "an envelope of %zu bytes",
                         envelope.len);
    out->has_envelope = envelope.len > 0;
    if (out->has_envelope)
        memcpy(out->envelope, envelope.data, envelope.len);
    return SAT_OK;
}

static sat_status read_format(sat__cbor *in, sat_error *err)
{
    size_t count;
    uint64_t format;
    TRY(sat__cbor_array(in, SIZE_MAX, &count, err));
    TRY(sat__cbor_uint(in, &format, err));
    if (format > FORMAT)
        return sat__fail(err, SAT_ERR_VERSION,
                         "format %" PRIu64 " of a newer satchel; this one "
                         "knows formats up to %d",
                         format, FORMAT);
    if (format < FORMAT && format > 0)
        return sat__fail(err, SAT_ERR_VERSION,
                         "format %" PRIu64 " of an earlier satchel, which this "
                         "one does not read; make the profile anew",
                         format);
    if (format != FORMAT || count != FIELDS)
        return sat__fail(err, SAT_ERR_CORRUPT, "%zu fields of format %" PRIu64,
                         count, format);
    return SAT_OK;
}

static sat_status decode(sat__cbor *in, sat__keys_file *out, sat_error *err)
{
    sat_bytes sealed;
    TRY(read_format(in, err));
    TRY(sat__cbor_fixed(in, out->device.sign, sizeof out->device.sign, err));
    TRY(sat__cbor_fixed(in, out->device.exchange, sizeof out->device.exchange,
                        err));
    TRY(sat__cbor_fixed(in, out->salt.bytes, sizeof out->salt.bytes, err));
    TRY(sat__cbor_uint(in, &out->generation, err));
    TRY(sat__cbor_array(in, SAT_KEYS_FILE_SLOTS_MAX, &out->count, err));
    for (size_t i = 0; i < out->count; i++)
        TRY(read_entry(in, &out->entries[i], err));
    TRY(sat__cbor_bytes(in, &sealed, err));
    TRY(sat__cbor_done(in, err));
    sat__buf_put(&out->sealed, sealed.data, sealed.len);
    return sat__buf_status(&out->sealed, err);
}

sat_status sat__keys_file_decode(sat_bytes bytes, sat__keys_file *out,
                                 sat_error *err)
{
    AUTO(sat__keys_file) file = {.sealed = SAT_BUF_INIT};
    sat__cbor in = cbor_of(bytes);
    TRY(decode(&in, &file, err));
    *out = file;
    file.sealed = (sat_buf)SAT_BUF_INIT;
    return SAT_OK;
}

static void slot_hash(const sat__slot *slot, uint8_t out[SAT_SHA256_SIZE])
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    sat__slot_encode(slot, &bytes);
    sat__sha256(buf_view(&bytes), out);
}

/* The envelope is for one principal, one generation, one device's file, and the
 * slot that holds the master key behind `tie`. */
static sat__seal_context envelope_context(const sat__keys_file *file,
                                          const sat__seal_key *tie)
{
    return (sat__seal_context){
        .purpose = SAT_PURPOSE_MASTER_KEY,
        .object = bytes_of(tie->bytes, sizeof tie->bytes),
        .version = file->generation,
        .device = bytes_of(file->device.sign, sizeof file->device.sign)};
}

static sat_status open_envelope(const sat__keys_file *file,
                                const sat__keys_entry *entry,
                                const sat__root *root, sat__master_key *master,
                                sat_error *err)
{
    AUTO(sat__seal_key) tie = {{0}};
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    AUTO_PTR(sat__identity) identity = NULL;
    master_key_derive(master, SAT_LABEL_SLOT_TIE, &tie);
    const sat__seal_context context = envelope_context(file, &tie);
    TRY(sat__root_identity(root, &identity, err));
    TRY(sat__envelope_unseal(identity, &context,
                             bytes_of(entry->envelope, sizeof entry->envelope),
                             &plain, err));
    if (plain.len != sizeof master->bytes)
        return sat__fail(err, SAT_ERR_CORRUPT, "a master key of %zu bytes",
                         plain.len);
    memcpy(master->bytes, plain.data, plain.len);
    return SAT_OK;
}

static sat_status open_entry(const sat__keys_file *file,
                             const sat__keys_entry *entry,
                             const sat__root *root, sat__master_key *out,
                             sat_error *err)
{
    AUTO(sat__master_key) master = {{0}};
    TRY(sat__slot_open(&entry->slot, root, &master, err));
    if (entry->has_envelope)
        TRY(open_envelope(file, entry, root, &master, err));
    *out = master;
    return SAT_OK;
}

sat_status sat__keys_file_open(const sat__keys_file *file,
                               const sat__root *root, sat__master_key *out,
                               sat_error *err)
{
    sat_status st = SAT_ERR_AUTH;
    for (size_t i = 0; i < file->count && st == SAT_ERR_AUTH; i++)
        if (file->entries[i].slot.kind == root->kind)
            st = open_entry(file, &file->entries[i], root, out, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, SAT_ERR_AUTH, "no key slot opens with it");
    return st;
}

const sat__slot *sat__keys_file_slot(const sat__keys_file *file,
                                     sat__slot_kind kind)
{
    for (size_t i = 0; i < file->count; i++)
        if (file->entries[i].slot.kind == kind)
            return &file->entries[i].slot;
    return NULL;
}

void sat__keys_file_remove(sat__keys_file *file, sat__slot_kind kind)
{
    size_t kept = 0;
    for (size_t i = 0; i < file->count; i++)
        if (file->entries[i].slot.kind != kind)
            file->entries[kept++] = file->entries[i];
    file->count = kept;
}

static const sat__slot_tie *find_tie(const sat__slot_ties *ties,
                                     const sat__slot *slot)
{
    uint8_t hash[SAT_SHA256_SIZE];
    slot_hash(slot, hash);
    for (size_t i = 0; i < ties->count; i++)
        if (memcmp(ties->list[i].slot, hash, sizeof hash) == 0)
            return &ties->list[i];
    return NULL;
}

static const sat__keys_entry *find_entry(const sat__keys_file *file,
                                         const sat__slot_tie *tie)
{
    uint8_t hash[SAT_SHA256_SIZE];
    for (size_t i = 0; i < file->count; i++) {
        slot_hash(&file->entries[i].slot, hash);
        if (memcmp(tie->slot, hash, sizeof hash) == 0)
            return &file->entries[i];
    }
    return NULL;
}

/* Ties the slot, and forgets those whose slots are gone. */
static void tie_slot(const sat__keys_file *file, const sat__slot *slot,
                     const sat__master_key *master, sat__slot_ties *ties)
{
    size_t kept = 0;
    for (size_t i = 0; i < ties->count; i++)
        if (find_entry(file, &ties->list[i]) != NULL)
            ties->list[kept++] = ties->list[i];
    slot_hash(slot, ties->list[kept].slot);
    master_key_derive(master, SAT_LABEL_SLOT_TIE, &ties->list[kept].key);
    ties->count = kept + 1;
}

sat_status sat__keys_file_take(sat__keys_file *file, const sat__slot *slot,
                               const sat__master_key *master,
                               sat__slot_ties *ties, sat_error *err)
{
    sat__keys_file_remove(file, slot->kind);
    if (file->count == SAT_KEYS_FILE_SLOTS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "no room for another key slot");
    file->entries[file->count++] =
        (sat__keys_entry){.slot = *slot, .has_envelope = false};
    tie_slot(file, slot, master, ties);
    return SAT_OK;
}

sat_status sat__keys_file_put(sat__keys_file *file, const sat_env *env,
                              const sat__root *root,
                              const sat__master_key *master,
                              sat__slot_ties *ties, sat_error *err)
{
    sat__slot slot;
    TRY(sat__slot_seal(env, root, master, file->generation, &slot, err));
    return sat__keys_file_take(file, &slot, master, ties, err);
}

static sat_status address(const sat__keys_file *file, const sat_env *env,
                          const sat__master_key *master,
                          const sat__slot_tie *tie, sat__keys_entry *entry,
                          sat_error *err)
{
    const sat__seal_context context = envelope_context(file, &tie->key);
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    TRY(sat__envelope_seal(env, &entry->slot.principal, &context,
                           bytes_of(master->bytes, sizeof master->bytes),
                           &sealed, err));
    memcpy(entry->envelope, sealed.data, sizeof entry->envelope);
    entry->has_envelope = true;
    return SAT_OK;
}

sat_status sat__keys_file_renew(sat__keys_file *file, const sat_env *env,
                                const sat__master_key *master,
                                const sat__slot_ties *ties, sat_error *err)
{
    size_t kept = 0;
    sat__keys_file_remove(file, SAT_SLOT_KEYCHAIN);
    file->generation++;
    for (size_t i = 0; i < file->count; i++) {
        const sat__slot_tie *const tie = find_tie(ties, &file->entries[i].slot);
        if (tie == NULL)
            continue;
        file->entries[kept] = file->entries[i];
        TRY(address(file, env, master, tie, &file->entries[kept], err));
        kept++;
    }
    file->count = kept;
    return SAT_OK;
}
