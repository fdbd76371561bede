/*
 * damage_test.c - nothing that was altered is ever taken for a backup
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>
#include <cmocka.h>

#include "backup/manifest.h"
#include "backup/site.h"
#include "base/cbor.h"
#include "crypto/labels.h"
#include "store/fs.h"

#define EMPTY 16 /* bytes of a file without any backup */
#define HEAD 64  /* of the file, its mark and the first entry's header */

/* Whether a backup in this file, alone, is refused as damaged, and a restore
 * changes nothing. */
static void assert_refused(sat_profile *profile, const char *at,
                           const char *what, size_t where)
{
    uint64_t count = 0;
    sat_error err;
    const sat_status st =
        sat_backup_verify(profile, at, 0, 1, NULL, NULL, &count, &err);
    if (st != SAT_ERR_CORRUPT && st != SAT_ERR_VERSION)
        fail_msg("%s at %zu: %s", what, where, sat_status_name(st));
}

static void assert_not_restored(void **state, const char *at)
{
    char copy[SCRATCH_PATH_MAX + 8];
    sat_error err;
    (void)snprintf(copy, sizeof copy, "%s/copy", (const char *)*state);
    const sat_status st = site_restore(copy, at, 0, &err);
    if (st != SAT_ERR_CORRUPT && st != SAT_ERR_VERSION)
        fail_msg("restored: %s", sat_status_name(st));
    assert_false(sat__fs_exists(copy));
}

/* A place that is one file, and its bytes. */
static sat_buf make_file(void **state, sat_profile *profile, const char *at)
{
    site_sql(profile, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    site_add_file(state, profile, 3000);
    (void)site_back_up(profile, at);
    return scratch_read(at);
}

static void flip(sat_buf *bytes, const char *at, size_t where, int bit)
{
    bytes->data[where] ^= (uint8_t)(1 << bit);
    scratch_write(at, bytes->data, bytes->len);
    bytes->data[where] ^= (uint8_t)(1 << bit);
}

static void row_13_a_flipped_bit_is_found_wherever_it_is(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    AUTO(sat_buf) bytes = make_file(state, profile, at);
    for (size_t i = 0; i < HEAD; i++)
        for (int bit = 0; bit < 8; bit++) {
            flip(&bytes, at, i, bit);
            assert_refused(profile, at, "header", i);
        }
    /* The manifest is the last entry. */
    for (size_t i = bytes.len - 900; i < bytes.len; i++) {
        flip(&bytes, at, i, (int)(i % 8));
        assert_refused(profile, at, "manifest", i);
    }
    srand(4);
    for (int i = 0; i < 1000; i++) {
        const size_t where = (size_t)rand() % bytes.len;
        flip(&bytes, at, where, rand() % 8);
        assert_refused(profile, at, "random bit", where);
        if (i % 50 == 0)
            assert_not_restored(state, at);
    }
    scratch_write(at, bytes.data, bytes.len);
    assert_int_equal(site_good(profile, at), 1);
}

static void row_13_a_file_that_was_cut_is_refused_at_every_length(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    AUTO(sat_buf) bytes = make_file(state, profile, at);
    for (size_t len = 0; len < bytes.len; len += 1 + len / 97) {
        scratch_write(at, bytes.data, len);
        if (len != EMPTY)
            assert_refused(profile, at, "cut", len);
    }
    for (size_t more = 1; more < 100; more += 7) {
        AUTO(sat_buf) longer = SAT_BUF_INIT;
        sat__buf_put(&longer, bytes.data, bytes.len);
        sat__buf_put(&longer, bytes.data, more);
        scratch_write(at, longer.data, longer.len);
        assert_refused(profile, at, "longer", more);
        assert_not_restored(state, at);
    }
}

/* What was cut off while the second backup was written still has the first,
 * for who asks for it. */
static void the_backup_before_the_cut_can_be_asked_for(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    AUTO(sat_buf) bytes = make_file(state, profile, at);
    site_sql(profile, "INSERT INTO t (v) VALUES (1)");
    (void)site_back_up(profile, at);
    AUTO(sat_buf) both = scratch_read(at);
    scratch_write(at, both.data, bytes.len + 60);
    assert_not_restored(state, at);
    assert_int_equal(site_restore(site_place(state, "copy"), at, 1, NULL),
                     SAT_OK);
}

/* Packs of 3 chunks, changed as whoever keeps them could. */
static void row_13_chunks_are_neither_moved_nor_doubled_nor_dropped(
    void **state)
{
    static const char *const changes[] = {
        "b[25:25+c], b[25+c:25+2*c] = b[25+c:25+2*c], b[25:25+c]",
        "b[25+c:25+2*c] = b[25:25+c]",
        "b[25:25] = b[25:25+c]",
        "b[25:25+c] = b''",
        "b[-c:] = b''",
        "b += b[-c:]",
        "b[:25] = bytes(25)",
    };
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    const char *const kept = site_place(state, "kept");
    site_fill(state, profile);
    (void)site_back_up(profile, at);
    assert_int_equal(scratch_run("cp -r '%s' '%s'", at, kept), 0);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        assert_int_equal(
            scratch_run("rm -rf '%s' && cp -r '%s' '%s' && python3 -c \"\n"
                        "import pathlib, hashlib\n"
                        "c = 65552\n"
                        "p = next(pathlib.Path('%s/packs').iterdir())\n"
                        "b = bytearray(p.read_bytes())\n"
                        "%s\n"
                        "p.write_bytes(b)\"",
                        at, kept, at, at, changes[i]),
            0);
        assert_refused(profile, at, changes[i], i);
        assert_not_restored(state, at);
    }
}

