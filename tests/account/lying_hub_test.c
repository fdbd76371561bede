/*
 * lying_hub_test.c - what a hub can do, and what the device makes of it
 *
 * A test for each way of lying that concerns the account and what is followed.
 * The hub of stub.h does exactly that, over real sockets. Each time the device
 * says what is wrong, keeps what it has, and goes on once the hub is honest.
 */
#include "desk.h"
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "chain/lthash.h"
#include "store/scratch.h"

static stub hub;
static desk a, b, c, other;

static void open_desk(void **state, desk *d, const char *name)
{
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s", scratch_path(state, "."));
    desk_open(d, folder, name);
}

#define ALL "SELECT * FROM t ORDER BY 1"

static int two_devices(void **state)
{
    sat_error err = {0};
    if (scratch_setup(state) != 0)
        return 1;
    stub_start(&hub);
    open_desk(state, &a, "laptop");
    open_desk(state, &b, "phone");
    must(sat_account_register(a.profile, hub.url, DESK_EMAIL, DESK_PASSWORD,
                              &err),
         &err);
    (void)desk_sql(&a, "main", "CREATE TABLE t(id TEXT PRIMARY KEY, n, x)");
    desk_track(&a, "main", "t");
    (void)desk_sql(&a, "main",
                   "INSERT INTO t VALUES('a', 1, 'x'), "
                   "('b', 2, 'y')");
    (void)desk_sync(&a);
    desk_login(&b, &a, hub.url);
    (void)desk_sync(&b);
    return 0;
}

static int close_all(void **state)
{
    desk_close(&a);
    desk_close(&b);
    desk_close(&c);
    desk_close(&other);
    stub_stop(&hub);
    return scratch_teardown(state);
}

/* The vault `main`: it was made after `account`. */
static stub_vault *main_vault(void)
{
    assert_int_equal(hub.vault_count, 2);
    return &hub.vaults[1];
}

static size_t main_vault_links(void)
{
    return hub.vaults[1].links.count;
}

static stub_item *newest(stub_vault *vault)
{
    stub_item *found = &vault->items[0];
    for (size_t i = 0; i < vault->count; i++)
        if (vault->items[i].sequence > found->sequence)
            found = &vault->items[i];
    return found;
}

static void edit_on_a(void)
{
    (void)desk_sql(&a, "main", "UPDATE t SET x = 'new' WHERE id = 'a'");
    (void)desk_sync(&a);
}

/* The device refuses with these words, and is as it was. */
static void b_notices(const char *what)
{
    char before[256];
    (void)snprintf(before, sizeof before, "%s", desk_sql(&b, "main", ALL));
    const size_t heads = main_vault()->heads.count;
    const char *const said = desk_sync_fails(&b, SAT_ERR_CORRUPT);
    if (strstr(said, what) == NULL)
        fail_msg("'%s' does not say '%s'", said, what);
    assert_string_equal(desk_sql(&b, "main", ALL), before);
    assert_int_equal(main_vault()->heads.count, heads);
}

static void b_goes_on(void)
{
    (void)desk_sync(&b);
    assert_string_equal(desk_sql(&b, "main", ALL), "a|1|new;b|2|y;");
}

static sat_status c_logs_in(sat_error *err)
{
    const sat_account_credentials with = {.size = sizeof with,
                                          .email = DESK_EMAIL,
                                          .password = DESK_PASSWORD,
                                          .secret_key = a.secret_key};
    return sat_account_login(c.profile, hub.url, &with, err);
}

static void c_has_no_account(void)
{
    sat_account account;
    assert_int_equal(sat_account_show(c.profile, &account, NULL),
                     SAT_ERR_NOT_FOUND);
}

/* ---- 1 ---- */

static void case_1_weaker_parameters_are_refused(void **state)
{
    static const uint64_t weak[][3] = {
        {1, 1, 65536}, {1, 3, 1024}, {2, 1000, 0}, {0, 0, 0}, {1, 3, 1u << 31}};
    sat_error err = {0};
    open_desk(state, &c, "tablet");
    for (size_t i = 0; i < 5; i++) {
        memcpy(hub.cost, weak[i], sizeof hub.cost);
        const uint64_t before = hub.requests;
        assert_int_not_equal(c_logs_in(&err), SAT_OK);
        assert_int_equal(hub.requests, before + 1); /* nothing was signed */
        c_has_no_account();
    }
}

