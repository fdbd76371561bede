/*
 * vault_test.c - who is a member of a vault, and what it is sealed under
 */
#include "chain/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "people.h"

static const sat__id ours = {{1}}, theirs = {{2}};

/* A vault of ours, with two devices; and somebody else with two. */
typedef struct house {
    person first, second, guest, friend;
    sat__chain *chain;
} house;

static void house_clear(house *of)
{
    sat__chain_free(of->chain);
    person_free(&of->first);
    person_free(&of->second);
    person_free(&of->guest);
    person_free(&of->friend);
}

DEFINE_AUTO(house, house_clear);

static const sat__id *present_epoch(sat__chain *chain)
{
    const sat__vault_state *const state = sat__vault_state_of(chain);

    return &state->epochs[state->epoch_count - 1].link;
}

static sat_buf genesis_link(house *of, sat__chain *chain)
{
    const person *const all[] = {&of->first, &of->second};
    const sat__party parties[] = {of->first.party, of->second.party};
    sat__sealed_for room[2];
    const sat__vault_change change = {.op = SAT_VAULT_GENESIS,
                                      .account = ours,
                                      .party_count = 2,
                                      .parties = parties,
                                      .id_key = {3},
                                      .key = key_for(1, all, 2, room)};

    return vault_link(chain, &change, &of->first);
}

static void begin(house *of)
{
    of->first = person_new(1, SAT_PRINCIPAL_DEVICE, true);
    of->second = person_new(2, SAT_PRINCIPAL_DEVICE, false);
    of->guest = person_new(3, SAT_PRINCIPAL_DEVICE, true);
    of->friend = person_new(4, SAT_PRINCIPAL_DEVICE, false);
    assert_int_equal(sat__vault_chain_new(&of->chain, NULL), SAT_OK);
    AUTO(sat_buf) genesis = genesis_link(of, of->chain);
    expect_append(of->chain, &genesis, SAT_OK);
}

static sat_buf role_link(sat__chain *chain, sat__vault_op op,
                         const sat__id *account, sat__vault_role role,
                         const person *by)
{
    const sat__vault_change change = {
        .op = op, .account = *account, .role = role};

    return vault_link(chain, &change, by);
}

static sat_buf accept_link(sat__chain *chain, const sat__id *account,
                           const person *by)
{
    const sat__vault_member *const member =
        sat__vault_member_find(sat__vault_state_of(chain), account);
    const sat__vault_change change = {.op = SAT_VAULT_ACCEPT,
                                      .account = *account,
                                      .about = member->invited,
                                      .party_count = 1,
                                      .parties = &by->party};

    return vault_link(chain, &change, by);
}

static sat_buf confirm_link(sat__chain *chain, const sat__id *account,
                            const person *whom, const person *by)
{
    const sat__vault_member *const member =
        sat__vault_member_find(sat__vault_state_of(chain), account);
    const sat__grant grant = grant_of(present_epoch(chain), whom);
    const sat__vault_change change = {.op = SAT_VAULT_CONFIRM,
                                      .about = member->accepted,
                                      .grant_count = 1,
                                      .grants = &grant};

    return vault_link(chain, &change, by);
}

static sat_buf remove_link(sat__chain *chain, const sat__id *account,
                           const person *one, const person *const *rest,
                           size_t count, uint64_t generation, const person *by)
{
    static const sat__last_dot dot = {{9}, 5};
    sat__sealed_for room[8];
    const sat__vault_change change = {
        .op = SAT_VAULT_REMOVE,
        .account = *account,
        .removed_count = one != NULL ? 1 : 0,
        .removed = one != NULL ? &one->party.id : NULL,
        .dot_count = 1,
        .dots = &dot,
        .key = key_for(generation, rest, count, room)};

    return vault_link(chain, &change, by);
}

static void join(house *of, sat__vault_role role)
{
    AUTO(sat_buf)
    invite = role_link(of->chain, SAT_VAULT_INVITE, &theirs, role, &of->first);
    expect_append(of->chain, &invite, SAT_OK);
    AUTO(sat_buf) accept = accept_link(of->chain, &theirs, &of->guest);
    expect_append(of->chain, &accept, SAT_OK);
    AUTO(sat_buf)
    confirm = confirm_link(of->chain, &theirs, &of->guest, &of->first);
    expect_append(of->chain, &confirm, SAT_OK);
}