/* Objects of one backup in the place of another's. */
static void row_13_objects_are_not_swapped(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    site_fill(state, profile);
    (void)site_back_up(profile, at);
    site_sql(profile, "UPDATE t SET v = v || 'x'");
    (void)site_back_up(profile, at);
    assert_int_equal(
        scratch_run("cd '%s/packs' && set -- * && mv $1 x && mv $2 $1 &&"
                    " mv x $2",
                    at),
        0);
    assert_refused(profile, at, "swapped", 0);
    assert_not_restored(state, at);
    assert_int_equal(scratch_run("cd '%s/packs' && rm $(ls | head -1)", at), 0);
    assert_refused(profile, at, "missing", 0);
    assert_not_restored(state, at);
}

static void row_14_an_older_backup_does_not_pass_for_the_newest(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    AUTO(sat_buf) older = make_file(state, profile, at);
    (void)site_back_up(profile, at);
    scratch_write(at, older.data, older.len);
    sat_error err;
    assert_int_equal(site_restore(fixture_path(state), at, 0, &err),
                     SAT_ERR_CONFLICT);
    assert_non_null(strstr(err.message, "backup 2"));
    assert_int_equal(site_restore(fixture_path(state), at, 1, NULL), SAT_OK);
}

/* The words of the three are told apart in tests/cli. */
static void row_15_a_wrong_phrase_damage_and_nothing_are_three_things(
    void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "b");
    const char *const copy = site_place(state, "copy");
    AUTO(sat_buf) bytes = make_file(state, profile, at);
    sat_restore_options options = SAT_RESTORE_INIT;
    sat_error err;
    options.password = "password";
    options.phrase = "abandon abandon abandon abandon abandon abandon abandon "
                     "abandon abandon abandon abandon about";
    assert_int_equal(
        sat_backup_restore(copy, sat_env_system(), at, &options, NULL, &err),
        SAT_ERR_AUTH);
    options.phrase = "abandon abandon abandon abandon abandon abandon abandon "
                     "abandon abandon abandon abandon abandon";
    assert_int_equal(
        sat_backup_restore(copy, sat_env_system(), at, &options, NULL, &err),
        SAT_ERR_AUTH);
    assert_non_null(strstr(err.message, "checksum"));
    options.phrase = "zzz";
    assert_int_equal(
        sat_backup_restore(copy, sat_env_system(), at, &options, NULL, &err),
        SAT_ERR_AUTH);
    assert_int_equal(site_restore(copy, site_place(state, "no"), 0, &err),
                     SAT_ERR_NOT_FOUND);
    assert_int_equal(scratch_run("mkdir '%s'", site_place(state, "empty")), 0);
    assert_int_equal(site_restore(copy, site_place(state, "empty"), 0, &err),
                     SAT_ERR_NOT_FOUND);
    flip(&bytes, at, bytes.len / 2, 1);
    assert_int_equal(site_restore(copy, at, 0, &err), SAT_ERR_CORRUPT);
    assert_false(sat__fs_exists(copy));
}

