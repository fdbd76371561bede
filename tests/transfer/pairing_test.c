/*
 * pairing_test.c - two devices become sure of each other, and nobody else does
 */
#include "transfer/pairing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/cbor.h"

/* A sender that shows a code, and the new device that looks at it. */
typedef struct meeting {
    sat__exchange_key key;
    sat__transfer_code shown;
    sat__transfer_code scanned;
    sat__identity *device;
    sat_buf claim;
    sat__transfer_session receiver;
    sat__transfer_session sender;
    sat__transfer_receiver who;
} meeting;

static int meet(void **state)
{
    meeting *m = calloc(1, sizeof *m);
    AUTO(sat_buf) text = SAT_BUF_INIT;
    const sat_env *env = sat_env_system();

    assert_non_null(m);
    assert_int_equal(sat__transfer_code_new(env, "http://127.0.0.1:7441",
                                            &m->key, &m->shown, NULL),
                     SAT_OK);
    assert_int_equal(sat__transfer_code_format(&m->shown, &text, NULL), SAT_OK);
    assert_int_equal(
        sat__transfer_code_parse(buf_view(&text), &m->scanned, NULL), SAT_OK);
    assert_int_equal(sat__identity_generate(env, &m->device, NULL), SAT_OK);
    assert_int_equal(sat__transfer_claim(env, &m->scanned, m->device,
                                         "new phone", &m->claim, &m->receiver,
                                         NULL),
                     SAT_OK);
    *state = m;
    return 0;
}

static int part(void **state)
{
    meeting *m = *state;
    sat__identity_free(m->device);
    sat__buf_clear(&m->claim);
    free(m);
    return 0;
}

static sat_status accept_claim(meeting *m, sat_bytes claim)
{
    return sat__transfer_accept(&m->shown, &m->key, claim, &m->who, &m->sender,
                                NULL);
}

static void both_see_the_same_digits(void **state)
{
    meeting *m = *state;
    assert_int_equal(accept_claim(m, buf_view(&m->claim)), SAT_OK);
    assert_string_equal(m->sender.digits, m->receiver.digits);
    assert_int_equal(strlen(m->sender.digits), 6);
    assert_string_equal(m->who.name, "new phone");
    assert_memory_equal(&m->who.principal, sat__identity_principal(m->device),
                        sizeof m->who.principal);
}

static void what_is_released_opens_at_the_receiver_only(void **state)
{
    meeting *m = *state;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    assert_int_equal(accept_claim(m, buf_view(&m->claim)), SAT_OK);
    assert_int_equal(sat__transfer_release(sat_env_system(), &m->sender,
                                           bytes_of("keys", 4), &sealed, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__transfer_unseal(&m->receiver, buf_view(&sealed), &plain, NULL),
        SAT_OK);
    assert_true(bytes_equal(buf_view(&plain), bytes_of("keys", 4)));

    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_int_not_equal(
            sat__transfer_unseal(&m->receiver, buf_view(&sealed), &plain, NULL),
            SAT_OK);
        sealed.data[i] ^= 1;
    }
}