static sat_buf rekey_link(sat__chain *chain, const sat__id *account,
                          const person *whom, const person *by)
{
    const sat__grant grant = grant_of(present_epoch(chain), whom);
    const sat__vault_change change = {.op = SAT_VAULT_REKEY,
                                      .account = *account,
                                      .party_count = 1,
                                      .parties = &whom->party,
                                      .grant_count = 1,
                                      .grants = &grant};

    return vault_link(chain, &change, by);
}

/* ---- members ---- */

static void a_member_is_one_only_once_confirmed(void **state)
{
    (void)state;
    AUTO(house) of;
    begin(&of);
    AUTO(sat_buf)
    invite = role_link(of.chain, SAT_VAULT_INVITE, &theirs, SAT_ROLE_WRITE,
                       &of.first);
    expect_append(of.chain, &invite, SAT_OK);
    AUTO(sat_buf) accept = accept_link(of.chain, &theirs, &of.guest);
    expect_append(of.chain, &accept, SAT_OK);
    assert_int_equal(
        sat__vault_role_of(sat__vault_state_of(of.chain), &of.guest.party.id),
        0);
    AUTO(sat_buf)
    by_himself = confirm_link(of.chain, &theirs, &of.guest, &of.guest);
    expect_append(of.chain, &by_himself, SAT_ERR_DENIED);
    AUTO(sat_buf)
    confirm = confirm_link(of.chain, &theirs, &of.guest, &of.first);
    expect_append(of.chain, &confirm, SAT_OK);
    const sat__vault_state *const said = sat__vault_state_of(of.chain);
    assert_int_equal(sat__vault_role_of(said, &of.guest.party.id),
                     SAT_ROLE_WRITE);
    assert_false(sat__vault_is_admin(said, &of.guest.party.id));
    sat_bytes envelope;
    sat__vault_envelope(said, sat__chain_id(of.chain), &of.guest.party.id,
                        &envelope);
    assert_int_equal(envelope.len, 7);
}

static void who_administers_nothing_changes_nothing(void **state)
{
    (void)state;
    AUTO(house) of;
    begin(&of);
    join(&of, SAT_ROLE_WRITE);
    const person *const rest[] = {&of.second, &of.guest};
    const person *const all[] = {&of.first, &of.second, &of.guest};
    sat__sealed_for room[3];
    const sat__vault_change epoch = {.op = SAT_VAULT_EPOCH,
                                     .key = key_for(2, all, 3, room)};
    AUTO(sat_buf)
    role =
        role_link(of.chain, SAT_VAULT_ROLE, &theirs, SAT_ROLE_ADMIN, &of.guest);
    AUTO(sat_buf)
    by_second = role_link(of.chain, SAT_VAULT_ROLE, &theirs, SAT_ROLE_ADMIN,
                          &of.second);
    AUTO(sat_buf)
    removal = remove_link(of.chain, &ours, &of.first, rest, 2, 2, &of.guest);
    AUTO(sat_buf)
    of_first = remove_link(of.chain, &ours, &of.first, rest, 2, 2, &of.second);
    AUTO(sat_buf) new_epoch = vault_link(of.chain, &epoch, &of.guest);
    AUTO(sat_buf) rekey = rekey_link(of.chain, &ours, &of.friend, &of.guest);
    expect_append(of.chain, &role, SAT_ERR_DENIED);
    expect_append(of.chain, &by_second, SAT_ERR_DENIED);
    expect_append(of.chain, &removal, SAT_ERR_DENIED);
    expect_append(of.chain, &of_first, SAT_ERR_DENIED);
    expect_append(of.chain, &new_epoch, SAT_ERR_DENIED);
    expect_append(of.chain, &rekey, SAT_ERR_DENIED);
    AUTO(sat_buf) own = rekey_link(of.chain, &theirs, &of.friend, &of.guest);
    expect_append(of.chain, &own, SAT_OK);
}

