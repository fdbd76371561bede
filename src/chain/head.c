/*
 * head.c - the signed head of a vault's items
 */
#include "chain/head.h"

#include "base/error.h"
#include "crypto/labels.h"

#define FORMAT 1
#define FIELDS 10

static void put_head(const sat__head *head, sat_buf *out)
{
    sat__cbor_put_array(out, FIELDS);
    sat__cbor_put_uint(out, FORMAT);
    sat__id_put(&head->vault, out);
    sat__cbor_put_uint(out, head->sequence);
    sat__id_put(&head->previous, out);
    sat__cbor_put_array(out, head->link_count);
    for (size_t i = 0; i < head->link_count; i++)
        sat__id_put(&head->links[i], out);
    sat__id_put(&head->device, out);
    sat__cbor_put_uint(out, head->n);
    sat__cbor_put_bytes(out, head->set, sizeof head->set);
    sat__cbor_put_uint(out, head->time_ms);
    sat__cbor_put_bytes(out, head->knowledge.data, head->knowledge.len);
}

sat_status sat__head_sign(const sat__head *head, const sat__identity *signer,
                          sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    uint8_t signature[SAT_SIGNATURE_SIZE];

    put_head(head, &bytes);
    TRY(sat__buf_status(&bytes, err));
    if (head->knowledge.len > SAT_HEAD_KNOWLEDGE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "a head with %zu bytes of knowledge",
                         head->knowledge.len);
    TRY(sat__identity_sign(signer, SAT_PURPOSE_HEAD, buf_view(&bytes),
                           signature, err));
    sat__cbor_put_array(out, 2);
    sat__cbor_put_bytes(out, bytes.data, bytes.len);
    sat__cbor_put_bytes(out, signature, sizeof signature);
    return sat__buf_status(out, err);
}

static sat_status split(sat_bytes moved, sat_bytes *bytes, sat_bytes *signature,
                        sat_error *err)
{
    sat__cbor in = cbor_of(moved);

    if (moved.len > SAT_HEAD_MOVED_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a head of %zu bytes", moved.len);
    TRY(sat__array_of(&in, 2, err));
    TRY(sat__cbor_bytes(&in, bytes, err));
    TRY(sat__cbor_bytes(&in, signature, err));
    TRY(sat__cbor_done(&in, err));
    if (signature->len != SAT_SIGNATURE_SIZE)
        return sat__fail(err, SAT_ERR_CORRUPT, "a head is not signed");
    return SAT_OK;
}

static sat_status read_links(sat__cbor *in, sat__head *out, sat_error *err)
{
    TRY(sat__cbor_array(in, SAT_LINK_PARENTS_MAX, &out->link_count, err));
    for (size_t i = 0; i < out->link_count; i++) {
        TRY(sat__id_get(in, &out->links[i], err));
        if (i > 0 && memcmp(out->links[i - 1].bytes, out->links[i].bytes,
                            sizeof(sat__id)) >= 0)
            return sat__fail(err, SAT_ERR_CORRUPT,
                             "the links of a head are out of order");
    }
    if (out->link_count == 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "a head that names no link");
    return SAT_OK;
}

static sat_status read_head(sat_bytes bytes, sat__head *out, sat_error *err)
{
    sat__cbor in = cbor_of(bytes);
    sat__head head = {.link_count = 0};
    uint64_t format;

    TRY(sat__array_of(&in, FIELDS, err));
    TRY(sat__cbor_uint(&in, &format, err));
    if (format != FORMAT)
        return sat__fail(err, SAT_ERR_VERSION,
                         "a head of format %llu; a newer satchel wrote it",
                         (unsigned long long)format);
    TRY(sat__id_get(&in, &head.vault, err));
    TRY(sat__cbor_uint(&in, &head.sequence, err));
    TRY(sat__id_get(&in, &head.previous, err));
    TRY(read_links(&in, &head, err));
    TRY(sat__id_get(&in, &head.device, err));
    TRY(sat__cbor_uint(&in, &head.n, err));
    TRY(sat__cbor_fixed(&in, head.set, sizeof head.set, err));
    TRY(sat__cbor_uint(&in, &head.time_ms, err));
    TRY(sat__cbor_bytes(&in, &head.knowledge, err));
    TRY(sat__cbor_done(&in, err));
    if (head.sequence == 0 || head.n == 0)
        return sat__fail(err, SAT_ERR_CORRUPT, "a head that counts from 0");
    if (head.knowledge.len > SAT_HEAD_KNOWLEDGE_MAX)
        return sat__fail(err, SAT_ERR_LIMIT,
                         "a head with %zu bytes of knowledge",
                         head.knowledge.len);
    *out = head;
    return SAT_OK;
}

sat_status sat__head_open(sat_bytes moved, const uint8_t key[SAT_SIGN_KEY_SIZE],
                          sat__head *out, sat_error *err)
{
    sat_bytes bytes, signature;
    sat__head head;
    sat__id id;

    TRY(split(moved, &bytes, &signature, err));
    TRY(read_head(bytes, &head, err));
    sat__device_id(key, id.bytes);
    if (!id_equal(&id, &head.device) ||
        sat__signature_verify(key, SAT_PURPOSE_HEAD, bytes, signature.data,
                              NULL) != SAT_OK)
        return sat__fail(err, SAT_ERR_AUTH,
                         "a head is not signed by the device it names");
    *out = head;
    return SAT_OK;
}

sat_status sat__head_verify(sat_bytes moved, sat__chain *vault, sat__head *out,
                            sat_error *err)
{
    const sat__vault_state *const state = sat__vault_state_of(vault);
    sat_bytes bytes, signature;
    sat__head head;

    TRY(split(moved, &bytes, &signature, err));
    TRY(read_head(bytes, &head, err));
    if (state == NULL || !id_equal(&head.vault, &state->id))
        return sat__fail(err, SAT_ERR_AUTH, "a head is of another vault");
    const sat__vault_principal *const writer =
        sat__vault_principal_find(state, &head.device);
    if (writer == NULL ||
        sat__vault_role_of(state, &head.device) < SAT_ROLE_WRITE)
        return sat__fail(err, SAT_ERR_DENIED,
                         "a head is of a device that may not write here");
    for (size_t i = 0; i < head.link_count; i++)
        if (!sat__chain_has(vault, &head.links[i]))
            return sat__fail(err, SAT_ERR_NOT_FOUND,
                             "a head names a link of the vault that is not "
                             "here yet; get its chain first");
    return sat__head_open(moved, writer->who.keys.sign, out, err);
}

sat_status sat__head_hash(sat_bytes moved, sat__id *out, sat_error *err)
{
    sat_bytes bytes, signature;

    TRY(split(moved, &bytes, &signature, err));
    sat__link_hash(bytes, out);
    return SAT_OK;
}

sat_status sat__head_follows(const sat__head *next, const sat__head *before,
                             const sat__id *before_hash, sat_error *err)
{
    static const sat__id none;

    if (!id_equal(&next->previous, before == NULL ? &none : before_hash) ||
        (before != NULL && (!id_equal(&next->vault, &before->vault) ||
                            next->sequence <= before->sequence)))
        return sat__fail(err, SAT_ERR_CONFLICT,
                         "a head does not follow the one before it");
    return SAT_OK;
}
