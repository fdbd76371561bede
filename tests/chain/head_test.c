/*
 * head_test.c - a head speaks for a set of items, and for nothing else
 */
#include "chain/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "chain/lthash.h"
#include "people.h"

static const sat__id ours = {{1}};

typedef struct desk {
    person writer, reader;
    sat__chain *vault;
} desk;

static void desk_clear(desk *of)
{
    sat__chain_free(of->vault);
    person_free(&of->writer);
    person_free(&of->reader);
}

DEFINE_AUTO(desk, desk_clear);

static void begin(desk *of)
{
    sat__sealed_for room[1];
    of->writer = person_new(1, SAT_PRINCIPAL_DEVICE, true);
    of->reader = person_new(2, SAT_PRINCIPAL_DEVICE, false);
    const person *const all[] = {&of->writer};
    const sat__vault_change change = {.op = SAT_VAULT_GENESIS,
                                      .account = ours,
                                      .party_count = 1,
                                      .parties = &of->writer.party,
                                      .key = key_for(1, all, 1, room)};
    assert_int_equal(sat__vault_chain_new(&of->vault, NULL), SAT_OK);
    AUTO(sat_buf) genesis = vault_link(of->vault, &change, &of->writer);
    expect_append(of->vault, &genesis, SAT_OK);
}

static sat__head head_of(desk *of, const person *by)
{
    sat__head head = {.vault = *sat__chain_id(of->vault),
                      .sequence = 1,
                      .device = by->party.id,
                      .n = 1,
                      .time_ms = 1000,
                      .knowledge = bytes_of("sealed", 6)};
    head.link_count = sat__chain_tips(of->vault, head.links, 16);
    return head;
}

static sat_buf sign_head(const sat__head *head, const person *by)
{
    sat_buf out = SAT_BUF_INIT;

    assert_int_equal(sat__head_sign(head, by->identity, &out, NULL), SAT_OK);
    return out;
}

static void a_head_is_of_a_writer_of_its_vault(void **state)
{
    (void)state;
    AUTO(desk) of;
    sat__head head, read;
    begin(&of);
    head = head_of(&of, &of.writer);
    AUTO(sat_buf) moved = sign_head(&head, &of.writer);
    assert_int_equal(sat__head_verify(buf_view(&moved), of.vault, &read, NULL),
                     SAT_OK);
    assert_true(bytes_equal(read.knowledge, bytes_of("sealed", 6)));

    head = head_of(&of, &of.reader);
    AUTO(sat_buf) stranger = sign_head(&head, &of.reader);
    assert_int_equal(
        sat__head_verify(buf_view(&stranger), of.vault, &read, NULL),
        SAT_ERR_DENIED);
    head = head_of(&of, &of.writer);
    AUTO(sat_buf) forged = sign_head(&head, &of.reader);
    assert_int_equal(sat__head_verify(buf_view(&forged), of.vault, &read, NULL),
                     SAT_ERR_AUTH);
    head.vault.bytes[0] ^= 1;
    AUTO(sat_buf) other = sign_head(&head, &of.writer);
    assert_int_equal(sat__head_verify(buf_view(&other), of.vault, &read, NULL),
                     SAT_ERR_AUTH);
    head = head_of(&of, &of.writer);
    head.links[0].bytes[0] ^= 1;
    AUTO(sat_buf) ahead = sign_head(&head, &of.writer);
    assert_int_equal(sat__head_verify(buf_view(&ahead), of.vault, &read, NULL),
                     SAT_ERR_NOT_FOUND);
}

static void no_bit_of_a_head_may_be_altered(void **state)
{
    (void)state;
    AUTO(desk) of;
    sat__head head, read;
    begin(&of);
    head = head_of(&of, &of.writer);
    AUTO(sat_buf) moved = sign_head(&head, &of.writer);
    for (size_t i = 0; i < 8 * moved.len; i++) {
        moved.data[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(sat__head_open(buf_view(&moved),
                                            of.writer.party.keys.sign, &read,
                                            NULL),
                             SAT_OK);
        moved.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void a_head_follows_the_one_it_names(void **state)
{
    (void)state;
    AUTO(desk) of;
    sat__id hash;
    begin(&of);
    const sat__head first = head_of(&of, &of.writer);
    AUTO(sat_buf) moved = sign_head(&first, &of.writer);
    assert_int_equal(sat__head_hash(buf_view(&moved), &hash, NULL), SAT_OK);
    sat__head next = first;
    next.sequence = 2;
    next.previous = hash;
    assert_int_equal(sat__head_follows(&first, NULL, NULL, NULL), SAT_OK);
    assert_int_equal(sat__head_follows(&next, &first, &hash, NULL), SAT_OK);
    assert_int_equal(sat__head_follows(&next, NULL, NULL, NULL),
                     SAT_ERR_CONFLICT);
    next.sequence = 1;
    assert_int_equal(sat__head_follows(&next, &first, &hash, NULL),
                     SAT_ERR_CONFLICT);
}

/* ---- the hash of a set ---- */

static void add(sat__lthash *set, uint8_t item, uint64_t version)
{
    const uint8_t id[32] = {item}, ciphertext[32] = {(uint8_t)version};

    sat__lthash_add(set, id, version, ciphertext);
}

static void take_out(sat__lthash *set, uint8_t item, uint64_t version)
{
    const uint8_t id[32] = {item}, ciphertext[32] = {(uint8_t)version};

    sat__lthash_remove(set, id, version, ciphertext);
}

static void equal_sets_have_equal_hashes(void **state)
{
    (void)state;
    sat__lthash a, b, kept;
    uint8_t bytes[SAT_LTHASH_SIZE], digest_a[32], digest_b[32];
    lthash_init(&a);
    lthash_init(&b);
    for (uint8_t i = 0; i < 100; i++)
        add(&a, i, 1);
    for (uint8_t i = 100; i-- > 0;)
        add(&b, i, i % 2 + 1u);
    sat__lthash_digest(&a, digest_a);
    sat__lthash_digest(&b, digest_b);
    assert_memory_not_equal(digest_a, digest_b, 32);
    for (uint8_t i = 1; i < 100; i += 2) {
        take_out(&b, i, 2);
        add(&b, i, 1);
    }
    sat__lthash_digest(&b, digest_b);
    assert_memory_equal(digest_a, digest_b, 32);
    sat__lthash_put(&a, bytes);
    sat__lthash_get(bytes, &kept);
    assert_memory_equal(&a, &kept, sizeof a);
}

/* The lanes of one item, as `openssl enc -chacha20` makes them of the same
 * seed. */
static void an_item_expands_as_documented(void **state)
{
    (void)state;
    static const uint8_t first[] = {0x59, 0x1d, 0xd0, 0xeb, 0x94, 0xdf,
                                    0x25, 0x2c, 0x2b, 0xfb, 0x97, 0x57,
                                    0xb2, 0x70, 0x4d, 0x95};
    const uint8_t id[32] = {1, 2, 3}, ciphertext[32] = {4, 5, 6};
    uint8_t bytes[SAT_LTHASH_SIZE];
    sat__lthash set;
    lthash_init(&set);
    sat__lthash_add(&set, id, 7, ciphertext);
    sat__lthash_put(&set, bytes);
    assert_memory_equal(bytes, first, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_of_a_writer_of_its_vault),
        cmocka_unit_test(no_bit_of_a_head_may_be_altered),
        cmocka_unit_test(a_head_follows_the_one_it_names),
        cmocka_unit_test(equal_sets_have_equal_hashes),
        cmocka_unit_test(an_item_expands_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
