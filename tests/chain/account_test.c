/*
 * account_test.c - an account is what its links say, and nothing else opens it
 */
#include "chain/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "people.h"

/* Somebody's account: phrase, password, two devices, the first administers. */
typedef struct home {
    person phrase, password, first, second, third;
    sat__chain *chain;
} home;

static void home_clear(home *of)
{
    sat__chain_free(of->chain);
    person_free(&of->phrase);
    person_free(&of->password);
    person_free(&of->first);
    person_free(&of->second);
    person_free(&of->third);
}

DEFINE_AUTO(home, home_clear);

static const sat__id *present_key(sat__chain *chain)
{
    const sat__account_state *const state = sat__account_state_of(chain);

    return &state->epochs[state->epoch_count - 1].link;
}

static sat_buf add_link(sat__chain *chain, const person *device,
                        const person *by)
{
    const sat__grant grant = grant_of(present_key(chain), device);
    const sat__account_change change = {.op = SAT_ACCOUNT_ADD,
                                        .device = device->party,
                                        .grant_count = 1,
                                        .grants = &grant};

    return account_link(chain, &change, by);
}

static sat_buf revoke_link(sat__chain *chain, const person *device,
                           const person *const *rest, size_t count,
                           uint64_t generation, const person *by)
{
    sat__sealed_for room[8];
    const sat__account_change change = {
        .op = SAT_ACCOUNT_REVOKE,
        .former = device->party.id,
        .has_key = true,
        .key = key_for(generation, rest, count, room)};

    return account_link(chain, &change, by);
}

static void begin(home *of)
{
    of->phrase = person_new(1, SAT_PRINCIPAL_PHRASE, true);
    of->password = person_new(2, SAT_PRINCIPAL_PASSWORD, false);
    of->first = person_new(3, SAT_PRINCIPAL_DEVICE, true);
    of->second = person_new(4, SAT_PRINCIPAL_DEVICE, false);
    of->third = person_new(5, SAT_PRINCIPAL_DEVICE, true);
    assert_int_equal(sat__account_new(&of->chain, NULL), SAT_OK);
    AUTO(sat_buf)
    genesis = account_genesis(&of->phrase, &of->password, &of->first);
    expect_append(of->chain, &genesis, SAT_OK);
    AUTO(sat_buf) second = add_link(of->chain, &of->second, &of->first);
    expect_append(of->chain, &second, SAT_OK);
}

static bool is_present(sat__chain *chain, const person *one)
{
    const sat__account_principal *const found =
        sat__account_find(sat__account_state_of(chain), &one->party.id);

    return found != NULL && !found->is_removed;
}

static void a_genesis_makes_three_principals(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    const sat__account_state *const said = sat__account_state_of(of.chain);
    sat_bytes envelope;
    assert_int_equal(said->principal_count, 4);
    assert_true(is_present(of.chain, &of.phrase));
    assert_true(is_present(of.chain, &of.password));
    assert_true(is_present(of.chain, &of.first));
    assert_int_equal(said->epoch_count, 1);
    sat__account_envelope(said, &said->epochs[0].link, &of.second.party.id,
                          &envelope);
    assert_true(bytes_equal(envelope, bytes_of("a grant", 7)));
    sat__account_envelope(said, &said->epochs[0].link, &of.first.party.id,
                          &envelope);
    assert_true(bytes_equal(envelope, bytes_of("an envelope", 11)));
    assert_true(id_equal(sat__chain_id(of.chain), &said->epochs[0].link));
}

static void who_is_no_administrator_adds_none_and_revokes_itself_only(
    void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    const person *const rest[] = {&of.phrase, &of.password, &of.first};
    const person *const others[] = {&of.phrase, &of.password, &of.second};
    AUTO(sat_buf) admin = add_link(of.chain, &of.third, &of.second);
    AUTO(sat_buf) by_password = add_link(of.chain, &of.third, &of.password);
    AUTO(sat_buf)
    first = revoke_link(of.chain, &of.first, others, 3, 2, &of.second);
    AUTO(sat_buf)
    itself = revoke_link(of.chain, &of.second, rest, 3, 2, &of.second);
    expect_append(of.chain, &admin, SAT_ERR_DENIED);
    expect_append(of.chain, &by_password, SAT_ERR_DENIED);
    expect_append(of.chain, &first, SAT_ERR_DENIED);
    expect_append(of.chain, &itself, SAT_OK);
    assert_false(is_present(of.chain, &of.second));
}

