/*
 * line.c - the one order of links that were made at the same time
 *
 * First which removals stand. One stands when none that stands voids it; where
 * they wait for each other in a ring, the lowest hash of the ring stands. Then
 * the topological order, and each link in turn.
 */
#include "base/error.h"
#include "chain/rules.h"

typedef enum fate { UNDECIDED, STANDS, VOID } fate;

typedef struct lineup {
    const sat__chain *chain;
    const uint64_t *subset;
    size_t *removals; /* positions of nodes */
    size_t removal_count;
    fate *fates;     /* by position in removals */
    size_t *voiders; /* undecided or standing ones, by position in removals */
    size_t *todo;    /* decided, but not followed up */
    size_t todo_count;
    size_t *seen; /* in which walk, by position in removals */
    size_t walks;
    size_t *waiting; /* parents not yet in line, by node */
    size_t *heap;
    size_t heap_count;
} lineup;

static void lineup_clear(lineup *line)
{
    free(line->removals);
    free(line->fates);
    free(line->voiders);
    free(line->todo);
    free(line->seen);
    free(line->waiting);
    free(line->heap);
}

DEFINE_AUTO(lineup, lineup_clear);

static bool is_in(const lineup *line, size_t node)
{
    return line->subset == NULL ||
           (line->subset[node / 64] >> (node % 64) & 1) != 0;
}

static bool is_concurrent(const sat__chain *chain, size_t a, size_t b)
{
    return a < b ? !node_knows(&chain->nodes[b], a)
                 : a > b && !node_knows(&chain->nodes[a], b);
}

static bool voids(const lineup *line, size_t removal, size_t other)
{
    const sat__chain *const chain = line->chain;

    return is_concurrent(chain, removal, other) &&
           chain->rules->removes(&chain->nodes[removal], &chain->nodes[other]);
}

static int compare_hashes(const lineup *line, size_t a, size_t b)
{
    return memcmp(line->chain->nodes[a].hash.bytes,
                  line->chain->nodes[b].hash.bytes, sizeof(sat__id));
}

/* ---- which removals stand ---- */

static void decide(lineup *line, size_t r, fate as)
{
    if (line->fates[r] != UNDECIDED)
        return;
    line->fates[r] = as;
    line->todo[line->todo_count++] = r;
}

static void follow_up(lineup *line)
{
    while (line->todo_count > 0) {
        const size_t r = line->todo[--line->todo_count];
        for (size_t s = 0; s < line->removal_count; s++) {
            if (line->fates[s] != UNDECIDED ||
                !voids(line, line->removals[r], line->removals[s]))
                continue;
            if (line->fates[r] == STANDS)
                decide(line, s, VOID);
            else if (--line->voiders[s] == 0)
                decide(line, s, STANDS);
        }
    }
}

/* The undecided one of the lowest hash, of all or of those that void `r`. */
static size_t lowest_undecided(const lineup *line, size_t r)
{
    size_t lowest = SIZE_MAX;

    for (size_t s = 0; s < line->removal_count; s++)
        if (line->fates[s] == UNDECIDED &&
            (r == SIZE_MAX ||
             voids(line, line->removals[s], line->removals[r])) &&
            (lowest == SIZE_MAX || compare_hashes(line, line->removals[s],
                                                  line->removals[lowest]) < 0))
            lowest = s;
    return lowest;
}

/* From one that is voided to one that voids it, until the ring closes. */
static size_t lowest_of_ring(lineup *line)
{
    size_t at = lowest_undecided(line, SIZE_MAX);

    for (line->walks++; line->seen[at] != line->walks;
         at = lowest_undecided(line, at))
        line->seen[at] = line->walks;
    size_t lowest = at;
    for (size_t s = lowest_undecided(line, at); s != at;
         s = lowest_undecided(line, s))
        if (compare_hashes(line, line->removals[s], line->removals[lowest]) < 0)
            lowest = s;
    return lowest;
}

static void settle_removals(lineup *line)
{
    for (size_t r = 0; r < line->removal_count; r++)
        for (size_t s = 0; s < line->removal_count; s++)
            if (voids(line, line->removals[r], line->removals[s]))
                line->voiders[s]++;
    for (size_t r = 0; r < line->removal_count; r++)
        if (line->voiders[r] == 0)
            decide(line, r, STANDS);
    follow_up(line);
    while (lowest_undecided(line, SIZE_MAX) != SIZE_MAX) {
        decide(line, lowest_of_ring(line), STANDS);
        follow_up(line);
    }
}

static bool is_voided(const lineup *line, size_t node)
{
    for (size_t r = 0; r < line->removal_count; r++)
        if (line->removals[r] == node
                ? line->fates[r] == VOID
                : line->fates[r] == STANDS &&
                      !line->chain->nodes[node].is_removal &&
                      voids(line, line->removals[r], node))
            return true;
    return false;
}