static void a_removal_begins_an_epoch_and_names_the_last_dots(void **state)
{
    (void)state;
    AUTO(house) of;
    begin(&of);
    join(&of, SAT_ROLE_WRITE);
    const person *const rest[] = {&of.first, &of.second};
    const uint8_t named[16] = {9}, other[16] = {8};
    AUTO(sat_buf)
    removal = remove_link(of.chain, &theirs, NULL, rest, 2, 2, &of.first);
    expect_append(of.chain, &removal, SAT_OK);
    const sat__vault_state *const said = sat__vault_state_of(of.chain);
    assert_int_equal(said->epoch_count, 2);
    assert_false(said->needs_epoch);
    assert_int_equal(sat__vault_role_of(said, &of.guest.party.id), 0);
    assert_int_equal(sat__vault_last_dot(said, &of.guest.party.id, named), 5);
    assert_int_equal(sat__vault_last_dot(said, &of.guest.party.id, other), 0);
    assert_true(sat__vault_last_dot(said, &of.first.party.id, other) ==
                UINT64_MAX);
}

static void the_last_administrator_stays(void **state)
{
    (void)state;
    AUTO(house) of;
    begin(&of);
    join(&of, SAT_ROLE_WRITE);
    const person *const rest[] = {&of.guest};
    const person *const two[] = {&of.second, &of.guest};
    AUTO(sat_buf)
    whole = remove_link(of.chain, &ours, NULL, rest, 1, 2, &of.first);
    AUTO(sat_buf)
    itself = remove_link(of.chain, &ours, &of.first, two, 2, 2, &of.first);
    AUTO(sat_buf)
    lower =
        role_link(of.chain, SAT_VAULT_ROLE, &ours, SAT_ROLE_WRITE, &of.first);
    expect_append(of.chain, &whole, SAT_ERR_DENIED);
    expect_append(of.chain, &itself, SAT_ERR_DENIED);
    expect_append(of.chain, &lower, SAT_ERR_DENIED);
}

static void who_is_removed_does_nothing_at_the_same_time(void **state)
{
    (void)state;
    AUTO(house) of;
    begin(&of);
    join(&of, SAT_ROLE_ADMIN);
    const person *const rest[] = {&of.first, &of.second};
    const sat__id third = {{3}};
    AUTO(sat_buf) rekey = rekey_link(of.chain, &theirs, &of.friend, &of.guest);
    AUTO(sat_buf)
    invite = role_link(of.chain, SAT_VAULT_INVITE, &third, SAT_ROLE_ADMIN,
                       &of.guest);
    AUTO(sat_buf)
    removal = remove_link(of.chain, &theirs, NULL, rest, 2, 2, &of.first);
    const sat_buf *const links[] = {&rekey, &invite, &removal};
    for (size_t turn = 0; turn < 3; turn++) {
        AUTO_PTR(sat__chain) chain = chain_copy(of.chain, true);
        for (size_t i = 0; i < 3; i++)
            expect_append(chain, links[(turn + i) % 3], SAT_OK);
        const sat__vault_state *const said = sat__vault_state_of(chain);
        assert_null(sat__vault_principal_find(said, &of.friend.party.id));
        assert_null(sat__vault_member_find(said, &third));
        assert_int_equal(sat__vault_role_of(said, &of.guest.party.id), 0);
        assert_false(said->needs_epoch);
    }
}

static void whose_role_is_lowered_does_nothing_at_the_same_time(void **state)
{
    (void)state;
    AUTO(house) of;
    begin(&of);
    join(&of, SAT_ROLE_ADMIN);
    const sat__id third = {{3}};
    AUTO(sat_buf)
    invite = role_link(of.chain, SAT_VAULT_INVITE, &third, SAT_ROLE_ADMIN,
                       &of.guest);
    AUTO(sat_buf)
    lower =
        role_link(of.chain, SAT_VAULT_ROLE, &theirs, SAT_ROLE_READ, &of.first);
    expect_append(of.chain, &invite, SAT_OK);
    expect_append(of.chain, &lower, SAT_OK);
    assert_null(sat__vault_member_find(sat__vault_state_of(of.chain), &third));
}

/* ---- any order ---- */

static uint32_t next_chance(uint32_t *chance)
{
    *chance = *chance * 1664525u + 1013904223u;
    return *chance >> 8;
}

static void take_all(sat__chain *into, sat__chain *from)
{
    for (size_t i = 0; i < sat__chain_count(from); i++)
        assert_int_equal(
            sat__chain_append(into, sat__chain_at(from, i).moved, NULL, NULL),
            SAT_OK);
}

