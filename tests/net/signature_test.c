/*
 * signature_test.c - signatures are those of RFC 9421, and hold what they cover
 */
#include "net/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* RFC 9421, B.1.4 and B.2, test-request. */
#define RFC_SECRET                                                             \
    "9f8362f87a484a954e6e740c5b4c0e84229139a20aa8ab56ff66586f6a7d29c5"
#define RFC_PUBLIC                                                             \
    "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb"
#define RFC_PARAMS                                                             \
    "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" "         \
    "\"content-length\");created=1618884473;keyid=\"test-key-ed25519\""
#define RFC_SIGNATURE                                                          \
    "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPi" \
    "u4A0w6vuQv5lIp5WPpBKRCw==:"

static void make_rfc_request(sat__request *request)
{
    sat__request_set(request, "POST", "/foo?param=Value&Pet=dog");
    sat__headers_put(&request->headers, "Host", "example.com");
    sat__headers_put(&request->headers, "Date",
                     "Tue, 20 Apr 2021 02:07:55 GMT");
    sat__headers_put(&request->headers, "Content-Type", "application/json");
    sat__headers_put(&request->headers, "Content-Length", "18");
    sat__buf_put_text(&request->body, "{\"hello\": \"world\"}");
}

static void the_example_of_rfc_9421_verifies(void **state)
{
    AUTO(sat__request) request = {0};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    sat__signature signature;
    uint8_t key[32];

    (void)state;
    make_rfc_request(&request);
    assert_int_equal(sat__signature_parse("sig-b26=" RFC_PARAMS, RFC_SIGNATURE,
                                          &signature, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__signature_base(&signature, &request, NULL, &base, NULL), SAT_OK);
    assert_string_equal(sat__buf_text(&base),
                        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n"
                        "\"@method\": POST\n"
                        "\"@path\": /foo\n"
                        "\"@authority\": example.com\n"
                        "\"content-type\": application/json\n"
                        "\"content-length\": 18\n"
                        "\"@signature-params\": " RFC_PARAMS);
    assert_int_equal(sat__hex_parse(RFC_PUBLIC, key, sizeof key, NULL), SAT_OK);
    assert_int_equal(
        sat__signature_verify_bare(key, buf_view(&base), signature.bytes, NULL),
        SAT_OK);
}

static void our_signature_is_byte_for_byte_that_of_the_rfc(void **state)
{
    AUTO(sat__request) request = {0};
    AUTO(sat_buf) base = SAT_BUF_INIT;
    AUTO_PTR(sat__identity) identity = NULL;
    const sat__exchange_key exchange = {{1}};
    sat__sign_seed seed;
    sat__signature signature;
    uint8_t made[SAT_SIGNATURE_SIZE];

    (void)state;
    make_rfc_request(&request);
    assert_int_equal(sat__hex_parse(RFC_SECRET, seed.bytes, 32, NULL), SAT_OK);
    assert_int_equal(sat__identity_of(&seed, &exchange, &identity, NULL),
                     SAT_OK);
    assert_int_equal(sat__signature_parse("sig-b26=" RFC_PARAMS, RFC_SIGNATURE,
                                          &signature, NULL),
                     SAT_OK);
    assert_int_equal(
        sat__signature_base(&signature, &request, NULL, &base, NULL), SAT_OK);
    assert_int_equal(
        sat__identity_sign_http(identity, buf_view(&base), made, NULL), SAT_OK);
    assert_memory_equal(made, signature.bytes, sizeof made);
}

static void the_digest_is_that_of_rfc_9530(void **state)
{
    char digest[SAT_DIGEST_SIZE];

    (void)state;
    sat__digest_format(bytes_of("{\"hello\": \"world\"}", 18), digest);
    assert_string_equal(
        digest, "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:");
}

/* ---- between two devices ---- */

typedef struct pair {
    sat__identity *client, *server;
    uint8_t server_id[SAT_DEVICE_ID_SIZE];
    sat__request request;
    sat__response response;
} pair;

static void pair_clear(pair *p)
{
    sat__identity_free(p->client);
    sat__identity_free(p->server);
    sat__request_clear(&p->request);
    sat__response_clear(&p->response);
}

DEFINE_AUTO(pair, pair_clear);

static void make_pair(pair *p)
{
    assert_int_equal(sat__identity_generate(sat_env_system(), &p->client, NULL),
                     SAT_OK);
    assert_int_equal(sat__identity_generate(sat_env_system(), &p->server, NULL),
                     SAT_OK);
    sat__device_id(sat__identity_principal(p->server)->sign, p->server_id);
    sat__request_set(&p->request, "POST", "/sync/push?vault=main");
    sat__headers_put(&p->request.headers, "Host", "127.0.0.1:7440");
    sat__headers_put(&p->request.headers, "Content-Type", "application/cbor");
    sat__buf_put_text(&p->request.body, "body");
    assert_int_equal(
        sat__request_sign(&p->request, p->client, p->server_id, "fresh", NULL),
        SAT_OK);
}

static sat_status verify(pair *p)
{
    sat_bytes nonce;

    return sat__request_verify(&p->request, p->server_id, &nonce, NULL);
}

static void a_signed_request_names_its_signer_and_nonce(void **state)
{
    AUTO(pair) p = {0};
    sat_bytes nonce;

    (void)state;
    make_pair(&p);
    assert_int_equal(sat__request_verify(&p.request, p.server_id, &nonce, NULL),
                     SAT_OK);
    assert_true(p.request.is_signed);
    assert_memory_equal(p.request.signer,
                        sat__identity_principal(p.client)->sign, 32);
    assert_true(bytes_equal(nonce, bytes_of("fresh", 5)));
}

static void nothing_that_is_covered_can_change(void **state)
{
    (void)state;
    for (int what = 0; what < 5; what++) {
        AUTO(pair) p = {0};
        make_pair(&p);
        switch (what) {
        case 0:
            strcpy(p.request.method, "PUT");
            break;
        case 1:
            p.request.target.data[1] ^= 1;
            break;
        case 2:
            p.request.target.data[p.request.target.len - 1] ^= 1;
            break;
        case 3: /* two types are another type */
            sat__headers_put(&p.request.headers, "Content-Type", "text/plain");
            break;
        default:
            p.server_id[0] ^= 1;
        }
        assert_int_equal(verify(&p), SAT_ERR_AUTH);
        assert_false(p.request.is_signed);
    }
}

static void a_body_that_was_swapped_has_another_digest(void **state)
{
    AUTO(pair) p = {0};

    (void)state;
    make_pair(&p);
    assert_int_equal(
        sat__digest_check(&p.request.headers, buf_view(&p.request.body), NULL),
        SAT_OK);
    p.request.body.data[0] ^= 1;
    assert_int_equal(
        sat__digest_check(&p.request.headers, buf_view(&p.request.body), NULL),
        SAT_ERR_AUTH);
}

static void a_response_answers_one_request(void **state)
{
    AUTO(pair) p = {0};
    AUTO(pair) other = {0};

    (void)state;
    make_pair(&p);
    make_pair(&other);
    p.response.status = 200;
    sat__buf_put_text(&p.response.body, "done");
    assert_int_equal(
        sat__response_sign(&p.response, &p.request, p.server, NULL), SAT_OK);
    assert_int_equal(
        sat__response_verify(&p.response, &p.request, p.server_id, NULL),
        SAT_OK);
    assert_int_equal(
        sat__response_verify(&p.response, &other.request, p.server_id, NULL),
        SAT_ERR_AUTH);
    assert_int_equal(
        sat__response_verify(&p.response, &p.request, other.server_id, NULL),
        SAT_ERR_AUTH);
    p.response.status = 201;
    assert_int_equal(
        sat__response_verify(&p.response, &p.request, p.server_id, NULL),
        SAT_ERR_AUTH);
}

static void what_is_written_otherwise_is_refused(void **state)
{
    static const char *const inputs[] = {
        "",
        "sig",
        "sig=",
        "sig=()",
        "sig=(\"a\"",
        "sig=(\"a\"  \"b\")",
        "sig=(\"a\";sf)",
        "sig=(\"a\");keyid",
        "sig=(\"a\");keyid=\"x\";keyid=\"y\"",
        "sig=(\"a\");alg=\"rsa-v1_5-sha256\"",
        "sig=(\"a\");created=",
        "sig=(\"a\"), sig2=(\"a\")",
        "other=(\"a\")",
        "sig=(\"a\\\"\")",
    };
    static const char bytes[] =
        "sig=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAA==:";
    sat__signature signature;

    (void)state;
    assert_int_equal(
        sat__signature_parse("sig=(\"a\")", bytes, &signature, NULL), SAT_OK);
    assert_int_equal(
        sat__signature_parse("sig=(\"a\")", "sig=:AAAA:", &signature, NULL),
        SAT_ERR_AUTH);
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
        assert_int_equal(
            sat__signature_parse(inputs[i], bytes, &signature, NULL),
            SAT_ERR_AUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_9421_verifies),
        cmocka_unit_test(our_signature_is_byte_for_byte_that_of_the_rfc),
        cmocka_unit_test(the_digest_is_that_of_rfc_9530),
        cmocka_unit_test(a_signed_request_names_its_signer_and_nonce),
        cmocka_unit_test(nothing_that_is_covered_can_change),
        cmocka_unit_test(a_body_that_was_swapped_has_another_digest),
        cmocka_unit_test(a_response_answers_one_request),
        cmocka_unit_test(what_is_written_otherwise_is_refused),
    };
    return cmocka_run_group_tests_name("signature", tests, NULL, NULL);
}
