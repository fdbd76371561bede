/*
 * mfa_test.c - one-time codes, given and verified, on one device and on two
 */
#include "satchel/mfa.h"

#include <stdio.h>
#include <string.h>

#include "satchel/audit.h"
#include "settings/mfa.h"
#include "settings/pair.h"

#define SECRET "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" /* of the RFCs */

DEFINE_AUTO_PTR(sat_mfa, sat_mfa_close);

static sat_mfa *open_mfa(sat_profile *profile)
{
    sat_mfa *mfa = NULL;
    sat_error err = {0};

    must(sat_mfa_open(profile, &mfa, &err), &err);
    return mfa;
}

static void add(sat_mfa *mfa, const char *name)
{
    sat_mfa_options options = SAT_MFA_INIT;
    char id[SAT_MFA_ID_SIZE];
    sat_error err = {0};

    options.secret = SECRET;
    must(sat_mfa_add(mfa, name, &options, id, &err), &err);
}

static void code_now(sat_mfa *mfa, const char *name,
                     char code[SAT_MFA_CODE_SIZE])
{
    sat_error err = {0};
    uint64_t left;

    must(sat_mfa_code(mfa, name, code, &left, &err), &err);
}

/* Verifies, and returns the status; `why` gets the message. */
static sat_status verify(sat_mfa *mfa, const char *code)
{
    return sat_mfa_verify(mfa, "bank", code, NULL);
}

typedef struct seen {
    int count;
    char status[16];
    uint64_t until, verified, used;
    unsigned backup_codes;
    char devices[300];
} seen;

static sat_status look(const sat_mfa_entry *entry, void *context,
                       sat_error *err)
{
    seen *const s = context;

    (void)err;
    s->count++;
    (void)snprintf(s->status, sizeof s->status, "%s", entry->status);
    (void)snprintf(s->devices, sizeof s->devices, "%s", entry->devices);
    s->until = entry->disabled_until_ms;
    s->verified = entry->verified_ms;
    s->used = entry->last_used_ms;
    s->backup_codes = entry->backup_codes;
    return SAT_OK;
}

static seen list(sat_mfa *mfa)
{
    sat_error err = {0};
    seen s = {0};

    must(sat_mfa_list(mfa, look, &s, &err), &err);
    return s;
}

static void a_code_lasts_until_its_period_ends(void **state)
{
    AUTO_PTR(sat_mfa) mfa = open_mfa(((pair *)*state)->one);
    char code[SAT_MFA_CODE_SIZE];
    sat_error err = {0};
    uint64_t left;

    add(mfa, "bank");
    pair_now_ms = 59000;
    must(sat_mfa_code(mfa, "bank", code, &left, &err), &err);
    assert_string_equal(code, "287082");
    assert_int_equal(left, 1000);
    pair_now_ms = 60000;
    must(sat_mfa_code(mfa, "bank", code, &left, &err), &err);
    assert_string_equal(code, "359152");
    assert_int_equal(left, 30000);
}

static void a_code_counts_once_and_a_period_before_and_after(void **state)
{
    AUTO_PTR(sat_mfa) mfa = open_mfa(((pair *)*state)->one);
    char codes[5][SAT_MFA_CODE_SIZE];

    add(mfa, "bank");
    const uint64_t start = pair_now_ms;
    for (int i = 0; i < 5; i++) {
        pair_now_ms = start + (uint64_t)i * 30000;
        code_now(mfa, "bank", codes[i]);
    }
    pair_now_ms = start + 60000; /* the third is the one of now */
    assert_int_equal(verify(mfa, codes[0]), SAT_ERR_AUTH);
    assert_int_equal(verify(mfa, codes[4]), SAT_ERR_AUTH);
    assert_int_equal(verify(mfa, codes[1]), SAT_OK);
    assert_int_equal(verify(mfa, codes[1]), SAT_ERR_AUTH);
    assert_int_equal(verify(mfa, codes[3]), SAT_OK);
    /* What lies before one that was taken is taken as well. */
    assert_int_equal(verify(mfa, codes[2]), SAT_ERR_AUTH);
    assert_int_equal(verify(mfa, "000000"), SAT_ERR_AUTH);
    assert_int_equal(verify(mfa, ""), SAT_ERR_AUTH);
    assert_int_equal(verify(mfa, "28708"), SAT_ERR_AUTH);
}

static void a_wrong_clock_is_told(void **state)
{
    AUTO_PTR(sat_mfa) mfa = open_mfa(((pair *)*state)->one);
    char code[SAT_MFA_CODE_SIZE];
    sat_error err = {0};

    add(mfa, "bank");
    code_now(mfa, "bank", code);
    pair_now_ms += 3600000;
    assert_int_equal(sat_mfa_verify(mfa, "bank", code, &err), SAT_ERR_AUTH);
    assert_non_null(strstr(err.message, "60 minutes ago"));
    assert_non_null(strstr(err.message, "clock"));
    assert_null(strstr(err.message, code));
}

