/*
 * no_memory_test.c - every allocation fails in turn, and nothing else goes
 * wrong
 *
 * Each operation is tried with its first allocation refused, its second, and so
 * on, until it needs no more. Until then it says SAT_ERR_NOMEM, and its output
 * is as it was or known to be incomplete.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "crypto/envelope.h"
#include "crypto/labels.h"
#include "crypto/slot.h"
#include "crypto/stream.h"
#include "test_env.h"

#define NEVER SIZE_MAX

static size_t allocations_left = NEVER; /* before the one that is refused */

#if !TEST_IS_SANITIZED
static bool is_refused(void)
{
    if (allocations_left == NEVER)
        return false;
    if (allocations_left == 0)
        return true;
    allocations_left--;
    return false;
}

/* In the place of the C library's, for this program and all it links. */
void *malloc(size_t size)
{
    static void *(*real)(size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "malloc");
    return is_refused() ? NULL : real(size);
}

void *realloc(void *memory, size_t size)
{
    static void *(*real)(void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "realloc");
    return is_refused() ? NULL : real(memory, size);
}
#endif

static sat__identity *bob; /* made before memory runs out */
static sat__slot phrase_slot;
static sat__root phrase_root;
static sat_buf message;
static sat_buf envelope;

static const sat__seal_context context = {.purpose = SAT_PURPOSE_SLOT};
static const sat__seal_key key = {{1}};
static const sat__file_key file_key = {{2}};

typedef sat_status operation(sat_buf *out, sat_error *err);

static sat_status seal(sat_buf *out, sat_error *err)
{
    return sat__seal_committed(test_env(), &key, &context, text_bytes("hello"),
                               out, err);
}

static sat_status unseal(sat_buf *out, sat_error *err)
{
    return sat__unseal_committed(&key, &context, buf_view(&message), out, err);
}

static sat_status seal_envelope(sat_buf *out, sat_error *err)
{
    return sat__envelope_seal(test_env(), sat__identity_principal(bob),
                              &context, text_bytes("hello"), out, err);
}

static sat_status unseal_envelope(sat_buf *out, sat_error *err)
{
    return sat__envelope_unseal(bob, &context, buf_view(&envelope), out, err);
}

static sat_status seal_stream(sat_buf *out, sat_error *err)
{
    AUTO(sat__stream) stream = SAT_STREAM_INIT;
    uint8_t header[SAT_STREAM_HEADER_SIZE];
    TRY(sat__stream_begin(test_env(), &file_key, &context, header, &stream,
                          err));
    return sat__stream_seal(&stream, text_bytes("hello"), true, out, err);
}

static sat_status sign(sat_buf *out, sat_error *err)
{
    uint8_t signature[SAT_SIGNATURE_SIZE];
    TRY(sat__identity_sign(bob, "test", text_bytes("hello"), signature, err));
    sat__buf_put(out, signature, sizeof signature);
    return sat__buf_status(out, err);
}

static sat_status parse_phrase(sat_buf *out, sat_error *err)
{
    AUTO(sat__phrase) phrase;
    uint8_t seed[SAT_PHRASE_SEED_SIZE];
    TRY(sat__phrase_parse(text_bytes("zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
                                     "zoo wrong"),
                          &phrase, err));
    TRY(sat__phrase_seed(&phrase, text_bytes(""), seed, err));
    sat__buf_put(out, seed, sizeof seed);
    return sat__buf_status(out, err);
}

static sat_status seal_slot(sat_buf *out, sat_error *err)
{
    static const sat__master_key master = {{3}};
    sat__slot slot;
    TRY(sat__slot_seal(test_env(), &phrase_root, &master, 1, &slot, err));
    sat__slot_encode(&slot, out);
    return sat__buf_status(out, err);
}

static sat_status open_slot(sat_buf *out, sat_error *err)
{
    AUTO(sat__master_key) master;
    TRY(sat__slot_open(&phrase_slot, &phrase_root, &master, err));
    sat__buf_put(out, master.bytes, sizeof master.bytes);
    return sat__buf_status(out, err);
}

/* How many allocations had to be granted until `run` succeeded. */
static size_t refuse_each(operation *run)
{
    for (size_t granted = 0;; granted++) {
        AUTO(sat_buf) out = SAT_BUF_INIT;
        sat_error err;
        allocations_left = granted;
        const sat_status st = run(&out, &err);
        allocations_left = NEVER;
        if (st == SAT_OK) {
            assert_true(out.len > 0);
            return granted;
        }
        assert_int_equal(st, SAT_ERR_NOMEM);
        assert_true(out.failed || out.len == 0);
    }
}

static void every_refused_allocation_is_reported(void **state)
{
    static operation *const operations[] = {
        seal, unseal,       seal_envelope, unseal_envelope, seal_stream,
        sign, parse_phrase, seal_slot,     open_slot,
    };
    (void)state;
    if (TEST_IS_SANITIZED)
        skip();
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        assert_true(refuse_each(operations[i]) > 0);
}

/* What is made here also fetches every cipher. */
static int make_what_is_opened(void **state)
{
    static const uint8_t entropy[16];
    static const sat__master_key master = {{3}};
    AUTO(sat__phrase) phrase;
    (void)state;
    return sat__identity_generate(test_env(), &bob, NULL) != SAT_OK ||
           seal(&message, NULL) != SAT_OK ||
           seal_envelope(&envelope, NULL) != SAT_OK ||
           sat__phrase_of_entropy(bytes_of(entropy, sizeof entropy), &phrase,
                                  NULL) != SAT_OK ||
           sat__root_of_phrase(&phrase, &phrase_root, NULL) != SAT_OK ||
           sat__slot_seal(test_env(), &phrase_root, &master, 1, &phrase_slot,
                          NULL) != SAT_OK;
}

static int release(void **state)
{
    (void)state;
    sat__identity_free(bob);
    sat__buf_clear(&message);
    sat__buf_clear(&envelope);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refused_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_what_is_opened, release);
}
