/*
 * profile_test.c - a profile opens with what its person knows, and only then
 */
#include "satchel/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/sql.h"
#include "crypto/labels.h"
#include "store/keychain.h"
#include "store/profile_fixture.h"
#include "store/vault.h"
#include "store/vault_db.h"

static void the_password_opens_it(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    assert_true(sat_profile_is_locked(profile));
    assert_string_equal(sat_profile_device_name(profile), "laptop");
    assert_int_equal(sat_profile_unlock(profile, FIXTURE_PASSWORD, NULL),
                     SAT_OK);
    assert_false(sat_profile_is_locked(profile));
}

static void another_password_does_not(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    sat_error err;
    assert_int_equal(sat_profile_unlock(profile, "wrong", &err), SAT_ERR_AUTH);
    assert_string_equal(err.message, "this password does not open the profile");
    assert_true(sat_profile_is_locked(profile));
}

static void the_phrase_opens_it(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    assert_int_equal(sat_profile_unlock_phrase(profile, fixture_phrase(), NULL),
                     SAT_OK);
}

static void another_phrase_is_not_this_one(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    const char *const other =
        "abandon abandon abandon abandon abandon abandon abandon abandon "
        "abandon abandon abandon about";
    sat_error err;
    assert_int_equal(sat_profile_check_phrase(profile, fixture_phrase(), NULL),
                     SAT_OK);
    assert_int_equal(sat_profile_check_phrase(profile, other, &err),
                     SAT_ERR_AUTH);
    assert_string_equal(err.message,
                        "this is not the recovery phrase of this profile");
}

static void a_new_password_takes_the_place_of_the_former(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    assert_int_equal(sat_profile_set_password(profile, "new", NULL), SAT_OK);
    AUTO_PTR(sat_profile) again = fixture_open(state);
    assert_int_equal(sat_profile_unlock(again, FIXTURE_PASSWORD, NULL),
                     SAT_ERR_AUTH);
    assert_int_equal(sat_profile_unlock(again, "new", NULL), SAT_OK);
    assert_int_equal(sat_profile_check_phrase(again, fixture_phrase(), NULL),
                     SAT_OK);
}

static sat_buf phrase_slot(const sat_profile *profile)
{
    sat_buf bytes = SAT_BUF_INIT;
    sat__slot_encode(sat__keys_file_slot(&profile->keys, SAT_SLOT_PHRASE),
                     &bytes);
    return bytes;
}

static void a_new_password_changes_nothing_but_its_slot(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sat_profile) before = fixture_open(state);
    assert_int_equal(sat_profile_set_password(profile, "new", NULL), SAT_OK);
    AUTO_PTR(sat_profile) after = fixture_open(state);
    AUTO(sat_buf) slot_before = phrase_slot(before);
    AUTO(sat_buf) slot_after = phrase_slot(after);
    assert_true(bytes_equal(buf_view(&slot_after), buf_view(&slot_before)));
    assert_int_equal(after->keys.generation, before->keys.generation);
}

static void renewing_changes_the_master_key_and_keeps_the_phrase(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const sat__master_key former = profile->secrets->master;
    assert_int_equal(sat_profile_renew(profile, "new", NULL), SAT_OK);
    assert_memory_not_equal(&profile->secrets->master, &former, sizeof former);
    AUTO_PTR(sat_profile) by_password = fixture_open(state);
    AUTO_PTR(sat_profile) by_phrase = fixture_open(state);
    assert_int_equal(sat_profile_unlock(by_password, FIXTURE_PASSWORD, NULL),
                     SAT_ERR_AUTH);
    assert_int_equal(sat_profile_unlock(by_password, "new", NULL), SAT_OK);
    assert_int_equal(
        sat_profile_unlock_phrase(by_phrase, fixture_phrase(), NULL), SAT_OK);
    assert_memory_equal(&by_phrase->secrets->master,
                        &by_password->secrets->master, sizeof former);
}

static void write_keys(sat_profile *profile, const sat__keys_file *keys)
{
    AUTO(sat_buf) bytes = SAT_BUF_INIT;
    char path[SAT_PATH_SIZE];
    sat__keys_file_encode(keys, &bytes);
    assert_int_equal(sat__profile_file(profile, "keys.cbor", path, NULL),
                     SAT_OK);
    scratch_write(path, bytes.data, bytes.len);
}

/* Whoever can write the disk seals secrets of their own, and addresses their
 * master key to the password's principal, which is public. */