static void case_1_another_slot_is_refused(void **state)
{
    sat_error err = {0};
    open_desk(state, &c, "tablet");
    for (size_t at = 0; at < hub.accounts[0].slot.len; at += 7) {
        hub.accounts[0].slot.data[at] ^= 1;
        assert_int_not_equal(c_logs_in(&err), SAT_OK);
        hub.accounts[0].slot.data[at] ^= 1;
        c_has_no_account();
    }
    must(c_logs_in(&err), &err);
}

/* ---- 3, 10 ---- */

/* A vault that somebody else made, in this account's list. */
static void case_3_a_vault_that_nobody_made_is_no_vault(void **state)
{
    stub second;
    sat_error err = {0};
    open_desk(state, &other, "stranger");
    stub_start(&second);
    must(sat_account_register(other.profile, second.url, "eve@example.org",
                              DESK_PASSWORD, &err),
         &err);
    (void)desk_sync(&other);
    hub.vaults[hub.vault_count] = second.vaults[1];
    hub.vault_count++;
    open_desk(state, &c, "tablet");
    must(c_logs_in(&err), &err);
    (void)desk_sync(&c);
    assert_string_equal(
        desk_sql(&c, "account", "SELECT count(*) FROM satchel_vaults"), "1;");
    hub.vault_count--;
    stub_stop(&second);
}

/* The chain of an account of the hub's own making. */
static void case_10_another_chain_is_refused(void **state)
{
    stub second;
    sat_error err = {0};
    open_desk(state, &other, "stranger");
    stub_start(&second);
    must(sat_account_register(other.profile, second.url, "eve@example.org",
                              DESK_PASSWORD, &err),
         &err);
    hub.account = &second.accounts[0].chain.list[0];
    open_desk(state, &c, "tablet");
    assert_int_equal(c_logs_in(&err), SAT_ERR_CORRUPT);
    c_has_no_account();
    (void)desk_sync_fails(&b, SAT_ERR_CORRUPT);
    hub.account = NULL;
    (void)desk_sync(&b);
    stub_stop(&second);
}

static void case_10_a_link_that_was_changed_is_refused(void **state)
{
    sat_error err = {0};
    sat_buf *const link =
        &hub.accounts[0].chain.list[hub.accounts[0].chain.count - 1];
    open_desk(state, &c, "tablet");
    for (size_t at = 0; at < link->len; at += 11) {
        link->data[at] ^= 1;
        assert_int_not_equal(c_logs_in(&err), SAT_OK);
        link->data[at] ^= 1;
    }
    c_has_no_account();
}

/* ---- 5, 6, 8, 9, 13 ---- */

static void case_5_items_that_were_swapped_do_not_open(void **state)
{
    (void)state;
    (void)desk_sql(&a, "main", "UPDATE t SET x = 'new'");
    (void)desk_sync(&a);
    stub_vault *const vault = main_vault();
    stub_item *first = NULL, *second = NULL;
    for (size_t i = 0; i < vault->count; i++)
        if (vault->items[i].version == 2) {
            second = first;
            first = &vault->items[i];
        }
    assert_non_null(second);
    const sat_buf data = first->data;
    first->data = second->data;
    second->data = data;
    b_notices("withholds items, or sends others");
    second->data = first->data;
    first->data = data;
    (void)desk_sync(&b);
    assert_string_equal(desk_sql(&b, "main", ALL), "a|1|new;b|2|new;");
}

