/*
 * prune_test.c - what a hub lets go of: old versions, and what was dropped
 */
#include "scene.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS ((uint64_t)86400000)

static int64_t used_by(scene *s, const citizen *who)
{
    AUTO(answer) a = {.status = 0};

    assert_int_equal(town_ask(&s->t, who, "GET", "/api/auth/me", NULL, &a),
                     200);
    return answer_int(&a, "used");
}

/* How many versions of the item there are, and what the oldest is. */
static size_t versions_of(scene *s, uint8_t first, int64_t *oldest)
{
    AUTO(answer) a = {.status = 0};
    const uint8_t id[32] = {first};
    char path[120], hex[65];

    sat__hex_format(id, sizeof id, hex);
    (void)snprintf(path, sizeof path, "/api/items/%s/versions", hex);
    assert_int_equal(town_send(&s->t, &s->alice, "POST", path,
                               "application/json", bytes_of("{}", 2), &a),
                     200);
    const hub_node *const list = hub_node_find(a.body, "versions");
    for (const hub_node *at = list->first; at != NULL; at = at->next)
        *oldest = hub_node_find(at, "version")->integer;
    return list->count;
}

static void sweep_in(scene *s, uint64_t days)
{
    sat_error err = {0};

    s->t.now_ms = sat_env_system()->wall(NULL) + days * DAY_MS;
    assert_int_equal(hub_sweep(s->t.hub, &err), SAT_OK);
    s->t.now_ms = 0;
}

static void old_versions_go_and_their_room_is_free(void **state)
{
    AUTO(scene) s;
    int64_t oldest = 0;

    (void)state;
    scene_open(&s);
    scene_share(&s, SAT_ROLE_WRITE);
    s.t.hub->options.versions = 3;
    for (int64_t version = 0; version < 2; version++) {
        const sealed item = {{1}, version, 500, false};
        vault_push_some(&s.v, &s.bob, &item, 1);
    }
    for (int64_t version = 2; version < 6; version++) {
        const sealed item = {{1}, version, 300, false};
        vault_push_some(&s.v, &s.alice, &item, 1);
    }
    assert_int_equal(versions_of(&s, 1, &oldest), 3);
    assert_int_equal(oldest, 4);
    assert_int_equal(used_by(&s, &s.alice), 3 * (200 + 300));
    assert_int_equal(used_by(&s, &s.bob), 0);
}

static void what_is_dropped_leaves_a_word_alone(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed items[] = {{{1}, 0, 300, false}, {{2}, 0, 300, false}};
    const sealed again = {{1}, 1, 400, false};
    const sealed dropped = {{1}, 2, 0, true};
    int64_t oldest = 0;

    (void)state;
    scene_open(&s);
    vault_push_some(&s.v, &s.alice, items, 2);
    vault_push_some(&s.v, &s.alice, &again, 1);
    vault_push_some(&s.v, &s.alice, &dropped, 1);
    assert_int_equal(versions_of(&s, 1, &oldest), 1);
    assert_int_equal(oldest, 3);
    assert_int_equal(used_by(&s, &s.alice), 200 + (200 + 300));
    assert_int_equal(vault_pull(&s.v, &s.alice, 3, 10, &a), 200);
    const hub_node *const list = hub_node_find(a.body, "items");
    assert_int_equal(list->count, 1);
    assert_int_equal(hub_node_find(list->first, "deleted")->integer, 1);
    assert_int_equal(hub_node_find(list->first, "data")->bytes.len, 0);
    vault_push_some(&s.v, &s.alice, items, 1);
    assert_int_equal(vault_pull(&s.v, &s.alice, 4, 10, &a), 200);
    assert_int_equal(
        hub_node_find(hub_node_find(a.body, "items")->first, "version")
            ->integer,
        1);
}

/* Items 1 to 4 at sequences 1 to 4; two of them dropped at 5 and 6, a change
 * of another at 7. */
static void drop_two_of_four(scene *s)
{
    const sealed items[] = {{{1}, 0, 300, false},
                            {{2}, 0, 300, false},
                            {{3}, 0, 300, false},
                            {{4}, 0, 300, false}};
    const sealed dropped[] = {{{1}, 1, 0, true}, {{2}, 1, 0, true}};
    const sealed more = {{3}, 1, 300, false};

    vault_push_some(&s->v, &s->alice, items, 4);
    vault_push_some(&s->v, &s->alice, dropped, 2);
    vault_push_some(&s->v, &s->alice, &more, 1);
}

static void the_horizon_moves_over_what_was_dropped_long_ago(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};

    (void)state;
    scene_open(&s);
    drop_two_of_four(&s);
    sweep_in(&s, 89);
    assert_int_equal(vault_pull(&s.v, &s.alice, 1, 10, &a), 200);
    assert_int_equal(answer_int(&a, "horizon"), 0);
    sweep_in(&s, 91);
    assert_int_equal(vault_pull(&s.v, &s.alice, 5, 10, &a), 410);
    assert_true(answer_is_code(&a, "horizon"));
    assert_int_equal(vault_pull(&s.v, &s.alice, 6, 10, &a), 200);
    assert_int_equal(vault_pull(&s.v, &s.alice, 0, 10, &a), 200);
    assert_int_equal(hub_node_find(a.body, "items")->count, 2);
    assert_int_equal(answer_int(&a, "horizon"), 6);
    assert_int_equal(used_by(&s, &s.alice), 3 * (200 + 300));
}

/* The second part of a pull; `horizon` as the first part said. */
static unsigned pull_on(scene *s, int64_t cursor, int64_t horizon, answer *a)
{
    char path[200];

    (void)snprintf(path, sizeof path,
                   "/api/vaults/%s/items?limit=1&after=%lld&horizon=%lld",
                   s->hex, (long long)cursor, (long long)horizon);
    return town_ask(&s->t, &s->alice, "GET", path, NULL, a);
}

static void a_pull_from_the_start_goes_on_unless_more_was_dropped(void **state)
{
    AUTO(scene) s;
    AUTO(answer) a = {.status = 0};
    const sealed dropped = {{3}, 2, 0, true};

    (void)state;
    scene_open(&s);
    drop_two_of_four(&s);
    sweep_in(&s, 91);
    assert_int_equal(pull_on(&s, 0, 0, &a), 200);
    assert_int_equal(answer_int(&a, "cursor"), 4);
    assert_int_equal(answer_int(&a, "horizon"), 6);
    assert_int_equal(pull_on(&s, 4, 6, &a), 200);
    vault_push_some(&s.v, &s.alice, &dropped, 1);
    assert_int_equal(pull_on(&s, 4, 6, &a), 200);
    sweep_in(&s, 91);
    assert_int_equal(pull_on(&s, 4, 6, &a), 410);
    assert_int_equal(pull_on(&s, 8, 6, &a), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_versions_go_and_their_room_is_free),
        cmocka_unit_test(what_is_dropped_leaves_a_word_alone),
        cmocka_unit_test(the_horizon_moves_over_what_was_dropped_long_ago),
        cmocka_unit_test(a_pull_from_the_start_goes_on_unless_more_was_dropped),
    };

    return RUN_TOWN_TESTS("prune", tests);
}