static void a_master_key_of_somebody_else_is_refused(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    AUTO_PTR(sat__secrets) theirs = NULL;
    AUTO(sat_buf) envelope = SAT_BUF_INIT;
    sat__keys_file *const keys = &profile->keys;
    assert_int_equal(sat__secrets_new(&theirs, NULL), SAT_OK);
    sat__master_key_generate(sat_env_system(), &theirs->master);
    assert_int_equal(
        sat__identity_generate(sat_env_system(), &theirs->identity, NULL),
        SAT_OK);
    keys->device = *sat__identity_principal(theirs->identity);
    const sat__seal_context context = {
        .purpose = SAT_PURPOSE_MASTER_KEY,
        .version = keys->generation,
        .device = bytes_of(keys->device.sign, sizeof keys->device.sign)};
    sat__keys_entry *const entry = &keys->entries[0];
    assert_int_equal(entry->slot.kind, SAT_SLOT_PASSWORD);
    assert_int_equal(
        sat__envelope_seal(sat_env_system(), &entry->slot.principal, &context,
                           bytes_of(theirs->master.bytes, SAT_KEY_SIZE),
                           &envelope, NULL),
        SAT_OK);
    memcpy(entry->envelope, envelope.data, sizeof entry->envelope);
    entry->has_envelope = true;
    assert_int_equal(sat__secrets_seal(theirs, sat_env_system(), keys, NULL),
                     SAT_OK);
    write_keys(profile, keys);
    AUTO_PTR(sat_profile) again = fixture_open(state);
    assert_int_equal(sat_profile_unlock(again, FIXTURE_PASSWORD, NULL),
                     SAT_ERR_AUTH);
}

static void a_slot_of_somebody_else_is_not_addressed(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    AUTO(sat__phrase) phrase = {.words = 0};
    AUTO(sat__root) root = {0};
    sat__master_key master = {{1}};
    assert_int_equal(sat__phrase_generate(sat_env_system(), 12, &phrase, NULL),
                     SAT_OK);
    assert_int_equal(sat__root_of_phrase(&phrase, &root, NULL), SAT_OK);
    sat__keys_entry *const theirs = &profile->keys.entries[2];
    assert_int_equal(sat__slot_seal(sat_env_system(), &root, &master, 1,
                                    &theirs->slot, NULL),
                     SAT_OK);
    profile->keys.count = 3;
    write_keys(profile, &profile->keys);
    AUTO_PTR(sat_profile) owner = fixture_unlocked(state);
    assert_int_equal(sat_profile_renew(owner, "new", NULL), SAT_OK);
    assert_int_equal(owner->keys.count, 2);
    assert_int_equal(sat__keys_file_open(&owner->keys, &root, &master, NULL),
                     SAT_ERR_AUTH);
}

/* The account as this profile says it is. */
static sat__party account_password(sat_profile *profile, uint64_t *generation)
{
    AUTO_PTR(sqlite3) db = NULL;
    AUTO_PTR(sat__ledger) ledger = NULL;
    const sat__account_state *said;
    assert_int_equal(sat__vault_open(profile, "account", 0, &db, NULL), SAT_OK);
    assert_int_equal(sat__ledger_open(db, sat_env_system(),
                                      profile->secrets->identity, &ledger,
                                      NULL),
                     SAT_OK);
    assert_int_equal(sat__ledger_chain(ledger, NULL, &said, NULL), SAT_OK);
    *generation = said->epochs[said->epoch_count - 1].key.generation;
    return sat__account_password(said)->who;
}

static void the_account_names_the_present_password(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    uint64_t generation;
    for (int i = 0; i < 4; i++) {
        if (i == 1)
            assert_int_equal(sat_profile_set_password(profile, "new", NULL),
                             SAT_OK);
        if (i >= 2)
            assert_int_equal(sat_profile_renew(profile, "newer", NULL), SAT_OK);
        const sat__party named = account_password(profile, &generation);
        const sat__principal *const own =
            &sat__keys_file_slot(&profile->keys, SAT_SLOT_PASSWORD)->principal;
        assert_memory_equal(&named.keys, &profile->secrets->password,
                            sizeof named.keys);
        assert_memory_not_equal(&named.keys, own, sizeof *own);
        assert_int_equal(generation, i < 2 ? 1 : i);
    }
}