static void case_5_every_field_of_an_item_is_bound(void **state)
{
    (void)state;
    edit_on_a();
    stub_item *const item = newest(main_vault());
    uint8_t *const fields[] = {item->id, item->data.data + 1,
                               item->data.data + item->data.len - 1};
    for (size_t i = 0; i < 3; i++) {
        *fields[i] ^= 1;
        b_notices("withholds items, or sends others");
        *fields[i] ^= 1;
    }
    item->version++;
    b_notices("withholds items, or sends others");
    item->version--;
    item->epoch[0] ^= 1;
    (void)desk_sync_fails(&b, SAT_ERR_DENIED);
    item->epoch[0] ^= 1;
    const size_t len = item->data.len;
    item->data.len = 0; /* as if it had been dropped */
    b_notices("withholds items, or sends others");
    item->data.len = len;
    b_goes_on();
}

static void case_13_the_author_of_a_change_is_not_forged(void **state)
{
    (void)state;
    edit_on_a();
    stub_item *const item = newest(main_vault());
    uint8_t author[32];
    memcpy(author, item->device, sizeof author);
    item->device[0] ^= 1; /* nobody */
    (void)desk_sync_fails(&b, SAT_ERR_CORRUPT);
    memcpy(item->device, sat_profile_device_id(b.profile), sizeof author);
    (void)desk_sync_fails(&b, SAT_ERR_CORRUPT);
    assert_string_equal(desk_sql(&b, "main", ALL), "a|1|x;b|2|y;");
    memcpy(item->device, author, sizeof author);
    b_goes_on();
}

static void case_6_an_old_item_is_seen(void **state)
{
    (void)state;
    edit_on_a();
    b_goes_on();
    (void)desk_sql(&a, "main", "UPDATE t SET n = 5 WHERE id = 'b'");
    (void)desk_sync(&a);
    stub_vault *const vault = main_vault();
    stub_item *const item = newest(vault);
    for (size_t i = 0; i < vault->count; i++)
        if (vault->items[i].version == 2 && &vault->items[i] != item) {
            vault->items[i].version = 1;
            vault->items[i].sequence = ++vault->sequence;
            b_notices("serves an old version of an item");
            return;
        }
    fail();
}

static void case_6_an_old_vault_is_seen(void **state)
{
    (void)state;
    edit_on_a();
    b_goes_on();
    hub.shows_first_head = true;
    b_notices("serves an older state of the vault");
    hub.shows_first_head = false;
    hub.forgets_head = true;
    b_notices("has lost the vault");
    hub.forgets_head = false;
    b_goes_on();
}

static void case_8_an_item_that_is_withheld_is_seen(void **state)
{
    (void)state;
    edit_on_a();
    hub.hides_last_item = true;
    b_notices("withholds items");
    hub.hides_last_item = false;
    b_goes_on();
}

/* A new device has nothing to compare with but the head itself. */
static void case_8_a_new_device_sees_it_as_well(void **state)
{
    sat_error err = {0};
    edit_on_a();
    open_desk(state, &c, "tablet");
    must(c_logs_in(&err), &err);
    hub.hides_last_item = true;
    const char *const said = desk_sync_fails(&c, SAT_ERR_CORRUPT);
    assert_non_null(strstr(said, "withholds items"));
    hub.hides_last_item = false;
    (void)desk_sync(&c);
    assert_string_equal(desk_sql(&c, "main", ALL), "a|1|new;b|2|y;");
}

static void case_9_an_item_that_comes_again_is_no_news(void **state)
{
    (void)state;
    edit_on_a();
    b_goes_on();
    stub_vault *const vault = main_vault();
    newest(vault)->sequence = ++vault->sequence;
    (void)desk_sync(&b);
    stub_item *const item = newest(vault);
    item->version++;
    item->sequence = ++vault->sequence;
    b_notices("sends items that no device speaks for");
}

/* ---- 7 ---- */

