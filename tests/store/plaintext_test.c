/*
 * plaintext_test.c - no file of a profile tells what is in it
 *
 * A profile that was used, with its databases open and their logs on the disk,
 * is searched for the data, the password, the phrase and every key: as they
 * are, in hexadecimal, in base64 at each of three offsets, and in UTF-16.
 */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/cbor.h"
#include "base/sql.h"
#include "satchel/file.h"
#include "store/profile_fixture.h"
#include "store/vault.h"
#include "store/vault_db.h"

#define MARKER "Quartz sphinx judges my vow"
#define NEEDLES_MAX 256

static sat_buf needles[NEEDLES_MAX];
static const char *names[NEEDLES_MAX];
static size_t needle_count;

static sat_buf *next_needle(const char *name)
{
    assert_true(needle_count < NEEDLES_MAX);
    names[needle_count] = name;
    return &needles[needle_count++];
}

static void add_hex(const char *name, sat_bytes secret, const char *format)
{
    sat_buf *const hex = next_needle(name);
    for (size_t i = 0; i < secret.len; i++)
        sat__buf_printf(hex, format[1] == 'X' ? "%02X" : "%02x",
                        secret.data[i]);
}

/* Base64 of the secret behind `shift` other bytes: the characters that depend
 * on the secret alone. */
static void add_base64(const char *name, sat_bytes secret, size_t shift)
{
    uint8_t plain[512] = {0};
    uint8_t text[1024];
    memcpy(plain + shift, secret.data, secret.len);
    (void)EVP_EncodeBlock(text, plain, (int)(shift + secret.len));
    const size_t from = (shift * 8 + 5) / 6;
    const size_t to = (shift + secret.len) * 8 / 6;
    sat__buf_put(next_needle(name), text + from, to - from);
}

static void add_utf16(const char *name, sat_bytes secret, bool big_endian)
{
    sat_buf *const wide = next_needle(name);
    for (size_t i = 0; i < secret.len; i++) {
        if (big_endian)
            sat__buf_put_byte(wide, 0);
        sat__buf_put_byte(wide, secret.data[i]);
        if (!big_endian)
            sat__buf_put_byte(wide, 0);
    }
}

static void add_secret(const char *name, const void *data, size_t len)
{
    const sat_bytes secret = bytes_of(data, len);
    sat__buf_put(next_needle(name), data, len);
    add_hex(name, secret, "%x");
    add_hex(name, secret, "%X");
    for (size_t shift = 0; shift < 3; shift++)
        add_base64(name, secret, shift);
    add_utf16(name, secret, false);
    add_utf16(name, secret, true);
}

static void add_keys(sat_profile *profile)
{
    const sat__secrets *const secrets = profile->secrets;
    AUTO(sat_buf) identity = SAT_BUF_INIT;
    sat__cbor in;
    sat__sign_seed seed;
    size_t count;
    uint64_t version;
    add_secret("master key", secrets->master.bytes, 32);
    add_secret("secret key", secrets->secret_key.bytes, 16);
    for (size_t i = 0; i < secrets->count; i++)
        add_secret("database key", secrets->vaults[i].key.bytes, 32);
    add_secret("exchange key", sat__identity_exchange(secrets->identity)->bytes,
               32);
    sat__identity_encode(secrets->identity, &identity);
    in = cbor_of(buf_view(&identity));
    assert_int_equal(sat__cbor_array(&in, 3, &count, NULL), SAT_OK);
    assert_int_equal(sat__cbor_uint(&in, &version, NULL), SAT_OK);
    assert_int_equal(sat__cbor_fixed(&in, seed.bytes, sizeof seed.bytes, NULL),
                     SAT_OK);
    add_secret("identity key", seed.bytes, sizeof seed.bytes);
}