static void what_one_device_sets_up_works_on_another_and_not_twice(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_mfa) one = open_mfa(p->one);
    AUTO_PTR(sat_mfa) two = open_mfa(p->two);
    char code[SAT_MFA_CODE_SIZE];

    add(one, "bank");
    pair_sync(p);
    code_now(two, "bank", code);
    assert_int_equal(verify(two, code), SAT_OK);
    pair_sync(p);
    assert_int_equal(verify(one, code), SAT_ERR_AUTH);
    pair_now_ms += 30000;
    code_now(one, "bank", code);
    assert_int_equal(verify(one, code), SAT_OK);
    assert_int_equal(verify(two, code), SAT_OK); /* they have not met */
    pair_sync(p);
    assert_int_equal(pair_conflicts(p->one), 0);
    const seen s = list(one);
    assert_int_equal(s.count, 1);
    assert_string_equal(s.status, "verified");
    assert_int_equal(s.used, pair_now_ms);
    assert_int_equal(strlen(s.devices), 2 * 66 + 3);
}

static void a_backup_code_counts_once_on_every_device(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_mfa) one = open_mfa(p->one);
    AUTO_PTR(sat_mfa) two = open_mfa(p->two);
    char codes[SAT_MFA_BACKUP_CODES][SAT_MFA_BACKUP_SIZE];
    char fewer[SAT_MFA_BACKUP_CODES][SAT_MFA_BACKUP_SIZE];
    sat_error err = {0};

    add(one, "bank");
    must(sat_mfa_backup_codes(one, "bank", codes, &err), &err);
    assert_int_equal(list(one).backup_codes, SAT_MFA_BACKUP_CODES);
    for (char *c = codes[0]; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    pair_sync(p);
    assert_int_equal(verify(two, codes[0]), SAT_OK);
    assert_int_equal(verify(two, codes[0]), SAT_ERR_AUTH);
    pair_sync(p);
    assert_int_equal(verify(one, codes[0]), SAT_ERR_AUTH);
    assert_int_equal(verify(one, codes[1]), SAT_OK);
    assert_int_equal(list(one).backup_codes, SAT_MFA_BACKUP_CODES - 2);
    must(sat_mfa_backup_codes(one, "bank", fewer, &err), &err);
    assert_int_equal(verify(one, codes[2]), SAT_ERR_AUTH);
    assert_int_equal(verify(one, fewer[2]), SAT_OK);
}

static void a_disabled_entry_gives_and_takes_no_codes(void **state)
{
    AUTO_PTR(sat_mfa) mfa = open_mfa(((pair *)*state)->one);
    char code[SAT_MFA_CODE_SIZE];
    sat_error err = {0};
    uint64_t left;

    add(mfa, "bank");
    code_now(mfa, "bank", code);
    must(sat_mfa_disable(mfa, "bank", 60000, &err), &err);
    assert_int_equal(sat_mfa_code(mfa, "bank", code, &left, &err),
                     SAT_ERR_DENIED);
    assert_int_equal(verify(mfa, code), SAT_ERR_DENIED);
    assert_string_equal(list(mfa).status, "disabled");
    assert_int_equal(list(mfa).until, pair_now_ms + 60000);
    pair_now_ms += 60000;
    code_now(mfa, "bank", code);
    must(sat_mfa_disable(mfa, "bank", 0, &err), &err);
    pair_now_ms += 86400000;
    assert_int_equal(verify(mfa, code), SAT_ERR_DENIED);
    must(sat_mfa_enable(mfa, "bank", &err), &err);
    code_now(mfa, "bank", code);
    assert_int_equal(verify(mfa, code), SAT_OK);
    must(sat_mfa_remove(mfa, "bank", &err), &err);
    assert_int_equal(list(mfa).count, 0);
    assert_int_equal(verify(mfa, code), SAT_ERR_NOT_FOUND);
}

static void uris_come_in_and_go_out(void **state)
{
    AUTO_PTR(sat_mfa) mfa = open_mfa(((pair *)*state)->one);
    static const char uri[] =
        "otpauth://totp/ACME%20Co:john@example.com?secret=HXDMVJECJJWSRB3HWIZR4"
        "IFUGFTMXBOZ&issuer=ACME%20Co&algorithm=SHA512&digits=8&period=60";
    char id[SAT_MFA_ID_SIZE], again[SAT_MFA_URI_SIZE];
    sat_error err = {0};

    must(sat_mfa_add_uri(mfa, NULL, uri, id, &err), &err);
    must(sat_mfa_export(mfa, "ACME Co", again, &err), &err);
    assert_string_equal(again, uri);
    must(sat_mfa_export(mfa, id, again, &err), &err);
    assert_int_equal(sat_mfa_add_uri(mfa, NULL, uri, id, &err),
                     SAT_ERR_CONFLICT);
}