/* A frame that expands to more than it says, or than there is. */
static void row_16_a_decompression_bomb_is_refused_in_bounded_memory(
    void **state)
{
    static uint8_t zeros[1 << 20];
    static uint8_t out[SAT_FRAME_MAX];
    AUTO(sat_buf) bomb = SAT_BUF_INIT;
    sat_error err;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        static uint8_t packed[1 << 12];
        const size_t len =
            ZSTD_compress(packed, sizeof packed, zeros, sizeof zeros, 3);
        assert_false(ZSTD_isError(len));
        sat__buf_put(&bomb, packed, len);
    }
    assert_int_equal(
        sat__frame_expand(SAT__FRAME_ZSTD, buf_view(&bomb), 1000, out, &err),
        SAT_ERR_CORRUPT);
    assert_int_equal(
        sat__frame_expand(SAT__FRAME_STORED, bytes_of("abc", 3), 4, out, &err),
        SAT_ERR_CORRUPT);
}

static void row_17_a_backup_of_a_newer_satchel_says_what_to_do(void **state)
{
    AUTO_PTR(sat_profile) profile = fixture_unlocked(state);
    const char *const at = site_place(state, "folder/");
    AUTO(sat__place) place = {.calls = NULL};
    AUTO(sat_buf) newer = SAT_BUF_INIT;
    const uint8_t body[] = {0x82, 0x02, 0x18, 0x2a}; /* [2, 42] */
    const uint8_t signature[SAT_SIGNATURE_SIZE] = {0};
    const sat__place_access access = {.env = sat_env_system()};
    sat__blob_name name;
    sat_error err;
    sat__cbor_put_array(&newer, 3);
    sat__cbor_put_str(&newer, "satchel backup");
    sat__cbor_put_bytes(&newer, body, sizeof body);
    sat__cbor_put_bytes(&newer, signature, sizeof signature);
    (void)site_back_up(profile, at);
    assert_int_equal(
        sat__place_open(at, &access, SAT__PLACE_WRITE, &place, &err), SAT_OK);
    assert_int_equal(place.calls->begin(place.self, SAT__PLACE_MANIFEST, &err),
                     SAT_OK);
    assert_int_equal(place.calls->write(place.self, buf_view(&newer), &err),
                     SAT_OK);
    assert_int_equal(place.calls->commit(place.self, &name, &err), SAT_OK);
    place_close(&place);
    assert_int_equal(site_restore(site_place(state, "copy"), at, 0, &err),
                     SAT_ERR_VERSION);
    assert_non_null(strstr(err.message, "newer satchel"));
    assert_int_equal(site_restore(site_place(state, "copy"), at, 1, &err),
                     SAT_OK);
}

/* Padmé keeps a length's first bits only. */
static void lengths_are_padded_as_padme_does(void **state)
{
    (void)state;
    assert_int_equal(sat__padme(1), 1);
    assert_int_equal(sat__padme(9), 10);
    assert_int_equal(sat__padme(1000), 1024);
    assert_int_equal(sat__padme(1025), 1088);
    for (uint64_t len = 1; len < 1 << 20; len += 1 + len / 3) {
        const uint64_t padded = sat__padme(len);
        assert_true(padded >= len && padded <= len + len / 8 + 1);
        assert_int_equal(sat__padme(padded), padded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROFILE_TEST(row_13_a_flipped_bit_is_found_wherever_it_is),
        PROFILE_TEST(row_13_a_file_that_was_cut_is_refused_at_every_length),
        PROFILE_TEST(the_backup_before_the_cut_can_be_asked_for),
        PROFILE_TEST(row_13_chunks_are_neither_moved_nor_doubled_nor_dropped),
        PROFILE_TEST(row_13_objects_are_not_swapped),
        PROFILE_TEST(row_14_an_older_backup_does_not_pass_for_the_newest),
        PROFILE_TEST(row_15_a_wrong_phrase_damage_and_nothing_are_three_things),
        cmocka_unit_test(
            row_16_a_decompression_bomb_is_refused_in_bounded_memory),
        PROFILE_TEST(row_17_a_backup_of_a_newer_satchel_says_what_to_do),
        cmocka_unit_test(lengths_are_padded_as_padme_does),
    };
    return cmocka_run_group_tests(tests, fixture_make, fixture_remove);
}
