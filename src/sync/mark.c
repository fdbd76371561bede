/*
 * mark.c - a replica that is a vault knows when it was copied
 *
 * What a copy writes must not have the numbers that the original gives: it goes
 * on as a new incarnation, whoever opens it first.
 */
#include "sync/core.h"

#include "store/vault_mark.h"

sat_status sat__mark_check(sat_replica *replica, sat_error *err)
{
    bool is_copy;
    if (!replica->is_vault)
        return SAT_OK;
    TRY(sat__vault_mark_check(replica->db, &is_copy, err));
    if (!is_copy)
        return SAT_OK;
    TRY(sat__replica_renew(replica, err));
    const sat_status st =
        sat__vault_mark_renew(replica->db, &replica->env, err);
    return st == SAT_OK
               ? SAT_OK
               : sat__context(err, st,
                              "this is a copy of a vault, and can not be "
                              "marked as one");
}

sat_status sat__mark_advance(sat_replica *replica, sat_error *err)
{
    return replica->is_vault ? sat__vault_mark_advance(replica->db, err)
                             : SAT_OK;
}

sat_status sat__mark_expose(sat_replica *replica, sat_error *err)
{
    const sat__knowledge *const known = &replica->known;
    const int64_t n =
        (uint64_t)replica->self < known->size ? known->n[replica->self] : 0;
    if (!replica->is_vault || n == replica->exposed)
        return SAT_OK;
    TRY(sat__vault_mark_advance(replica->db, err));
    replica->exposed = n;
    return SAT_OK;
}
