/*
 * make_chain.c - the chain that a backup continues
 */
#include "backup/maker.h"
#include "base/error.h"

#define CHAIN_PACKS_MAX 64 /* behind the base */
#define CHAIN_SLACK ((uint64_t)4 << 20)

static bool is_on_shelf(const sat__shelf *shelf, const sat__blob_name *name)
{
    for (size_t i = 0; i < shelf->count; i++)
        if (strcmp(shelf->manifests[i].name.text, name->text) == 0)
            return true;
    return false;
}

/* Folding: a new base where the chain has grown as large again as its base. */
static bool is_long(const sat__pack *packs, size_t count, size_t base)
{
    uint64_t of_base = 0;
    uint64_t behind = 0;
    for (size_t i = 0; i < count; i++)
        *(i < base ? &of_base : &behind) += packs[i].size;
    return count - base > CHAIN_PACKS_MAX || behind > of_base + CHAIN_SLACK;
}

static bool has_packs_of(const sat__manifest *manifest,
                         const sat__manifest *made)
{
    if (manifest->pack_count != made->pack_count)
        return false;
    for (size_t i = 0; i < made->pack_count; i++)
        if (strcmp(manifest->packs[i].name.text, made->packs[i].name.text) != 0)
            return false;
    return true;
}

/* The newest backup may be one that was made, and not noted any more. */
static sat_status note_unnoted(sat__maker *job, sat_error *err)
{
    sat__manifest *const newest =
        sat__shelf_find(&job->shelf, maker_owner(job), 0);
    if (newest == NULL || !has_packs_of(newest, &job->made) ||
        sat__manifest_unseal(newest, &job->profile->secrets->master, NULL) !=
            SAT_OK)
        return SAT_OK;
    return sat__backup_state_finish(&job->state, newest, err);
}

static sat_status may_continue(sat__maker *job, bool *out, sat_error *err)
{
    sat__manifest *const made = &job->made;
    sat__blob_name last;
    int64_t base;
    *out = false;
    TRY(sat__backup_state_last(&job->state, &last, err));
    TRY(sat__backup_state_get(&job->state, SAT_BACKUP_BASE, &base, err));
    if (last.text[0] != 0 &&
        (!is_on_shelf(&job->shelf, &last) ||
         is_long(made->packs, made->pack_count, (size_t)base)))
        return SAT_OK;
    const sat_status st = sat__shelf_check(&job->place, made, err);
    *out = st == SAT_OK && made->pack_count > 0;
    made->base = (size_t)base;
    return st == SAT_ERR_CORRUPT ? SAT_OK : st;
}

sat_status sat__maker_begin_chain(sat__maker *job, sat_error *err)
{
    const sat_env *const env = job->profile->env;
    sat__manifest *const made = &job->made;
    made->pack_count = 0;
    made->base = 0;
    env->random(env->context, made->home.chain, sizeof made->home.chain);
    return sat__backup_state_reset(&job->state, made->home.chain, err);
}

sat_status sat__maker_join(sat__maker *job, sat_error *err)
{
    sat__manifest *const made = &job->made;
    bool goes_on;
    TRY(sat__backup_state_packs(&job->state, &made->packs, &made->pack_count,
                                err));
    TRY(note_unnoted(job, err));
    TRY(may_continue(job, &goes_on, err));
    if (!goes_on)
        TRY(sat__maker_begin_chain(job, err));
    return sat__backup_state_chain(&job->state, made->home.chain, err);
}