/* One history to each of two devices, until one of them sees the other's. */
static void case_7_two_histories_are_seen_when_they_meet(void **state)
{
    (void)state;
    stub_vault *const vault = main_vault();
    const size_t heads = vault->heads.count;
    const size_t items = vault->count;
    stub_item *const kept = calloc(items, sizeof *kept);
    assert_non_null(kept);
    for (size_t i = 0; i < items; i++) {
        kept[i] = vault->items[i];
        kept[i].data = (sat_buf)SAT_BUF_INIT;
        sat__buf_put(&kept[i].data, vault->items[i].data.data,
                     vault->items[i].data.len);
    }
    const uint64_t sequence = vault->sequence;
    edit_on_a();
    b_goes_on();
    /* The hub goes back, and lets the other device write there. */
    for (size_t i = 0; i < items; i++)
        sat__buf_clear(&vault->items[i].data);
    memcpy(vault->items, kept, items * sizeof *kept);
    free(kept);
    vault->count = items;
    for (; vault->heads.count > heads; vault->heads.count--)
        sat__buf_clear(&vault->heads.list[vault->heads.count - 1]);
    vault->sequence = sequence;
    open_desk(state, &c, "tablet");
    sat_error err = {0};
    must(c_logs_in(&err), &err);
    (void)desk_sync(&c);
    for (int i = 0; i < 3; i++) {
        (void)desk_sql(&c, "main", "UPDATE t SET n = %d WHERE id = 'b'", i + 7);
        (void)desk_sync(&c);
    }
    b_notices("another history than before");
}

/* ---- 2, 4, 11, 12: sharing ---- */

typedef struct seen_share {
    char id[SAT_SHARE_ID_SIZE], number[SAT_SAFETY_SIZE];
} seen_share;

static sat_status note_share(const sat_share *share, void *context,
                             sat_error *err)
{
    seen_share *const seen = context;
    (void)err;
    (void)snprintf(seen->id, sizeof seen->id, "%s", share->id);
    (void)snprintf(seen->number, sizeof seen->number, "%s",
                   share->safety_number);
    return SAT_OK;
}

/* `other` is a second person, who was invited by `a` and has accepted. */
static seen_share invite_other(void **state)
{
    seen_share seen = {.id = ""};
    sat_share share;
    sat_error err = {0};
    open_desk(state, &other, "stranger");
    must(sat_account_register(other.profile, hub.url, "bob@example.org",
                              DESK_PASSWORD, &err),
         &err);
    (void)desk_sync(&other);
    must(sat_share_invite(a.profile, "main", "bob@example.org",
                          SAT_ROLE_MAY_WRITE, &share, &err),
         &err);
    must(sat_share_accept(other.profile, share.id, "ours", note_share, &seen,
                          &err),
         &err);
    assert_string_equal(seen.number, share.safety_number);
    return seen;
}

static void share_with_other(void **state)
{
    const seen_share seen = invite_other(state);
    sat_error err = {0};
    must(sat_share_confirm(a.profile, seen.id, &err), &err);
    (void)desk_sync(&other);
    assert_string_equal(desk_sql(&other, "ours", ALL), "a|1|x;b|2|y;");
}

/* Another account in place of the one that was meant: the person sees another
 * number, and no key was sealed so far. */
static void case_2_a_swapped_account_has_another_number(void **state)
{
    sat_share share;
    sat_error err = {0};
    const seen_share seen = invite_other(state);
    open_desk(state, &c, "tablet");
    must(sat_account_register(c.profile, hub.url, "eve@example.org",
                              DESK_PASSWORD, &err),
         &err);
    (void)snprintf(hub.accounts[1].email, 256, "was-bob@example.org");
    (void)snprintf(hub.accounts[2].email, 256, "bob@example.org");
    must(sat_share_invite(a.profile, "main", "bob@example.org",
                          SAT_ROLE_MAY_WRITE, &share, &err),
         &err);
    assert_string_not_equal(share.safety_number, seen.number);
}

static void case_2_keys_that_were_swapped_are_not_confirmed(void **state)
{
    sat_error err = {0};
    const seen_share seen = invite_other(state);
    const size_t links = main_vault_links();
    hub.swaps = &hub.accounts[0];
    assert_int_equal(sat_share_confirm(a.profile, seen.id, &err),
                     SAT_ERR_CORRUPT);
    assert_int_equal(main_vault_links(), links);
    hub.swaps = NULL;
    must(sat_share_confirm(a.profile, seen.id, &err), &err);
}

