/*
 * chain.c - taking links, one by one
 *
 * A link that knows all others is applied to the state as it is. Any other is
 * judged by a state of its ancestors alone, and the state of all is made again
 * when it is asked for.
 */
#include "chain/chain.h"

#include "base/error.h"
#include "chain/rules.h"

sat_status sat__list_grow(void *list, size_t count, size_t size, sat_error *err)
{
    void *old, *grown;

    memcpy(&old, list, sizeof old); /* list is some object's T ** */
    if (count > 0 && (count & (count - 1)) != 0)
        return SAT_OK;
    grown = realloc(old, (count == 0 ? 1 : 2 * count) * size);
    if (grown == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    memcpy(list, &grown, sizeof grown);
    return SAT_OK;
}

sat_status sat__chain_new(const sat__chain_rules *rules, sat__chain **out,
                          sat_error *err)
{
    AUTO_PTR(sat__chain) chain = calloc(1, sizeof *chain);

    if (chain == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    chain->rules = rules;
    chain->state = calloc(1, rules->state_size);
    if (chain->state == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    *out = TAKE(chain);
    return SAT_OK;
}

static void node_clear(sat__chain_node *node)
{
    free(node->moved);
    free(node->known);
    memset(node, 0, sizeof *node);
}

DEFINE_AUTO(sat__chain_node, node_clear);

void sat__chain_free(sat__chain *chain)
{
    if (chain == NULL)
        return;
    for (size_t i = 0; i < chain->count; i++)
        node_clear(&chain->nodes[i]);
    if (chain->state != NULL)
        chain->rules->clear(chain->state);
    free(chain->state);
    free(chain->nodes);
    free(chain->line);
    free(chain->is_void);
    sat__arena_clear(&chain->arena);
    sat__arena_clear(&chain->scratch);
    free(chain);
}

/* ---- what is here ---- */

static bool find_node(const sat__chain *chain, const sat__id *hash, size_t *out)
{
    for (size_t i = chain->count; i-- > 0;)
        if (id_equal(&chain->nodes[i].hash, hash)) {
            *out = i;
            return true;
        }
    return false;
}

const sat__id *sat__chain_id(const sat__chain *chain)
{
    return chain->count == 0 ? NULL : &chain->nodes[0].hash;
}

bool sat__chain_has(const sat__chain *chain, const sat__id *link)
{
    size_t at;

    return find_node(chain, link, &at);
}

size_t sat__chain_count(const sat__chain *chain)
{
    return chain->count;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(sat__id));
}

static bool is_tip(const sat__chain *chain, size_t at)
{
    for (size_t i = at + 1; i < chain->count; i++)
        if (node_knows(&chain->nodes[i], at))
            return false;
    return true;
}

size_t sat__chain_tips(const sat__chain *chain, sat__id *out, size_t max)
{
    size_t count = 0;

    for (size_t i = chain->count; i-- > 0;)
        if (is_tip(chain, i)) {
            if (count < max)
                out[count] = chain->nodes[i].hash;
            count++;
        }
    qsort(out, count < max ? count : max, sizeof *out, compare_ids);
    return count;
}

static sat__chain_entry entry_of(const sat__chain *chain, size_t node)
{
    const sat__chain_node *const found = &chain->nodes[node];

    return (sat__chain_entry){&found->hash, &found->link,
                              bytes_of(found->moved, found->moved_len),
                              chain->is_void[node]};
}

sat__chain_entry sat__chain_at(sat__chain *chain, size_t at)
{
    if (sat__chain_settle(chain, NULL) != SAT_OK)
        return entry_of(chain, at);
    return entry_of(chain, chain->line[at]);
}

sat_status sat__chain_find(sat__chain *chain, const sat__id *hash,
                           sat__chain_entry *out, sat_error *err)
{
    size_t at;

    if (!find_node(chain, hash, &at))
        return sat__fail(err, SAT_ERR_NOT_FOUND, "a link is not in its chain");
    TRY(sat__chain_settle(chain, err));
    *out = entry_of(chain, at);
    return SAT_OK;
}

bool sat__chain_is_known(sat__chain *chain, size_t at, const sat__id *tips,
                         size_t count)
{
    if (sat__chain_settle(chain, NULL) != SAT_OK)
        return false;
    const size_t node = chain->line[at];
    for (size_t i = 0; i < count; i++) {
        size_t tip;
        if (find_node(chain, &tips[i], &tip) &&
            (tip == node ||
             (node < tip && node_knows(&chain->nodes[tip], node))))
            return true;
    }
    return false;
}

/* ---- taking one more ---- */

static size_t words_for(size_t bits)
{
    return bits / 64 + 1;
}

/* Finds the parents; `known` becomes what they know, and themselves. */
static sat_status find_parents(const sat__chain *chain, sat__chain_node *node,
                               sat_error *err)
{
    if ((chain->count == 0) != (node->link.parent_count == 0))
        return sat__fail(err, SAT_ERR_NOT_FOUND,
                         chain->count == 0 ? "a chain begins with a link that "
                                             "is not its first"
                                           : "a link of another chain");
    node->known = calloc(words_for(chain->count), sizeof *node->known);
    if (node->known == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    for (size_t i = 0; i < node->link.parent_count; i++) {
        size_t at;
        if (!find_node(chain, &node->link.parents[i], &at))
            return sat__fail(err, SAT_ERR_NOT_FOUND,
                             "a link that this one builds on is not here");
        node->parents[i] = at;
        for (size_t w = 0; w < words_for(at); w++)
            node->known[w] |= chain->nodes[at].known[w];
        node->known[at / 64] |= (uint64_t)1 << (at % 64);
    }
    return SAT_OK;
}

static bool knows_all(const sat__chain *chain, const sat__chain_node *node)
{
    size_t known = 0;

    for (size_t w = 0; w < words_for(chain->count); w++)
        known += (size_t)__builtin_popcountll(node->known[w]);
    return known == chain->count;
}

static sat_status read_change(const sat__chain *chain, sat__arena *arena,
                              sat__chain_node *node, sat_error *err)
{
    return chain->rules->read(&node->link, arena, &node->change, err);
}

/* Whether the author signed it and had the right to it in `state`. */
static sat_status judge(const sat__chain *chain, const void *state,
                        sat__chain_node *node, sat_error *err)
{
    const uint8_t *key;

    TRY(chain->rules->author(state, node, &key, err));
    TRY(sat__link_verify(&node->parts, chain->rules->kind, key, err));
    return chain->rules->check(state, node, true, err);
}

typedef struct ancestry {
    const sat__chain_rules *rules;
    void *state;
    size_t *line;
    bool *is_void;
} ancestry;

static void ancestry_clear(ancestry *before)
{
    if (before->state != NULL)
        before->rules->clear(before->state);
    free(before->state);
    free(before->line);
    free(before->is_void);
}

DEFINE_AUTO(ancestry, ancestry_clear);

static sat_status judge_by_ancestors(const sat__chain *chain,
                                     sat__chain_node *node, sat_error *err)
{
    AUTO(ancestry)
    before = {chain->rules, calloc(1, chain->rules->state_size),
              calloc(chain->count, sizeof(size_t)),
              calloc(chain->count, sizeof(bool))};

    if (before.state == NULL || before.line == NULL || before.is_void == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    TRY(sat__line_up(chain, node->known, before.state, before.line,
                     before.is_void, err));
    return judge(chain, before.state, node, err);
}

static sat_status make_room(sat__chain *chain, sat_error *err)
{
    const size_t capacity = chain->capacity == 0 ? 16 : 2 * chain->capacity;

    if (chain->count < chain->capacity)
        return SAT_OK;
    void *const nodes = realloc(chain->nodes, capacity * sizeof *chain->nodes);
    if (nodes != NULL)
        chain->nodes = nodes;
    void *const line = realloc(chain->line, capacity * sizeof *chain->line);
    if (line != NULL)
        chain->line = line;
    void *const is_void =
        realloc(chain->is_void, capacity * sizeof *chain->is_void);
    if (is_void != NULL)
        chain->is_void = is_void;
    if (nodes == NULL || line == NULL || is_void == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    chain->capacity = capacity;
    return SAT_OK;
}

static sat_status take(sat__chain *chain, sat__chain_node *node, sat_error *err)
{
    const bool is_last = knows_all(chain, node);

    TRY(make_room(chain, err));
    if (is_last) {
        TRY(sat__chain_settle(chain, err));
        TRY(judge(chain, chain->state, node, err));
        TRY(read_change(chain, &chain->arena, node, err));
        chain->is_stale = true; /* until it is applied whole */
        TRY(chain->rules->apply(chain->state, node, err));
        chain->is_stale = false;
        chain->line[chain->count] = chain->count;
        chain->is_void[chain->count] = false;
    } else {
        TRY(judge_by_ancestors(chain, node, err));
        TRY(read_change(chain, &chain->arena, node, err));
        chain->is_stale = true;
    }
    chain->nodes[chain->count++] = *node;
    memset(node, 0, sizeof *node);
    return SAT_OK;
}

sat_status sat__chain_append(sat__chain *chain, sat_bytes moved, bool *is_new,
                             sat_error *err)
{
    AUTO(sat__chain_node) node = {.moved_len = moved.len};
    size_t here;

    TRY(sat__link_split(moved, &node.parts, err));
    sat__link_hash(node.parts.bytes, &node.hash);
    if (is_new != NULL)
        *is_new = false;
    if (find_node(chain, &node.hash, &here))
        return SAT_OK;
    if (chain->count >= SAT_CHAIN_LINKS_MAX)
        return sat__fail(err, SAT_ERR_LIMIT, "a chain of %d links is full",
                         SAT_CHAIN_LINKS_MAX);
    node.moved = malloc(moved.len);
    if (node.moved == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a link");
    memcpy(node.moved, moved.data, moved.len);
    TRY(sat__link_split(bytes_of(node.moved, moved.len), &node.parts, err));
    TRY(sat__link_read(node.parts.bytes, &node.link, err));
    if (node.link.kind != chain->rules->kind)
        return sat__fail(err, SAT_ERR_DENIED,
                         "a link is of another kind of chain");
    TRY(find_parents(chain, &node, err));
    sat__arena_reset(&chain->scratch);
    TRY(read_change(chain, &chain->scratch, &node, err));
    TRY(take(chain, &node, err));
    if (is_new != NULL)
        *is_new = true;
    return SAT_OK;
}

sat_status sat__chain_append_all(sat__chain *chain, const sat_bytes *moved,
                                 size_t count, sat_error *err)
{
    for (size_t i = 0; i < count; i++)
        TRY(sat__chain_append(chain, moved[i], NULL, err));
    return SAT_OK;
}

sat_status sat__chain_settle(sat__chain *chain, sat_error *err)
{
    if (!chain->is_stale)
        return SAT_OK;
    chain->rules->clear(chain->state);
    memset(chain->state, 0, chain->rules->state_size);
    TRY(sat__line_up(chain, NULL, chain->state, chain->line, chain->is_void,
                     err));
    chain->is_stale = false;
    return SAT_OK;
}

/* ---- signing one more ---- */

sat_status sat__chain_sign(const sat__chain *chain, unsigned op,
                           sat_bytes payload, const sat__identity *signer,
                           uint64_t time_ms, sat_buf *out, sat_error *err)
{
    sat__link link = {.kind = chain->rules->kind,
                      .op = op,
                      .time_ms = time_ms,
                      .payload = payload};

    link.parent_count =
        sat__chain_tips(chain, link.parents, SAT_LINK_PARENTS_MAX);
    if (link.parent_count > SAT_LINK_PARENTS_MAX)
        link.parent_count = SAT_LINK_PARENTS_MAX;
    sat__device_id(sat__identity_principal(signer)->sign, link.by.bytes);
    return sat__link_sign(&link, signer, out, err);
}

/* ---- what both kinds check ---- */

static bool is_among(const sat__id *ids, size_t count, const sat__id *id)
{
    for (size_t i = 0; i < count; i++)
        if (id_equal(&ids[i], id))
            return true;
    return false;
}

bool sat__chain_key_is_for(const sat__chain_key *key, const sat__id *ids,
                           size_t count)
{
    for (size_t i = 0; i < key->count; i++)
        if (!is_among(ids, count, &key->envelopes[i].id))
            return false;
    return key->count == count; /* the envelopes are each for another */
}

sat_status sat__chain_key_check(const sat__chain_key *key, uint64_t before,
                                bool is_exact, sat_error *err)
{
    if (key->generation != before + 1)
        return sat__fail(err, SAT_ERR_DENIED,
                         "a link begins generation %llu of a key after %llu",
                         (unsigned long long)key->generation,
                         (unsigned long long)before);
    if (!is_exact)
        return sat__fail(err, SAT_ERR_DENIED,
                         "a link seals a new key for others than may have it");
    return SAT_OK;
}

bool sat__grants_have(const sat__grant *grants, size_t count,
                      const sat__id *key, const sat__id *id)
{
    for (size_t i = 0; i < count; i++)
        if (id_equal(&grants[i].key, key) && id_equal(&grants[i].id, id))
            return true;
    return false;
}

static void envelope_in(const sat__chain_key *key, const sat__id *id,
                        sat_bytes *out)
{
    for (size_t i = 0; i < key->count; i++)
        if (id_equal(&key->envelopes[i].id, id))
            *out = key->envelopes[i].envelope;
}

void sat__epoch_envelope(const sat__epoch *epochs, size_t epoch_count,
                         const sat__grant *const *grants, size_t grant_count,
                         const sat__id *key, const sat__id *id, sat_bytes *out)
{
    *out = (sat_bytes){NULL, 0};
    for (size_t i = 0; i < epoch_count; i++)
        if (id_equal(&epochs[i].link, key))
            envelope_in(&epochs[i].key, id, out);
    for (size_t i = 0; i < grant_count; i++)
        if (id_equal(&grants[i]->key, key) && id_equal(&grants[i]->id, id))
            *out = grants[i]->envelope; /* a later one mends an earlier one */
}
