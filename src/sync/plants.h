/*
 * plants.h - bugs that are planted on purpose
 *
 * The simulation must find them (docs/simulation.md), or it is no test. They
 * are compiled into the simulation's copy of the engine alone, where a run
 * chooses one by its number; everywhere else SAT_PLANT() is the constant 0.
 *
 *    1  a merge takes in what was superseded here
 *    2  a merge keeps what was superseded there
 *    3  a deletion hides an update beside it
 *    4  a write's time may lie before that of what it replaces
 *    5  an update closes a conflict that nobody has seen
 *    6  equal values are in conflict
 *    7  the first row born has the key, whoever claimed it first
 *    8  rows may refer to what is not there
 *    9  local edits are not collected before a merge
 *   10  of a row's copies in one pull the first counts
 *   11  rows are merged with knowledge that is newer than they are
 *   12  later pages send what was not collected
 *   13  new rows on rowids that were free again are not found
 *   14  tied columns are written one by one
 *   15  a row whose key changed is another row
 *   16  a restored replica goes on with its old dots
 *   17  a decision leaves open what was not shown
 *   18  the strategy `remote` decides for what is local
 *   19  deletions win in every table once a strategy decides in any
 *   20  what is left to people is decided by the device
 *   21  decisions that cross are a conflict
 *   22  a hub gets what was born here alone, and the whole knowledge
 *   23  what a hub withholds is not missed
 *   24  items go to a hub as they are
 *   25  an addition takes the place of everybody's
 *   26  an addition hides a deletion that it did not know of
 *   27  deletions are forgotten that a member has not seen
 *   28  a deleted row lives on by a column that its deleter does not know
 *   29  a later schema does not show what was held for it
 */
#ifndef SAT_SRC_SYNC_PLANTS_H
#define SAT_SRC_SYNC_PLANTS_H

#if defined(SAT_PLANTS)
#include "sync/replica.h"

/*
 * Goes on with another content of the database, of the very same schema, as
 * sat__replica_open() would: only what follows from the schema stays. To read
 * that anew takes longer than a short run of the simulation.
 */
SAT_CHECK sat_status sat__replica_again(sat_replica *replica,
                                        const sat__replica_options *options,
                                        sat_error *err);

extern int sat__planted; /* 0: none */
#define SAT_PLANT(number) (sat__planted == (number))
#else
#define SAT_PLANT(number) 0
#endif

#endif /* SAT_SRC_SYNC_PLANTS_H */