static void a_stranger_and_the_revoked_sign_nothing(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    const person *const rest[] = {&of.phrase, &of.password, &of.first};
    AUTO(person) device = person_new(9, SAT_PRINCIPAL_DEVICE, false);
    AUTO(sat_buf) stranger = add_link(of.chain, &device, &of.third);
    expect_append(of.chain, &stranger, SAT_ERR_DENIED);
    AUTO(sat_buf)
    revoke = revoke_link(of.chain, &of.second, rest, 3, 2, &of.phrase);
    expect_append(of.chain, &revoke, SAT_OK);
    AUTO(sat_buf) revoked = add_link(of.chain, &device, &of.second);
    AUTO(sat_buf) again = add_link(of.chain, &of.second, &of.first);
    expect_append(of.chain, &revoked, SAT_ERR_DENIED);
    expect_append(of.chain, &again, SAT_ERR_DENIED);
}

static void a_new_key_is_for_all_that_remain_and_nobody_else(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    const person *const kept[] = {&of.phrase, &of.password, &of.first,
                                  &of.second};
    const person *const few[] = {&of.phrase, &of.first};
    const person *const rest[] = {&of.phrase, &of.password, &of.first};
    AUTO(sat_buf)
    with_him = revoke_link(of.chain, &of.second, kept, 4, 2, &of.first);
    AUTO(sat_buf)
    too_few = revoke_link(of.chain, &of.second, few, 2, 2, &of.first);
    AUTO(sat_buf)
    old = revoke_link(of.chain, &of.second, rest, 3, 1, &of.first);
    AUTO(sat_buf)
    right = revoke_link(of.chain, &of.second, rest, 3, 2, &of.first);
    expect_append(of.chain, &with_him, SAT_ERR_DENIED);
    expect_append(of.chain, &too_few, SAT_ERR_DENIED);
    expect_append(of.chain, &old, SAT_ERR_DENIED);
    expect_append(of.chain, &right, SAT_OK);
    assert_false(sat__account_state_of(of.chain)->needs_renewal);
}

static void another_password_takes_the_place_of_the_one_before(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    AUTO(person) next = person_new(6, SAT_PRINCIPAL_PASSWORD, false);
    AUTO(person) device = person_new(9, SAT_PRINCIPAL_DEVICE, false);
    const sat__grant grant = grant_of(present_key(of.chain), &next);
    const sat__account_change change = {.op = SAT_ACCOUNT_SLOT,
                                        .former = of.password.party.id,
                                        .password = next.party,
                                        .grant_count = 1,
                                        .grants = &grant};
    AUTO(sat_buf) by_second = account_link(of.chain, &change, &of.second);
    AUTO(sat_buf) slot = account_link(of.chain, &change, &of.password);
    expect_append(of.chain, &by_second, SAT_ERR_DENIED);
    expect_append(of.chain, &slot, SAT_OK);
    AUTO(sat_buf) old = add_link(of.chain, &device, &of.password);
    expect_append(of.chain, &old, SAT_ERR_DENIED);
    AUTO(sat_buf) added = add_link(of.chain, &device, &next);
    expect_append(of.chain, &added, SAT_OK);
    assert_true(id_equal(
        &sat__account_password(sat__account_state_of(of.chain))->who.id,
        &next.party.id));
}

/* ---- what was done at the same time ---- */