static void keys_of_an_earlier_format_are_named(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    char path[SAT_PATH_SIZE];
    sat_error err;
    assert_int_equal(sat__profile_file(profile, "keys.cbor", path, NULL),
                     SAT_OK);
    AUTO(sat_buf) keys = scratch_read(path);
    keys.data[1] = 1;
    scratch_write(path, keys.data, keys.len);
    assert_int_equal(sat_profile_unlock(profile, FIXTURE_PASSWORD, &err),
                     SAT_ERR_VERSION);
    assert_non_null(strstr(err.message, "format 1 of an earlier satchel"));
}

static void renewing_gives_every_vault_another_key(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sqlite3) db = NULL;
    char path[SAT_PATH_SIZE];
    sat__database_key former, now;
    assert_int_equal(sat_vault_key(profile, "main", former.bytes, NULL),
                     SAT_OK);
    assert_int_equal(sat_vault_path(profile, "main", path, NULL), SAT_OK);
    assert_int_equal(sat__vault_open(profile, "main", 0, &db, NULL), SAT_OK);
    assert_int_equal(sat__sql_exec(db, NULL, "CREATE TABLE mine (a)"), SAT_OK);
    sat_error err;
    assert_int_equal(sat_profile_renew(profile, "new", &err), SAT_ERR_BUSY);
    assert_string_equal(err.message,
                        "another process has the vault 'main' open");
    (void)sqlite3_close_v2(TAKE(db));
    assert_int_equal(sat_profile_renew(profile, "new", NULL), SAT_OK);
    assert_int_equal(sat_vault_key(profile, "main", now.bytes, NULL), SAT_OK);
    assert_memory_not_equal(&former, &now, sizeof now);
    assert_int_equal(
        sat__vault_db_open(path, &former, sat_env_system(), 0, &db, NULL),
        SAT_ERR_AUTH);
    assert_int_equal(sat__vault_open(profile, "main", 0, &db, NULL), SAT_OK);
    assert_int_equal(sat__sql_exec(db, NULL, "SELECT a FROM mine"), SAT_OK);
}

static void who_holds_the_former_master_key_is_locked_out(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sat_profile) other = fixture_unlocked(state);
    sat_error err;
    assert_int_equal(sat_profile_renew(profile, "new", NULL), SAT_OK);
    assert_int_equal(sat_vault_create(other, "notes", &err), SAT_ERR_LOCKED);
    assert_string_equal(err.message,
                        "the master key was renewed; unlock the profile again");
    assert_true(sat_profile_is_locked(other));
}

static void a_keychain_opens_it_until_it_forgets(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    if (sat_profile_keychain(profile) == SAT_KEYCHAIN_NONE)
        skip();
    assert_int_equal(sat_profile_remember(profile, NULL), SAT_OK);
    AUTO_PTR(sat_profile) again = fixture_open(state);
    assert_int_equal(sat_profile_unlock_keychain(again, NULL), SAT_OK);
    assert_int_equal(sat_profile_forget(again, NULL), SAT_OK);
    AUTO_PTR(sat_profile) last = fixture_open(state);
    assert_int_equal(sat_profile_unlock_keychain(last, NULL), SAT_ERR_LOCKED);
    assert_null(sat__keys_file_slot(&last->keys, SAT_SLOT_KEYCHAIN));
}

static void it_keeps_who_it_is(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    AUTO_PTR(sat_profile) again = fixture_unlocked(state);
    const sat__identity *identity = NULL;
    uint8_t id[SAT_DEVICE_ID_SIZE];
    assert_int_equal(sat__profile_identity(again, &identity, NULL), SAT_OK);
    sat__device_id(sat__identity_principal(identity)->sign, id);
    assert_memory_equal(id, sat_profile_device_id(profile), sizeof id);
}

static void a_new_name_leaves_what_a_person_wrote(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    char path[SAT_PATH_SIZE];
    const char before[] = "; mine\n[device]\n  name : old one\ncolour = red\n"
                          "[other]\nname = kept\n";
    assert_int_equal(sat__profile_file(profile, "satchel.conf", path, NULL),
                     SAT_OK);
    scratch_write(path, before, strlen(before));
    assert_int_equal(sat_profile_set_device_name(profile, "phone", NULL),
                     SAT_OK);
    assert_string_equal(sat_profile_device_name(profile), "phone");
    AUTO(sat_buf) after = scratch_read(path);
    assert_string_equal(sat__buf_text(&after),
                        "; mine\n[device]\nname = phone\ncolour = red\n"
                        "[other]\nname = kept\n");
    assert_int_equal(sat_profile_set_device_name(profile, "a\nb", NULL),
                     SAT_ERR_INVALID);
}