/* Every byte of the links that carry sealed keys. */
static void case_4_a_wrapped_key_is_not_overwritten(void **state)
{
    share_with_other(state);
    stub_list *const links = &hub.vaults[1].links;
    sat_buf *const confirm = &links->list[links->count - 1];
    desk_close(&c);
    open_desk(state, &c, "tablet");
    sat_error err = {0};
    const sat_account_credentials with = {.size = sizeof with,
                                          .email = "bob@example.org",
                                          .password = DESK_PASSWORD,
                                          .secret_key = other.secret_key};
    for (size_t at = 0; at < confirm->len; at += 61) {
        confirm->data[at] ^= 1;
        assert_int_not_equal(sat_account_login(c.profile, hub.url, &with, &err),
                             SAT_OK);
        confirm->data[at] ^= 1;
    }
    c_has_no_account();
}

static void case_11_who_was_removed_reads_nothing_new(void **state)
{
    share_with_other(state);
    sat_error err = {0};
    seen_share seen;
    hub.keeps_from = &hub.accounts[1];
    hub.links_shown = main_vault_links();
    must(sat_share_list(a.profile, note_share, &seen, &err), &err);
    must(sat_share_revoke(a.profile, seen.id, &err), &err);
    edit_on_a();
    sat_sync_report report;
    assert_int_not_equal(sat_hub_sync(other.profile, NULL, NULL, &report, &err),
                         SAT_OK);
    assert_string_equal(desk_sql(&other, "ours", ALL), "a|1|x;b|2|y;");
}

/* 9 and 12: the hub takes what a device pushes that may not. */
static void case_12_a_reader_is_no_writer(void **state)
{
    share_with_other(state);
    sat_error err = {0};
    seen_share seen;
    hub.keeps_from = &hub.accounts[1];
    hub.links_shown = main_vault_links();
    must(sat_share_list(a.profile, note_share, &seen, &err), &err);
    must(sat_share_set_role(a.profile, seen.id, SAT_ROLE_MAY_READ, &err), &err);
    (void)desk_sql(&other, "ours", "UPDATE t SET x = 'no right to it'");
    (void)desk_sync(&other);
    const char *const said = desk_sync_fails(&a, SAT_ERR_CORRUPT);
    assert_non_null(strstr(said, "no member signed"));
    assert_string_equal(desk_sql(&a, "main", ALL), "a|1|x;b|2|y;");
}

/* ---- 15 ---- */

/* What was signed for one hub says which, and is nothing at another. */
static void case_15_a_login_is_for_one_hub(void **state)
{
    sat_error err = {0};
    open_desk(state, &c, "tablet");
    must(c_logs_in(&err), &err);
    const sat_bytes body = buf_view(&hub.last_login);
    uint8_t signature[64], sign[32], id[32];
    sat_bytes device;
    sat__cbor in;
    must(sat__map_fixed(body, "signature", signature, 64, &err), &err);
    must(sat__map_get(body, "device", &in, &err), &err);
    must(sat__cbor_skip(&in, &device, &err), &err);
    must(sat__map_fixed(device, "sign", sign, 32, &err), &err);
    sat__device_id(sign, id);
    /* As it was; then for another hub, purpose, challenge, time, device. */
    for (int i = 0; i < 6; i++) {
        AUTO(sat_buf) statement = SAT_BUF_INIT;
        sat__cbor_put_array(&statement, 5);
        sat__cbor_put_str(&statement,
                          i == 1 ? "https://hub.example.org:443" : hub.url);
        sat__cbor_put_str(&statement, i == 2 ? "refresh" : "login");
        sat__cbor_put_bytes(
            &statement, i == 3 ? "0123456789abcdee" : "0123456789abcdef", 16);
        sat__cbor_put_uint(&statement, i == 4 ? 100 : 99);
        id[0] ^= (uint8_t)(i == 5);
        sat__cbor_put_bytes(&statement, id, 32);
        assert_int_equal(sat__signature_verify(hub.accounts[0].login_key,
                                               "login", buf_view(&statement),
                                               signature, &err),
                         i == 0 ? SAT_OK : SAT_ERR_AUTH);
    }
    assert_int_equal(sat__signature_verify(hub.accounts[0].login_key, "refresh",
                                           body, signature, &err),
                     SAT_ERR_AUTH);
}

