/*
 * manifest.c - one backup, written
 *
 * The sealed part is bound to everything before it, and ends with a checksum of
 * itself and of the names of all packs: what it closes over is the whole
 * backup.
 */
#include "backup/manifest_form.h"

#include <stdio.h>

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/labels.h"

void sat__manifest_clear(sat__manifest *manifest)
{
    for (size_t i = 0; i < manifest->pack_count; i++)
        sat__file_key_wipe(&manifest->packs[i].key);
    free(manifest->packs);
    free(manifest->vaults);
    sat__buf_clear(&manifest->settings);
    sat__keys_file_clear(&manifest->keys);
    sat__secret_key_wipe(&manifest->secret_key);
    *manifest = (sat__manifest)SAT_MANIFEST_INIT;
}

uint64_t sat__manifest_total(const sat__manifest *manifest)
{
    uint64_t total = manifest->size;
    for (size_t i = 0; i < manifest->pack_count; i++)
        total += manifest->packs[i].size;
    return total;
}

static int by_name(const void *left, const void *right)
{
    const sat__backup_vault *const vault = right;
    return strcmp(left, vault->name);
}

const sat__backup_vault *sat__manifest_vault(const sat__manifest *manifest,
                                             const char *name)
{
    return manifest->vault_count == 0
               ? NULL
               : bsearch(name, manifest->vaults, manifest->vault_count,
                         sizeof *manifest->vaults, by_name);
}

static void put_name(sat_buf *out, const sat__blob_name *name)
{
    uint8_t bytes[SAT_SHA256_SIZE];
    if (sat__hex_parse(name->text, bytes, sizeof bytes, NULL) != SAT_OK)
        out->failed = true;
    else
        sat__cbor_put_bytes(out, bytes, sizeof bytes);
}

static void put_slot(sat_buf *out, const sat__keys_entry *entry)
{
    AUTO(sat_buf) slot = SAT_BUF_INIT;
    sat__slot_encode(&entry->slot, &slot);
    out->failed |= slot.failed;
    sat__cbor_put_bytes(out, slot.data, slot.len);
    sat__cbor_put_bytes(out, entry->envelope,
                        entry->has_envelope ? sizeof entry->envelope : 0);
}

/* All that is in the open. */
static void put_open(const sat__manifest *from, sat_buf *out)
{
    const sat__keys_file *const keys = &from->keys;
    sat__cbor_put_array(out, MANIFEST_SIGNED_FIELDS);
    sat__cbor_put_uint(out, MANIFEST_FORMAT);
    sat__cbor_put_uint(out, from->number);
    sat__cbor_put_uint(out, from->created);
    sat__cbor_put_bytes(out, keys->device.sign, sizeof keys->device.sign);
    sat__cbor_put_bytes(out, keys->device.exchange,
                        sizeof keys->device.exchange);
    sat__cbor_put_uint(out, keys->generation);
    put_slot(out, &keys->entries[0]);
    sat__cbor_put_array(out, from->pack_count);
    for (size_t i = 0; i < from->pack_count; i++) {
        sat__cbor_put_array(out, 2);
        put_name(out, &from->packs[i].name);
        sat__cbor_put_uint(out, from->packs[i].size);
    }
}

static void put_packs(const sat__manifest *from, sat_buf *out)
{
    sat__cbor_put_array(out, from->pack_count);
    for (size_t i = 0; i < from->pack_count; i++) {
        sat__cbor_put_array(out, 2);
        sat__cbor_put_uint(out, from->packs[i].ordinal);
        sat__cbor_put_bytes(out, from->packs[i].key.bytes,
                            sizeof from->packs[i].key.bytes);
    }
}

static void put_vaults(const sat__manifest *from, sat_buf *out)
{
    sat__cbor_put_array(out, from->vault_count);
    for (size_t i = 0; i < from->vault_count; i++) {
        sat__cbor_put_array(out, 2);
        sat__cbor_put_str(out, from->vaults[i].name);
        sat__cbor_put_uint(out, from->vaults[i].pages);
    }
}

static void put_sealed(const sat__manifest *from, sat_bytes open, sat_buf *out)
{
    uint8_t sum[SAT_SHA256_SIZE];
    sat__cbor_put_array(out, MANIFEST_SEALED_FIELDS);
    sat__cbor_put_bytes(out, from->home.chain, sizeof from->home.chain);
    sat__cbor_put_bytes(out, from->home.device, sizeof from->home.device);
    sat__cbor_put_str(out, from->device_name);
    sat__cbor_put_bytes(out, from->secret_key.bytes,
                        sizeof from->secret_key.bytes);
    sat__cbor_put_text(out, (const char *)from->settings.data,
                       from->settings.len);
    put_vaults(from, out);
    sat__cbor_put_uint(out, from->files);
    sat__cbor_put_uint(out, from->missing);
    sat__cbor_put_uint(out, from->content);
    sat__cbor_put_uint(out, from->base);
    put_packs(from, out);
    manifest_checksum(open, buf_view(out), sum);
    sat__cbor_put_bytes(out, sum, sizeof sum);
}

static sat_status seal_body(const sat__manifest *manifest, const sat_env *env,
                            const sat__master_key *master, sat_bytes open,
                            sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    AUTO(sat__seal_key) key = {{0}};
    uint8_t digest[SAT_SHA256_SIZE];
    sat__sha256(open, digest);
    const sat__seal_context context = manifest_context(manifest, digest);
    put_sealed(manifest, open, &plain);
    TRY(sat__buf_status(&plain, err));
    master_key_derive(master, SAT_LABEL_BACKUP_MANIFEST, &key);
    return sat__seal_committed(env, &key, &context, buf_view(&plain), out, err);
}

sat_status sat__manifest_encode(const sat__manifest *manifest,
                                const sat_env *env,
                                const sat__master_key *master,
                                const sat__identity *device, sat_buf *out,
                                sat_error *err)
{
    AUTO(sat_buf) body = SAT_BUF_INIT;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    uint8_t signature[SAT_SIGNATURE_SIZE];
    put_open(manifest, &body);
    TRY(sat__buf_status(&body, err));
    TRY(seal_body(manifest, env, master, buf_view(&body), &sealed, err));
    sat__cbor_put_bytes(&body, sealed.data, sealed.len);
    TRY(sat__buf_status(&body, err));
    TRY(sat__identity_sign(device, SAT_PURPOSE_BACKUP_MANIFEST, buf_view(&body),
                           signature, err));
    sat__cbor_put_array(out, 3);
    sat__cbor_put_str(out, MANIFEST_TITLE);
    sat__cbor_put_bytes(out, body.data, body.len);
    sat__cbor_put_bytes(out, signature, sizeof signature);
    return sat__buf_status(out, err);
}

sat_status sat__manifest_put(sat__manifest *manifest, const sat_env *env,
                             const sat__master_key *master,
                             const sat__identity *device, sat__place *place,
                             sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    TRY(sat__manifest_encode(manifest, env, master, device, &bytes, err));
    TRY(place->calls->begin(place->self, SAT__PLACE_MANIFEST, err));
    sat_status st = place->calls->write(place->self, buf_view(&bytes), err);
    if (st == SAT_OK)
        st = place->calls->commit(place->self, &manifest->name, err);
    if (st != SAT_OK)
        place->calls->abandon(place->self);
    manifest->size = bytes.len;
    return st;
}
