/*
 * lines.h - vaults that are open while a hub is followed
 *
 * A sync asks for all that there is. A change is of one vault, and where that
 * is open already it is on its way in one request, and here in another. What
 * such a step leaves out, chains, files, vaults that are new, is for the sync
 * that comes after it. Two are open;
 * others are left alone, for whoever wants to rename or delete them.
 */
#ifndef SAT_SRC_ACCOUNT_LINES_H
#define SAT_SRC_ACCOUNT_LINES_H

#include "account/follow.h"

#define SAT_LINES_MAX 2

typedef struct sat__line {
    char name[SAT_VAULT_NAME_MAX + 1]; /* "" where it is closed */
    sat__follow follow;
    int64_t version; /* of the database when it was pushed last */
    bool is_kept;    /* open until all are closed */
} sat__line;

typedef struct sat__lines {
    sat_profile *profile;
    sat__session session;
    bool is_open; /* the session is */
    sat__line list[SAT_LINES_MAX];
} sat__lines;

void sat__lines_close(sat__lines *lines);

/* The vault `name`, opened if it is not; NULL where it is none at the hub. */
SAT_CHECK sat_status sat__lines_find(sat__lines *lines, const char *name,
                                     sat__line **out, sat_error *err);

/* The one of that id, if it is open. */
sat__line *sat__lines_of(sat__lines *lines, const sat__id *id);

/* Gives the hub what others than the line wrote since the last time, if they
 * did: *any. With `is_forced` it looks in any case. SAT_ERR_BUSY while somebody
 * else syncs. */
SAT_CHECK sat_status sat__line_push(sat__lines *lines, sat__line *line,
                                    bool is_forced, sat_sync_report *report,
                                    bool *any, sat_error *err);

/* Takes what the hub has; SAT_ERR_BUSY likewise. */
SAT_CHECK sat_status sat__line_pull(sat__lines *lines, sat__line *line,
                                    sat_sync_report *report, sat_error *err);

#endif /* SAT_SRC_ACCOUNT_LINES_H */