static void it_is_made_once(void **state)
{
    AUTO_PTR(sat_profile) profile = NULL;
    char phrase[SAT_PHRASE_SIZE] = "";
    sat_error err;
    assert_int_equal(sat_profile_init(fixture_path(state), sat_env_system(),
                                      NULL, "x", phrase, &profile, &err),
                     SAT_ERR_CONFLICT);
    assert_string_equal(phrase, "");
    const char *const busy = scratch_path(state, "busy");
    assert_int_equal(scratch_run("mkdir '%s' && touch '%s/file'", busy, busy),
                     0);
    assert_int_equal(sat_profile_init(busy, sat_env_system(), NULL, "x", phrase,
                                      &profile, &err),
                     SAT_ERR_INVALID);
}

static void an_empty_password_makes_no_profile(void **state)
{
    AUTO_PTR(sat_profile) profile = NULL;
    char phrase[SAT_PHRASE_SIZE] = "";
    const char *const path = scratch_path(state, "none");
    assert_int_equal(sat_profile_init(path, sat_env_system(), NULL, "", phrase,
                                      &profile, NULL),
                     SAT_ERR_INVALID);
    AUTO(sat_buf) left = scratch_output("ls -d '%s'* 2>/dev/null; true", path);
    assert_string_equal(sat__buf_text(&left), "");
}

static void nothing_is_there_for_other_users(void **state)
{
    AUTO(sat_buf)
    open_to_others =
        scratch_output("find '%s' -perm /077", fixture_path(state));
    assert_string_equal(sat__buf_text(&open_to_others), "");
}

static void a_missing_profile_is_named(void **state)
{
    AUTO_PTR(sat_profile) profile = NULL;
    sat_error err;
    assert_int_equal(
        sat_profile_open("/nowhere/at/all", sat_env_system(), &profile, &err),
        SAT_ERR_NOT_FOUND);
    assert_string_equal(err.message,
                        "there is no profile at '/nowhere/at/all'");
    (void)state;
}

static void damage_to_the_keys_is_noticed(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_open(state);
    char path[SAT_PATH_SIZE];
    assert_int_equal(sat__profile_file(profile, "keys.cbor", path, NULL),
                     SAT_OK);
    AUTO(sat_buf) keys = scratch_read(path);
    keys.data[keys.len - 1] ^= 1;
    scratch_write(path, keys.data, keys.len);
    assert_int_equal(sat_profile_unlock(profile, FIXTURE_PASSWORD, NULL),
                     SAT_ERR_CORRUPT);
    scratch_write(path, keys.data, keys.len / 2);
    assert_int_equal(sat_profile_unlock(profile, FIXTURE_PASSWORD, NULL),
                     SAT_ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(the_password_opens_it),
        PROFILE_TEST(another_password_does_not),
        PROFILE_TEST(the_phrase_opens_it),
        PROFILE_TEST(another_phrase_is_not_this_one),
        PROFILE_TEST(a_new_password_takes_the_place_of_the_former),
        PROFILE_TEST(a_new_password_changes_nothing_but_its_slot),
        PROFILE_TEST(renewing_changes_the_master_key_and_keeps_the_phrase),
        PROFILE_TEST(a_master_key_of_somebody_else_is_refused),
        PROFILE_TEST(a_slot_of_somebody_else_is_not_addressed),
        PROFILE_TEST(the_account_names_the_present_password),
        PROFILE_TEST(keys_of_an_earlier_format_are_named),
        PROFILE_TEST(renewing_gives_every_vault_another_key),
        PROFILE_TEST(who_holds_the_former_master_key_is_locked_out),
        PROFILE_TEST(a_keychain_opens_it_until_it_forgets),
        PROFILE_TEST(it_keeps_who_it_is),
        PROFILE_TEST(a_new_name_leaves_what_a_person_wrote),
        PROFILE_TEST(it_is_made_once),
        PROFILE_TEST(an_empty_password_makes_no_profile),
        PROFILE_TEST(nothing_is_there_for_other_users),
        PROFILE_TEST(a_missing_profile_is_named),
        PROFILE_TEST(damage_to_the_keys_is_noticed),
    };
    return cmocka_run_group_tests_name("profile", tests, fixture_make,
                                       fixture_remove);
}
