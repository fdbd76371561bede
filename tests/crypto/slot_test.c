/*
 * slot_test.c - a slot opens with its own secret, at its own cost, or not
 */
#include "crypto/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "test_env.h"

static const sat__kdf_cost cheapest = SAT_KDF_COST_ARGON2ID;

static sat__root password_root(const char *password)
{
    static const sat__secret_key secret_key = {"0123456789abcde"};
    sat__root root;
    assert_int_equal(sat__root_of_password(&cheapest, text_bytes(password),
                                           &secret_key, &root, NULL),
                     SAT_OK);
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

static void a_password_opens_its_slot(void **state)
{
    (void)state;
    AUTO(sat__master_key) master;
    AUTO(sat__master_key) opened;
    const sat__root root = password_root("correct horse");
    const sat__slot slot = slot_of(&root, &master);
    assert_int_equal(sat__slot_open(&slot, &root, &opened, NULL), SAT_OK);
    assert_memory_equal(&master, &opened, sizeof master);
}

static void a_wrong_password_is_told_in_a_word(void **state)
{
    (void)state;
    AUTO(sat__master_key) master;
    const sat__root root = password_root("correct horse");
    const sat__root other = password_root("Correct horse");
    const sat__slot slot = slot_of(&root, &master);
    sat_error err;
    assert_int_equal(sat__slot_open(&slot, &other, &master, &err),
                     SAT_ERR_AUTH);
    assert_string_equal(err.message, "wrong password");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_opens_its_slot),
        cmocka_unit_test(a_wrong_password_is_told_in_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
