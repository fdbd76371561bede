/*
 * heads.h - one line of heads, for every device
 */
#ifndef SAT_SRC_ACCOUNT_HEADS_H
#define SAT_SRC_ACCOUNT_HEADS_H

#include "account/follow.h"

/* Fails with what the hub did, a sentence that begins "the hub". */
SAT_CHECK sat_status sat__hub_lies(sat_error *err, const char *what);

/* The hub has a line of heads that leads from `from`, of `sequence`, to `to`:
 * else SAT_ERR_CORRUPT. */
SAT_CHECK sat_status sat__heads_lead(sat__follow *follow, const sat__id *from,
                                     uint64_t sequence, const sat__id *to,
                                     sat_error *err);

/* Compares the head that the hub shows with those that other devices named:
 * SAT_ERR_CORRUPT where it withholds the newest, or shows two histories. */
SAT_CHECK sat_status sat__heads_compare(sat__follow *follow,
                                        const sat__id *head, uint64_t sequence,
                                        sat_error *err);

#endif /* SAT_SRC_ACCOUNT_HEADS_H */
