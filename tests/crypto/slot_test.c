/*
 * slot_test.c - a slot opens with its own secret, at its own cost, or not
 */
#include "crypto/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/cbor.h"
#include "test_env.h"

#define PHRASE                                                                 \
    "legal winner thank year wave sausage worth useful legal winner thank "    \
    "yellow"

static sat__root password_root(const sat__kdf_cost *cost, const char *password)
{
    static const sat__secret_key secret_key = {"0123456789abcde"};
    sat__root root;
    assert_int_equal(sat__root_of_password(cost, text_bytes(password),
                                           &secret_key, &root, NULL),
                     SAT_OK);
    return root;
}

static sat__root phrase_root(const char *words)
{
    sat__phrase phrase;
    sat__root root;
    assert_int_equal(sat__phrase_parse(text_bytes(words), &phrase, NULL),
                     SAT_OK);
    assert_int_equal(sat__root_of_phrase(&phrase, &root, NULL), SAT_OK);
    return root;
}

static sat__root keychain_root(void)
{
    sat__keychain_key key;
    sat__root root;
    sat__keychain_key_generate(test_env(), &key);
    sat__root_of_keychain(&key, &root);
    return root;
}

static sat__slot slot_of(const sat__root *root, sat__master_key *master)
{
    sat__slot slot;
    sat__master_key_generate(test_env(), master);
    assert_int_equal(sat__slot_seal(test_env(), root, master, 1, &slot, NULL),
                     SAT_OK);
    return slot;
}

static void expect_opens(const sat__slot *slot, const sat__root *root,
                         const sat__master_key *master)
{
    AUTO(sat__master_key) opened;
    assert_int_equal(sat__slot_open(slot, root, &opened, NULL), SAT_OK);
    assert_memory_equal(master, &opened, sizeof opened);
}

static void expect_shut(const sat__slot *slot, const sat__root *root,
                        const char *message)
{
    AUTO(sat__master_key) opened;
    sat_error err;
    assert_int_equal(sat__slot_open(slot, root, &opened, &err), SAT_ERR_AUTH);
    assert_string_equal(err.message, message);
}

static sat_status decode(const sat__slot *slot, sat_error *err)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    sat__slot out;
    sat__slot_encode(slot, &bytes);
    return sat__slot_decode(buf_view(&bytes), &out, err);
}

static void a_slot_opens_with_its_own_password_only(void **state)
{
    static const sat__kdf_cost costs[] = {SAT_KDF_COST_ARGON2ID,
                                          SAT_KDF_COST_PBKDF2};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(sat__master_key) master;
        const sat__root root = password_root(&costs[i], "correct horse");
        const sat__root other = password_root(&costs[i], "Correct horse");
        const sat__slot slot = slot_of(&root, &master);
        expect_opens(&slot, &root, &master);
        expect_shut(&slot, &other, "wrong password");
    }
}

static void the_password_alone_is_not_enough(void **state)
{
    (void)state;
    static const sat__kdf_cost cost = SAT_KDF_COST_ARGON2ID;
    static const sat__secret_key other_key = {"another device!"};
    AUTO(sat__master_key) master;
    AUTO(sat__root) other;
    const sat__root root = password_root(&cost, "correct horse");
    const sat__slot slot = slot_of(&root, &master);
    assert_int_equal(sat__root_of_password(&cost, text_bytes("correct horse"),
                                           &other_key, &other, NULL),
                     SAT_OK);
    expect_shut(&slot, &other, "wrong password");
}

static void passwords_that_look_the_same_are_the_same(void **state)
{
    (void)state;
    static const sat__kdf_cost cost = SAT_KDF_COST_ARGON2ID;
    AUTO(sat__master_key) master;
    const sat__root composed = password_root(&cost, "caf\xc3\xa9");
    const sat__root decomposed = password_root(&cost, "cafe\xcc\x81");
    const sat__slot slot = slot_of(&composed, &master);
    expect_opens(&slot, &decomposed, &master);
}

static void a_slot_opens_with_its_own_phrase_only(void **state)
{
    (void)state;
    AUTO(sat__master_key) master;
    const sat__root root = phrase_root(PHRASE);
    const sat__root other = phrase_root(
        "letter advice cage absurd amount doctor acoustic avoid letter advice "
        "cage above");
    const sat__slot slot = slot_of(&root, &master);
    expect_opens(&slot, &root, &master);
    expect_shut(&slot, &other,
                "this is not the recovery phrase of this profile");
}

static void a_phrase_of_18_words_makes_no_root(void **state)
{
    (void)state;
    static const uint8_t entropy[24];
    sat__phrase phrase;
    sat__root root;
    assert_int_equal(sat__phrase_of_entropy(bytes_of(entropy, sizeof entropy),
                                            &phrase, NULL),
                     SAT_OK);
    assert_int_equal(sat__root_of_phrase(&phrase, &root, NULL),
                     SAT_ERR_INVALID);
}

