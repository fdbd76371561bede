/*
 * webpush_test.c - messages through a push service: RFC 8291, RFC 8292
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

#include "crypto/webpush.h"
#include "satchel/env.h"

/* A value of the vector. */
static sat_bytes value_of(const char *name, uint8_t out[256])
{
    FILE *const file = fopen(SAT_TEST_DATA "/vectors/webpush/rfc8291.txt", "r");
    char line[600], key[40], text[500];
    size_t len = 0;

    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%39s %499s", key, text) == 2 &&
            strcmp(key, name) == 0)
            assert_int_equal(sodium_base642bin(
                                 out, 256, text, strlen(text), NULL, &len, NULL,
                                 sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                             0);
    (void)fclose(file);
    assert_true(len > 0);
    return bytes_of(out, len);
}

static void read_key(const char *secret, const char *point,
                     sat__webpush_key *out)
{
    uint8_t bytes[256];

    assert_int_equal(
        sat__webpush_key_of(value_of(secret, bytes).data, out, NULL), SAT_OK);
    assert_true(bytes_equal(bytes_of(out->point, sizeof out->point),
                            value_of(point, bytes)));
}

static void the_vector_of_rfc_8291(void **state)
{
    sat__webpush_key sender, receiver;
    sat__webpush_receiver to;
    uint8_t salt[256], plain[256], sealed[256], auth[256];
    AUTO(sat_buf) out = SAT_BUF_INIT, back = SAT_BUF_INIT;

    (void)state;
    read_key("as_private", "as_public", &sender);
    read_key("ua_private", "ua_public", &receiver);
    memcpy(to.point, receiver.point, sizeof to.point);
    memcpy(to.auth, value_of("auth_secret", auth).data, sizeof to.auth);
    assert_int_equal(sat__webpush_seal(&sender, value_of("salt", salt).data,
                                       &to, value_of("plaintext", plain), &out,
                                       NULL),
                     SAT_OK);
    assert_true(bytes_equal(buf_view(&out), value_of("sealed", sealed)));
    assert_int_equal(
        sat__webpush_open(&receiver, to.auth, buf_view(&out), &back, NULL),
        SAT_OK);
    assert_true(bytes_equal(buf_view(&back), value_of("plaintext", plain)));
}

static void what_was_changed_or_is_for_another_does_not_open(void **state)
{
    sat__webpush_key receiver, other;
    uint8_t bytes[256], auth[256];
    AUTO(sat_buf) out = SAT_BUF_INIT;
    const sat_env *const env = sat_env_system();

    (void)state;
    read_key("ua_private", "ua_public", &receiver);
    assert_int_equal(sat__webpush_key_generate(env, &other, NULL), SAT_OK);
    (void)value_of("auth_secret", auth);
    const sat_bytes sealed = value_of("sealed", bytes);
    assert_int_equal(sat__webpush_open(&other, auth, sealed, &out, NULL),
                     SAT_ERR_AUTH);
    for (size_t i = 0; i < sealed.len; i++) {
        if (i >= 16 && i < 20)
            continue; /* the record may be said to be larger than it is */
        bytes[i] ^= 1;
        assert_int_not_equal(
            sat__webpush_open(&receiver, auth, sealed, &out, NULL), SAT_OK);
        bytes[i] ^= 1;
    }
    for (size_t len = 0; len < sealed.len; len++)
        assert_int_not_equal(sat__webpush_open(&receiver, auth,
                                               bytes_of(bytes, len), &out,
                                               NULL),
                             SAT_OK);
    assert_int_equal(out.len, 0);
}

static void only_points_of_the_curve_are_sent_to(void **state)
{
    sat__webpush_key key;
    uint8_t secret[32];

    (void)state;
    assert_int_equal(sat__webpush_key_generate(sat_env_system(), &key, NULL),
                     SAT_OK);
    assert_true(sat__webpush_point_is_valid(key.point));
    key.point[64] ^= 1;
    assert_false(sat__webpush_point_is_valid(key.point));
    memset(key.point, 0, sizeof key.point);
    assert_false(sat__webpush_point_is_valid(key.point));
    memset(secret, 0xff, sizeof secret);
    assert_int_equal(sat__webpush_key_of(secret, &key, NULL), SAT_ERR_INVALID);
    memset(secret, 0, sizeof secret);
    assert_int_equal(sat__webpush_key_of(secret, &key, NULL), SAT_ERR_INVALID);
}

/* The token, verified from the outside: by the key that stands beside it. */
static void a_token_is_signed_as_rfc_8292_says(void **state)
{
    sat__webpush_key key;
    AUTO(sat_buf) out = SAT_BUF_INIT;
    char command[2000];

    (void)state;
    assert_int_equal(sat__webpush_key_generate(sat_env_system(), &key, NULL),
                     SAT_OK);
    assert_int_equal(sat__webpush_vapid(&key, "https://push.example.org",
                                        "mailto:hub@example.org", 1900000000,
                                        &out, NULL),
                     SAT_OK);
    (void)snprintf(
        command, sizeof command,
        "node -e 'const c = require(\"crypto\");"
        "const [, t, k] = /^vapid t=([^,]+), k=(.+)$/.exec(process.argv[1]);"
        "const p = Buffer.from(k, \"base64url\");"
        "const [h, b, s] = t.split(\".\");"
        "const key = c.createPublicKey({format: \"jwk\", key: {kty: \"EC\","
        " crv: \"P-256\", x: p.subarray(1, 33).toString(\"base64url\"),"
        " y: p.subarray(33).toString(\"base64url\")}});"
        "const good = c.verify(\"sha256\", Buffer.from(h + \".\" + b),"
        " {key, dsaEncoding: \"ieee-p1363\"}, Buffer.from(s, \"base64url\"));"
        "const said = JSON.parse(Buffer.from(b, \"base64url\"));"
        "process.exit(good && said.aud === \"https://push.example.org\" &&"
        " said.exp === 1900000000 ? 0 : 1)' '%s'",
        sat__buf_text(&out));
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vector_of_rfc_8291),
        cmocka_unit_test(what_was_changed_or_is_for_another_does_not_open),
        cmocka_unit_test(only_points_of_the_curve_are_sent_to),
        cmocka_unit_test(a_token_is_signed_as_rfc_8292_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
