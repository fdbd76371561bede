/*
 * manifest_read.c - one backup, as it is found at a place
 */
#include "base/cbor.h"
#include "base/error.h"
#include "backup/manifest_form.h"

#define SETTINGS_MAX ((size_t)4 << 20)

static sat_status expect_array(sat__cbor *in, size_t expected, sat_error *err)
{
    size_t count;
    TRY(sat__cbor_array(in, expected, &count, err));
    if (count != expected)
        return sat__fail(err, SAT_ERR_CORRUPT, "%zu fields instead of %zu",
                         count, expected);
    return SAT_OK;
}

static sat_status read_format(sat__cbor *in, sat_error *err)
{
    uint64_t format;
    size_t count;
    TRY(sat__cbor_array(in, SIZE_MAX, &count, err));
    TRY(sat__cbor_uint(in, &format, err));
    if (format > MANIFEST_FORMAT)
        return sat__fail(err, SAT_ERR_VERSION,
                         "the backup has format %llu, of a newer satchel; "
                         "install that to restore it",
                         (unsigned long long)format);
    if (format != MANIFEST_FORMAT || count != MANIFEST_SIGNED_FIELDS)
        return sat__fail(err, SAT_ERR_CORRUPT, "no manifest of this format");
    return SAT_OK;
}

static sat_status read_slot(sat__cbor *in, sat__keys_entry *out, sat_error *err)
{
    sat_bytes slot;
    sat_bytes envelope;
    TRY(sat__cbor_bytes(in, &slot, err));
    TRY(sat__slot_decode(slot, &out->slot, err));
    TRY(sat__cbor_bytes(in, &envelope, err));
    out->has_envelope = envelope.len > 0;
    if (out->slot.kind != SAT_SLOT_PHRASE ||
        (out->has_envelope && envelope.len != sizeof out->envelope))
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the key slot is not a phrase's");
    if (out->has_envelope)
        memcpy(out->envelope, envelope.data, envelope.len);
    return SAT_OK;
}