static void a_slot_opens_with_its_own_keychain_key_only(void **state)
{
    (void)state;
    AUTO(sat__master_key) master;
    const sat__root root = keychain_root();
    const sat__root other = keychain_root();
    const sat__slot slot = slot_of(&root, &master);
    expect_opens(&slot, &root, &master);
    expect_shut(&slot, &other, "the keychain's key does not open this profile");
}

static void a_slot_survives_encoding(void **state)
{
    (void)state;
    AUTO(sat__master_key) master;
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    AUTO(sat_buf) again = SAT_BUF_INIT;
    const sat__root root = phrase_root(PHRASE);
    const sat__slot slot = slot_of(&root, &master);
    sat__slot decoded;
    sat__slot_encode(&slot, &bytes);
    assert_true(bytes.len <= SAT_SLOT_SIZE_MAX);
    assert_int_equal(sat__slot_decode(buf_view(&bytes), &decoded, NULL),
                     SAT_OK);
    expect_opens(&decoded, &root, &master);
    sat__slot_encode(&decoded, &again);
    assert_true(bytes_equal(buf_view(&bytes), buf_view(&again)));
}

/* Whatever byte is changed, the slot is refused: at once or when it is opened.
 */
static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    AUTO(sat__master_key) master;
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    const sat__root root = phrase_root(PHRASE);
    const sat__slot slot = slot_of(&root, &master);
    sat__slot_encode(&slot, &bytes);
    for (size_t at = 0; at < bytes.len; at++) {
        sat__slot changed;
        bytes.data[at] ^= 0x01;
        if (sat__slot_decode(buf_view(&bytes), &changed, NULL) == SAT_OK)
            assert_int_not_equal(sat__slot_open(&changed, &root, &master, NULL),
                                 SAT_OK);
        bytes.data[at] ^= 0x01;
        assert_int_not_equal(
            sat__slot_decode(bytes_of(bytes.data, at), &changed, NULL), SAT_OK);
    }
}

static void the_principal_is_that_of_the_root(void **state)
{
    (void)state;
    AUTO(sat__master_key) master;
    AUTO_PTR(sat__identity) identity = NULL;
    const sat__root root = phrase_root(PHRASE);
    const sat__slot slot = slot_of(&root, &master);
    assert_int_equal(sat__root_identity(&root, &identity, NULL), SAT_OK);
    assert_memory_equal(&slot.principal, sat__identity_principal(identity),
                        sizeof slot.principal);
}

static void a_keychain_has_no_identity(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) identity = NULL;
    const sat__root root = keychain_root();
    assert_int_equal(sat__root_identity(&root, &identity, NULL),
                     SAT_ERR_UNSUPPORTED);
}

static void keys_of_one_phrase_have_nothing_in_common(void **state)
{
    (void)state;
    AUTO_PTR(sat__identity) identity = NULL;
    AUTO(sat__seal_key) slot_key;
    AUTO(sat_buf) encoded = SAT_BUF_INIT;
    const sat__root root = phrase_root(PHRASE);
    sat__root_slot_key(&root, &slot_key);
    assert_int_equal(sat__root_identity(&root, &identity, NULL), SAT_OK);
    sat__identity_encode(identity, &encoded);
    assert_null(memmem(encoded.data, encoded.len, slot_key.bytes, 32));
}