/* Somebody photographed the code and was first. */
static void a_thief_of_the_code_has_other_digits(void **state)
{
    meeting *m = *state;
    AUTO_PTR(sat__identity) thief = NULL;
    AUTO(sat_buf) claim = SAT_BUF_INIT;
    AUTO(sat_buf) sealed = SAT_BUF_INIT;
    AUTO(sat_buf) plain = SAT_BUF_INIT;
    AUTO(sat__transfer_session) session;
    assert_int_equal(sat__identity_generate(sat_env_system(), &thief, NULL),
                     SAT_OK);
    assert_int_equal(sat__transfer_claim(sat_env_system(), &m->scanned, thief,
                                         "new phone", &claim, &session, NULL),
                     SAT_OK);
    assert_int_equal(accept_claim(m, buf_view(&claim)), SAT_OK);
    assert_memory_not_equal(m->sender.key.bytes, m->receiver.key.bytes,
                            SAT_KEY_SIZE);
    assert_memory_not_equal(m->sender.transcript, m->receiver.transcript,
                            SAT_SHA256_SIZE);
    assert_int_equal(sat__transfer_release(sat_env_system(), &m->sender,
                                           bytes_of("keys", 4), &sealed, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__transfer_unseal(&m->receiver, buf_view(&sealed), &plain, NULL),
        SAT_ERR_AUTH);
}

/* The hub sits between, and knows all of the code but the secret. */
static void a_claim_without_the_secret_is_refused(void **state)
{
    meeting *m = *state;
    AUTO(sat_buf) claim = SAT_BUF_INIT;
    AUTO(sat__transfer_session) session;
    sat__transfer_code guessed = m->scanned;
    guessed.secret[0] ^= 1;
    assert_int_equal(sat__transfer_claim(sat_env_system(), &guessed, m->device,
                                         "new phone", &claim, &session, NULL),
                     SAT_OK);
    assert_int_equal(accept_claim(m, buf_view(&claim)), SAT_ERR_AUTH);
}

static void a_claim_for_another_hub_or_token_is_refused(void **state)
{
    meeting *m = *state;
    AUTO(sat__transfer_session) session;
    for (int what = 0; what < 3; what++) {
        AUTO(sat_buf) claim = SAT_BUF_INIT;
        sat__transfer_code other = m->scanned;
        if (what == 0)
            other.hub[7] = '2';
        else if (what == 1)
            other.token[31] ^= 1;
        else
            memcpy(other.exchange, sat__identity_principal(m->device)->exchange,
                   sizeof other.exchange);
        assert_int_equal(sat__transfer_claim(sat_env_system(), &other,
                                             m->device, "n", &claim, &session,
                                             NULL),
                         SAT_OK);
        assert_int_equal(accept_claim(m, buf_view(&claim)), SAT_ERR_AUTH);
    }
}

static void no_bit_of_a_claim_can_be_changed(void **state)
{
    meeting *m = *state;
    for (size_t bit = 0; bit < m->claim.len * 8; bit++) {
        m->claim.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(accept_claim(m, buf_view(&m->claim)), SAT_OK);
        m->claim.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < m->claim.len; len++)
        assert_int_not_equal(accept_claim(m, bytes_of(m->claim.data, len)),
                             SAT_OK);
}

static void digits_are_typed_by_people(void **state)
{
    meeting *m = *state;
    char spaced[16];
    const char *d = m->receiver.digits;
    (void)snprintf(spaced, sizeof spaced, " %.3s-%s\n", d, d + 3);
    assert_true(sat__transfer_digits_match(&m->receiver, d));
    assert_true(sat__transfer_digits_match(&m->receiver, spaced));
    assert_false(sat__transfer_digits_match(&m->receiver, ""));
    assert_false(sat__transfer_digits_match(&m->receiver, "12345"));
    assert_false(sat__transfer_digits_match(&m->receiver, "1234567"));
    (void)snprintf(spaced, sizeof spaced, "%s", d);
    spaced[5] = spaced[5] == '0' ? '1' : '0';
    assert_false(sat__transfer_digits_match(&m->receiver, spaced));
    (void)snprintf(spaced, sizeof spaced, "%s0", d);
    assert_false(sat__transfer_digits_match(&m->receiver, spaced));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_see_the_same_digits, meet, part),
        cmocka_unit_test_setup_teardown(
            what_is_released_opens_at_the_receiver_only, meet, part),
        cmocka_unit_test_setup_teardown(a_thief_of_the_code_has_other_digits,
                                        meet, part),
        cmocka_unit_test_setup_teardown(a_claim_without_the_secret_is_refused,
                                        meet, part),
        cmocka_unit_test_setup_teardown(
            a_claim_for_another_hub_or_token_is_refused, meet, part),
        cmocka_unit_test_setup_teardown(no_bit_of_a_claim_can_be_changed, meet,
                                        part),
        cmocka_unit_test_setup_teardown(digits_are_typed_by_people, meet, part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