static void a_revoked_device_adds_nobody_at_the_same_time(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    const person *const rest[] = {&of.phrase, &of.password, &of.first};
    AUTO(person) own = person_new(9, SAT_PRINCIPAL_DEVICE, false);
    AUTO(sat_buf) secret = add_link(of.chain, &own, &of.second);
    AUTO(sat_buf)
    revoke = revoke_link(of.chain, &of.second, rest, 3, 2, &of.first);
    for (int order = 0; order < 2; order++) {
        AUTO_PTR(sat__chain) chain = chain_copy(of.chain, false);
        expect_append(chain, order == 0 ? &secret : &revoke, SAT_OK);
        expect_append(chain, order == 0 ? &revoke : &secret, SAT_OK);
        assert_false(is_present(chain, &own));
        assert_false(is_present(chain, &of.second));
        /* What the device added says is void as well. */
        AUTO(person) next = person_new(10, SAT_PRINCIPAL_DEVICE, false);
        AUTO_PTR(sat__chain) side = chain_copy(of.chain, false);
        expect_append(side, &secret, SAT_OK);
        AUTO(sat_buf) child = add_link(side, &next, &own);
        expect_append(chain, &child, SAT_OK);
        assert_false(is_present(chain, &next));
    }
}

static void of_two_that_revoke_each_other_one_stays_the_same_everywhere(
    void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    AUTO(sat_buf) third = add_link(of.chain, &of.third, &of.first);
    expect_append(of.chain, &third, SAT_OK);
    const person *const without_third[] = {&of.phrase, &of.password, &of.first,
                                           &of.second};
    const person *const without_first[] = {&of.phrase, &of.password, &of.third,
                                           &of.second};
    AUTO(sat_buf)
    a = revoke_link(of.chain, &of.third, without_third, 4, 2, &of.first);
    AUTO(sat_buf)
    b = revoke_link(of.chain, &of.first, without_first, 4, 2, &of.third);
    bool stays[2];
    for (int order = 0; order < 2; order++) {
        AUTO_PTR(sat__chain) chain = chain_copy(of.chain, false);
        expect_append(chain, order == 0 ? &a : &b, SAT_OK);
        expect_append(chain, order == 0 ? &b : &a, SAT_OK);
        stays[order] = is_present(chain, &of.first);
        assert_true(stays[order] != is_present(chain, &of.third));
        assert_false(sat__account_state_of(chain)->needs_renewal);
    }
    assert_int_equal(stays[0], stays[1]);
}

static void two_revocations_that_cross_ask_for_another_key(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    AUTO(sat_buf) third = add_link(of.chain, &of.third, &of.first);
    expect_append(of.chain, &third, SAT_OK);
    const person *const without_second[] = {&of.phrase, &of.password, &of.first,
                                            &of.third};
    const person *const without_third[] = {&of.phrase, &of.password, &of.first,
                                           &of.second};
    AUTO(sat_buf)
    a = revoke_link(of.chain, &of.second, without_second, 4, 2, &of.first);
    AUTO(sat_buf)
    b = revoke_link(of.chain, &of.third, without_third, 4, 2, &of.phrase);
    expect_append(of.chain, &a, SAT_OK);
    expect_append(of.chain, &b, SAT_OK);
    const sat__account_state *const said = sat__account_state_of(of.chain);
    assert_true(said->needs_renewal);
    const person *const rest[] = {&of.phrase, &of.password, &of.first};
    sat__sealed_for room[3];
    const sat__account_change change = {.op = SAT_ACCOUNT_RENEW,
                                        .has_key = true,
                                        .key = key_for(3, rest, 3, room)};
    AUTO(sat_buf) renew = account_link(of.chain, &change, &of.first);
    expect_append(of.chain, &renew, SAT_OK);
    assert_false(sat__account_state_of(of.chain)->needs_renewal);
}

/* ---- what was tampered with ---- */

