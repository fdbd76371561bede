/*
 * limit.h - devices that left, and what of theirs counts
 *
 * From its removal on nothing beyond the named last dot is taken from an
 * incarnation of such a device, whoever brings it (rule 13).
 *
 *   sync_left      device: it left, and other incarnations of it count nothing
 *   sync_limits    incarnation, n: the last dot of it that counts
 *   sync_stained   (t, b, o, c): a cell that changes which do not count were
 *                  taken out of
 *
 * What such changes had superseded may never have been here, though our
 * knowledge says so. While there are stains, a replica says that it knows
 * nothing, and gives nothing; what it is given from the start heals them.
 */
#ifndef SAT_SRC_SYNC_LIMIT_H
#define SAT_SRC_SYNC_LIMIT_H

#include "sync/core.h"

/* The last n that counts, by the number of the incarnation. */
typedef struct sat__limits {
    bool is_any;         /* somebody left */
    sat__knowledge last; /* SAT_LIMIT_NONE where nothing is limited */
} sat__limits;

#define SAT_LIMIT_NONE INT64_MAX

void sat__limits_clear(sat__limits *limits);
DEFINE_AUTO(sat__limits, sat__limits_clear);

/* Whether anybody ever left: the tables are made then. */
SAT_CHECK sat_status sat__limits_are_there(sat_replica *replica, bool *out,
                                           sat_error *err);

SAT_CHECK sat_status sat__limits_load(sat_replica *replica, sat__limits *out,
                                      sat_error *err);

/* Whether group g comes too late to count. */
SAT_CHECK sat_status sat__limits_is_late(sat_replica *replica,
                                         const sat__limits *limits, int64_t g,
                                         bool *out, sat_error *err);

/* Whether a knowledge has what does not count. */
bool sat__limits_exceeded(const sat__limits *limits,
                          const sat__knowledge *knowledge);

/* Takes out of a knowledge what does not count. */
void sat__limits_clamp(const sat__limits *limits, sat__knowledge *knowledge);

SAT_CHECK sat_status sat__stains_any(sat_replica *replica, bool *out,
                                     sat_error *err);
SAT_CHECK sat_status sat__stains_add(sat_replica *replica, int64_t t, int64_t b,
                                     int64_t o, int c, sat_error *err);
SAT_CHECK sat_status sat__stains_has(sat_replica *replica, int64_t t, int64_t b,
                                     int64_t o, int c, bool *out,
                                     sat_error *err);
SAT_CHECK sat_status sat__stains_clear(sat_replica *replica, sat_error *err);

#endif /* SAT_SRC_SYNC_LIMIT_H */
