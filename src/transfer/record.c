/*
 * record.c - records of a transfer as CBOR
 */
#include "transfer/record.h"

#include "base/cbor.h"
#include "base/error.h"

static sat_status fail_form(sat_error *err)
{
    return sat__fail(err, SAT_ERR_CORRUPT,
                     "the state of the transfer is not of the known form");
}

static sat_status take_buf(sat__cbor *in, sat_buf *out, sat_error *err)
{
    sat_bytes bytes;

    TRY(sat__cbor_bytes(in, &bytes, err));
    sat__buf_put(out, bytes.data, bytes.len);
    return sat__buf_status(out, err);
}

static sat_status take_text(sat__cbor *in, char *out, size_t size,
                            sat_error *err)
{
    sat_bytes text;

    TRY(sat__cbor_text(in, &text, err));
    if (text.len >= size || memchr(text.data, 0, text.len) != NULL)
        return fail_form(err);
    memcpy(out, text.data, text.len);
    out[text.len] = 0;
    return SAT_OK;
}

static void put_blob(const sat__transfer_blob *blob, sat_buf *out)
{
    sat__cbor_put_uint(out, blob->size);
    sat__cbor_put_bytes(out, blob->sha256, sizeof blob->sha256);
}

static sat_status take_blob(sat__cbor *in, sat__transfer_blob *out,
                            sat_error *err)
{
    TRY(sat__cbor_uint(in, &out->size, err));
    return sat__cbor_fixed(in, out->sha256, sizeof out->sha256, err);
}

static void put_code(const sat__transfer_code *code, sat_buf *out)
{
    sat__cbor_put_str(out, code->hub);
    sat__cbor_put_bytes(out, code->token, sizeof code->token);
    sat__cbor_put_bytes(out, code->exchange, sizeof code->exchange);
    sat__cbor_put_bytes(out, code->secret, sizeof code->secret);
}

static sat_status take_code(sat__cbor *in, sat__transfer_code *out,
                            sat_error *err)
{
    TRY(take_text(in, out->hub, sizeof out->hub, err));
    TRY(sat__cbor_fixed(in, out->token, sizeof out->token, err));
    TRY(sat__cbor_fixed(in, out->exchange, sizeof out->exchange, err));
    return sat__cbor_fixed(in, out->secret, sizeof out->secret, err);
}

/* ---- the old device ---- */

void sat__send_record_wipe(sat__send_record *record)
{
    sat__buf_clear(&record->claim);
    sat__wipe(record, sizeof *record);
}

static void put_shown(const sat__shown_code *shown, sat_buf *out)
{
    sat__cbor_put_bool(out, shown->is_there);
    put_code(&shown->code, out);
    sat__cbor_put_bytes(out, shown->key.bytes, sizeof shown->key.bytes);
}

static sat_status take_shown(sat__cbor *in, sat__shown_code *out,
                             sat_error *err)
{
    TRY(sat__cbor_bool(in, &out->is_there, err));
    TRY(take_code(in, &out->code, err));
    return sat__cbor_fixed(in, out->key.bytes, sizeof out->key.bytes, err);
}

#define SEND_FIELDS 23

void sat__send_record_encode(const sat__send_record *record, sat_buf *out)
{
    sat__cbor_put_array(out, SEND_FIELDS);
    sat__cbor_put_bytes(out, record->blob_key.bytes,
                        sizeof record->blob_key.bytes);
    put_blob(&record->blob, out);
    put_shown(&record->now, out);
    put_shown(&record->before, out);
    sat__cbor_put_bool(out, record->is_renewing);
    sat__cbor_put_uint(out, record->shown_until);
    sat__cbor_put_bool(out, record->is_offered);
    sat__cbor_put_bytes(out, record->offer.id, sizeof record->offer.id);
    sat__cbor_put_uint(out, record->offer.expires_at);
    sat__cbor_put_bool(out, record->is_tried);
    sat__cbor_put_bool(out, record->is_right);
    sat__cbor_put_bytes(out, record->claim.data, record->claim.len);
}