/* Invites, and now and then the removal of the other administrator. */
static void do_something(house *of, sat__chain *side, uint32_t chance)
{
    const person *const by = (chance & 1) != 0 ? &of->first : &of->guest;
    const person *const first[] = {&of->first, &of->second};
    const person *const guest[] = {&of->guest};
    const sat__id account = {{(uint8_t)(3 + (chance >> 1) % 5)}};
    AUTO(sat_buf)
    link = (chance >> 8) % 10 != 0 ? role_link(side, SAT_VAULT_INVITE, &account,
                                               1 + (chance >> 4) % 3, by)
           : by == &of->first
               ? remove_link(side, &theirs, NULL, first, 2, 2, by)
               : remove_link(side, &ours, NULL, guest, 1, 2, by);
    const sat_status st = sat__chain_append(side, buf_view(&link), NULL, NULL);
    assert_true(st == SAT_OK || st == SAT_ERR_DENIED);
}

static void every_order_makes_the_same_line(void **state)
{
    (void)state;
    size_t voids = 0;
    for (uint32_t seed = 1; seed <= 100; seed++) {
        AUTO(house) of;
        uint32_t chance = seed * 2654435761u;
        begin(&of);
        join(&of, SAT_ROLE_ADMIN);
        AUTO_PTR(sat__chain) a = chain_copy(of.chain, true);
        AUTO_PTR(sat__chain) b = chain_copy(of.chain, true);
        for (int step = 0; step < 24; step++)
            if (next_chance(&chance) % 5 == 0)
                take_all(next_chance(&chance) % 2 == 0 ? a : b,
                         next_chance(&chance) % 2 == 0 ? a : b);
            else
                do_something(&of, next_chance(&chance) % 2 == 0 ? a : b,
                             next_chance(&chance));
        take_all(a, b);
        take_all(b, a);
        for (size_t i = 0; i < sat__chain_count(a); i++) {
            const sat__chain_entry x = sat__chain_at(a, i);
            const sat__chain_entry y = sat__chain_at(b, i);
            assert_true(id_equal(x.hash, y.hash));
            assert_int_equal(x.is_void, y.is_void);
            voids += x.is_void;
        }
    }
    assert_true(voids > 100);
}

/* ---- what was tampered with ---- */

static void no_link_of_any_kind_may_be_altered_by_a_bit(void **state)
{
    (void)state;
    AUTO(house) of;
    begin(&of);
    AUTO_PTR(sat__chain) chain = NULL;
    const person *const all[] = {&of.first, &of.second, &of.guest, &of.friend};
    sat__sealed_for room[4];
    assert_int_equal(sat__vault_chain_new(&chain, NULL), SAT_OK);
    AUTO(sat_buf) genesis = genesis_link(&of, chain);
    expect_every_bit_counts(chain, &genesis);
    AUTO(sat_buf)
    invite =
        role_link(chain, SAT_VAULT_INVITE, &theirs, SAT_ROLE_READ, &of.first);
    expect_every_bit_counts(chain, &invite);
    AUTO(sat_buf) accept = accept_link(chain, &theirs, &of.guest);
    expect_every_bit_counts(chain, &accept);
    AUTO(sat_buf) confirm = confirm_link(chain, &theirs, &of.guest, &of.first);
    expect_every_bit_counts(chain, &confirm);
    AUTO(sat_buf)
    role = role_link(chain, SAT_VAULT_ROLE, &theirs, SAT_ROLE_WRITE, &of.first);
    expect_every_bit_counts(chain, &role);
    AUTO(sat_buf) rekey = rekey_link(chain, &theirs, &of.friend, &of.guest);
    expect_every_bit_counts(chain, &rekey);
    const sat__vault_change change = {.op = SAT_VAULT_EPOCH,
                                      .key = key_for(2, all, 4, room)};
    AUTO(sat_buf) epoch = vault_link(chain, &change, &of.first);
    expect_every_bit_counts(chain, &epoch);
    AUTO(sat_buf)
    removal = remove_link(chain, &theirs, &of.friend, all, 3, 3, &of.guest);
    expect_every_bit_counts(chain, &removal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_one_only_once_confirmed),
        cmocka_unit_test(who_administers_nothing_changes_nothing),
        cmocka_unit_test(a_removal_begins_an_epoch_and_names_the_last_dots),
        cmocka_unit_test(the_last_administrator_stays),
        cmocka_unit_test(who_is_removed_does_nothing_at_the_same_time),
        cmocka_unit_test(whose_role_is_lowered_does_nothing_at_the_same_time),
        cmocka_unit_test(every_order_makes_the_same_line),
        cmocka_unit_test(no_link_of_any_kind_may_be_altered_by_a_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
