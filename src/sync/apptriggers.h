/*
 * apptriggers.h - the app's own triggers, while merged rows are written
 *
 * What a trigger wrote to a tracked table arrives as a row of its own, so the
 * app's triggers are off for our writes. But what one writes to a table that is
 * not tracked, such as a full-text index, is derived from the rows and must
 * follow them here too. Where there is such a trigger, triggers stay on and are
 * kept from tracked tables and from ours.
 */
#ifndef SAT_SRC_SYNC_APPTRIGGERS_H
#define SAT_SRC_SYNC_APPTRIGGERS_H

#include "sync/core.h"

/* Puts the connection's triggers on or off, as the schema now asks. */
SAT_CHECK sat_status sat__app_triggers_follow(sat_replica *replica,
                                              sat_error *err);

/* Takes our hands off the connection. */
void sat__app_triggers_leave(sat_replica *replica);

/* From now on the connection writes as an app's: all triggers fire, ours too,
 * and foreign keys are enforced; until told otherwise. */
void sat__app_triggers_as_app(sat_replica *replica, bool on);

/* To be called before a merged row of the table is written: the app's triggers
 * on it are on, fenced in, or off. */
void sat__app_triggers_meet(sat_replica *replica, const sat__table *table);

#endif /* SAT_SRC_SYNC_APPTRIGGERS_H */
