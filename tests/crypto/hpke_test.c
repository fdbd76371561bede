/*
 * hpke_test.c - RFC 9180 as others understand it, and envelopes on top of it
 */
#include "crypto/hpke.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "crypto/aead.h"
#include "crypto/envelope.h"
#include "test_env.h"
#include "vectors.h"

static void check_schedule(const json_t *row)
{
    AUTO(sat_buf) secret = vectors_bytes(row, "skEm");
    AUTO(sat_buf) enc = vectors_bytes(row, "pkEm");
    AUTO(sat_buf) recipient = vectors_bytes(row, "pkRm");
    AUTO(sat_buf) info = vectors_bytes(row, "info");
    AUTO(sat_buf) expected = vectors_bytes(row, "shared_secret");
    AUTO(sat_buf) nonce = vectors_bytes(row, "base_nonce");
    AUTO(sat_buf) exporter = vectors_bytes(row, "exporter_secret");
    AUTO(sat__exchange_key) key;
    AUTO(sat__hpke_keys) keys;
    uint8_t shared[32];

    memcpy(key.bytes, secret.data, sizeof key.bytes);
    assert_int_equal(sat__hpke_share(&key, recipient.data, enc.data,
                                     recipient.data, shared, NULL),
                     SAT_OK);
    assert_memory_equal(shared, expected.data, sizeof shared);
    assert_int_equal(
        sat__hpke_schedule((uint16_t)vectors_number(row, "aead_id"), shared,
                           buf_view(&info), &keys, NULL),
        SAT_OK);
    assert_memory_equal(keys.nonce, nonce.data, sizeof keys.nonce);
    assert_memory_equal(keys.exporter, exporter.data, sizeof keys.exporter);
    if (json_object_get(row, "key") != NULL) {
        AUTO(sat_buf) wanted = vectors_bytes(row, "key");
        assert_memory_equal(keys.key, wanted.data, sizeof keys.key);
    }
}

static void shared_secrets_and_schedules_are_the_rfcs(void **state)
{
    (void)state;
    json_t *const rows = vectors_load("hpke/rfc9180.json");
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) check_schedule(row);
    assert_int_equal(i, 2);
    json_decref(rows);
}

static void what_another_program_sealed_opens(void **state)
{
    (void)state;
    json_t *const rows = vectors_load("hpke/aes_256_gcm.json");
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        AUTO(sat_buf) secret = vectors_bytes(row, "skRm");
        AUTO(sat_buf) info = vectors_bytes(row, "info");
        AUTO(sat_buf) plain = vectors_bytes(row, "pt");
        AUTO(sat_buf) sealed = vectors_bytes(row, "enc_and_ct");
        AUTO(sat_buf) opened = SAT_BUF_INIT;
        AUTO(sat__exchange_key) key;
        AUTO(sat__hpke_keys) keys;
        memcpy(key.bytes, secret.data, sizeof key.bytes);
        assert_int_equal(
            sat__hpke_open(&key, sealed.data, buf_view(&info), &keys, NULL),
            SAT_OK);
        assert_int_equal(
            sat__aead_unseal(keys.key, keys.nonce, bytes_of(NULL, 0),
                             bytes_of(sealed.data + SAT_HPKE_ENC_SIZE,
                                      sealed.len - SAT_HPKE_ENC_SIZE),
                             &opened, NULL),
            SAT_OK);
        assert_true(bytes_equal(buf_view(&opened), buf_view(&plain)));
    }
    assert_int_equal(i, 10);
    json_decref(rows);
}

static void a_recipient_of_low_order_is_refused(void **state)
{
    (void)state;
    static const uint8_t zero[SAT_EXCHANGE_KEY_SIZE];
    AUTO(sat__hpke_keys) keys;
    uint8_t enc[SAT_HPKE_ENC_SIZE];
    assert_int_equal(
        sat__hpke_begin(test_env(), zero, bytes_of(NULL, 0), enc, &keys, NULL),
        SAT_ERR_AUTH);
}

static const sat__seal_context place = {.purpose = "slot", .version = 3};

static void seal_for(const sat__identity *recipient, sat_buf *out)
{
    assert_int_equal(sat__envelope_seal(test_env(),
                                        sat__identity_principal(recipient),
                                        &place, text_bytes("a key"), out, NULL),
                     SAT_OK);
}

static void an_envelope_opens_for_its_principal_alone(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) bob = NULL;
    AUTO_PTR(sat__identity) eve = NULL;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat_buf) opened = SAT_BUF_INIT;
    const sat__seal_context other = {.purpose = "slot", .version = 4};
    assert_int_equal(sat__identity_generate(test_env(), &bob, NULL), SAT_OK);
    assert_int_equal(sat__identity_generate(test_env(), &eve, NULL), SAT_OK);
    seal_for(bob, &sealed);
    assert_int_equal(sealed.len, 5 + SAT_ENVELOPE_OVERHEAD);
    assert_int_equal(
        sat__envelope_unseal(eve, &place, buf_view(&sealed), &opened, NULL),
        SAT_ERR_AUTH);
    assert_int_equal(
        sat__envelope_unseal(bob, &other, buf_view(&sealed), &opened, NULL),
        SAT_ERR_AUTH);
    assert_int_equal(opened.len, 0);
    assert_int_equal(
        sat__envelope_unseal(bob, &place, buf_view(&sealed), &opened, NULL),
        SAT_OK);
    assert_string_equal(sat__buf_text(&opened), "a key");
}

static void every_changed_byte_of_an_envelope_is_noticed(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) bob = NULL;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat_buf) opened = SAT_BUF_INIT;
    assert_int_equal(sat__identity_generate(test_env(), &bob, NULL), SAT_OK);
    seal_for(bob, &sealed);
    for (size_t at = 0; at < sealed.len; at++) {
        sealed.data[at] ^= 0x04;
        assert_int_equal(
            sat__envelope_unseal(bob, &place, buf_view(&sealed), &opened, NULL),
            at == 0 ? SAT_ERR_VERSION : SAT_ERR_AUTH);
        sealed.data[at] ^= 0x04;
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_int_not_equal(sat__envelope_unseal(bob, &place,
                                                  bytes_of(sealed.data, len),
                                                  &opened, NULL),
                             SAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_secrets_and_schedules_are_the_rfcs),
        cmocka_unit_test(what_another_program_sealed_opens),
        cmocka_unit_test(a_recipient_of_low_order_is_refused),
        cmocka_unit_test(an_envelope_opens_for_its_principal_alone),
        cmocka_unit_test(every_changed_byte_of_an_envelope_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