static void a_cost_outside_its_bounds_is_refused(void **state)
{
    static const struct {
        sat__slot_kind kind;
        sat__kdf_cost cost;
        sat_status status;
    } cases[] = {
        {SAT_SLOT_PASSWORD, {SAT_KDF_ARGON2ID, 3, 65536}, SAT_OK},
        {SAT_SLOT_PASSWORD, {SAT_KDF_ARGON2ID, 2, 65536}, SAT_ERR_CORRUPT},
        {SAT_SLOT_PASSWORD, {SAT_KDF_ARGON2ID, 3, 65535}, SAT_ERR_CORRUPT},
        {SAT_SLOT_PASSWORD, {SAT_KDF_ARGON2ID, 65, 65536}, SAT_ERR_LIMIT},
        {SAT_SLOT_PASSWORD, {SAT_KDF_ARGON2ID, 3, 1048577}, SAT_ERR_LIMIT},
        {SAT_SLOT_PASSWORD, {SAT_KDF_PBKDF2, 600000, 0}, SAT_OK},
        {SAT_SLOT_PASSWORD, {SAT_KDF_PBKDF2, 599999, 0}, SAT_ERR_CORRUPT},
        {SAT_SLOT_PASSWORD, {SAT_KDF_PBKDF2, 10000001, 0}, SAT_ERR_LIMIT},
        {SAT_SLOT_PASSWORD, {SAT_KDF_PBKDF2, 600000, 1}, SAT_ERR_LIMIT},
        {SAT_SLOT_PASSWORD, {SAT_KDF_NONE, 0, 0}, SAT_ERR_CORRUPT},
        {SAT_SLOT_PHRASE, {SAT_KDF_NONE, 0, 0}, SAT_OK},
        {SAT_SLOT_PHRASE, {SAT_KDF_NONE, 1, 0}, SAT_ERR_LIMIT},
        {SAT_SLOT_PHRASE, {SAT_KDF_ARGON2ID, 3, 65536}, SAT_ERR_CORRUPT},
        {SAT_SLOT_KEYCHAIN, {SAT_KDF_NONE, 0, 0}, SAT_OK},
        {SAT_SLOT_KEYCHAIN, {SAT_KDF_PBKDF2, 600000, 0}, SAT_ERR_CORRUPT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const sat__slot slot = {.kind = cases[i].kind, .cost = cases[i].cost};
        assert_int_equal(
            sat__kdf_cost_check(cases[i].kind, &cases[i].cost, NULL),
            cases[i].status);
        assert_int_equal(decode(&slot, NULL), cases[i].status);
    }
}

static void a_password_is_not_stretched_below_the_floor(void **state)
{
    (void)state;
    static const sat__kdf_cost weak = {SAT_KDF_ARGON2ID, 3, 65535};
    static const sat__secret_key secret_key = {"0123456789abcde"};
    sat__root root;
    sat_error err;
    assert_int_equal(sat__root_of_password(&weak, text_bytes("correct horse"),
                                           &secret_key, &root, &err),
                     SAT_ERR_CORRUPT);
    assert_string_equal(err.message, "the key slot is too weak: 65535 KiB of "
                                     "memory where 65536 is the least");
}

static void passwords_that_can_not_be_typed_are_refused(void **state)
{
    (void)state;
    static const sat__kdf_cost cost = SAT_KDF_COST_ARGON2ID;
    static const sat__secret_key secret_key = {"0123456789abcde"};
    sat__root root;
    assert_int_equal(
        sat__root_of_password(&cost, text_bytes(""), &secret_key, &root, NULL),
        SAT_ERR_INVALID);
    assert_int_equal(sat__root_of_password(&cost, text_bytes("\xc3"),
                                           &secret_key, &root, NULL),
                     SAT_ERR_INVALID);
}

static void what_a_newer_version_wrote_fails_closed(void **state)
{
    (void)state;
    AUTO(sat_buf) newer = SAT_BUF_INIT;
    sat__slot slot = {.kind = (sat__slot_kind)4};
    sat_error err;
    assert_int_equal(decode(&slot, &err), SAT_ERR_VERSION);
    assert_string_equal(err.message,
                        "a key slot of kind 4, which is not known here");
    slot = (sat__slot){.kind = SAT_SLOT_PASSWORD, .cost = {(sat__kdf)3, 3, 3}};
    assert_int_equal(decode(&slot, NULL), SAT_ERR_VERSION);

    sat__cbor_put_array(&newer, 2);
    sat__cbor_put_uint(&newer, 2);
    sat__cbor_put_str(&newer, "whatever comes");
    assert_int_equal(sat__slot_decode(buf_view(&newer), &slot, &err),
                     SAT_ERR_VERSION);
    assert_string_equal(err.message,
                        "a key slot of version 2, which is not known here");
}

static void another_kind_of_root_does_not_fit(void **state)
{
    (void)state;
    AUTO(sat__master_key) master;
    const sat__root phrase = phrase_root(PHRASE);
    const sat__root keychain = keychain_root();
    const sat__slot slot = slot_of(&phrase, &master);
    assert_int_equal(sat__slot_open(&slot, &keychain, &master, NULL),
                     SAT_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slot_opens_with_its_own_password_only),
        cmocka_unit_test(the_password_alone_is_not_enough),
        cmocka_unit_test(passwords_that_look_the_same_are_the_same),
        cmocka_unit_test(a_slot_opens_with_its_own_phrase_only),
        cmocka_unit_test(a_phrase_of_18_words_makes_no_root),
        cmocka_unit_test(a_slot_opens_with_its_own_keychain_key_only),
        cmocka_unit_test(a_slot_survives_encoding),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(the_principal_is_that_of_the_root),
        cmocka_unit_test(a_keychain_has_no_identity),
        cmocka_unit_test(keys_of_one_phrase_have_nothing_in_common),
        cmocka_unit_test(a_cost_outside_its_bounds_is_refused),
        cmocka_unit_test(a_password_is_not_stretched_below_the_floor),
        cmocka_unit_test(passwords_that_can_not_be_typed_are_refused),
        cmocka_unit_test(what_a_newer_version_wrote_fails_closed),
        cmocka_unit_test(another_kind_of_root_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
