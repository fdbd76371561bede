/*
 * secrets.c - what the master key seals in keys.cbor
 */
#include "store/secrets.h"

#include <stdio.h>

#include "base/cbor.h"
#include "base/error.h"
#include "crypto/labels.h"

sat_status sat__secrets_new(sat__secrets **out, sat_error *err)
{
    *out = sat__secret_new(sizeof **out);
    if (*out == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for keys");
    return SAT_OK;
}

void sat__secrets_free(sat__secrets *secrets)
{
    if (secrets != NULL)
        sat__identity_free(secrets->identity);
    sat__secret_free(secrets);
}

sat_status sat__vault_name_check(const char *name, sat_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    const size_t len = strlen(name);
    if (len == 0 || len > SAT_VAULT_NAME_MAX || strspn(name, allowed) != len ||
        name[0] == '-' || name[0] == '_')
        return sat__fail(err, SAT_ERR_INVALID,
                         "a vault's name is 1 to %d of a-z, 0-9, - and _, and "
                         "begins with a letter or a digit",
                         SAT_VAULT_NAME_MAX);
    return SAT_OK;
}

static void encode(const sat__secrets *secrets, sat_buf *out)
{
    AUTO(sat_buf) identity = SAT_BUF_INIT;
    sat__identity_encode(secrets->identity, &identity);
    out->failed |= identity.failed;
    sat__cbor_put_array(out, 8);
    sat__cbor_put_bytes(out, identity.data, identity.len);
    sat__cbor_put_bytes(out, secrets->secret_key.bytes,
                        sizeof secrets->secret_key.bytes);
    sat__cbor_put_array(out, secrets->count);
    for (size_t i = 0; i < secrets->count; i++) {
        const sat__vault_entry *const vault = &secrets->vaults[i];
        sat__cbor_put_array(out, 4);
        sat__cbor_put_str(out, vault->name);
        sat__cbor_put_str(out, vault->former);
        sat__cbor_put_bytes(out, vault->key.bytes, sizeof vault->key.bytes);
        sat__cbor_put_bytes(out, vault->next.bytes,
                            vault->has_next ? sizeof vault->next.bytes : 0);
    }
    sat__cbor_put_array(out, secrets->ties.count);
    for (size_t i = 0; i < secrets->ties.count; i++) {
        const sat__slot_tie *const tie = &secrets->ties.list[i];
        sat__cbor_put_array(out, 2);
        sat__cbor_put_bytes(out, tie->slot, sizeof tie->slot);
        sat__cbor_put_bytes(out, tie->key.bytes, sizeof tie->key.bytes);
    }
    sat__cbor_put_bytes(out, secrets->password.sign,
                        sizeof secrets->password.sign);
    sat__cbor_put_bytes(out, secrets->password.exchange,
                        sizeof secrets->password.exchange);
    sat__id_put(&secrets->seen.account, out);
    sat__cbor_put_array(out, secrets->seen.count);
    for (size_t i = 0; i < secrets->seen.count; i++)
        sat__id_put(&secrets->seen.tips[i], out);
}

static sat__seal_context context_of(const sat__keys_file *file)
{
    return (sat__seal_context){
        .purpose = SAT_PURPOSE_DEVICE_SECRETS,
        .version = file->generation,
        .device = bytes_of(file->device.sign, sizeof file->device.sign)};
}

sat_status sat__secrets_seal(const sat__secrets *secrets, const sat_env *env,
                             sat__keys_file *file, sat_error *err)
{
    const sat__seal_context context = context_of(file);
    AUTO(sat__seal_key) key = {{0}};
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    encode(secrets, &plain);
    TRY(sat__buf_status(&plain, err));
    master_key_derive(&secrets->master, SAT_LABEL_DEVICE_SECRETS, &key);
    sat__buf_clear(&file->sealed);
    return sat__seal(env, &key, &context, buf_view(&plain), &file->sealed, err);
}

static sat_status read_name(sat__cbor *in, char out[SAT_VAULT_NAME_MAX + 1],
                            sat_error *err)
{
    sat_bytes text;
    TRY(sat__cbor_text(in, &text, err));
    if (text.len > SAT_VAULT_NAME_MAX)
        return sat__fail(err, SAT_ERR_CORRUPT, "a name of %zu bytes", text.len);
    memcpy(out, text.data, text.len);
    out[text.len] = 0;
    return out[0] == 0 ? SAT_OK : sat__vault_name_check(out, err);
}

static sat_status read_vault(sat__cbor *in, sat__vault_entry *out,
                             sat_error *err)
{
    size_t count;
    sat_bytes next;
    TRY(sat__cbor_array(in, 4, &count, err));
    TRY(read_name(in, out->name, err));
    TRY(read_name(in, out->former, err));
    TRY(sat__cbor_fixed(in, out->key.bytes, sizeof out->key.bytes, err));
    TRY(sat__cbor_bytes(in, &next, err));
    if (next.len != 0 && next.len != sizeof out->next.bytes)
        return sat__fail(err, SAT_ERR_CORRUPT, "a key of %zu bytes", next.len);
    out->has_next = next.len > 0;
    if (out->has_next)
        memcpy(out->next.bytes, next.data, next.len);
    return SAT_OK;
}

static sat_status read_ties(sat__cbor *in, sat__slot_ties *out, sat_error *err)
{
    TRY(sat__cbor_array(in, SAT_KEYS_FILE_SLOTS_MAX, &out->count, err));
    for (size_t i = 0; i < out->count; i++) {
        size_t count;
        TRY(sat__cbor_array(in, 2, &count, err));
        TRY(sat__cbor_fixed(in, out->list[i].slot, sizeof out->list[i].slot,
                            err));
        TRY(sat__cbor_fixed(in, out->list[i].key.bytes,
                            sizeof out->list[i].key.bytes, err));
    }
    return SAT_OK;
}

/* An identity that is there already may be lent; it stays. */
static sat_status read_identity(sat__cbor *in, const sat__principal *device,
                                sat__identity **out, sat_error *err)
{
    AUTO_PTR(sat__identity) identity = NULL;
    sat_bytes bytes;
    TRY(sat__cbor_bytes(in, &bytes, err));
    TRY(sat__identity_decode(bytes, &identity, err));
    if (memcmp(sat__identity_principal(identity), device, sizeof *device) != 0)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the device's keys are another device's");
    if (*out == NULL)
        *out = TAKE(identity);
    return SAT_OK;
}

static sat_status decode(sat__cbor *in, const sat__principal *device,
                         sat__secrets *secrets, sat_error *err)
{
    size_t count;
    TRY(sat__cbor_array(in, 8, &count, err));
    TRY(read_identity(in, device, &secrets->identity, err));
    TRY(sat__cbor_fixed(in, secrets->secret_key.bytes,
                        sizeof secrets->secret_key.bytes, err));
    TRY(sat__cbor_array(in, SAT_VAULTS_MAX, &secrets->count, err));
    for (size_t i = 0; i < secrets->count; i++)
        TRY(read_vault(in, &secrets->vaults[i], err));
    TRY(read_ties(in, &secrets->ties, err));
    TRY(sat__cbor_fixed(in, secrets->password.sign,
                        sizeof secrets->password.sign, err));
    TRY(sat__cbor_fixed(in, secrets->password.exchange,
                        sizeof secrets->password.exchange, err));
    secrets->seen = (sat__chain_seen){.count = 0};
    TRY(sat__id_get(in, &secrets->seen.account, err));
    TRY(sat__cbor_array(in, SAT_LINK_PARENTS_MAX, &secrets->seen.count, err));
    for (size_t i = 0; i < secrets->seen.count; i++)
        TRY(sat__id_get(in, &secrets->seen.tips[i], err));
    return sat__cbor_done(in, err);
}

sat_status sat__secrets_unseal(sat__secrets *secrets,
                               const sat__keys_file *file, sat_error *err)
{
    const sat__seal_context context = context_of(file);
    AUTO(sat__seal_key) key = {{0}};
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    master_key_derive(&secrets->master, SAT_LABEL_DEVICE_SECRETS, &key);
    const sat_status st =
        sat__unseal(&key, &context, buf_view(&file->sealed), &plain, err);
    if (st == SAT_ERR_AUTH)
        return sat__fail(err, SAT_ERR_CORRUPT,
                         "the device's keys do not belong to its slots");
    TRY(st);
    sat__cbor in = cbor_of(buf_view(&plain));
    return decode(&in, &file->device, secrets, err);
}

sat__vault_entry *sat__secrets_find(sat__secrets *secrets, const char *name)
{
    for (size_t i = 0; i < secrets->count; i++)
        if (strcmp(secrets->vaults[i].name, name) == 0)
            return &secrets->vaults[i];
    return NULL;
}

sat_status sat__secrets_add(sat__secrets *secrets, const sat_env *env,
                            const char *name, sat_error *err)
{
    size_t at = 0;
    if (secrets->count == SAT_VAULTS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a profile has at most %d vaults",
                         SAT_VAULTS_MAX);
    while (at < secrets->count && strcmp(secrets->vaults[at].name, name) < 0)
        at++;
    sat__vault_entry *const vault = &secrets->vaults[at];
    memmove(vault + 1, vault, (secrets->count - at) * sizeof *vault);
    *vault = (sat__vault_entry){.former = ""};
    (void)snprintf(vault->name, sizeof vault->name, "%s", name);
    sat__database_key_generate(env, &vault->key);
    secrets->count++;
    return SAT_OK;
}

void sat__secrets_remove(sat__secrets *secrets, const char *name)
{
    sat__vault_entry *const vault = sat__secrets_find(secrets, name);
    if (vault == NULL)
        return;
    sat__vault_entry *const end = secrets->vaults + secrets->count;
    memmove(vault, vault + 1, (size_t)(end - vault - 1) * sizeof *vault);
    secrets->count--;
    sat__wipe(end - 1, sizeof *vault);
}