static void what_is_no_uri_is_refused(void **state)
{
    AUTO_PTR(sat_mfa) mfa = open_mfa(((pair *)*state)->one);
    static const struct {
        const char *uri;
        sat_status status;
    } cases[] = {
        {"", SAT_ERR_INVALID},
        {"https://totp/a?secret=MY", SAT_ERR_INVALID},
        {"otpauth://hotp/a?secret=MY", SAT_ERR_UNSUPPORTED},
        {"otpauth://totp/a", SAT_ERR_INVALID},
        {"otpauth://totp/a?secret=", SAT_ERR_INVALID},
        {"otpauth://totp/a?secret=M1", SAT_ERR_INVALID},
        {"otpauth://totp/a?secret=MY&digits=9", SAT_ERR_INVALID},
        {"otpauth://totp/a?secret=MY&digits=", SAT_ERR_INVALID},
        {"otpauth://totp/a?secret=MY&period=0", SAT_ERR_INVALID},
        {"otpauth://totp/a?secret=MY&period=99999999999", SAT_ERR_INVALID},
        {"otpauth://totp/a?secret=MY&algorithm=MD5", SAT_ERR_INVALID},
        {"otpauth://totp/%?secret=MY", SAT_ERR_INVALID},
        {"otpauth://totp/%00?secret=MY", SAT_ERR_INVALID},
        {"otpauth://totp/%0a?secret=MY", SAT_ERR_INVALID},
        {"otpauth://totp/a:b:c?secret=MY", SAT_ERR_INVALID},
        {"otpauth://totp/%ff?secret=MY", SAT_ERR_INVALID},
    };
    char id[SAT_MFA_ID_SIZE];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(sat_mfa_add_uri(mfa, "bank", cases[i].uri, id, NULL),
                         cases[i].status);
}

static sat_status gather(const sat_audit_entry *entry, void *context,
                         sat_error *err)
{
    sat__buf_printf(context, "%llu %s %s;", (unsigned long long)entry->number,
                    entry->event, entry->detail);
    return sat__buf_status(context, err);
}

static void all_of_it_is_in_the_audit_without_secrets(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_mfa) mfa = open_mfa(p->one);
    AUTO(sat_buf) events = SAT_BUF_INIT;
    char code[SAT_MFA_CODE_SIZE];
    sat_error err = {0};

    add(mfa, "bank");
    code_now(mfa, "bank", code);
    assert_int_equal(verify(mfa, "000000"), SAT_ERR_AUTH);
    assert_int_equal(verify(mfa, code), SAT_OK);
    must(sat_audit_list(p->one, 0, "verification", gather, &events, &err),
         &err);
    assert_string_equal(sat__buf_text(&events),
                        "2 MFA_VERIFICATION_FAILURE bank;"
                        "3 MFA_VERIFICATION_SUCCESS bank;");
}

static void an_audit_that_was_changed_is_told(void **state)
{
    pair *const p = *state;
    AUTO_PTR(sat_mfa) mfa = open_mfa(p->one);
    static const char *const changes[] = {
        "UPDATE sync_audit SET detail = 'other' WHERE number = 2",
        "DELETE FROM sync_audit WHERE number = 1",
        "UPDATE sync_audit SET time = time + 1 WHERE number = 3"};
    AUTO(sat_buf) events = SAT_BUF_INIT;
    sat_error err = {0};

    for (int i = 0; i < 3; i++)
        must(sat_audit_add(p->one, "APP_EVENT", "something", &err), &err);
    assert_int_equal(sat_audit_add(p->one, "app", "x", &err), SAT_ERR_INVALID);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        must(sat_audit_list(p->one, 0, NULL, gather, &events, &err), &err);
        must(sat__sql_exec(mfa->db, &err,
                           "CREATE TABLE kept AS SELECT * FROM sync_audit;"
                           "%s",
                           changes[i]),
             &err);
        assert_int_equal(sat_audit_list(p->one, 0, NULL, gather, &events, &err),
                         SAT_ERR_CORRUPT);
        must(sat__sql_exec(mfa->db, &err, "%s",
                           "DELETE FROM sync_audit; INSERT INTO sync_audit "
                           "SELECT * FROM kept; DROP TABLE kept"),
             &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(a_code_lasts_until_its_period_ends),
        PAIR_TEST(a_code_counts_once_and_a_period_before_and_after),
        PAIR_TEST(a_wrong_clock_is_told),
        PAIR_TEST(what_one_device_sets_up_works_on_another_and_not_twice),
        PAIR_TEST(a_backup_code_counts_once_on_every_device),
        PAIR_TEST(a_disabled_entry_gives_and_takes_no_codes),
        PAIR_TEST(uris_come_in_and_go_out),
        PAIR_TEST(what_is_no_uri_is_refused),
        PAIR_TEST(all_of_it_is_in_the_audit_without_secrets),
        PAIR_TEST(an_audit_that_was_changed_is_told),
    };

    return cmocka_run_group_tests(tests, pair_make, pair_remove);
}
