/*
 * admin.h - what administrators see: counts, states and events, no contents
 */
#ifndef SAT_SRC_HUB_ADMIN_H
#define SAT_SRC_HUB_ADMIN_H

#include "hub/storage/storage.h"

typedef struct hub_admin_options {
    const char *email; /* of one account alone, or NULL */
    int64_t limit;     /* how many of the newest events */
    bool is_json;
} hub_admin_options;

/* Appends the list `what` (users, mfa, audit, sessions, stats), as a table or
 * as JSON. SAT_ERR_INVALID where there is no such list. */
SAT_CHECK sat_status hub_admin_list(const hub_storage *storage,
                                    const char *what,
                                    const hub_admin_options *options,
                                    sat_buf *out, sat_error *err);

#endif /* SAT_SRC_HUB_ADMIN_H */
