/*
 * counter.h - columns whose concurrent changes add up
 *
 * A counter's cell has, beside the entry that is shown, one entry for each
 * incarnation that changed it: what that one has added, all in all. What the
 * table shows is the sum.
 *
 *      { 5 } { a: +3 } { b: -1 }       7
 *
 * An incarnation replaces no entry but its own, so two that add at once both
 * count, once each, in whatever order they become known: a PN-counter (Shapiro
 * et al., A comprehensive study of CRDTs, 2011, 3.1.3) that keeps one number an
 * incarnation, under the dot of its last change. Whatever else writes the cell,
 * such as a deletion, a decision or a value that is no integer, writes the
 * entry under the sum so that the sum is what was written, and takes back
 * nothing. Sums are taken modulo 2^64, where no order matters.
 */
#ifndef SAT_SRC_SYNC_COUNTER_H
#define SAT_SRC_SYNC_COUNTER_H

#include "sync/row.h"

/* Whether any incarnation has added to the cell. */
bool sat__counter_has(const sat__cell *cell);

/* The sum of `value` and what was added; `value` itself where it is no integer.
 */
sat__value sat__counter_add(const sat__cell *cell, sat__value value);

/* What `value` has to be written as, for the sum to be `value`. */
sat__value sat__counter_take(const sat__cell *cell, sat__value value);

/* As add(), with what was added up to group `version`; the cell has what was
 * superseded, too. */
SAT_CHECK sat_status sat__counter_add_at(sat_replica *replica,
                                         const sat__cell *cell, int64_t version,
                                         sat__value value, sat__value *out,
                                         sat_error *err);

/*
 * Makes the sum `now` by adding, as incarnation `author`. What it replaces goes
 * to `gone`. *done is false, and nothing is done, where one of the two is no
 * integer.
 */
SAT_CHECK sat_status sat__counter_write(sat_replica *replica, sat__arena *arena,
                                        sat__cell *cell, int64_t author,
                                        const sat__group *group,
                                        const sat__value *now, sat__cell *gone,
                                        bool *done, sat_error *err);

/* Says in the cell of existence that the row was alive to the group's author;
 * `has_seen` that it knew what was said there before. */
SAT_CHECK sat_status sat__counter_touch(sat__arena *arena, sat__cell *cell,
                                        const sat__group *group, bool has_seen,
                                        sat_error *err);

/* Another replica declares that column c of table t counts. */
SAT_CHECK sat_status sat__counter_adopt(sat_replica *replica, int64_t t, int c,
                                        sat_error *err);

#endif /* SAT_SRC_SYNC_COUNTER_H */