static sat_status take_send(sat__cbor *in, sat__send_record *out,
                            sat_error *err)
{
    size_t count;

    TRY(sat__cbor_array(in, SEND_FIELDS, &count, err));
    if (count != SEND_FIELDS)
        return fail_form(err);
    TRY(sat__cbor_fixed(in, out->blob_key.bytes, sizeof out->blob_key.bytes,
                        err));
    TRY(take_blob(in, &out->blob, err));
    TRY(take_shown(in, &out->now, err));
    TRY(take_shown(in, &out->before, err));
    TRY(sat__cbor_bool(in, &out->is_renewing, err));
    TRY(sat__cbor_uint(in, &out->shown_until, err));
    TRY(sat__cbor_bool(in, &out->is_offered, err));
    TRY(sat__cbor_fixed(in, out->offer.id, sizeof out->offer.id, err));
    TRY(sat__cbor_uint(in, &out->offer.expires_at, err));
    TRY(sat__cbor_bool(in, &out->is_tried, err));
    TRY(sat__cbor_bool(in, &out->is_right, err));
    TRY(take_buf(in, &out->claim, err));
    return sat__cbor_done(in, err);
}

sat_status sat__send_record_decode(sat_bytes bytes, sat__send_record *out,
                                   sat_error *err)
{
    sat__cbor in = cbor_of(bytes);

    *out = (sat__send_record){.claim = SAT_BUF_INIT};
    const sat_status st = take_send(&in, out, err);
    if (st != SAT_OK)
        sat__send_record_wipe(out);
    return st;
}

/* ---- the new device ---- */

void sat__receive_record_wipe(sat__receive_record *record)
{
    sat__identity_free(record->identity);
    sat__buf_clear(&record->claim);
    sat__buf_clear(&record->release);
    sat__wipe(record, sizeof *record);
}

#define RECEIVE_FIELDS 14

sat_status sat__receive_record_encode(const sat__receive_record *record,
                                      sat_buf *out, sat_error *err)
{
    AUTO(sat_buf) identity = SAT_BUF_INIT;
    const sat__transfer_session *const session = &record->session;

    sat__identity_encode(record->identity, &identity);
    TRY(sat__buf_status(&identity, err));
    sat__cbor_put_array(out, RECEIVE_FIELDS);
    put_code(&record->code, out);
    sat__cbor_put_bytes(out, identity.data, identity.len);
    sat__cbor_put_str(out, record->name);
    sat__cbor_put_bool(out, record->is_replacing);
    sat__cbor_put_bytes(out, record->claim.data, record->claim.len);
    sat__cbor_put_bytes(out, session->key.bytes, sizeof session->key.bytes);
    sat__cbor_put_bytes(out, session->transcript, sizeof session->transcript);
    sat__cbor_put_str(out, session->digits);
    put_blob(&record->blob, out);
    sat__cbor_put_bytes(out, record->release.data, record->release.len);
    return sat__buf_status(out, err);
}

static sat_status take_receive(sat__cbor *in, sat__receive_record *out,
                               sat_error *err)
{
    sat__transfer_session *const session = &out->session;
    sat_bytes identity;
    size_t count;

    TRY(sat__cbor_array(in, RECEIVE_FIELDS, &count, err));
    if (count != RECEIVE_FIELDS)
        return fail_form(err);
    TRY(take_code(in, &out->code, err));
    TRY(sat__cbor_bytes(in, &identity, err));
    TRY(sat__identity_decode(identity, &out->identity, err));
    TRY(take_text(in, out->name, sizeof out->name, err));
    TRY(sat__cbor_bool(in, &out->is_replacing, err));
    TRY(take_buf(in, &out->claim, err));
    TRY(sat__cbor_fixed(in, session->key.bytes, sizeof session->key.bytes,
                        err));
    TRY(sat__cbor_fixed(in, session->transcript, sizeof session->transcript,
                        err));
    TRY(take_text(in, session->digits, sizeof session->digits, err));
    TRY(take_blob(in, &out->blob, err));
    TRY(take_buf(in, &out->release, err));
    return sat__cbor_done(in, err);
}

sat_status sat__receive_record_decode(sat_bytes bytes, sat__receive_record *out,
                                      sat_error *err)
{
    sat__cbor in = cbor_of(bytes);

    *out =
        (sat__receive_record){.claim = SAT_BUF_INIT, .release = SAT_BUF_INIT};
    const sat_status st = take_receive(&in, out, err);
    if (st != SAT_OK)
        sat__receive_record_wipe(out);
    return st;
}