static sat_status read_pack_names(sat__cbor *in, sat__manifest *out,
                                  sat_error *err)
{
    uint8_t name[SAT_SHA256_SIZE];
    size_t count;
    TRY(sat__cbor_array(in, SAT_BACKUP_PACKS_MAX, &count, err));
    out->packs = calloc(count + 1, sizeof *out->packs);
    if (out->packs == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a manifest");
    for (; out->pack_count < count; out->pack_count++) {
        sat__pack *const pack = &out->packs[out->pack_count];
        TRY(expect_array(in, 2, err));
        TRY(sat__cbor_fixed(in, name, sizeof name, err));
        TRY(sat__cbor_uint(in, &pack->size, err));
        if (pack->size > sat__stream_size(SAT_PACK_SIZE))
            return sat__fail(err, SAT_ERR_LIMIT, "a pack of %llu bytes",
                             (unsigned long long)pack->size);
        sat__hex_format(name, sizeof name, pack->name.text);
    }
    return SAT_OK;
}

static sat_status read_open(sat__cbor *in, sat__manifest *out, sat_error *err)
{
    sat__keys_file *const keys = &out->keys;
    TRY(read_format(in, err));
    TRY(sat__cbor_uint(in, &out->number, err));
    TRY(sat__cbor_uint(in, &out->created, err));
    TRY(sat__cbor_fixed(in, keys->device.sign, sizeof keys->device.sign, err));
    TRY(sat__cbor_fixed(in, keys->device.exchange, sizeof keys->device.exchange,
                        err));
    TRY(sat__cbor_uint(in, &keys->generation, err));
    TRY(read_slot(in, &keys->entries[0], err));
    keys->count = 1;
    return read_pack_names(in, out, err);
}

/* The device's key is needed to verify what it stands in. */
static sat_status find_signer(sat__cbor in, uint8_t out[SAT_SIGN_KEY_SIZE],
                              sat_error *err)
{
    uint64_t skipped;
    TRY(read_format(&in, err));
    TRY(sat__cbor_uint(&in, &skipped, err));
    TRY(sat__cbor_uint(&in, &skipped, err));
    return sat__cbor_fixed(&in, out, SAT_SIGN_KEY_SIZE, err);
}

static sat_status verify(sat__cbor *in, sat_bytes *body, sat_error *err)
{
    uint8_t signer[SAT_SIGN_KEY_SIZE];
    uint8_t signature[SAT_SIGNATURE_SIZE];
    TRY(expect_array(in, 3, err));
    TRY(sat__cbor_key(in, MANIFEST_TITLE, err));
    TRY(sat__cbor_bytes(in, body, err));
    TRY(sat__cbor_fixed(in, signature, sizeof signature, err));
    TRY(sat__cbor_done(in, err));
    TRY(find_signer(cbor_of(*body), signer, err));
    return sat__signature_verify(signer, SAT_PURPOSE_BACKUP_MANIFEST, *body,
                                 signature, err);
}

sat_status sat__manifest_read_open(sat_bytes body, sat__manifest *out,
                                   sat_error *err)
{
    sat__cbor in = cbor_of(body);
    sat_bytes sealed;
    TRY(read_open(&in, out, err));
    const sat_bytes open = bytes_of(body.data, (size_t)(in.at - body.data));
    TRY(sat__cbor_bytes(&in, &sealed, err));
    TRY(sat__cbor_done(&in, err));
    /* Kept together, since the one is bound to the other. */
    sat__cbor_put_bytes(&out->keys.sealed, open.data, open.len);
    sat__cbor_put_bytes(&out->keys.sealed, sealed.data, sealed.len);
    return sat__buf_status(&out->keys.sealed, err);
}

static sat_status decode(sat_bytes bytes, sat__manifest *out, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    sat_bytes body;
    TRY(verify(&in, &body, err));
    return sat__manifest_read_open(body, out, err);
}

sat_status sat__manifest_decode(sat_bytes bytes, sat__manifest *out,
                                sat_error *err)
{
    AUTO(sat__manifest) manifest = SAT_MANIFEST_INIT;
    const sat_status st = decode(bytes, &manifest, err);
    if (st == SAT_ERR_VERSION || st == SAT_ERR_NOMEM)
        return st;
    if (st != SAT_OK)
        return sat__fail(err, SAT_ERR_CORRUPT, "the manifest is damaged");
    manifest.size = bytes.len;
    *out = manifest;
    manifest = (sat__manifest)SAT_MANIFEST_INIT;
    return SAT_OK;
}

static sat_status read_text(sat__cbor *in, char *out, size_t size,
                            sat_error *err)
{
    sat_bytes text;
    TRY(sat__cbor_text(in, &text, err));
    if (text.len >= size || memchr(text.data, 0, text.len) != NULL)
        return sat__fail(err, SAT_ERR_CORRUPT, "a name of %zu bytes", text.len);
    memcpy(out, text.data, text.len);
    out[text.len] = 0;
    return SAT_OK;
}

static sat_status read_vaults(sat__cbor *in, sat__manifest *out, sat_error *err)
{
    size_t count;
    uint64_t pages;
    TRY(sat__cbor_array(in, SAT_VAULTS_MAX, &count, err));
    out->vaults = calloc(count + 1, sizeof *out->vaults);
    if (out->vaults == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a manifest");
    for (; out->vault_count < count; out->vault_count++) {
        sat__backup_vault *const vault = &out->vaults[out->vault_count];
        TRY(expect_array(in, 2, err));
        TRY(read_text(in, vault->name, sizeof vault->name, err));
        TRY(sat__vault_name_check(vault->name, err));
        TRY(sat__cbor_uint(in, &pages, err));
        if (pages == 0 || pages > UINT32_MAX ||
            (out->vault_count > 0 && strcmp(vault[-1].name, vault->name) >= 0))
            return sat__fail(err, SAT_ERR_CORRUPT, "vaults out of order");
        vault->pages = (uint32_t)pages;
    }
    return SAT_OK;
}

static sat_status read_packs(sat__cbor *in, sat__manifest *out, sat_error *err)
{
    uint64_t base;
    TRY(sat__cbor_uint(in, &base, err));
    TRY(expect_array(in, out->pack_count, err));
    if (base > out->pack_count)
        return sat__fail(err, SAT_ERR_CORRUPT, "a base of %llu packs",
                         (unsigned long long)base);
    out->base = (size_t)base;
    for (size_t i = 0; i < out->pack_count; i++) {
        sat__pack *const pack = &out->packs[i];
        TRY(expect_array(in, 2, err));
        TRY(sat__cbor_uint(in, &pack->ordinal, err));
        TRY(sat__cbor_fixed(in, pack->key.bytes, sizeof pack->key.bytes, err));
    }
    return SAT_OK;
}

static sat_status read_settings(sat__cbor *in, sat__manifest *out,
                                sat_error *err)
{
    sat_bytes settings;
    TRY(sat__cbor_text(in, &settings, err));
    if (settings.len > SETTINGS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "settings of %zu bytes",
                         settings.len);
    sat__buf_put(&out->settings, settings.data, settings.len);
    return sat__buf_status(&out->settings, err);
}

sat_status sat__manifest_read_sealed(sat__manifest *out, sat_bytes open,
                                     sat_bytes plain, sat_error *err)
{
    uint8_t sum[SAT_SHA256_SIZE];
    uint8_t expected[SAT_SHA256_SIZE];
    sat__cbor in = cbor_of(plain);
    TRY(expect_array(&in, MANIFEST_SEALED_FIELDS, err));
    TRY(sat__cbor_fixed(&in, out->home.chain, sizeof out->home.chain, err));
    TRY(sat__cbor_fixed(&in, out->home.device, sizeof out->home.device, err));
    TRY(read_text(&in, out->device_name, sizeof out->device_name, err));
    TRY(sat__cbor_fixed(&in, out->secret_key.bytes,
                        sizeof out->secret_key.bytes, err));
    TRY(read_settings(&in, out, err));
    TRY(read_vaults(&in, out, err));
    TRY(sat__cbor_uint(&in, &out->files, err));
    TRY(sat__cbor_uint(&in, &out->missing, err));
    TRY(sat__cbor_uint(&in, &out->content, err));
    TRY(read_packs(&in, out, err));
    manifest_checksum(open, bytes_of(plain.data, (size_t)(in.at - plain.data)),
                      expected);
    TRY(sat__cbor_fixed(&in, sum, sizeof sum, err));
    if (memcmp(sum, expected, sizeof sum) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "the checksum is wrong");
    return sat__cbor_done(&in, err);
}

sat_status sat__manifest_unseal(sat__manifest *manifest,
                                const sat__master_key *master, sat_error *err)
{
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    AUTO(sat__seal_key) key = {{0}};
    uint8_t digest[SAT_SHA256_SIZE];
    sat_bytes open;
    sat_bytes sealed;
    sat__cbor in = cbor_of(buf_view(&manifest->keys.sealed));
    TRY(sat__cbor_bytes(&in, &open, err));
    TRY(sat__cbor_bytes(&in, &sealed, err));
    sat__sha256(open, digest);
    const sat__seal_context context = manifest_context(manifest, digest);
    master_key_derive(master, SAT_LABEL_BACKUP_MANIFEST, &key);
    TRY(sat__unseal_committed(&key, &context, sealed, &plain, err));
    return sat__manifest_read_sealed(manifest, open, buf_view(&plain), err);
}

sat_status sat__manifest_get(const sat__place *place,
                             const sat__blob_name *name, sat__manifest *out,
                             sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    uint8_t digest[SAT_SHA256_SIZE];
    sat__blob_name actual;
    uint64_t size;
    TRY(place->calls->open(place->self, SAT__PLACE_MANIFEST, name, &size, err));
    if (size > SAT_MANIFEST_SIZE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a manifest of %llu bytes",
                         (unsigned long long)size);
    if (!sat__buf_reserve(&bytes, (size_t)size + 1))
        return sat__buf_status(&bytes, err);
    TRY(place->calls->read(place->self, bytes.data, (size_t)size, err));
    bytes.len = (size_t)size;
    sat__sha256(buf_view(&bytes), digest);
    sat__hex_format(digest, sizeof digest, actual.text);
    if (strcmp(actual.text, name->text) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "the manifest is damaged");
    TRY(sat__manifest_decode(buf_view(&bytes), out, err));
    out->name = *name;
    return SAT_OK;
}
