/*
 * word.c - words, sealed against strangers
 */
#include "hub/word.h"

#include "base/cbor.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#define VERSION 1
#define PARTS 6

void hub_word_encode(const hub_word *word, const uint8_t key[32], sat_buf *out)
{
    AUTO(sat_buf) text = SAT_BUF_INIT;
    uint8_t mark[32];

    sat__cbor_put_array(&text, PARTS);
    sat__cbor_put_uint(&text, VERSION);
    sat__cbor_put_uint(&text, word->kind);
    sat__cbor_put_bytes(&text, word->skip, sizeof word->skip);
    sat__cbor_put_bytes(&text, word->accounts.data, word->accounts.len);
    sat__cbor_put_bytes(&text, word->json.data, word->json.len);
    sat__cbor_put_bytes(&text, word->cbor.data, word->cbor.len);
    sat__hmac(SAT_SHA256, bytes_of(key, 32), buf_view(&text), mark);
    sat__buf_put(out, mark, sizeof mark);
    sat__buf_put(out, text.data, text.len);
    out->failed |= text.failed;
}

static sat_status fail_word(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CORRUPT, "this is no word of a hub");
}

sat_status hub_word_decode(sat_bytes data, const uint8_t key[32], hub_word *out,
                           sat_error *err)
{
    hub_word word;
    uint64_t version, kind;
    uint8_t mark[32];

    if (data.len < sizeof mark)
        return fail_word(err);
    const sat_bytes text =
        bytes_of(data.data + sizeof mark, data.len - sizeof mark);
    sat__hmac(SAT_SHA256, bytes_of(key, 32), text, mark);
    if (!sat__equal_secret(mark, data.data, sizeof mark))
        return sat__fail(err, SAT_ERR_AUTH, "the word is of no node");
    sat__cbor in = cbor_of(text);
    size_t count;
    TRY(sat__cbor_array(&in, PARTS, &count, err));
    TRY(sat__cbor_uint(&in, &version, err));
    TRY(sat__cbor_uint(&in, &kind, err));
    TRY(sat__cbor_fixed(&in, word.skip, sizeof word.skip, err));
    TRY(sat__cbor_bytes(&in, &word.accounts, err));
    TRY(sat__cbor_bytes(&in, &word.json, err));
    TRY(sat__cbor_bytes(&in, &word.cbor, err));
    TRY(sat__cbor_done(&in, err));
    if (count != PARTS || version != VERSION || kind > HUB_WORD_CHECK ||
        word.accounts.len % 32 != 0)
        return fail_word(err);
    word.kind = (hub_word_kind)kind;
    *out = word;
    return SAT_OK;
}