/* ---- 18 ---- */

/* A table, its columns and rows of many sizes: few sizes are to be seen. */
static void case_18_sizes_and_names_say_little(void **state)
{
    size_t sizes[64];
    size_t count = 0;
    (void)state;
    (void)desk_sql(&a, "main",
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                   "FROM n WHERE i < 200) INSERT INTO t SELECT 'k' || i, i, "
                   "hex(randomblob(i)) FROM n");
    (void)desk_sync(&a);
    const stub_vault *const vault = main_vault();
    for (size_t i = 0; i < vault->count; i++) {
        const size_t len = vault->items[i].data.len;
        size_t at = 0;
        while (at < count && sizes[at] != len)
            at++;
        if (at == count) {
            assert_true(count < 64);
            sizes[count++] = len;
        }
        assert_true(len >= 256);
    }
    assert_true(count <= 16);
}

/* ---- 16, 17 ---- */

static void case_16_other_protocols_are_refused(void **state)
{
    (void)state;
    hub.refuse = 426;
    (void)desk_sync_fails(&b, SAT_ERR_VERSION);
    hub.refuse = 0;
    edit_on_a();
    newest(main_vault())->data.data[0] = 2; /* another suite */
    (void)desk_sync_fails(&b, SAT_ERR_CORRUPT);
}

static void case_17_whatever_the_hub_answers_is_bounded(void **state)
{
    (void)state;
    static const unsigned statuses[] = {400, 401, 403, 404, 410,
                                        413, 429, 500, 503, 507};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        sat_sync_report report;
        hub.refuse = statuses[i];
        assert_int_not_equal(sat_hub_sync(b.profile, NULL, NULL, &report, NULL),
                             SAT_OK);
    }
    hub.refuse = 0;
    edit_on_a();
    newest(main_vault())->sequence = UINT64_MAX;
    b_notices("sends an item without a version");
}

/* A head says who, what and when; each of its bytes counts. */
static void every_bit_of_a_head_counts(void **state)
{
    (void)state;
    edit_on_a();
    sat_buf *const head =
        &main_vault()->heads.list[main_vault()->heads.count - 1];
    for (size_t at = 0; at < head->len; at += 17) {
        sat_sync_report report;
        head->data[at] ^= 1;
        assert_int_not_equal(sat_hub_sync(b.profile, NULL, NULL, &report, NULL),
                             SAT_OK);
        head->data[at] ^= 1;
    }
    b_goes_on();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, two_devices, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(case_1_weaker_parameters_are_refused),
        TEST(case_1_another_slot_is_refused),
        TEST(case_3_a_vault_that_nobody_made_is_no_vault),
        TEST(case_10_another_chain_is_refused),
        TEST(case_10_a_link_that_was_changed_is_refused),
        TEST(case_5_items_that_were_swapped_do_not_open),
        TEST(case_5_every_field_of_an_item_is_bound),
        TEST(case_13_the_author_of_a_change_is_not_forged),
        TEST(case_6_an_old_item_is_seen),
        TEST(case_6_an_old_vault_is_seen),
        TEST(case_8_an_item_that_is_withheld_is_seen),
        TEST(case_8_a_new_device_sees_it_as_well),
        TEST(case_9_an_item_that_comes_again_is_no_news),
        TEST(case_7_two_histories_are_seen_when_they_meet),
        TEST(case_2_a_swapped_account_has_another_number),
        TEST(case_2_keys_that_were_swapped_are_not_confirmed),
        TEST(case_4_a_wrapped_key_is_not_overwritten),
        TEST(case_11_who_was_removed_reads_nothing_new),
        TEST(case_12_a_reader_is_no_writer),
        TEST(case_15_a_login_is_for_one_hub),
        TEST(case_18_sizes_and_names_say_little),
        TEST(case_16_other_protocols_are_refused),
        TEST(case_17_whatever_the_hub_answers_is_bounded),
        TEST(every_bit_of_a_head_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