static void add_words(void)
{
    const char *const phrase = fixture_phrase();
    const char *const second = strchr(phrase, ' ');
    add_secret("password", FIXTURE_PASSWORD, strlen(FIXTURE_PASSWORD));
    add_secret("new password", "a new password", 14);
    add_secret("phrase", phrase, strlen(phrase));
    /* Two words in a row, should they be kept one by one. */
    add_secret("words", phrase,
               (size_t)(second - phrase) + strcspn(second + 1, " ") + 1);
}

/* Puts the marker wherever a person might put it. */
static sqlite3 *use(sat_profile *profile, void **state)
{
    sqlite3 *db = NULL;
    char id[SAT_FILE_ID_SIZE];
    const char *const media = scratch_path(state, "media");
    assert_int_equal(sat__vault_open(profile, "main", 0, &db, NULL), SAT_OK);
    assert_int_equal(sat__sql_exec(db, NULL,
                                   "CREATE TABLE \"%w\" (a TEXT, b BLOB);"
                                   "INSERT INTO \"%w\" VALUES (%Q, %Q);"
                                   "CREATE VIRTUAL TABLE f USING fts5 (t);"
                                   "INSERT INTO f VALUES (%Q)",
                                   MARKER, MARKER, MARKER, MARKER, MARKER),
                     SAT_OK);
    scratch_write(media, MARKER, strlen(MARKER));
    assert_int_equal(sat_file_add(profile, "main", media, MARKER, id, NULL),
                     SAT_OK);
    assert_int_equal(sat_profile_set_password(profile, "a new password", NULL),
                     SAT_OK);
    if (sat_profile_keychain(profile) != SAT_KEYCHAIN_NONE)
        assert_int_equal(sat_profile_remember(profile, NULL), SAT_OK);
    return db;
}

static size_t search(const char *path)
{
    AUTO(sat_buf) content = scratch_read(path);
    size_t found = 0;
    for (size_t i = 0; content.len > 0 && i < needle_count; i++)
        if (memmem(content.data, content.len, needles[i].data,
                   needles[i].len) != NULL) {
            print_error("%s is in %s\n", names[i], path);
            found++;
        }
    return found;
}

static size_t search_all(const char *folder, size_t *files)
{
    AUTO(sat_buf) list = scratch_output("find '%s' -type f", folder);
    size_t found = 0;
    char *save = NULL;
    (void)sat__buf_text(&list);
    for (char *path = strtok_r((char *)list.data, "\n", &save); path != NULL;
         path = strtok_r(NULL, "\n", &save), (*files)++)
        found += search(path);
    return found;
}

static void no_file_of_a_profile_holds_plaintext(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    size_t files = 0;
    add_secret("data", MARKER, strlen(MARKER));
    add_keys(profile);
    add_words();
    AUTO_PTR(sqlite3) db = use(profile, state);
    (void)db; /* kept open meanwhile */
    assert_int_equal(search_all(fixture_path(state), &files), 0);
    assert_true(files >= 8); /* with the logs of an open database */
    assert_int_equal(sat_profile_forget(profile, NULL), SAT_OK);
}

static void the_search_finds_what_is_there(void **state)
{
    size_t files = 0;
    scratch_write(scratch_path(state, "a"), "xx" MARKER, 2 + strlen(MARKER));
    scratch_write(scratch_path(state, "b"), "QuartzQUARTZ", 12);
    assert_int_equal(
        scratch_run(
            "cd '%s' && base64 -w0 a > c && od -An -v -tx1 a | tr -d ' \\n' > d"
            " && iconv -t UTF-16BE a > e",
            (char *)*state),
        0);
    assert_int_equal(search_all(*state, &files), 4);
    assert_int_equal(files, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(no_file_of_a_profile_holds_plaintext),
        SCRATCH_TEST(the_search_finds_what_is_there),
    };
    const int failed = cmocka_run_group_tests_name(
        "plaintext", tests, fixture_make, fixture_remove);
    for (size_t i = 0; i < needle_count; i++)
        sat__buf_clear(&needles[i]);
    return failed;
}