static void no_link_of_any_kind_may_be_altered_by_a_bit(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    AUTO_PTR(sat__chain) chain = NULL;
    AUTO(person) next = person_new(6, SAT_PRINCIPAL_PASSWORD, false);
    AUTO(sat_buf)
    genesis = account_genesis(&of.phrase, &of.password, &of.first);
    assert_int_equal(sat__account_new(&chain, NULL), SAT_OK);
    expect_every_bit_counts(chain, &genesis);
    AUTO(sat_buf) add = add_link(chain, &of.second, &of.first);
    expect_every_bit_counts(chain, &add);
    const person *const rest[] = {&of.phrase, &of.password, &of.first};
    AUTO(sat_buf)
    revoke = revoke_link(chain, &of.second, rest, 3, 2, &of.first);
    expect_every_bit_counts(chain, &revoke);
    const sat__grant grant = grant_of(present_key(chain), &next);
    sat__account_change change = {.op = SAT_ACCOUNT_SLOT,
                                  .former = of.password.party.id,
                                  .password = next.party,
                                  .grant_count = 1,
                                  .grants = &grant};
    AUTO(sat_buf) slot = account_link(chain, &change, &of.first);
    expect_every_bit_counts(chain, &slot);
    const person *const last[] = {&of.phrase, &next, &of.first};
    sat__sealed_for room[3];
    change = (sat__account_change){.op = SAT_ACCOUNT_RENEW,
                                   .has_key = true,
                                   .key = key_for(3, last, 3, room)};
    AUTO(sat_buf) renew = account_link(chain, &change, &of.first);
    expect_every_bit_counts(chain, &renew);
}

static void a_link_left_out_is_missed(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    AUTO(sat_buf) third = add_link(of.chain, &of.third, &of.first);
    expect_append(of.chain, &third, SAT_OK);
    for (size_t without = 0; without < 2; without++) {
        AUTO_PTR(sat__chain) chain = NULL;
        sat_status st = SAT_OK;
        assert_int_equal(sat__account_new(&chain, NULL), SAT_OK);
        for (size_t i = 0; i < 3 && st == SAT_OK; i++)
            if (i != without)
                st = sat__chain_append(chain, sat__chain_at(of.chain, i).moved,
                                       NULL, NULL);
        assert_int_equal(st, SAT_ERR_NOT_FOUND);
    }
}

static void a_link_of_another_account_is_refused(void **state)
{
    (void)state;
    AUTO(home) of;
    begin(&of);
    AUTO(person) other = person_new(20, SAT_PRINCIPAL_PHRASE, true);
    AUTO(sat_buf) genesis = account_genesis(&other, &of.password, &of.first);
    AUTO_PTR(sat__chain) chain = NULL;
    assert_int_equal(sat__account_new(&chain, NULL), SAT_OK);
    expect_append(chain, &genesis, SAT_OK);
    expect_append(of.chain, &genesis, SAT_ERR_NOT_FOUND);
    AUTO(sat_buf) add = add_link(chain, &of.third, &of.first);
    expect_append(of.chain, &add, SAT_ERR_NOT_FOUND);
    assert_int_equal(sat__chain_count(of.chain), 2);
}

static void a_link_taken_twice_is_one(void **state)
{
    (void)state;
    AUTO(home) of;
    bool is_new = true;
    begin(&of);
    assert_int_equal(sat__chain_append(of.chain,
                                       sat__chain_at(of.chain, 1).moved,
                                       &is_new, NULL),
                     SAT_OK);
    assert_false(is_new);
    assert_int_equal(sat__chain_count(of.chain), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_genesis_makes_three_principals),
        cmocka_unit_test(
            who_is_no_administrator_adds_none_and_revokes_itself_only),
        cmocka_unit_test(a_stranger_and_the_revoked_sign_nothing),
        cmocka_unit_test(a_new_key_is_for_all_that_remain_and_nobody_else),
        cmocka_unit_test(another_password_takes_the_place_of_the_one_before),
        cmocka_unit_test(a_revoked_device_adds_nobody_at_the_same_time),
        cmocka_unit_test(
            of_two_that_revoke_each_other_one_stays_the_same_everywhere),
        cmocka_unit_test(two_revocations_that_cross_ask_for_another_key),
        cmocka_unit_test(no_link_of_any_kind_may_be_altered_by_a_bit),
        cmocka_unit_test(a_link_left_out_is_missed),
        cmocka_unit_test(a_link_of_another_account_is_refused),
        cmocka_unit_test(a_link_taken_twice_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