/* ---- the topological order ---- */

static bool comes_first(const lineup *line, size_t a, size_t b)
{
    const bool is_a = line->chain->nodes[a].is_removal;
    const bool is_b = line->chain->nodes[b].is_removal;

    return is_a != is_b ? is_a : compare_hashes(line, a, b) < 0;
}

static void heap_push(lineup *line, size_t node)
{
    size_t at = line->heap_count++;

    while (at > 0 && comes_first(line, node, line->heap[(at - 1) / 2])) {
        line->heap[at] = line->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    line->heap[at] = node;
}

static size_t heap_pop(lineup *line)
{
    const size_t first = line->heap[0];
    const size_t last = line->heap[--line->heap_count];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= line->heap_count)
            break;
        if (child + 1 < line->heap_count &&
            comes_first(line, line->heap[child + 1], line->heap[child]))
            child++;
        if (!comes_first(line, line->heap[child], last))
            break;
        line->heap[at] = line->heap[child];
        at = child;
    }
    line->heap[at] = last;
    return first;
}

/* Who waits for each node: lists in two arrays, as in a sparse matrix. */
typedef struct children {
    size_t *first; /* one more than there are nodes */
    size_t *list;
} children;

static void children_clear(children *of)
{
    free(of->first);
    free(of->list);
}

DEFINE_AUTO(children, children_clear);

static sat_status find_children(const lineup *line, children *out,
                                sat_error *err)
{
    const sat__chain *const chain = line->chain;
    size_t edges = 0;

    out->first = calloc(chain->count + 2, sizeof *out->first);
    if (out->first == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    for (size_t i = 0; i < chain->count; i++)
        for (size_t p = 0;
             is_in(line, i) && p < chain->nodes[i].link.parent_count;
             p++, edges++)
            out->first[chain->nodes[i].parents[p] + 2]++;
    for (size_t i = 2; i < chain->count + 2; i++)
        out->first[i] += out->first[i - 1];
    out->list = calloc(edges + 1, sizeof *out->list);
    if (out->list == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    for (size_t i = 0; i < chain->count; i++)
        for (size_t p = 0;
             is_in(line, i) && p < chain->nodes[i].link.parent_count; p++)
            out->list[out->first[chain->nodes[i].parents[p] + 1]++] = i;
    return SAT_OK;
}

/* ---- one after the other ---- */

static sat_status apply_in_line(lineup *line, const children *of, void *state,
                                size_t *out, bool *is_void, sat_error *err)
{
    const sat__chain_rules *const rules = line->chain->rules;
    size_t placed = 0;

    for (size_t i = 0; i < line->chain->count; i++) {
        line->waiting[i] = line->chain->nodes[i].link.parent_count;
        if (is_in(line, i) && line->waiting[i] == 0)
            heap_push(line, i);
    }
    while (line->heap_count > 0) {
        const size_t node = heap_pop(line);
        const sat__chain_node *const next = &line->chain->nodes[node];
        out[placed++] = node;
        is_void[node] = is_voided(line, node) ||
                        rules->check(state, next, false, NULL) != SAT_OK;
        if (!is_void[node])
            TRY(rules->apply(state, next, err));
        for (size_t c = of->first[node]; c < of->first[node + 1]; c++)
            if (--line->waiting[of->list[c]] == 0)
                heap_push(line, of->list[c]);
    }
    return SAT_OK;
}

static sat_status lineup_begin(const sat__chain *chain, const uint64_t *subset,
                               lineup *out, sat_error *err)
{
    const size_t count = chain->count + 1;

    out->chain = chain;
    out->subset = subset;
    out->removals = calloc(count, sizeof *out->removals);
    out->fates = calloc(count, sizeof *out->fates);
    out->voiders = calloc(count, sizeof *out->voiders);
    out->todo = calloc(count, sizeof *out->todo);
    out->seen = calloc(count, sizeof *out->seen);
    out->waiting = calloc(count, sizeof *out->waiting);
    out->heap = calloc(count, sizeof *out->heap);
    if (out->removals == NULL || out->fates == NULL || out->voiders == NULL ||
        out->todo == NULL || out->seen == NULL || out->waiting == NULL ||
        out->heap == NULL)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory for a chain");
    for (size_t i = 0; i < chain->count; i++)
        if (is_in(out, i) && chain->nodes[i].is_removal)
            out->removals[out->removal_count++] = i;
    return SAT_OK;
}

sat_status sat__line_up(const sat__chain *chain, const uint64_t *subset,
                        void *state, size_t *line, bool *is_void,
                        sat_error *err)
{
    AUTO(lineup) work = {.chain = NULL};
    AUTO(children) of = {NULL, NULL};

    TRY(lineup_begin(chain, subset, &work, err));
    settle_removals(&work);
    TRY(find_children(&work, &of, err));
    return apply_in_line(&work, &of, state, line, is_void, err);
}
