/*
 * reissue.h - what a former self wrote and nobody took, under dots of our own
 *
 * A database that was restored, or whose device came back under other keys
 * after it was revoked, holds writes of an incarnation that it can not go on
 * as. Once that one's last dot is known, what lies beyond it counts for nobody;
 * but it is this person's work. So it is written again by the present
 * incarnation: each entry at its own time, beside whatever others wrote
 * meanwhile, and a row that was born so under another birth.
 */
#ifndef SAT_SRC_SYNC_REISSUE_H
#define SAT_SRC_SYNC_REISSUE_H

#include "sync/settle.h"

typedef struct sat__reissue {
    sat_replica *replica;
    sat__knowledge
        former;       /* what former selves had written when we took over */
    sat__group group; /* g is 0 until something is written again */
    int64_t ordinal;
} sat__reissue;

void sat__reissue_clear(sat__reissue *work);

/* Notes that incarnation `self`, and others of its device, are former selves.
 */
SAT_CHECK sat_status sat__reissue_inherit(sat_replica *replica, int64_t self,
                                          sat_error *err);

SAT_CHECK sat_status sat__reissue_init(sat__reissue *work, sat_replica *replica,
                                       sat_error *err);

/* Whether group g was a former self's. */
SAT_CHECK sat_status sat__reissue_has(const sat__reissue *work, int64_t g,
                                      bool *out, sat_error *err);

/* Adds `entry` to `cell` of the row as one of ours. Of several the latest
 * stays. */
SAT_CHECK sat_status sat__reissue_entry(sat__reissue *work, sat__arena *arena,
                                        const sat__row *row, sat__cell *cell,
                                        const sat__entry *entry,
                                        sat_error *err);

/* A row with what `from` has, born in a group of ours. */
SAT_CHECK sat_status sat__reissue_row(sat__reissue *work, sat__arena *arena,
                                      const sat__row *from, sat__row **out,
                                      sat_error *err);

#endif /* SAT_SRC_SYNC_REISSUE_H */
